// float16ToFloat32   IEEE half precision to single, exactly
//
// The 15 bits without the sign, moved to their place in an f32, are the number times 2^−112, subnormal or not. Infinity and NaN, which have all bits of
// the exponent set, get all exponent bits of an f32, and keep their fraction.

import { lengthOf } from "../arguments/typedArrays.js";

const bits = new Uint32Array(1);
const single = new Float32Array(bits.buffer);

export function float16ToFloat32(y: Float32Array, x: Uint16Array): void {
  const length = lengthOf(x);
  for (let i = 0; i < length; i++) {
    const h = x[i]!;
    bits[0] = (h & 0x7fff) << 13;
    if (bits[0] >= 0x0f800000) bits[0] |= 0x7f800000;
    else single[0]! *= 2 ** 112;
    bits[0] |= (h & 0x8000) << 16;
    y[i] = single[0]!;
  }
}
