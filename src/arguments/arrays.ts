// Arrays as a caller gave them: typed arrays as they are, lists of numbers as a copy. Reading a list can run the caller's code (getters, proxies), so
// lists are read right after the options, before any check. No such code runs from then until the result is there: what was checked of a typed array
// still holds when a kernel gets it.

import type { FloatArray, Kernels } from "../kernels.js";
import { arrayHint, memoryError, rangeError, typeError } from "./errors.js";
import { bufferOf, byteOffsetOf, computedKindOf, Float16, isSingle, kindOf, lengthOf, throws } from "./typedArrays.js";

/** A copy of a list of numbers; undefined for anything but a list. `nested`: a hint for a list of lists, besides to flatten it; by default its shape. */
export function readList(fn: string, argument: string, value: unknown, nested?: string): Float64Array | undefined {
  if (!Array.isArray(value)) return undefined;
  const length = listLength(fn, argument, value);
  const copy = newArray(fn, Float64Array.prototype, length);
  for (let i = 0; i < length; i++) copy[i] = listElement(fn, argument, value, i, nested);
  return copy;
}

/** The length of a list, checked: the list can be a proxy. */
export function listLength(fn: string, argument: string, { length }: { readonly length: unknown }): number {
  if (!Number.isSafeInteger(length) || (length as number) < 0)
    throw typeError(fn, `${argument}.length`, "a non-negative integer", length);
  return length as number;
}

export function listElement(
  fn: string,
  argument: string,
  list: readonly unknown[],
  i: number,
  nested?: string,
): number {
  const element = list[i];
  if (typeof element === "number") return element;
  if (!Array.isArray(element)) throw typeError(fn, `${argument}[${i}]`, "a number", element);
  const more = nested === undefined ? ` and pass shape: [${list.length}, ${element.length}]` : nested && `; ${nested}`;
  throw typeError(fn, `${argument}[${i}]`, "a number", element, `flatten it${more}`);
}

/** A new array of a model's kind; for half floats a Float32Array. */
export function newArray<A extends FloatArray | Int32Array>(fn: string, model: A, length: number): A {
  try {
    if (isSingle(model)) return new Float32Array(length) as A;
    return (model instanceof Int32Array ? new Int32Array(length) : new Float64Array(length)) as A;
  } catch (error) {
    throw memoryError(error, `${fn}: no memory for an array of ${length} numbers`);
  }
}

const { getPrototypeOf } = Object;

// One function for each kind, which reads an element first: so V8 knows the kind, and checks that an array is ordinary without a call of its runtime
// (−20 ns per call, Node 24).

function float32Array(fn: string, argument: string, array: Float32Array): Float32Array {
  void array[0];
  const isPlain = getPrototypeOf(array) === Float32Array.prototype && lengthOf(array) > 0;
  return isPlain ? array : plainArray(fn, argument, array, Float32Array);
}

function float64Array(fn: string, argument: string, array: Float64Array): Float64Array {
  void array[0];
  const isPlain = getPrototypeOf(array) === Float64Array.prototype && lengthOf(array) > 0;
  return isPlain ? array : plainArray(fn, argument, array, Float64Array);
}

export function int32Array(fn: string, argument: string, array: Int32Array): Int32Array {
  void array[0];
  const isPlain = getPrototypeOf(array) === Int32Array.prototype && lengthOf(array) > 0;
  return isPlain ? array : plainArray(fn, argument, array, Int32Array);
}

/** A typed array as one of this realm. Fails if its buffer is detached. */
export function plainArray<A>(fn: string, argument: string, value: A, type: new (...args: never[]) => A): A {
  const length = lengthOf(value);
  if (length === 0 && throws(() => new Uint8Array(bufferOf(value))))
    throw new TypeError(`${fn}: ${argument} must not be detached`);
  if (getPrototypeOf(value) === type.prototype) return value;
  return new (type as unknown as new (buffer: ArrayBuffer, offset: number, length: number) => A)(
    bufferOf(value),
    length === 0 ? 0 : byteOffsetOf(value),
    length,
  );
}

/**
 * A Float32Array or Float64Array; `list`, if the value is a list of numbers; with `kernels` also a Float16Array, as these take it. Anything else is a
 * TypeError.
 */
