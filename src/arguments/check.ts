// How arguments are read, each once, and what is said of a wrong one. TypeError: the wrong kind of thing. RangeError: the right kind with a wrong
// value. Messages name the function, the argument, the index where there is one, what was expected and what was given. What needs more than a
// line is read elsewhere by these means: shape.ts, targets.ts, output.ts.
//
// First readOptions and readList take what code of the caller's can stand behind: getters, proxies, elements of lists. No such code runs
// from then until the result is there, so what is checked of a typed array after that still holds when the kernels get it.

import type { FloatArray } from "../kernels.js";
import { bufferOf, byteOffsetOf, FEW, isLost, kindOf, lengthOf, throws } from "./typedArrays.js";

export function typeError(fn: string, argument: string, expected: string, given: unknown): TypeError {
  return new TypeError(`${fn}: ${argument} must be ${expected}, got ${describe(given)}`);
}

export function rangeError(fn: string, argument: string, expected: string, given: unknown): RangeError {
  return new RangeError(`${fn}: ${argument} must be ${expected}, got ${describe(given)}`);
}

function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(shortened(value));
  if (typeof value === "bigint") return `${shortened(String(value))}n`;
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  const kind = kindOf(value);
  if (kind !== undefined) return `a ${kind} of length ${lengthOf(value)}`;
  return Array.isArray(value) ? `an array of length ${value.length}` : "an object";
}

function shortened(text: string): string {
  return text.length > 50 ? `${text.slice(0, 50)}…` : text;
}

/** A copy of a list of numbers; undefined for anything but a list. */
export function readList(fn: string, argument: string, value: unknown): Float64Array | undefined {
  return Array.isArray(value) ? copyList(fn, argument, value) : undefined;
}

/** The same; anything but a list as it is. */
function listOrNot(fn: string, argument: string, value: unknown): unknown {
  return readList(fn, argument, value) ?? value;
}

/**
 * A copy of a list or a typed array as a list; anything else as it is. For what has a few numbers, like a shape: to make a typed array takes a fifth
 * of a call on one row (Node 24). What says that it has more must fit into memory first, as any list.
 */
function readFew(fn: string, argument: string, value: unknown): unknown {
  const isList = Array.isArray(value);
  if (!isList && kindOf(value) === undefined) return value;
  const list = value as readonly unknown[];
  const length = isList ? listLength(fn, argument, list) : lengthOf(list);
  // Nothing to ignore would be as good as an error that is not seen.
  if (!isList && length === 0 && isLost(list))
    throw new TypeError(`${fn}: ${argument} must not be detached or out of bounds`);
  if (length > FEW) newArray(fn, Float64Array.prototype, length);
  const copy: number[] = [];
  for (let i = 0; i < length; i++) copy[i] = listElement(fn, argument, list, i);
  return copy;
}

function copyList(fn: string, argument: string, list: readonly unknown[]): Float64Array {
  const length = listLength(fn, argument, list);
  const copy = newArray(fn, Float64Array.prototype, length);
  for (let i = 0; i < length; i++) copy[i] = listElement(fn, argument, list, i);
  return copy;
}

function listLength(fn: string, argument: string, list: { readonly length: unknown }): number {
  const { length } = list;
  // What claims to be a list can be a proxy of one.
  if (!Number.isSafeInteger(length) || (length as number) < 0)
    throw typeError(fn, `${argument}.length`, "a non-negative integer", length);
  return length as number;
}

