// Every argument is read here, once, and every error is thrown from here (and from shape.ts and targets.ts, which read what needs more
// than a line). TypeError: the wrong kind of thing. RangeError: the right kind with a wrong value. Messages name the function, the
// argument, the index where there is one, what was expected and what was given.
//
// First readOptions and readList take what code of the caller's can stand behind: getters, proxies, elements of lists. No such code runs
// from then until the result is there, so what is checked of a typed array after that still holds when the kernels get it.

import type { FloatArray } from "./kernels.js";
import { bufferOf, byteOffsetOf, bytesPerElement, copyOf, kindOf, lengthOf } from "./typedArrays.js";

export function typeError(fn: string, argument: string, expected: string, given: unknown): TypeError {
  return new TypeError(`${fn}: ${argument} must be ${expected}, got ${describe(given)}`);
}

export function rangeError(fn: string, argument: string, expected: string, given: unknown): RangeError {
  return new RangeError(`${fn}: ${argument} must be ${expected}, got ${describe(given)}`);
}

function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 50 ? `${value.slice(0, 50)}…` : value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  const kind = kindOf(value);
  if (kind !== undefined) return `a ${kind} of length ${lengthOf(value)}`;
  return Array.isArray(value) ? `an array of length ${value.length}` : "an object";
}

/** A copy of a list of numbers; undefined for anything but a list. */
export function readList(fn: string, argument: string, value: unknown): Float64Array | undefined {
  if (!Array.isArray(value)) return undefined;
  const { length } = value as { length: unknown };
  // What claims to be a list can be a proxy of one.
  if (!Number.isSafeInteger(length) || (length as number) < 0)
    throw typeError(fn, `${argument}.length`, "a non-negative integer", length);
  const copy = newArray(fn, Float64Array.prototype, length as number);
  for (let i = 0; i < copy.length; i++) {
    const element: unknown = value[i];
    if (typeof element !== "number") throw typeError(fn, `${argument}[${i}]`, "a number", element);
    copy[i] = element;
  }
  return copy;
}

/** A new array of a model's kind. */
export function newArray<A extends FloatArray | Int32Array>(fn: string, model: A, length: number): A {
  try {
    if (model instanceof Float32Array) return new Float32Array(length) as A;
    return (model instanceof Int32Array ? new Int32Array(length) : new Float64Array(length)) as A;
  } catch {
    throw new RangeError(`${fn}: no memory for an array of ${length} numbers`);
  }
}

/** A typed array as one of this realm. Fails if its buffer is detached. */
export function plainArray<A>(fn: string, argument: string, value: A, type: new (...args: never[]) => A): A {
  const length = lengthOf(value);
  if (length === 0) {
    try {
      new Uint8Array(bufferOf(value));
    } catch {
      throw new TypeError(`${fn}: ${argument} must not be detached`);
    }
  }
  if (Object.getPrototypeOf(value) === type.prototype) return value;
  return new (type as unknown as new (buffer: ArrayBuffer, offset: number, length: number) => A)(
    bufferOf(value),
    length === 0 ? 0 : byteOffsetOf(value),
    length,
  );
}

/** A Float32Array or Float64Array; `list` where the value is a list of numbers, which has been read. Anything else is a TypeError. */
export function floatArray(fn: string, argument: string, value: unknown, list: Float64Array | undefined): FloatArray {
  if (list !== undefined) return list;
  const kind = kindOf(value);
  if (kind === "Float32Array") return plainArray(fn, argument, value as Float32Array, Float32Array);
  if (kind === "Float64Array") return plainArray(fn, argument, value as Float64Array, Float64Array);
  throw typeError(fn, argument, "a Float32Array, a Float64Array or an array of numbers", value);
}

/** A second array of the kind and length of a first one. */
export function sameKind(
  fn: string,
  argument: string,
  value: unknown,
  list: Float64Array | undefined,
  model: FloatArray,
  modelName: string,
): FloatArray {
  const array = floatArray(fn, argument, value, list);
  if (array instanceof Float32Array !== model instanceof Float32Array) {
    throw typeError(fn, argument, `of the same type as ${modelName} (${kindOf(model)})`, value);
  }
  const length = lengthOf(array);
  if (length !== lengthOf(model))
    throw rangeError(fn, `${argument}.length`, `${modelName}.length = ${lengthOf(model)}`, length);
  return array;
}