export function floatArray(
  fn: string,
  argument: string,
  value: unknown,
  list: Float64Array | undefined,
  kernels?: Kernels,
): FloatArray {
  const array = floatsIn(fn, argument, value, list, kernels);
  if (array !== undefined) return array;
  throw typeError(fn, argument, EXPECTED_FLOATS, value, arrayHint(argument, value, true));
}
const EXPECTED_FLOATS = "a Float32Array, a Float64Array or an array of numbers";

/** The same; undefined for anything else. */
function floatsIn(
  fn: string,
  argument: string,
  value: unknown,
  list: Float64Array | undefined,
  kernels: Kernels | undefined,
): FloatArray | undefined {
  if (list !== undefined) return list;
  const kind = kindOf(value);
  if (kind === "Float32Array") return float32Array(fn, argument, value as Float32Array);
  if (kind === "Float64Array") return float64Array(fn, argument, value as Float64Array);
  return kind === "Float16Array" && kernels !== undefined ? halfFloats(fn, argument, value, kernels) : undefined;
}

/** A Float16Array as the kernels take it: as it is if they widen what they read, else as a Float32Array. Its bits are a Uint16Array over the same memory. */
function halfFloats(fn: string, argument: string, value: unknown, kernels: Kernels): FloatArray {
  if (kernels.widens) return plainArray(fn, argument, value as Float32Array, Float16!);
  const bits = plainArray(fn, argument, value as Uint16Array, Uint16Array);
  const numbers = newArray(fn, Float32Array.prototype, lengthOf(bits));
  kernels.float16ToFloat32(numbers, bits);
  return numbers;
}

/** A second array of the kind of a first one, and of its `length`. `asList`: the first one is a list. */
export function sameKind(
  fn: string,
  argument: string,
  value: unknown,
  list: Float64Array | undefined,
  model: FloatArray,
  asList: boolean,
  length: number,
  modelName: string,
  kernels?: Kernels,
): FloatArray {
  const array = sameType(fn, argument, value, list, model, asList, modelName, kernels);
  if (lengthOf(array) !== length)
    throw rangeError(fn, `${argument}.length`, `${modelName}.length = ${length}`, lengthOf(array));
  return array;
}

/** The same of any length. */
export function sameType(
  fn: string,
  argument: string,
  value: unknown,
  list: Float64Array | undefined,
  model: FloatArray,
  asList: boolean,
  modelName: string,
  kernels?: Kernels,
): FloatArray {
  const array = floatsIn(fn, argument, value, list, kernels);
  if (array !== undefined && isSingle(array) === isSingle(model)) return array;
  // No hint to convert an array that a result goes to, where a copy is of no use: `kernels` are absent then.
  const hint =
    array === undefined && kernels !== undefined ? arrayHint(argument, value, false, computedKindOf(model)) : "";
  throw typeError(fn, argument, `${kindFor(model, asList)}, as ${modelName}`, value, hint);
}

/** The kind that an array must have to go with `model`, in words. */
export function kindFor(model: FloatArray, asList: boolean): string {
  return asList ? "an array of numbers or a Float64Array" : `a ${computedKindOf(model)}`;
}

/** An array of so many numbers, whatever its type: one for each of `things`. */
export function numbers(fn: string, argument: string, value: unknown, length: number, things: string): FloatArray {
  const array = floatsIn(fn, argument, value, undefined, undefined);
  if (array === undefined) {
    const hint =
      typeof value === "object" ? arrayHint(argument, value, false) : `one for each of the ${things} (${length})`;
    throw typeError(fn, argument, EXPECTED_FLOATS, value, hint);
  }
  if (lengthOf(array) !== length)
    throw rangeError(fn, `${argument}.length`, `the number of ${things} = ${length}`, lengthOf(array));
  return array;
}

/** Whether x is not negative, and finite when rounded to the type of `model`: f32 ends at 3.4e38. */
export function isFactor(x: number, model: FloatArray): boolean {
  return x >= 0 && (isSingle(model) ? Math.fround(x) : x) < Infinity;
}
export const EXPECTED_FACTOR = "finite (in the type of the logits) and not negative";

/** So many factors, if there are any: not negative, and finite in the type of `model`. */
export function factors(
  fn: string,
  argument: string,
  value: unknown,
  length: number,
  things: string,
  model: FloatArray,
): FloatArray | undefined {
  if (value === undefined) return undefined;
  const array = numbers(fn, argument, value, length, things);
  for (let i = 0; i < length; i++)
    if (!isFactor(array[i]!, model)) throw rangeError(fn, `${argument}[${i}]`, EXPECTED_FACTOR, array[i]);
  return array;
}
