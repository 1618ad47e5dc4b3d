// Every argument is read here, once, and every error is thrown from here (and from shape.ts and targets.ts, which read what needs more
// than a line). TypeError: the wrong kind of thing. RangeError: the right kind with a wrong value. Messages name the function, the
// argument, the index where there is one, what was expected and what was given.

import type { FloatArray } from "./kernels.js";

// `instanceof` fails for arrays of another realm (an iframe, a vm context, a test runner), and a property can lie; the getters that
// every typed array inherits cannot.
const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object;
const intrinsic = (key: PropertyKey): ((this: unknown) => unknown) =>
  Object.getOwnPropertyDescriptor(typedArrayPrototype, key)?.get as (this: unknown) => unknown;
const tagGetter = intrinsic(Symbol.toStringTag);
const lengthGetter = intrinsic("length");
const bufferGetter = intrinsic("buffer");
const byteOffsetGetter = intrinsic("byteOffset");

/** "Float32Array" and so on; undefined for anything that is not a typed array. */
export function typedArrayKind(value: unknown): string | undefined {
  return tagGetter.call(value) as string | undefined;
}

export function typeError(fn: string, argument: string, expected: string, given: unknown): TypeError {
  return new TypeError(`${fn}: ${argument} must be ${expected}, got ${describe(given)}`);
}

export function rangeError(fn: string, argument: string, expected: string, given: unknown): RangeError {
  return new RangeError(`${fn}: ${argument} must be ${expected}, got ${describe(given)}`);
}

function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  const kind = typedArrayKind(value);
  if (kind !== undefined) return `a ${kind} of length ${lengthGetter.call(value)}`;
  return Array.isArray(value) ? `an array of length ${value.length}` : "an object";
}

/** A typed array as one of this realm with nothing overridden. Fails if its buffer is detached. */
export function plainArray<A>(fn: string, argument: string, value: A, type: new (...args: never[]) => A): A {
  const plain = Object.getPrototypeOf(value) === type.prototype && !Object.hasOwn(value as object, "length");
  const length = lengthGetter.call(value) as number;
  if (plain && length > 0) return value;
  const buffer = bufferGetter.call(value) as ArrayBuffer;
  if (length === 0) {
    try {
      new Uint8Array(buffer);
    } catch {
      throw new TypeError(`${fn}: ${argument} must not be detached`);
    }
  }
  if (plain) return value;
  return new (type as unknown as new (buffer: ArrayBuffer, offset: number, length: number) => A)(
    buffer,
    length === 0 ? 0 : (byteOffsetGetter.call(value) as number),
    length,
  );
}

/** A Float32Array or Float64Array as it is; a list of numbers as a new Float64Array; anything else is a TypeError. */
export function floatArray(fn: string, argument: string, value: unknown): FloatArray {
  const kind = typedArrayKind(value);
  if (kind === "Float32Array") return plainArray(fn, argument, value as Float32Array, Float32Array);
  if (kind === "Float64Array") return plainArray(fn, argument, value as Float64Array, Float64Array);
  if (!Array.isArray(value))
    throw typeError(fn, argument, "a Float32Array, a Float64Array or an array of numbers", value);
  const copy = new Float64Array(value.length);
  for (let i = 0; i < copy.length; i++) copy[i] = numberIn(fn, argument, value, i);
  return copy;
}

/** Element i of a list of numbers. */
export function numberIn(fn: string, argument: string, list: readonly unknown[], i: number): number {
  const element = list[i];
  if (typeof element !== "number") throw typeError(fn, `${argument}[${i}]`, "a number", element);
  return element;
}

/** A second array of the kind and length of a first one. */
export function sameKind(
  fn: string,
  argument: string,
  value: unknown,
  model: FloatArray,
  modelName: string,
): FloatArray {
  const array = floatArray(fn, argument, value);
  if (Object.getPrototypeOf(array) !== Object.getPrototypeOf(model)) {
    throw typeError(fn, argument, `of the same type as ${modelName} (${typedArrayKind(model)})`, value);
  }
  if (array.length !== model.length)
    throw rangeError(fn, `${argument}.length`, `${modelName}.length = ${model.length}`, array.length);
  return array;
}