function listElement(fn: string, argument: string, list: readonly unknown[], i: number): number {
  const element = list[i];
  if (typeof element !== "number") throw typeError(fn, `${argument}[${i}]`, "a number", element);
  return element;
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

const { getPrototypeOf } = Object;

// Most arrays are ordinary ones, and V8 tells that without a call of its runtime where it knows what is at hand: after an element was asked for,
// which for a typed array cannot have any other effect. Each kind has a function of its own, as V8 remembers by place (three arrays of a
// loss: −20 ns, Node 24).

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

/** A Float32Array or Float64Array; `list` where the value is a list of numbers, which has been read. Anything else is a TypeError. */
export function floatArray(fn: string, argument: string, value: unknown, list: Float64Array | undefined): FloatArray {
  if (list !== undefined) return list;
  const kind = kindOf(value);
  if (kind === "Float32Array") return float32Array(fn, argument, value as Float32Array);
  if (kind === "Float64Array") return float64Array(fn, argument, value as Float64Array);
  throw typeError(fn, argument, "a Float32Array, a Float64Array or an array of numbers", value);
}

/** A second array of the kind of a first one, and of its `length`. */
export function sameKind(
  fn: string,
  argument: string,
  value: unknown,
  list: Float64Array | undefined,
  model: FloatArray,
  length: number,
  modelName: string,
): FloatArray {
  const array = floatArray(fn, argument, value, list);
  if (array instanceof Float32Array !== model instanceof Float32Array) {
    throw typeError(fn, argument, `of the same type as ${modelName} (${kindOf(model)})`, value);
  }
  if (lengthOf(array) !== length)
    throw rangeError(fn, `${argument}.length`, `${modelName}.length = ${length}`, lengthOf(array));
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
  key: "weight" | "sampleWeight",
  value: unknown,
  length: number,
  where: string,
  model: FloatArray,
): FloatArray | undefined {
  if (value === undefined) return undefined;
  const array = optionArray(fn, key, value, length, where);
  for (let i = 0; i < length; i++) {
    const w = array[i]!;
    if (!isFactor(w, model)) throw rangeError(fn, `${key}[${i}]`, EXPECTED_FACTOR, w);
  }
  return array;
}

/** An option that holds so many numbers. `where` says what the length must be, for the message. */
export function optionArray(
  fn: string,
  key: "weight" | "sampleWeight" | "gradOutput",
  value: unknown,
  length: number,
  where: string,
): FloatArray {
  const array = floatArray(fn, key, value, undefined);
  if (lengthOf(array) !== length) throw rangeError(fn, `${key}.length`, `${where} = ${length}`, lengthOf(array));
  return array;
}

/** The name of any option. */
export type OptionName =
  | "shape"
  | "axis"
  | "out"
  | "reduction"
  | "weight"
  | "sampleWeight"
  | "ignoreIndex"
  | "meanOver"
  | "emptyMean"
  | "labelSmoothing"
  | "temperature"
  | "form"
  | "margin"
  | "p"
  | "perClass"
  | "grad"
  | "gradOutput"
  | "accumulate"
  | "bytes";
/** Some options: bit i stands for the i-th of `pick`. */
export type OptionSet = number;

/**
 * The options as they were given, undefined where one is not set; those that are lists as arrays of our own, but for `out` and `grad`, of which
 * `list` is a copy.
 */
export interface Options extends Readonly<Record<OptionName, unknown>> {
  list: Float64Array | undefined;
}

/**
 * The options of a set, each read once, in this order. One line for each: to read and write them in a loop over their names takes longer by
 * half.
 */
function pick(fn: string, given: Readonly<Partial<Record<OptionName, unknown>>>, set: OptionSet): Options {
  return {
    shape: set & 0x1 ? readFew(fn, "shape", given.shape) : undefined,
    axis: set & 0x2 ? given.axis : undefined,
    out: set & 0x4 ? given.out : undefined,
    reduction: set & 0x8 ? given.reduction : undefined,
    weight: set & 0x10 ? listOrNot(fn, "weight", given.weight) : undefined,
    sampleWeight: set & 0x20 ? listOrNot(fn, "sampleWeight", given.sampleWeight) : undefined,
    ignoreIndex: set & 0x40 ? readFew(fn, "ignoreIndex", given.ignoreIndex) : undefined,
    meanOver: set & 0x80 ? given.meanOver : undefined,
    emptyMean: set & 0x100 ? given.emptyMean : undefined,
    labelSmoothing: set & 0x200 ? given.labelSmoothing : undefined,
    temperature: set & 0x400 ? given.temperature : undefined,
    form: set & 0x800 ? given.form : undefined,
    margin: set & 0x1000 ? given.margin : undefined,
    p: set & 0x2000 ? given.p : undefined,
    perClass: set & 0x4000 ? given.perClass : undefined,
    grad: set & 0x8000 ? given.grad : undefined,
    gradOutput: set & 0x10000 ? listOrNot(fn, "gradOutput", given.gradOutput) : undefined,
    accumulate: set & 0x20000 ? given.accumulate : undefined,
    bytes: set & 0x40000 ? given.bytes : undefined,
    list: undefined,
  };
}

const NONE: Options = /* @__PURE__ */ Object.freeze(/* @__PURE__ */ pick("", {}, 0));
const BITS: ReadonlyMap<string, number> = /* @__PURE__ */ new Map(
  /* @__PURE__ */ Object.keys(NONE).map((name, i) => [name, 1 << i]),
);

export function optionSet(...names: readonly OptionName[]): OptionSet {
  return names.reduce((set, name) => set | BITS.get(name)!, 0);
}

/** The options that are set: own properties, each read once, in a fixed order. An unknown or misspelt one is a TypeError. */
export function readOptions(fn: string, options: unknown, known: OptionSet): Options {
  // What most calls do not need is a function of its own, here and below: so V8 compiles the rest into its callers (one row: up to 4 % fewer
  // instructions).
  return options === undefined ? NONE : readGiven(fn, options, known);
}

function readGiven(fn: string, options: unknown, known: OptionSet): Options {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw typeError(fn, "options", "an object", options);
  }
  const keys = Object.keys(options);
  let set = 0;
  for (let i = 0; i < keys.length; i++) {
    const bit = (BITS.get(keys[i]!) ?? 0) & known;
    if (bit === 0) throw unknownOption(fn, keys[i]!, known);
    set |= bit;
  }
  if (set === 0) return NONE;
  const read = pick(fn, options, set);
  // No function has both.
  if (Array.isArray(read.out)) read.list = readResult(fn, "out", read.out);
  if (Array.isArray(read.grad)) read.list = readResult(fn, "grad", read.grad);
  return read;
}

