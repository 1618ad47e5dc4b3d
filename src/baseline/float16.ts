// float16ToFloat32   IEEE half precision to single, exactly
//
// The 15 bits without the sign, put where those of an f32 are, are the number times 2^−112, also of a subnormal one. What has all bits of the
// exponent set is given those of an f32, and keeps its fraction: infinities and NaN.

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
