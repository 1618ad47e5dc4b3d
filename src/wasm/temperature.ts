// Temperatures that the kernels do not take: logits are scaled for them.

import { lengthOf } from "../arguments/typedArrays.js";
import type { FloatArray } from "../kernels.js";

/**
 * The kernels take a temperature between 2^−20 and 2^20: all that they compute from it is a normal f32. For others x and T are multiplied by the
 * power of two that brings T to about 1. As x may be of any size then, the call is computed in f64. (An x / T that overflows even there is
 * +Infinity, and its row NaN.)
 */
export function scaleFor(temperature: number): number {
  if (temperature >= 2 ** -20 && temperature <= 2 ** 20) return 1;
  return 2 ** Math.max(-1022, Math.min(1022, -Math.ceil(Math.log2(temperature))));
}

/** x · scale, in f64. */
export function scaledCopy(x: FloatArray, scale: number): Float64Array {
  const copy = new Float64Array(x);
  for (let i = 0; i < lengthOf(copy); i++) copy[i]! *= scale;
  return copy;
}
