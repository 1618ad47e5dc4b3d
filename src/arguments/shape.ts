// Axis arithmetic: any shape with a class axis is [outer, classes, inner].

import type { Shape } from "../kernels.js";
import { checkedNumber, PROBABILITIES_HINT, rangeError, typeError } from "./errors.js";
import type { Options } from "./options.js";

/**
 * Where the classes of an array of `length` elements lie. Without `shape` the array is one row, or, where `rows` is given, that many rows.
 * The class axis is the last one; for a loss (`isLoss`) with more than two dimensions the second, as in PyTorch's (N, C, d1, …).
 */
export function readShape(
  fn: string,
  { shape, axis }: Options,
  argument: string,
  length: number,
  rows: number | undefined,
  isLoss: boolean,
): Shape {
  const classes = rows === undefined ? length : rows === 0 ? 0 : length / rows;
  if (shape === undefined && !(rows === 0 ? length === 0 : Number.isInteger(classes)))
    throw rangeError(fn, `${argument}.length`, `a multiple of the ${rows} targets`, length);
  // Most calls are like this.
  if (shape === undefined && axis === undefined && classes > 0) return { outer: rows ?? 1, classes, inner: 1 };

  const sizes = shape === undefined ? (rows === undefined ? [classes] : [rows, classes]) : dimensions(fn, shape);
  if (product(sizes, 0, sizes.length) !== length) {
    throw new RangeError(
      `${fn}: shape must have ${length} elements, the length of ${argument}, got [${sizes.slice(0, 20)}] with ${product(sizes, 0, sizes.length)}`,
    );
  }
  const k = classAxis(fn, sizes, axis, isLoss);
  const result = around(sizes, k);
  if (sizes[k] === 0 && result.outer * result.inner > 0) {
    const what = shape === undefined ? `${argument}.length` : `shape[${k}]`;
    throw rangeError(fn, what, "at least 1, a class", 0);
  }
  return result;
}

/** The same for elementwise functions: an empty array is no row, instead of one without classes. */
export function readElements(fn: string, options: Options, argument: string, length: number, isLoss: boolean): Shape {
  return readShape(fn, options, argument, length, length === 0 ? 0 : undefined, isLoss);
}

/** The sizes in the option `shape`. */
function dimensions(fn: string, shape: unknown): readonly number[] {
  if (!Array.isArray(shape)) throw typeError(fn, "shape", "an array of sizes", shape);
  if (shape.length === 0) throw rangeError(fn, "shape", "of at least one dimension", shape);
  for (let i = 0; i < shape.length; i++) {
    const size = shape[i] as number;
    if (!Number.isSafeInteger(size) || size < 0) throw rangeError(fn, `shape[${i}]`, "a non-negative integer", size);
    // As a 32-bit integer: loops count faster to it than to a double. With doubles the baseline's softmax took 21 ns per element instead of 10 (Node 24).
    if (size < 2 ** 31) shape[i] = size | 0;
  }
  // Beside a 0 other sizes can be anything; without one, the array's length bounds them.
  const claimed = shape.includes(0) ? shape.map((size) => size || 1) : [];
  if (product(claimed, 0, claimed.length) > Number.MAX_SAFE_INTEGER)
    throw rangeError(fn, "shape", "of sizes whose product is a safe integer", shape);
  return shape;
}

function classAxis(fn: string, { length: rank }: readonly number[], axis: unknown, isLoss: boolean): number {
  const isAxis = (k: number) => Number.isInteger(k) && k >= -rank && k < rank;
  const byDefault = isLoss && rank > 2 ? 1 : -1;
  const k =
    axis === undefined ? byDefault : checkedNumber(fn, "axis", axis, `an integer in [${-rank}, ${rank})`, isAxis);
  return k < 0 ? k + rank : k;
}

function around(sizes: readonly number[], k: number): Shape {
  return { outer: product(sizes, 0, k), classes: sizes[k]!, inner: product(sizes, k + 1, sizes.length) };
}

/**
 * The error for a number of targets other than that of the rows. If there are as many as logits, they are class probabilities in a list; with more than
 * two dimensions a wrong axis is likely.
 */
export function rowsError(fn: string, options: Options, targets: number, rows: number): RangeError {
  const sizes = options.shape as readonly number[] | undefined;
  let hint = "";
  if (sizes !== undefined && targets > 1 && targets === product(sizes, 0, sizes.length)) hint = PROBABILITIES_HINT;
  else if (sizes !== undefined && sizes.length > 2) {
    const k = classAxis(fn, sizes, options.axis, true);
    const other = sizes.findIndex((size, i) => i !== k && product(sizes, 0, sizes.length) / size === targets);
    hint = `the class axis is ${k} of [${sizes}]`;
    if (other >= 0) hint += `, with axis: ${other === sizes.length - 1 ? -1 : other} there are ${targets} rows`;
  }
  return rangeError(fn, "targets.length", `the number of rows, ${rows}`, targets, hint);
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
