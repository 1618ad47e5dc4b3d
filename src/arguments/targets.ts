// Targets: class probabilities, or class indices, which kernels get block by block as an Int32Array with −1 for an ignored row.

import type { ClassIndices, FloatArray, Kernels } from "../kernels.js";
import { floatArray, int32Array, newArray, plainArray } from "./arrays.js";
import { checkedNumber, PROBABILITIES_HINT, rangeError, tensorHint, typeError } from "./errors.js";
import { bufferOf, computedKindOf, copyInt32, FEW, kindOf, lengthOf, overlaps } from "./typedArrays.js";

const INTEGER_ARRAYS = {
  __proto__: null,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
};

type Indices = ArrayLike<number> | ArrayLike<bigint>;

/** What was passed as targets, one or the other; the indices are not checked yet. */
export interface Targets {
  readonly indices: Indices | undefined;
  readonly probabilities: FloatArray | undefined;
}

/**
 * `list`: a copy of the value if that is a list. Class probabilities must have the type of `logits`, which is absent where they are refused, and n elements,
 * if n is known.
 */
export function readTargets(
  fn: string,
  value: unknown,
  list: Float64Array | undefined,
  logits: FloatArray | undefined,
  n: number | undefined,
  kernels: Kernels,
): Targets {
  if (list !== undefined) return { indices: list, probabilities: undefined };
  if (typeof value === "number") return { indices: Float64Array.of(value), probabilities: undefined };
  const kind = kindOf(value);
  if (kind === "Int32Array") {
    return { indices: int32Array(fn, "targets", value as Int32Array), probabilities: undefined };
  }
  const indices = integerArray(fn, value);
  if (indices !== undefined) return { indices, probabilities: undefined };
  if (logits !== undefined && computedKindOf(value) === computedKindOf(logits)) {
    const probabilities = floatArray(fn, "targets", value, undefined, kernels);
    if (n === undefined || lengthOf(probabilities) === n) return { indices: undefined, probabilities };
    const hint = `a ${kind} holds class probabilities, indices go in an integer array`;
    throw rangeError(fn, "targets.length", `logits.length = ${n}`, lengthOf(probabilities), hint);
  }
  const or = logits === undefined ? "" : ` or class probabilities (a ${computedKindOf(logits)})`;
  const expected = `class indices (a number, an integer typed array or an array of numbers)${or}`;
  throw typeError(fn, "targets", expected, value, tensorHint("targets", value, false));
}

/** Targets in an integer typed array; undefined for anything else. */
export function integerArray(fn: string, value: unknown): Indices | undefined {
  const kind = kindOf(value);
  if (kind === undefined || !(kind in INTEGER_ARRAYS)) return undefined;
  return plainArray(fn, "targets", value as Int32Array, INTEGER_ARRAYS[kind as "Int32Array"]);
}

const IGNORED_BY_DEFAULT: ReadonlySet<number> = /* @__PURE__ */ new Set([-100]);

/** The indices that mark an ignored row. */
export function readIgnoreIndex(fn: string, ignoreIndex: unknown): ReadonlySet<number> {
  if (ignoreIndex === undefined) return IGNORED_BY_DEFAULT;
  if (!Array.isArray(ignoreIndex)) return new Set([ignoredIndex(fn, "ignoreIndex", ignoreIndex)]);
  return new Set(ignoreIndex.map((index, i) => ignoredIndex(fn, `ignoreIndex[${i}]`, index)));
}

function ignoredIndex(fn: string, name: string, index: unknown): number {
  return checkedNumber(fn, name, index, "an integer", Number.isSafeInteger);
}

function hasClass(ignored: ReadonlySet<number>, classes: number): boolean {
  for (const index of ignored) if (index >= 0 && index < classes) return true;
  return false;
}

/** The index of an ignored row, and of a row whose target is wrong. */
const IGNORED = -1;
const WRONG = -2;

/** The class indices of a call, and which of them are ignored. */
export class Classes implements ClassIndices {
  private indices: Indices;
  private readonly rows: number;
  private readonly classes: number;
  private readonly ignored: ReadonlySet<number>;
  private readonly ignoresClasses: boolean;
  /** Whether all are classes, in an Int32Array that no other thread can write to. */
  private isPlain = false;

  constructor(indices: Indices, rows: number, classes: number, ignored: ReadonlySet<number>) {
    this.indices = indices;
    this.rows = rows;
    this.classes = classes;
    this.ignored = ignored;
    this.ignoresClasses = ignored !== IGNORED_BY_DEFAULT && hasClass(ignored, classes);
  }

  /** Throws for the first target that is wrong. Returns how many rows are ignored. */
  check(fn: string): number {
    const { indices, rows } = this;
    let ignored = 0;
    let row = this.firstOdd(indices, 0, rows);
    // A small array is not asked for its buffer: see bufferOf.
    this.isPlain = row === rows && rows > FEW && bufferOf(indices) instanceof ArrayBuffer;
    for (; row < rows; row = this.firstOdd(indices, row + 1, rows)) {
      const y = this.at(row);
      if (y === WRONG) throw this.errorAt(fn, row);
      if (y === IGNORED) ignored++;
    }
    return ignored;
  }

  /** Goes on with a copy if the targets share memory with what is written while they are read. */
  keepFrom(fn: string, written: FloatArray): void {
    if (!overlaps(this.indices, written, false)) return;
    const copy = newArray(fn, new Int32Array(0), this.rows);
    this.copyTo(copy, 0, 0, this.rows);
    this.indices = copy;
  }

  at(row: number): number {
    return this.classOf(Number(this.indices[row]));
  }

  /** All that is copied is a class or negative, even if another thread has written to shared memory since `check`. */
  copyTo(to: Int32Array, at: number, first: number, n: number): void {
    const { indices } = this;
    if (indices instanceof Int32Array) {
      copyInt32(to, at, indices, first, n);
      if (this.isPlain) return;
      const end = at + n;
      for (let i = this.firstOdd(to, at, end); i < end; i = this.firstOdd(to, i + 1, end)) to[i] = this.classOf(to[i]!);
    } else for (let r = 0; r < n; r++) to[at + r] = this.at(first + r);
  }

  /** The first target from i on that is not simply a class; `end` if there is none. */
  private firstOdd(targets: Indices, i: number, end: number): number {
    const { classes } = this;
    if (targets instanceof Int32Array && !this.ignoresClasses) while (i < end && targets[i]! >>> 0 < classes) i++;
    return i;
  }

  private classOf(value: number): number {
    if (this.ignored.has(value)) return IGNORED;
    return value >= 0 && value < this.classes && Number.isInteger(value) ? value : WRONG;
  }

  private errorAt(fn: string, row: number): RangeError {
    const { indices, rows, classes } = this;
    const integer = Number.isInteger(Number(indices[row])) ? "" : "an integer ";
    const hint = classes === 1 ? `${rows} targets for ${rows} logits are rows of one class; ${PROBABILITIES_HINT}` : "";
    return rangeError(fn, `targets[${row}]`, `${integer}in [0, ${classes}) or ignoreIndex`, indices[row], hint);
  }
}