function unknownOption(fn: string, key: string, known: OptionSet): TypeError {
  const names = [...BITS].filter(([, bit]) => bit & known).map(([name]) => name);
  return new TypeError(`${fn}: unknown option ${describe(key)}; the options are ${names.join(", ")}`);
}

/** A copy of a list that a result goes to. Whether its elements can be written is tried by what they are. */
function readResult(fn: string, key: string, list: unknown[]): Float64Array {
  const copy = copyList(fn, key, list);
  let i = 0;
  try {
    for (; i < lengthOf(copy); i++) list[i] = copy[i]!;
  } catch (error) {
    // A setter or a proxy throws once more, and is passed on.
    throw Reflect.set(list, i, copy[i]) ? error : typeError(fn, key, "writable", list);
  }
  return copy;
}

/** A number for which `valid` holds. */
export function checkedNumber(
  fn: string,
  argument: string,
  value: unknown,
  expected: string,
  valid: (value: number) => boolean,
): number {
  if (typeof value !== "number") throw typeError(fn, argument, "a number", value);
  if (!valid(value)) throw rangeError(fn, argument, expected, value);
  return value;
}

/** A non-negative integer. */
export function checkedSize(fn: string, argument: string, value: unknown): number {
  return checkedNumber(fn, argument, value, "a non-negative integer", (n) => Number.isSafeInteger(n) && n >= 0);
}

/** A number for which `valid` holds; `fallback` where the option is absent. */
export function numberOption(
  fn: string,
  key: OptionName,
  value: unknown,
  fallback: number,
  expected: string,
  valid: (value: number) => boolean,
): number {
  return value === undefined ? fallback : checkedNumber(fn, key, value, expected, valid);
}

export function booleanOption(fn: string, key: OptionName, value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value !== "boolean") throw typeError(fn, key, "true or false", value);
  return value;
}

/** One of a few values; `fallback` where the option is absent. */
export function choiceOption<C extends string | number>(
  fn: string,
  key: OptionName,
  value: unknown,
  fallback: C,
  choices: readonly C[],
): C {
  return value === undefined ? fallback : oneOf(fn, key, value, choices);
}

function oneOf<C extends string | number>(fn: string, key: OptionName, value: unknown, choices: readonly C[]): C {
  // Not by `find`, for which V8 has to make a function: a hinge loss of one row takes 7 to 13 % less (Node 24).
  if (choices.includes(value as C)) return value as C;
  const expected = choices.map((c) => JSON.stringify(c)).join(" or ");
  const error = typeof value === "number" && typeof choices[0] === "number" ? rangeError : typeError;
  throw error(fn, key, expected, value);
}

export function temperatureOption(fn: string, { temperature }: Options): number {
  return numberOption(fn, "temperature", temperature, 1, "positive and finite", (t) => t > 0 && t < Infinity);
}