/** One factor per class or row: finite and not negative. `where` says what the length must be, for the message. */
export function weights(fn: string, argument: string, value: unknown, length: number, where: string): FloatArray {
  const array = floatArray(fn, argument, value);
  if (array.length !== length) throw rangeError(fn, `${argument}.length`, `${where} = ${length}`, array.length);
  for (let i = 0; i < length; i++) {
    const w = array[i]!;
    if (!(w >= 0 && w < Infinity)) throw rangeError(fn, `${argument}[${i}]`, "finite and not negative", w);
  }
  return array;
}

/** Every option there is, not set. An object of always the same shape is fast to read, and as it has all properties none is inherited. */
function noOptions(): Record<OptionName, unknown> {
  return {
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
/** The options as they were given: each read once, undefined where it is not set. */
export type Options = Readonly<Record<OptionName, unknown>>;
const NONE: Options = Object.freeze(noOptions());

/** The options that are set: own properties, each read once. An unknown or misspelt one is a TypeError. */
export function readOptions(fn: string, options: unknown, known: readonly OptionName[]): Options {
  if (options === undefined) return NONE;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw typeError(fn, "options", "an object", options);
  }
  const read = noOptions();
  for (const key of Object.keys(options)) {
    if (!known.includes(key as OptionName)) {
      throw new TypeError(`${fn}: unknown option ${JSON.stringify(key)}; the options are ${known.join(", ")}`);
    }
    read[key as OptionName] = (options as Record<string, unknown>)[key];
  }
  return read;
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
function overlapsPartly(a: ArrayBufferView, b: ArrayBufferView): boolean {
  if (a.buffer !== b.buffer || (a.byteOffset === b.byteOffset && a.byteLength === b.byteLength)) return false;
  return a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength;
}

/** An input, copied if writing the output block by block would change what is still to be read of it. */
export function unclobbered<A extends FloatArray>(input: A, output: Output | undefined): A {
  // A new array overlaps nothing, and is not asked: to ask a small array for its buffer makes V8 move it out of its heap.
  if (output === undefined || output.isNew || output.array === input) return input;
  return overlapsPartly(input, output.array) ? (input.slice() as A) : input;
}

/** The same for an input that may not even be the output itself. */
export function separate<A extends FloatArray>(input: A, output: Output | undefined): A {
  if (output === undefined || output.isNew) return input;
  return input.buffer === output.array.buffer ? (input.slice() as A) : input;
}

/** Where a result goes: what the caller gets back, and the array that the kernels write. */
export interface Output {
  readonly array: FloatArray;
  readonly isNew: boolean;
  /** What the caller gets: the array itself, or a list of numbers filled from it. */
  deliver(): FloatArray | number[];
}

/**
 * The `out` or `grad` option for an input `x`, or a new array like `x`: a Float32Array or Float64Array, or for a list of numbers a list
 * of numbers.
 */
export function outputLike(fn: string, argument: string, value: unknown, x: unknown, array: FloatArray): Output {
  const isList = Array.isArray(x);
  if (value === undefined) {
    const fresh = array instanceof Float32Array ? new Float32Array(array.length) : new Float64Array(array.length);
    return { array: fresh, isNew: true, deliver: () => (isList ? Array.from(fresh) : fresh) };
  }
  if (isList && Array.isArray(value)) {
    const copy = sameKind(fn, argument, value, array, "the input");
    return {
      array: copy,
      isNew: true,
      deliver: () => {
        for (let i = 0; i < copy.length; i++) value[i] = copy[i];
        return value;
      },
    };
  }
  if (Array.isArray(value)) throw typeError(fn, argument, `a ${typedArrayKind(array)}`, value);
  const plain = sameKind(fn, argument, value, array, "the input");
  return { array: plain, isNew: false, deliver: () => value as FloatArray };
}
