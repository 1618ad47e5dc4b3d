// float16ToFloat32   IEEE half precision to single, exactly      y: [n] f32, x: [n] bits of half floats,
//                                                                which may lie in the second half of y
//
// The 15 bits without the sign, moved to their place in an f32, are the number times 2^−112, subnormal or not. Infinity and NaN, which have all bits of
// the exponent set, come out as 2^16 or more: they get all exponent bits of an f32, and keep their fraction.

// In memory: see exp.ts.
const BITS = memory.data<u32>([0x8fffffff]);
const SCALE = memory.data<f32>([5.192296858534828e33]);
const SPECIAL = memory.data<f32>([65536]);
const EXPONENT = memory.data<u32>([0x7f800000]);

export function float16ToFloat32(y: usize, x: usize, n: i32): void {
  const bits = v128.load32_splat(BITS), scale = v128.load32_splat(SCALE), special = v128.load32_splat(SPECIAL), exponent = v128.load32_splat(EXPONENT);
  for (; n >= 8; n -= 8, x += 16, y += 32) {
    v128.store(y, widen(v128.load16x4_s(x), bits, scale, special, exponent));
    v128.store(y, widen(v128.load16x4_s(x, 8), bits, scale, special, exponent), 16);
  }
  for (; n > 0; n--, x += 2, y += 4) v128.store32_lane(y, widen(i32x4.splat(load<i16>(x)), bits, scale, special, exponent), 0);
}

// @ts-ignore: decorator
@inline
function widen(h: v128, bits: v128, scale: v128, special: v128, exponent: v128): v128 {
  // Sign extension has left four sign bits: `bits` keeps one.
  const number = f32x4.mul(v128.and(i32x4.shl(h, 13), bits), scale);
  return v128.or(number, v128.and(f32x4.ge(f32x4.abs(number), special), exponent));
}
