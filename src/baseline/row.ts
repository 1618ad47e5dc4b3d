// One row x_0 … x_{C−1}: the classes at one position. x_j is x[start + j · stride], so any axis may be the class axis.
//
// rowArgmax    where the maximum m = x_k is
// rowShift     z_j = (x_j − m) / T ≤ 0                exact also where the logits share a huge offset
// rowExp       e_j = exp(z_j), and s = Σ_{j ≠ k} e_j
// rowStore     out_j = row_j · scale, or out_j += row_j · scale
// rowZero      out_j = 0, or out_j += 0
// rowFill      out_j = value
//
// The maximum's own term is exactly 1, so d = Σ e_j is 1 + s, and log d is log1p(s). Apart, s keeps small losses:
// where one class has all but 1e-18 of the probability, d rounds to 1, its logarithm to 0, and log1p(s) is 1e-18.
//
// Between reading x and writing the result a row is held in doubles, whatever the arrays hold. So nothing is rounded to
// f32 before it is complete, an output may be an input, and most loops see one element type, which compiles best.

import { fillWith } from "../arguments/typedArrays.js";
import type { FloatArray } from "../kernels.js";

// Scratch rows are used again by the next kernel: to allocate one of 32,000 classes, page by page, takes as long as to compute it. Only a row of more than
// a million classes gets an array of its own for the call.
const MOST_KEPT = 1 << 20;
const kept = [0, 1, 2].map(() => new Float64Array(1024));

/** One of three rows of doubles to compute in. */
export function scratchRow(number: 0 | 1 | 2, classes: number): Float64Array {
  if (classes <= kept[number]!.length) return kept[number]!;
  const row = new Float64Array(classes > MOST_KEPT ? classes : Math.min(MOST_KEPT, 2 * classes));
  if (classes <= MOST_KEPT) kept[number] = row;
  return row;
}

/**
 * The lowest index at which x has its maximum over start, start + stride, … below end, leaving out `except` (−1: none);
 * if there is a NaN, its index.
 */
export function rowArgmax(x: FloatArray, start: number, stride: number, end: number, except: number): number {
  let argmax = except === start ? start + stride : start;
  let max = -Infinity;
  for (let i = start; i < end; i += stride) {
    const value = x[i]!;
    // Not value > max: this lets NaN in too. Few elements get this far, so further checks cost nothing.
    if (!(value <= max) && i !== except) {
      if (Number.isNaN(value)) return i;
      argmax = i;
      max = value;
    }
  }
  return argmax;
}

/** z_j = (x_j − m) / temperature. Returns k; z_k is 0, or NaN where m is not finite. */
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
  // A pass of its own: within that of the exponential, dividing by 1 cost 1.5 of 12 ns per element (Node 20 to 26).
  if (temperature !== 1) for (let j = 0; j < classes; j++) z[j]! /= temperature;
  return (argmax - start) / stride;
}

/** e_j = exp(z_j); e may be z. Returns s, which is NaN where m is not finite. */
export function rowExp(e: Float64Array, z: Float64Array, classes: number, k: number): number {
  const zk = z[k]!;
  z[k] = -Infinity; // adds 0 to the sum, so the loop needs no exception
  const s = zk + expSum(e, z, 0, classes);
  z[k] = zk;
  e[k] = 1;
  return s;
}

// Pairwise summation: adding the sums of the halves lets 10^5 terms gather the rounding errors of a few hundred.
//
// The exponential is the engine's. One of our own, from a table and a polynomial, would make a softmax twice as fast where V8 compiles it, and take
// half as long again where JavaScript is interpreted (React Native, iOS' Lockdown Mode), which is what a fallback is for. `npm run bench` has it as
// "own exp"; interpreted: `node --jitless --import tsx bench/index.ts "softmax, f32" --quick --elements 10000`.
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
  // Not −0.
  else for (let j = 0, i = start; j < classes; j++, i += stride) out[i] = row[j]! * scale + 0;
}

/** A gradient of 0: added where gradients `accumulate`, otherwise stored unless out is new (not `clears`). */
export function rowZero(
  out: FloatArray,
  start: number,
  stride: number,
  classes: number,
  accumulate: boolean,
  clears: boolean,
): void {
  // −0 + 0 is 0.
  if (accumulate) for (let j = 0, i = start; j < classes; j++, i += stride) out[i]! += 0;
  else if (clears) rowFill(out, start, stride, classes, 0);
}

/** out_j = value. */
export function rowFill(out: FloatArray, start: number, stride: number, classes: number, value: number): void {
  // fill stores 16 bytes and more at a time, but the call alone takes as long as sixty plain stores.
  if (stride === 1 && classes > 64) fillWith(out, value, start, start + classes);
  else for (let j = 0, i = start; j < classes; j++, i += stride) out[i] = value;
}