/** Whether x is not negative, and finite in the type of `model`, to which it is going to be rounded: f32 ends at 3.4e38. */
export function isFactor(x: number, model: FloatArray): boolean {
  return x >= 0 && (model instanceof Float32Array ? Math.fround(x) : x) < Infinity;
}
export const EXPECTED_FACTOR = "finite (in the type of the logits) and not negative";

/** One factor per class or row, if there are any: not negative, and finite in the type of `model`. */
export function weights(
  fn: string,
  options: Options,
  key: "weight" | "sampleWeight",
  length: number,
  where: string,
  model: FloatArray,
): FloatArray | undefined {
  if (options[key] === undefined) return undefined;
  const array = optionArray(fn, options, key, length, where);
  for (let i = 0; i < length; i++) {
    const w = array[i]!;
    if (!isFactor(w, model)) throw rangeError(fn, `${key}[${i}]`, EXPECTED_FACTOR, w);
  }
  return array;
}

/** An option that holds so many numbers. `where` says what the length must be, for the message. */
export function optionArray(
  fn: string,
  options: Options,
  key: "weight" | "sampleWeight" | "gradOutput",
  length: number,
  where: string,
): FloatArray {
  const array = floatArray(fn, key, options[key], options.lists?.[key]);
  if (lengthOf(array) !== length) throw rangeError(fn, `${key}.length`, `${where} = ${length}`, lengthOf(array));
  return array;
}

/** Every option there is, not set. An object of always the same shape is fast to read, and as it has all properties none is inherited. */
function noOptions(): Record<OptionName, unknown> & { lists: Partial<Record<OptionName, Float64Array>> | undefined } {
  return {
    lists: undefined,
    shape: undefined,
    axis: undefined,
    out: undefined,
    grad: undefined,
    temperature: undefined,
    reduction: undefined,
    weight: undefined,
    sampleWeight: undefined,
    ignoreIndex: undefined,
    labelSmoothing: undefined,
    meanOver: undefined,
    emptyMean: undefined,
    gradOutput: undefined,
    accumulate: undefined,
    form: undefined,
    margin: undefined,
    p: undefined,
    perClass: undefined,
    bytes: undefined,
  };
}

/** The name of any option. */
export type OptionName =
  | "shape"
  | "axis"
  | "out"
  | "grad"
  | "temperature"
  | "reduction"
  | "weight"
  | "sampleWeight"
  | "ignoreIndex"
  | "labelSmoothing"
  | "meanOver"
  | "emptyMean"
  | "gradOutput"
  | "accumulate"
  | "form"
  | "margin"
  | "p"
  | "perClass"
  | "bytes";
/** The options as they were given, each read once, undefined where it is not set; of those that are lists of numbers also a copy. */
export type Options = Readonly<ReturnType<typeof noOptions>>;
const NONE: Options = /* @__PURE__ */ Object.freeze(/* @__PURE__ */ noOptions());
const MAY_BE_LISTS: readonly OptionName[] = [
  "shape",
  "out",
  "grad",
  "weight",
  "sampleWeight",
  "ignoreIndex",
  "gradOutput",
];

/** The options that are set: own properties, each read once, in the order of `known`. An unknown or misspelt one is a TypeError. */
export function readOptions(fn: string, options: unknown, known: readonly OptionName[]): Options {
  if (options === undefined) return NONE;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw typeError(fn, "options", "an object", options);
  }
  const keys = Object.keys(options) as OptionName[];
  const read = noOptions();
  let found = 0;
  let hasLists = false;
  for (const key of known) {
    if (found === keys.length) break;
    if (!keys.includes(key)) continue;
    found++;
    const value = (options as Record<string, unknown>)[key];
    read[key] = value;
    hasLists ||= Array.isArray(value);
  }
  if (found < keys.length) {
    const key = keys.find((key) => !known.includes(key));
    throw new TypeError(`${fn}: unknown option ${describe(key)}; the options are ${known.join(", ")}`);
  }
  if (hasLists) readLists(fn, read);
  return read;
}

