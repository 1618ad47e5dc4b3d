// Arrays of a number for each row, used again between calls, so that a loss over a few rows allocates nothing; larger batches get arrays of
// their own. What a caller gets is never one of these.

import { newArray } from "./check.js";

const REUSED_ROWS = 1 << 16;

/** Makes the function that gives room for one number per row, like `first`. Valid until the next call, and perhaps longer than asked for. */
export function rowBuffers<A extends Float64Array | Int32Array>(first: A): (fn: string, rows: number) => A {
  let reused = first;
  return (fn, rows) => {
    if (rows > REUSED_ROWS) return newArray(fn, reused, rows);
    if (rows > reused.length) reused = newArray(fn, reused, Math.min(REUSED_ROWS, rows * 2));
    return reused;
  };
}
