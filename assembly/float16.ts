// float16ToFloat32   IEEE half precision to single, exactly      y: [n] f32, x: [n] bits of half floats
//
// The 15 bits without the sign, put where those of an f32 are, are the number times 2^−112, also of a subnormal one. What has all bits of the
// exponent set is given those of an f32, and keeps its fraction: infinities and NaN.

/** y may end where x ends: then y is written behind what is still to be read. */
export function float16ToFloat32(y: usize, x: usize, n: i32): void {
  for (; n >= 8; n -= 8, x += 16, y += 32) {
    const h = v128.load(x);
    v128.store(y, widen(i32x4.extend_low_i16x8_u(h)));
    v128.store(y, widen(i32x4.extend_high_i16x8_u(h)), 16);
  }
  for (; n > 0; n--, x += 2, y += 4) v128.store32_lane(y, widen(i32x4.splat(load<u16>(x))), 0);
}

// @ts-ignore: decorator
@inline
function widen(h: v128): v128 {
  const sign = i32x4.shl(v128.and(h, i32x4.splat(0x8000)), 16), magnitude = i32x4.shl(v128.and(h, i32x4.splat(0x7fff)), 13);
  const number = f32x4.mul(magnitude, f32x4.splat(5.192296858534828e33)), special = i32x4.ge_s(magnitude, i32x4.splat(0x0f800000));
  return v128.or(v128.or(number, sign), v128.and(special, i32x4.splat(0x7f800000)));
}