function readLists(fn: string, read: ReturnType<typeof noOptions>): void {
  read.lists = Object.create(null) as Partial<Record<OptionName, Float64Array>>;
  for (const key of MAY_BE_LISTS) {
    const list = readList(fn, key, read[key]);
    if (list !== undefined) read.lists[key] = list;
  }
  for (const key of ["out", "grad"] as const) {
    if (read.lists[key] && Object.isFrozen(read[key])) throw typeError(fn, key, "writable", read[key]);
  }
}

/** A number for which `valid` holds; `fallback` where the option is absent. */
export function numberOption(
  fn: string,
  options: Options,
  key: OptionName,
  fallback: number,
  expected: string,
  valid: (value: number) => boolean,
): number {
  const value = options[key];
  if (value === undefined) return fallback;
  if (typeof value !== "number") throw typeError(fn, key, "a number", value);
  if (!valid(value)) throw rangeError(fn, key, expected, value);
  return value;
}

export function booleanOption(fn: string, options: Options, key: OptionName): boolean {
  const value = options[key];
  if (value === undefined) return false;
  if (typeof value !== "boolean") throw typeError(fn, key, "true or false", value);
  return value;
}

/** One of a few values; `fallback` where the option is absent. */
export function choiceOption<C extends string | number>(
  fn: string,
  options: Options,
  key: OptionName,
  fallback: C,
  choices: readonly C[],
): C {
  const value = options[key];
  if (value === undefined) return fallback;
  const choice = choices.find((c) => c === value);
  if (choice !== undefined) return choice;
  const expected = choices.map((c) => JSON.stringify(c)).join(" or ");
  throw typeof value === "number" && typeof fallback === "number"
    ? rangeError(fn, key, expected, value)
    : typeError(fn, key, expected, value);
}

export function temperatureOption(fn: string, options: Options): number {
  return numberOption(fn, options, "temperature", 1, "positive and finite", (t) => t > 0 && t < Infinity);
}

/** Whether two arrays share bytes without being the very same range. */
function overlapsPartly(a: FloatArray, b: FloatArray): boolean {
  if (bufferOf(a) !== bufferOf(b)) return false;
  const [aStart, bStart] = [byteOffsetOf(a), byteOffsetOf(b)];
  const aEnd = aStart + lengthOf(a) * bytesPerElement(a);
  const bEnd = bStart + lengthOf(b) * bytesPerElement(b);
  return !(aStart === bStart && aEnd === bEnd) && aStart < bEnd && bStart < aEnd;
}

/** An input, copied if writing the output block by block would change what is still to be read of it. */
export function unclobbered<A extends FloatArray>(input: A, output: Output | undefined): A {
  // A new array overlaps nothing, and is not asked: to ask a small array for its buffer makes V8 move it out of its heap.
  if (output === undefined || output.isNew || output.array === input) return input;
  return overlapsPartly(input, output.array) ? copyOf(input) : input;
}

/** The same for an input that may not even be the output itself. */
export function separate<A extends FloatArray>(input: A, output: Output | undefined): A {
  if (output === undefined || output.isNew) return input;
  return bufferOf(input) === bufferOf(output.array) ? copyOf(input) : input;
}

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
  options: Options,
  asList: boolean,
  model: FloatArray,
): Output {
  const given = options[key];
  if (given === undefined) return { array: newArray(fn, model, lengthOf(model)), isNew: true, given, asList };
  const list = options.lists?.[key];
  if (list !== undefined && !asList) throw typeError(fn, key, `a ${kindOf(model)}`, given);
  const array = sameKind(fn, key, given, list, model, "the input");
  return { array, isNew: list !== undefined, given, asList: list !== undefined };
}

/** What the caller gets: the array itself, or a list of numbers filled from it. */
export function deliver({ array, given, asList }: Output): FloatArray | number[] {
  if (!asList) return given === undefined ? array : (given as FloatArray);
  if (given === undefined) return Array.from(array);
  for (let i = 0; i < array.length; i++) (given as number[])[i] = array[i]!;
  return given as number[];
}
