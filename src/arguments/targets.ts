// Targets as the kernels take them: class indices as an Int32Array with −1 for a row that is ignored, or class probabilities.

import type { FloatArray } from "../kernels.js";
import { checkedNumber, int32Array, plainArray, rangeError, sameKind, typeError } from "./check.js";
import { rowBuffers } from "./rowBuffers.js";
import { FEW, kindOf, lengthOf, setFrom } from "./typedArrays.js";

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

/** What was passed as targets, recognised but not yet validated. */
export type Targets =
  | { readonly probabilities: FloatArray; readonly indices: undefined }
  | {
      readonly probabilities?: undefined;
      readonly indices: Indices;
      readonly length: number;
      /** Whether an Int32Array holds such values as they are (Uint32Array: as the same bits). */
      readonly fits: boolean;
    };

/** `list` is a copy of the value where that is a list; `logits` is absent where there can be no class probabilities. */
export function readTargets(
  fn: string,
  value: unknown,
  list: Float64Array | undefined,
  logits: FloatArray | undefined,
): Targets {
  if (list !== undefined) return { indices: list, length: lengthOf(list), fits: false };
  const kind = kindOf(value);
  if (kind === "Int32Array") {
    const indices = int32Array(fn, "targets", value as Int32Array);
    return { indices, length: lengthOf(indices), fits: true };
  }
  if (kind !== undefined && kind in INTEGER_ARRAYS) {
    const indices = plainArray(fn, "targets", value as Int32Array, INTEGER_ARRAYS[kind as "Int32Array"]);
    return { indices, length: lengthOf(indices), fits: !kind.startsWith("Big") };
  }
  const expected = "class indices (an integer typed array or an array of numbers)";
  if (logits === undefined) throw typeError(fn, "targets", expected, value);
  if (kind !== "Float32Array" && kind !== "Float64Array") {
    throw typeError(fn, "targets", `${expected} or class probabilities (a ${kindOf(logits)})`, value);
  }
  return {
    indices: undefined,
    probabilities: sameKind(fn, "targets", value, undefined, logits, lengthOf(logits), "logits"),
  };
}

export const IGNORED_BY_DEFAULT: readonly number[] = [-100];

/** Which indices mark a row that is to be ignored. */
export function readIgnoreIndex(fn: string, ignoreIndex: unknown): readonly number[] {
  if (!Array.isArray(ignoreIndex)) return [ignoredIndex(fn, "ignoreIndex", ignoreIndex)];
  return ignoreIndex.map((index, i) => ignoredIndex(fn, `ignoreIndex[${i}]`, index));
}

function ignoredIndex(fn: string, name: string, index: unknown): number {
  return checkedNumber(fn, name, index, "an integer", Number.isSafeInteger);
}

const rowBuffer = /* @__PURE__ */ rowBuffers(/* @__PURE__ */ new Int32Array(256));

export interface CheckedClasses {
  /** The class of each row, −1 where it is ignored. May be longer than the number of rows, and is valid until the next call. */
  readonly classes: Int32Array;
  readonly ignored: number;
}

/**
 * Copies class indices, into `room` where there is any, and validates them: what the kernels get was checked as copied, whoever else writes to the
 * caller's memory.
 */
export function readClasses(
  fn: string,
  targets: Targets & { indices: Indices },
  classes: number,
  ignoreIndex: readonly number[],
  room: Int32Array | undefined,
): CheckedClasses {
  const { indices, length, fits } = targets;
  const result = room ?? rowBuffer(fn, length);
  if (fits) {
    // Not by `copy`, whose loop would then see nine kinds of arrays, and V8 make it slow for all: a softmax of five classes took a third longer
    // once losses had seen them (Node 24).
    if (length <= FEW) for (let r = 0; r < length; r++) result[r] = indices[r] as number;
    else setFrom(result, indices as ArrayLike<number>);
  }
  const ignoresClass = ignoreIndex !== IGNORED_BY_DEFAULT && ignoreIndex.some((index) => index >= 0 && index < classes);
  let ignored = 0;
  for (let r = 0; r < length; r++) {
    // In most calls there is nothing else to be seen.
    if (fits && !ignoresClass) while (r < length && result[r]! >>> 0 < classes) r++;
    if (r === length) break;
    const value = fits && result[r]! >>> 0 < classes ? result[r]! : Number(indices[r]);
    if (ignoreIndex.includes(value)) {
      result[r] = -1;
      ignored++;
    } else if (Number.isInteger(value) && value >= 0 && value < classes) {
      result[r] = value;
    } else {
      const integer = Number.isInteger(value) ? "" : "an integer ";
      throw rangeError(fn, `targets[${r}]`, `${integer}in [0, ${classes}) or ignoreIndex`, indices[r]);
    }
  }
  return { classes: result, ignored };
}
