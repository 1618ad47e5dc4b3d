// Choosing among the classes of a row without sorting it. The order: NaN first, then by value, equal ones by class.

import type { FloatArray } from "../kernels.js";

/** How many positions more than k are gathered before the k largest of them are selected. */
const ENOUGH = 512;
const KEPT_CLASSES = 2048;
const kept = new Int32Array(KEPT_CLASSES + ENOUGH);

/** Room for the positions of so many classes, and ENOUGH more. */
export function scratchPositions(classes: number): Int32Array {
  return classes <= KEPT_CLASSES ? kept : new Int32Array(classes + ENOUGH);
}

/** Whether i comes before j. */
function isBefore(x: Float64Array, i: number, j: number): boolean {
  const a = x[i]!;
  const b = x[j]!;
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return i < j;
  return a > b || Number.isNaN(a);
}

/**
 * Brings the first of n positions to the front, as few as weigh `target`; returns how many. Without `weights` each weighs 1. Takes time proportional to n
 * (Hoare's quickselect, 1961), whatever x is, since pivots are random.
 */
export function select(
  positions: Int32Array,
  x: Float64Array,
  weights: Float64Array | undefined,
  n: number,
  target: number,
): number {
  let start = 0;
  let end = n;
  let above = 0;
  let seed = 1;
  while (end - start > 1) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const at = start + (seed % (end - start));
    const pivot = positions[at]!;
    positions[at] = positions[end - 1]!;
    let next = start;
    let weight = 0;
    for (let i = start; i < end - 1; i++) {
      const j = positions[i]!;
      if (!isBefore(x, j, pivot)) continue;
      positions[i] = positions[next]!;
      positions[next++] = j;
      weight += weights === undefined ? 1 : weights[j]!;
    }
    positions[end - 1] = positions[next]!;
    positions[next] = pivot;
    if (above + weight >= target) end = next;
    else {
      above += weight + (weights === undefined ? 1 : weights[pivot]!);
      start = next + 1;
      if (above >= target) return start;
    }
  }
  return end;
}

/** The positions of the k largest of n, in any order. */
export function selectTop(positions: Int32Array, x: Float64Array, n: number, k: number): void {
  const room = k + ENOUGH;
  let count = 0;
  let floor = Number.NaN;
  for (let j = 0; j < n; j++) {
    if (x[j]! <= floor) continue;
    if (count === room) {
      count = select(positions, x, undefined, count, k);
      floor = x[positions[k - 1]!]!;
      for (let i = 0; i < k; i++) if (x[positions[i]!]! < floor) floor = x[positions[i]!]!;
      if (x[j]! <= floor) continue;
    }
    positions[count++] = j;
  }
  select(positions, x, undefined, count, k);
}

/** Up to so many are found by insertion. */
export const FEW = 64;
const top = new Float64Array(FEW);

/** The positions of the k largest of a row, k ≤ FEW, largest first. */
export function insertTop(
  positions: Int32Array,
  x: FloatArray,
  start: number,
  stride: number,
  classes: number,
  k: number,
): void {
  let least = Number.NEGATIVE_INFINITY;
  for (let j = 0, i = start; j < classes; j++, i += stride) {
    const value = x[i]!;
    // NaN comes first; once there are k of them, nothing else gets in.
    if (j >= k && (value <= least || Number.isNaN(least))) continue;
    let at = Math.min(j, k - 1);
    for (; at > 0 && (value > top[at - 1]! || (Number.isNaN(value) && !Number.isNaN(top[at - 1]!))); at--) {
      top[at] = top[at - 1]!;
      positions[at] = positions[at - 1]!;
    }
    top[at] = value;
    positions[at] = j;
    if (j >= k - 1) least = top[k - 1]!;
  }
}

const { sort, subarray } = Int32Array.prototype;

/** Sorts the first k positions. */
export function sortPositions(positions: Int32Array, x: Float64Array, k: number): void {
  sort.call(subarray.call(positions, 0, k), (i, j) => (isBefore(x, i, j) ? -1 : 1));
}
