// Class indices on their way out.

import { int32Array, newArray } from "./arrays.js";
import { rangeError, typeError } from "./errors.js";
import type { Options } from "./options.js";
import { kindOf, lengthOf } from "./typedArrays.js";

/** The model of arrays of indices. */
export const NO_INDICES: Int32Array = /* @__PURE__ */ new Int32Array(0);

/** The option `out` of a function that gives one class index a row; undefined where there is none. */
export function indicesOption(fn: string, out: unknown, rows: number): Int32Array | undefined {
  if (out === undefined) return undefined;
  if (kindOf(out) !== "Int32Array") throw typeError(fn, "out", "an Int32Array", out);
  const array = int32Array(fn, "out", out as Int32Array);
  if (lengthOf(array) !== rows) throw rangeError(fn, "out.length", `the number of rows, ${rows}`, lengthOf(array));
  return array;
}

/** Numbers for each row of a call: the class of its maximum, the class that was drawn, and the random number that drew it. */
export interface RowArrays {
  readonly tops: Int32Array;
  readonly classes: Int32Array;
  readonly u: Float64Array;
}

const KEPT_ROWS = 256;
let kept: RowArrays | undefined;

/** Arrays for a call. Once returned, those of a few rows are kept for the next call; a call in between (from a caller's `random`) gets others. */
export function takeRowArrays(fn: string, rows: number): RowArrays {
  if (kept !== undefined && rows <= KEPT_ROWS) {
    const arrays = kept;
    kept = undefined;
    return arrays;
  }
  const length = Math.max(rows, KEPT_ROWS);
  return {
    tops: newArray(fn, NO_INDICES, length),
    classes: newArray(fn, NO_INDICES, length),
    u: newArray(fn, Float64Array.prototype, length),
  };
}

export function returnRowArrays(arrays: RowArrays): void {
  if (lengthOf(arrays.u) === KEPT_ROWS) kept = arrays;
}

/** What the caller gets for one index per row: `out`, or a new array; a number if there is neither `out` nor `shape`. */
export function deliverIndices(
  fn: string,
  indices: Int32Array,
  rows: number,
  out: Int32Array | undefined,
  { out: given, shape }: Options,
): Int32Array | number {
  if (given === undefined && shape === undefined) return indices[0]!;
  const result = out ?? newArray(fn, indices, rows);
  for (let r = 0; r < rows; r++) result[r] = indices[r]!;
  return (given ?? result) as Int32Array;
}
