// Where the result of a call goes: the caller's array, or a new one, and what of the inputs must be copied before it is written.

import type { FloatArray, Kernels, Shape } from "../kernels.js";
import { newArray, sameKind, typeError } from "./check.js";
import { bufferOf, byteOffsetOf, bytesPerElement, copyOf, kindOf, lengthOf, mayBeOne } from "./typedArrays.js";

/** Where a result goes: the array that the kernels write, and what `deliver` then makes of it. */
export interface Output {
  readonly array: FloatArray;
  readonly isNew: boolean;
  /** What the caller passed for it. */
  readonly given: unknown;
  /** Whether the caller gets a list of numbers. */
  readonly asList: boolean;
}

/**
 * The `out` or `grad` option for an input like `model`, or a new array like it. `asList`: the input is a list of numbers, and so is the
 * result.
 */
export function outputLike(
  fn: string,
  key: "out" | "grad",
  given: unknown,
  list: Float64Array | undefined,
  asList: boolean,
  model: FloatArray,
  length: number,
): Output {
  // Most calls have none, and this is little enough for V8 to compile it into its callers: the maps of a row take 5 to 10 % less (Node 24).
  return given === undefined
    ? { array: newArray(fn, model, length), isNew: true, given, asList }
    : outputOf(fn, key, given, list, asList, model, length);
}

function outputOf(
  fn: string,
  key: "out" | "grad",
  given: unknown,
  list: Float64Array | undefined,
  asList: boolean,
  model: FloatArray,
  length: number,
): Output {
  if (list !== undefined && !asList) throw typeError(fn, key, `a ${kindOf(model)}`, given);
  const array = sameKind(fn, key, given, list, model, length, "the input");
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

/** Whether two arrays share bytes without being the very same range. */
function overlapsPartly(a: FloatArray, b: FloatArray): boolean {
  if (!mayBeOne(bufferOf(a), bufferOf(b))) return false;
  const aStart = byteOffsetOf(a);
  const bStart = byteOffsetOf(b);
  const aEnd = aStart + lengthOf(a) * bytesPerElement(a);
  const bEnd = bStart + lengthOf(b) * bytesPerElement(b);
  return !(aStart === bStart && aEnd === bEnd) && aStart < bEnd && bStart < aEnd;
}

/**
 * The array that a call writes while it still reads others. A new one overlaps no other, and is not asked: to ask a small array for its buffer
 * takes longer than to compute ten classes, and makes V8 move it out of its heap.
 */
export function clobberedBy(output: Output | undefined, kernels: Kernels, shape: Shape): FloatArray | undefined {
  return output === undefined || output.isNew || kernels.readsFirst(shape) ? undefined : output.array;
}

/** An input, copied if writing `output` row by row would change what is still to be read of it. */
export function unclobbered<A extends FloatArray>(input: A, output: FloatArray | undefined): A {
  return output === undefined || output === input || !overlapsPartly(input, output) ? input : copyOf(input);
}

/** The same for an input that may not even be the output itself. */
export function separate<A extends FloatArray>(input: A, output: FloatArray | undefined): A {
  return output === undefined || !mayBeOne(bufferOf(input), bufferOf(output)) ? input : copyOf(input);
}
