// One row: x_0 … x_{C−1}, the classes at one position. In memory x_j is x[start + j · stride], so that any axis may be the class axis.
//
// rowArgmax    k, the place of the maximum m = x_k
// rowShift     z_j = (x_j − m) / T                     ≤ 0, exact where logits share a large offset
// rowExp       e_j = exp(z_j), returning s = Σ_{j ≠ k} e_j
// rowStore     out_j = row_j · scale, or out_j += row_j · scale
// rowFill      out_j = value
//
// The term of the maximum is exactly 1, so the softmax denominator is d = 1 + s and its logarithm log1p(s). Keeping s apart is what
// makes small losses right: where one class has all but 1e-18 of the probability, d rounds to 1 and log d to 0, but log1p(s) is 1e-18.
//
// Rows are computed in doubles, whatever the arrays hold, in a scratch row: only the loops that read an array of the caller's or
// write one meet two element types, and no result is rounded to f32 before it is complete, nor read back after being overwritten.

import type { FloatArray } from "../kernels.js";

// Allocating a scratch row costs as much as computing thirty classes, so rows of ordinary length share these. A kernel runs
// to its end before another one starts, and longer rows get an array of their own for the length of the call.
const KEPT_CLASSES = 2048;
const kept = [0, 1, 2].map(() => new Float64Array(KEPT_CLASSES));

/** A row of doubles to compute in. Rows with different numbers, 0 to 2, are different rows. */
export function scratchRow(number: 0 | 1 | 2, classes: number): Float64Array {
  return classes <= KEPT_CLASSES ? kept[number]! : new Float64Array(classes);
}

/**
 * Where the maximum of the row lies: the lowest i of start, start + stride, … below end that attains it, leaving out i = except.
 * Where there is a NaN, its place.
 */
export function rowArgmax(x: FloatArray, start: number, stride: number, end: number, except: number): number {
  let argmax = except === start ? start + stride : start;
  let max = -Infinity;
  for (let i = start; i < end; i += stride) {
    const value = x[i]!;
    // not (value > max): a NaN gets in as well; and what is asked in here is asked of few elements
    if (!(value <= max) && i !== except) {
      if (Number.isNaN(value)) return i;
      argmax = i;
      max = value;
    }
  }
  return argmax;
}

/** z_j = (x_j − m) / temperature. Returns k, the place of m in z: z_k is 0, or NaN if m is not finite. */
export function rowShift(
  z: Float64Array,
  x: FloatArray,
  start: number,
  stride: number,
  classes: number,
  temperature: number,
): number {
  const argmax = rowArgmax(x, start, stride, start + classes * stride, -1);
  const max = x[argmax]!;
  for (let j = 0, i = start; j < classes; j++, i += stride) z[j] = x[i]! - max;
  // apart, because dividing by 1 inside the loop takes 0.3 ns per element, inside that of the exponential 1.5 (which takes 8)
  if (temperature !== 1) for (let j = 0; j < classes; j++) z[j]! /= temperature;
  return (argmax - start) / stride;
}

/** e_j = exp(z_j); e may be z. Returns the sum of all but the one at the maximum, NaN if there is no finite maximum. */
export function rowExp(e: Float64Array, z: Float64Array, classes: number, k: number): number {
  const zk = z[k]!;
  z[k] = -Infinity; // adds 0 to the sum, so that the loop needs no exception
  const others = zk + expSum(e, z, 0, classes);
  z[k] = zk;
  e[k] = 1;
  return others;
}

// Pairwise: the sums of the halves are added, so that 10^5 terms gather the rounding errors of a few hundred.
function expSum(e: Float64Array, z: Float64Array, from: number, to: number): number {
  if (to - from > 256) {
    const middle = (from + to) >>> 1;
    return expSum(e, z, from, middle) + expSum(e, z, middle, to);
  }
  let sum = 0;
  for (let j = from; j < to; j++) sum += e[j] = Math.exp(z[j]!);
  return sum;
}

/** out_j = row_j · scale; with `accumulate`, out_j += row_j · scale. */
export function rowStore(
  out: FloatArray,
  start: number,
  stride: number,
  classes: number,
  row: Float64Array,
  scale: number,
  accumulate: boolean,
): void {
  if (accumulate) for (let j = 0, i = start; j < classes; j++, i += stride) out[i]! += row[j]! * scale;
  else for (let j = 0, i = start; j < classes; j++, i += stride) out[i] = row[j]! * scale;
}

/** out_j = value. */
export function rowFill(out: FloatArray, start: number, stride: number, classes: number, value: number): void {
  // fill moves whole cache lines, but to call it costs as much as storing sixty numbers
  if (stride === 1 && classes > 64) out.fill(value, start, start + classes);
  else for (let j = 0, i = start; j < classes; j++, i += stride) out[i] = value;
}
