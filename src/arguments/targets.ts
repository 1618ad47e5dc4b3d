// Targets: class indices, which kernels get block by block as an Int32Array with −1 for a row that is ignored, or class probabilities.

import type { ClassIndices, FloatArray } from "../kernels.js";
import { floatArray, int32Array, plainArray } from "./arrays.js";
import { rangeError, typeError } from "./errors.js";
import { checkedNumber } from "./options.js";
import { kindOf, lengthOf } from "./typedArrays.js";

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

/** What was passed as targets, recognised but not yet validated: one or the other. */
export interface Targets {
  readonly indices: Indices | undefined;
  readonly probabilities: FloatArray | undefined;
}

/** `list` is a copy of the value where that is a list; `logits` is absent where there can be no class probabilities. */
export function readTargets(
  fn: string,
  value: unknown,
  list: Float64Array | undefined,
  logits: FloatArray | undefined,
): Targets {
  if (list !== undefined) return { indices: list, probabilities: undefined };
  if (typeof value === "number") return { indices: [value], probabilities: undefined };
  const kind = kindOf(value);
  if (kind === "Int32Array") {
    return { indices: int32Array(fn, "targets", value as Int32Array), probabilities: undefined };
  }
  const indices = integerArray(fn, value);
  if (indices !== undefined) return { indices, probabilities: undefined };
  if (logits !== undefined && kind === kindOf(logits)) {
    const probabilities = floatArray(fn, "targets", value, undefined);
    const length = lengthOf(logits);
    if (lengthOf(probabilities) === length) return { indices: undefined, probabilities };
    const hint = `a ${kind} holds class probabilities, indices go in an integer array`;
    throw rangeError(fn, "targets.length", `logits.length = ${length}`, lengthOf(probabilities), hint);
  }
  const or = logits === undefined ? "" : ` or class probabilities (a ${kindOf(logits)})`;
  throw typeError(fn, "targets", `class indices (a number, an integer typed array or an array of numbers)${or}`, value);
}

/** Targets in an integer typed array; undefined for anything else. */
export function integerArray(fn: string, value: unknown): Indices | undefined {
  const kind = kindOf(value);
  if (kind === undefined || !(kind in INTEGER_ARRAYS)) return undefined;
  return plainArray(fn, "targets", value as Int32Array, INTEGER_ARRAYS[kind as "Int32Array"]);
}

const IGNORED_BY_DEFAULT: ReadonlySet<number> = /* @__PURE__ */ new Set([-100]);

/** Which indices mark a row that is to be ignored. */
export function readIgnoreIndex(fn: string, ignoreIndex: unknown): ReadonlySet<number> {
  if (ignoreIndex === undefined) return IGNORED_BY_DEFAULT;
  if (!Array.isArray(ignoreIndex)) return new Set([ignoredIndex(fn, "ignoreIndex", ignoreIndex)]);
  return new Set(ignoreIndex.map((index, i) => ignoredIndex(fn, `ignoreIndex[${i}]`, index)));
}

function ignoredIndex(fn: string, name: string, index: unknown): number {
  return checkedNumber(fn, name, index, "an integer", Number.isSafeInteger);
}

/** What stands for a row that is ignored, and for one whose target is wrong. */
const IGNORED = -1;
const WRONG = -2;
/** Rows that are read at a time, into `ahead`: one call's after the other's. */
const AHEAD = 1024;
const ahead = /* @__PURE__ */ new Int32Array(AHEAD);

/** The class indices of a call, and which of them are to be ignored. */
export class Classes implements ClassIndices {
  private readonly indices: Indices;
  private readonly rows: number;
  private readonly classes: number;
  private readonly ignored: ReadonlySet<number>;
  private readonly ignoresClasses: boolean;
  /** `ahead` holds the rows from `first` to `end`. */
  private first = 0;
  private end = 0;

  constructor(indices: Indices, rows: number, classes: number, ignored: ReadonlySet<number>) {
    this.indices = indices;
    this.rows = rows;
    this.classes = classes;
    this.ignored = ignored;
    let ignoresClasses = false;
    if (ignored !== IGNORED_BY_DEFAULT) for (const i of ignored) ignoresClasses ||= i >= 0 && i < classes;
    this.ignoresClasses = ignoresClasses;
  }

  /** Throws for the first target that is wrong. Returns how many rows are ignored. */
  check(fn: string): number {
    let ignored = 0;
    for (let row = 0; row < this.rows; row = this.end) {
      this.readAhead(row);
      for (let r = 0; r < this.end - row; r++) {
        if (ahead[r]! >= 0) continue;
        if (ahead[r] === WRONG) throw this.errorAt(fn, row + r);
        ignored++;
      }
    }
    return ignored;
  }

  at(row: number): number {
    if (row < this.first || row >= this.end) this.readAhead(row);
    return ahead[row - this.first]!;
  }

  copyTo(to: Int32Array, at: number, first: number, n: number): void {
    for (let row = first; row < first + n; row = this.end) {
      if (row < this.first || row >= this.end) this.readAhead(row);
      const end = Math.min(this.end, first + n);
      for (let r = row; r < end; r++) to[at + r - first] = ahead[r - this.first]!;
    }
  }

  /** Whoever else writes to the caller's memory meanwhile, what is read is a class, or negative. */
  private readAhead(first: number): void {
    const { indices, classes, ignoresClasses } = this;
    const end = Math.min(this.rows, first + AHEAD);
    this.first = first;
    this.end = end;
    // A loop for the usual kind: V8 makes one slow that has seen every kind.
    if (indices instanceof Int32Array && !ignoresClasses) {
      for (let row = first; row < end; row++) {
        const y = indices[row]!;
        ahead[row - first] = y >>> 0 < classes ? y : this.classOf(y);
      }
    } else for (let row = first; row < end; row++) ahead[row - first] = this.classOf(Number(indices[row]));
  }

  private classOf(value: number): number {
    if (this.ignored.has(value)) return IGNORED;
    return value >= 0 && value < this.classes && Number.isInteger(value) ? value : WRONG;
  }

  private errorAt(fn: string, row: number): RangeError {
    const { indices, rows, classes } = this;
    const integer = Number.isInteger(Number(indices[row])) ? "" : "an integer ";
    const hint =
      classes === 1
        ? `${rows} targets for ${rows} logits are rows of one class; class probabilities go in a typed array like the logits, with shape`
        : "";
    return rangeError(fn, `targets[${row}]`, `${integer}in [0, ${classes}) or ignoreIndex`, indices[row], hint);
  }
}
