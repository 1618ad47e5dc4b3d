// float16ToFloat32   IEEE half precision to single, exactly      y: [n] f32, x: [n] bits of half floats
//
// The 15 bits without the sign, put where those of an f32 are, are the number times 2^−112, also of a subnormal one. What has all bits of the
// exponent set is given those of an f32, and keeps its fraction: infinities and NaN.

// Constants in memory: one in the code is rebuilt at every use inside a loop (see exp.ts).
const SIGN = memory.data<u32>([0x8000]);
const MAGNITUDE = memory.data<u32>([0x7fff]);
const SPECIAL = memory.data<u32>([0x0f7fffff]);
const EXPONENT = memory.data<u32>([0x7f800000]);
const SCALE = memory.data<f32>([5.192296858534828e33]);

export function float16ToFloat32(y: usize, x: usize, n: i32): void {
  for (; n >= 8; n -= 8, x += 16, y += 32) {
    const h = v128.load(x);
    v128.store(y, widen(i32x4.extend_low_i16x8_u(h)));
    v128.store(y, widen(i32x4.extend_high_i16x8_u(h)), 16);
  }
  for (; n > 0; n--, x += 2, y += 4) v128.store32_lane(y, widen(i32x4.splat(load<u16>(x))), 0);
}

function widen(h: v128): v128 {
  const sign = i32x4.shl(v128.and(h, v128.load32_splat(SIGN)), 16), magnitude = i32x4.shl(v128.and(h, v128.load32_splat(MAGNITUDE)), 13);
  const number = f32x4.mul(magnitude, v128.load32_splat(SCALE)), special = i32x4.gt_s(magnitude, v128.load32_splat(SPECIAL));
  return v128.or(v128.or(number, sign), v128.and(special, v128.load32_splat(EXPONENT)));
}
