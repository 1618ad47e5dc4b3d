// Axis arithmetic: any shape with a class axis is [outer, classes, inner].

import type { Shape } from "../kernels.js";
import { checkedNumber, type Options, rangeError, typeError } from "./check.js";

/** The dimensions in the option `shape`, or undefined. */
function dimensions(fn: string, shape: unknown): readonly number[] | undefined {
  if (shape === undefined) return undefined;
  if (!Array.isArray(shape)) throw typeError(fn, "shape", "an array of sizes", shape);
  if (shape.length === 0) throw rangeError(fn, "shape", "of at least one dimension", shape);
  for (let i = 0; i < shape.length; i++) {
    const size = shape[i] as number;
    if (!Number.isSafeInteger(size) || size < 0) throw rangeError(fn, `shape[${i}]`, "a non-negative integer", size);
    // It may be a double. Loops count faster in what an engine knows to be an integer: the baseline's softmax took 21 ns per element instead of
    // 10 (Node 24).
    if (size < 2 ** 31) shape[i] = size | 0;
  }
  return shape;
}

/**
 * Where the classes of an array of `length` elements lie. Without `shape` the array is one row, or, where `rows` is given, that many rows.
 * The class axis is the last one; for a loss (`isLoss`) with more than two dimensions the second, as in PyTorch's (N, C, d1, …).
 */
export function readShape(
  fn: string,
  options: Options,
  argument: string,
  length: number,
  rows: number | undefined,
  isLoss: boolean,
): Shape {
  const classes = rows === undefined ? length : length / rows;
  // Most calls are like this, and it is little enough for V8 to compile it into its callers.
  const plain = options.shape === undefined && options.axis === undefined && classes > 0 && Number.isInteger(classes);
  return plain
    ? { outer: rows ?? 1, classes, inner: 1 }
    : readDimensions(fn, options, argument, length, rows, rows === 0 ? 0 : classes, isLoss);
}

function readDimensions(
  fn: string,
  { shape, axis }: Options,
  argument: string,
  length: number,
  rows: number | undefined,
  classes: number,
  isLoss: boolean,
): Shape {
  if (shape === undefined && rows !== undefined && (rows === 0 ? length > 0 : length % rows !== 0)) {
    throw rangeError(fn, `${argument}.length`, `a multiple of the ${rows} targets`, length);
  }
  if (shape === undefined && axis === undefined) {
    if (rows !== 0) throw rangeError(fn, `${argument}.length`, "at least one class a row", length);
    return { outer: 0, classes, inner: 1 };
  }

  const sizes = dimensions(fn, shape) ?? (rows === undefined ? [classes] : [rows, classes]);
  const rank = sizes.length;
  const byDefault = isLoss && rank > 2 ? 1 : -1;
  const isAxis = (k: number) => Number.isInteger(k) && k >= -rank && k < rank;
  const given =
    axis === undefined ? byDefault : checkedNumber(fn, "axis", axis, `an integer in [${-rank}, ${rank})`, isAxis);
  const k = given < 0 ? given + rank : given;
  const elements = product(sizes, 0, rank);
  if (elements !== length) {
    throw new RangeError(
      `${fn}: shape must have ${length} elements, the length of ${argument}, got [${sizes.slice(0, 20)}] with ${elements}`,
    );
  }
  // An array of nothing can claim any size; the others are bounded by its length.
  if (length === 0) {
    const claimed = sizes.map((size) => size || 1);
    if (product(claimed, 0, rank) > Number.MAX_SAFE_INTEGER)
      throw rangeError(fn, "shape", "of sizes whose product is a safe integer", shape);
  }
  const outer = product(sizes, 0, k);
  const inner = product(sizes, k + 1, rank);
  if (sizes[k] === 0 && outer * inner > 0) {
    throw rangeError(fn, `shape[${k}]`, `at least one class for ${outer * inner} rows`, 0);
  }
  return { outer, classes: sizes[k]!, inner };
}

/** Where row r of [outer, classes, inner] begins. */
export function rowStart({ classes, inner }: Shape, r: number): number {
  return inner === 1 ? r * classes : Math.floor(r / inner) * classes * inner + (r % inner);
}

function product(sizes: readonly number[], start: number, end: number): number {
  let result = 1;
  for (let i = start; i < end; i++) result *= sizes[i]!;
  return result;
}
