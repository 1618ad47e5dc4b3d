// Where the result of a call goes, the caller's array or a new one; and which inputs must be copied before it is written.

import type { FloatArray, Kernels, Shape } from "../kernels.js";
import { kindFor, newArray, sameKind } from "./arrays.js";
import { typeError } from "./errors.js";
import { copyOf, lengthOf, overlaps } from "./typedArrays.js";

/** Where a result goes: the array that the kernels write, and what `deliver` then makes of it. */
export interface Output {
  readonly array: FloatArray;
  /** Whether the array is new, and so overlaps no input. */
  readonly isNew: boolean;
  /** What the caller passed for it. */
  readonly given: unknown;
  /** Whether the caller gets a list of numbers. */
  readonly asList: boolean;
}

/** The array given as option `key`, which must be like `model`, or a new one. `asList`: the input is a list of numbers, and so is the result. */
export function outputLike(
  fn: string,
  key: "out" | "grad" | "gradWeight" | "gradBias" | "gradX",
  given: unknown,
  list: Float64Array | undefined,
  asList: boolean,
  model: FloatArray,
  length: number,
  modelName = "the input",
): Output {
  // Most calls have none, and this much V8 inlines into its callers: functions of one row take 5 to 10 % less (Node 24).
  return given === undefined
    ? { array: newArray(fn, model, length), isNew: true, given, asList }
    : outputOf(fn, key, given, list, asList, model, length, modelName);
}

function outputOf(
  fn: string,
  key: "out" | "grad" | "gradWeight" | "gradBias" | "gradX",
  given: unknown,
  list: Float64Array | undefined,
  asList: boolean,
  model: FloatArray,
  length: number,
  modelName: string,
): Output {
  if (list !== undefined && !asList) throw typeError(fn, key, kindFor(model, false), given);
  const array = sameKind(fn, key, given, list, model, asList, length, modelName);
  return { array, isNew: list !== undefined, given, asList: list !== undefined };
}

/** What the caller gets: the array itself, or a list of numbers filled from it. */
export function deliver({ array, given, asList }: Output): FloatArray | number[] {
  if (!asList) return (given ?? array) as FloatArray;
  const list = (given ?? []) as number[];
  const length = lengthOf(array);
  for (let i = 0; i < length; i++) list[i] = array[i]!;
  return list;
}

/** The caller's array that a call writes while it still reads inputs, if there is one. A new array overlaps no input, and is not asked for its buffer. */
export function writtenEarly(output: Output | undefined, kernels: Kernels, shape: Shape): FloatArray | undefined {
  return output === undefined || output.isNew || kernels.readsFirst(shape) ? undefined : output.array;
}

/** An input, copied if it shares bytes with `written`. An input of rows (`byRows`) may be the very same range: each row is read before it is written. */
export function kept<A extends FloatArray>(input: A, written: FloatArray | undefined, byRows: boolean): A {
  if (written === undefined || (byRows && written === input)) return input;
  return overlaps(input, written, byRows) ? copyOf(input) : input;
}
