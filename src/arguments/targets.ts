// Targets: class indices, which kernels get block by block as an Int32Array with −1 for a row that is ignored, or class probabilities.

import type { ClassIndices, FloatArray, Kernels } from "../kernels.js";
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

/**
 * `list` is a copy of the value where that is a list. Class probabilities are of the type of `logits`, which is absent where there can be none, and n, if
 * that is known.
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
  if (typeof value === "number") return { indices: [value], probabilities: undefined };
  const kind = kindOf(value);
  if (kind === "Int32Array") {
    return { indices: int32Array(fn, "targets", value as Int32Array), probabilities: undefined };
  }
  const indices = integerArray(fn, value);
  if (indices !== undefined) return { indices, probabilities: undefined };
  if (logits !== undefined && (kind === "Float16Array" ? "Float32Array" : kind) === kindOf(logits)) {
    const probabilities = floatArray(fn, "targets", value, undefined, kernels);
    if (n === undefined || lengthOf(probabilities) === n) return { indices: undefined, probabilities };
    const hint = `a ${kind} holds class probabilities, indices go in an integer array`;
    throw rangeError(fn, "targets.length", `logits.length = ${n}`, lengthOf(probabilities), hint);
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
      // In most calls there is nothing else to be seen.
      if (this.readAhead(row) >= 0) continue;
      for (let r = 0; r < this.end - row; r++) {
        if (ahead[r] === WRONG) throw this.errorAt(fn, row + r);
        if (ahead[r] === IGNORED) ignored++;
      }
    }
    return ignored;
  }

  at(row: number): number {
    if (row < this.first || row >= this.end) this.readAhead(row);
    return ahead[row - this.first]!;
  }

  copyTo(to: Int32Array, at: number, first: number, n: number): void {
    if (this.rows > AHEAD) this.read(to, at, first, n);
    else for (let r = 0; r < n; r++) to[at + r] = ahead[first + r]!;
  }

  private readAhead(first: number): number {
    this.first = first;
    this.end = Math.min(this.rows, first + AHEAD);
    return this.read(ahead, 0, first, this.end - first);
  }

  /**
   * Puts the classes of n rows from `first` on there; what is no class is negative, and so is what is returned then. Whoever else writes to the
   * caller's memory meanwhile, what a kernel gets is nothing else.
   */
  private read(to: Int32Array, at: number, first: number, n: number): number {
    const { indices, classes, ignoresClasses } = this;
    let all = 0;
    // A loop for the usual kind: V8 makes one slow that has seen every kind.
    if (indices instanceof Int32Array && !ignoresClasses) {
      for (let r = 0; r < n; r++) {
        let y = indices[first + r]!;
        if (y >>> 0 >= classes) y = this.classOf(y);
        all |= y;
        to[at + r] = y;
      }
    } else for (let r = 0; r < n; r++) all |= to[at + r] = this.classOf(Number(indices[first + r]));
    return all;
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
