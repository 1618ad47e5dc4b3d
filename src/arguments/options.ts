// Options as a caller gave them. Reading them can run the caller's code (getters, proxies): each is read once, before any other argument.

import { listElement, listLength, newArray, readList } from "./arrays.js";
import { checkedNumber, describe, rangeError, typeError } from "./errors.js";
import { FEW, isLost, kindOf, lengthOf } from "./typedArrays.js";

const NO_LISTS: Readonly<Partial<Record<string, Float64Array>>> = {};

/** All options of all functions, undefined where not set. Lists are copies, but for those that a result goes to. */
class Given {
  shape: unknown;
  axis: unknown;
  temperature: unknown;
  values: unknown;
  topK: unknown;
  topP: unknown;
  minP: unknown;
  random: unknown;
  labelSmoothing: unknown;
  form: unknown;
  margin: unknown;
  p: unknown;
  perClass: unknown;
  reduction: unknown;
  weight: unknown;
  sampleWeight: unknown;
  ignoreIndex: unknown;
  meanOver: unknown;
  emptyMean: unknown;
  gradOutput: unknown;
  accumulate: unknown;
  out: unknown;
  grad: unknown;
  bias: unknown;
  classWeight: unknown;
  l2: unknown;
  gradWeight: unknown;
  gradBias: unknown;
  gradX: unknown;
  bytes: unknown;
  gamma: unknown;
  posWeight: unknown;
  /** Copies of the options that are lists. */
  lists: typeof NO_LISTS = NO_LISTS;
}

export type Options = Readonly<Given>;
export type OptionName = Exclude<keyof Given, "lists">;
const NONE: Options = /* @__PURE__ */ new Given();
/** The options of a function. */
export type OptionSet = ReadonlySet<OptionName>;

export function optionSet(...names: readonly OptionName[]): OptionSet {
  return new Set(names);
}

/** The options that a result goes to, and the others that can be lists. */
const RESULTS: OptionSet = /* @__PURE__ */ optionSet("out", "grad", "gradWeight", "gradBias", "gradX");
const LISTS: OptionSet = /* @__PURE__ */ optionSet(
  "weight",
  "posWeight",
  "classWeight",
  "sampleWeight",
  "gradOutput",
  "bias",
);

/** The options that are set: own properties, each read once. An unknown or misspelt one is a TypeError. */
export function readOptions(fn: string, options: unknown, known: OptionSet): Options {
  return options === undefined ? NONE : readGiven(fn, options, known);
}

/** Not Object.hasOwn: of this one V8 knows the answer for a key in a loop over the same object. */
const { hasOwnProperty: hasOwn } = Object.prototype;

function readGiven(fn: string, options: unknown, known: OptionSet): Options {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw typeError(fn, "options", "an object", options);
  const read = new Given();
  for (const key in options) {
    if (!hasOwn.call(options, key)) continue;
    if (!known.has(key as OptionName))
      throw new TypeError(`${fn}: unknown option ${describe(key)}; the options are ${[...known].join(", ")}`);
    const value = (options as Record<string, unknown>)[key];
    const name = key as OptionName;
    setOption(read, name, typeof value === "object" ? readObject(fn, read, name, value) : value);
  }
  return read;
}

/** A store by a fixed name takes V8 a tenth of the time: most calls on few numbers have only these options. */
function setOption(read: Given, name: OptionName, value: unknown): void {
  if (name === "shape") read.shape = value;
  else if (name === "axis") read.axis = value;
  else if (name === "out") read.out = value;
  else if (name === "grad") read.grad = value;
  else if (name === "form") read.form = value;
  else if (name === "temperature") read.temperature = value;
  else read[name] = value;
}

/** The value of an option that is an object, or null. Of a list a copy, also kept in `lists`; a list that a result goes to stays the value itself. */
function readObject(fn: string, read: Given, name: OptionName, value: unknown): unknown {
  if (name === "shape" || name === "ignoreIndex") return readFew(fn, name, value);
  if (!Array.isArray(value)) return value;
  const isResult = RESULTS.has(name);
  if (!isResult && !LISTS.has(name)) return value;
  const copy = readList(fn, name, value, "")!;
  read.lists = { ...read.lists, [name]: isResult ? writable(fn, name, value, copy) : copy };
  return isResult ? value : copy;
}

/** An option as a message shows it: a list if it was one. */
export function asGiven(options: Options, name: OptionName): unknown {
  const value = options[name];
  return value !== undefined && value === options.lists[name] ? Array.from(options.lists[name]) : value;
}

/** A copy of a list or a typed array as a list, since for a few numbers a typed array takes longer to make; anything else as it is. */
function readFew(fn: string, argument: string, value: unknown): unknown {
  const isList = Array.isArray(value);
  if (!isList && kindOf(value) === undefined) return value;
  const list = value as readonly unknown[];
  const length = isList ? listLength(fn, argument, list) : lengthOf(list);
  // Otherwise a detached array would silently mean nothing to ignore.
  if (!isList && length === 0 && isLost(list))
    throw new TypeError(`${fn}: ${argument} must not be detached or out of bounds`);
  // The length that a longer list claims must fit into memory, as for any list.
  if (length > FEW) newArray(fn, Float64Array.prototype, length);
  const copy: number[] = [];
  for (let i = 0; i < length; i++) copy[i] = listElement(fn, argument, list, i, "");
  return copy;
}

/** Returns `copy` if the elements of `list`, which a result goes to, can be written: tries it with the values they have. */
function writable(fn: string, key: string, list: unknown[], copy: Float64Array): Float64Array {
  let i = 0;
  try {
    for (; i < lengthOf(copy); i++) list[i] = copy[i]!;
  } catch (error) {
    // A setter or a proxy that threw throws again here, and its error is passed on.
    throw Reflect.set(list, i, copy[i]) ? error : typeError(fn, key, "writable", list);
  }
  return copy;
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
  if (value === undefined) return fallback;
  if (choices.includes(value as C)) return value as C;
  const expected = choices.map((c) => JSON.stringify(c)).join(" or ");
  const error = typeof value === "number" && typeof choices[0] === "number" ? rangeError : typeError;
  throw error(fn, key, expected, value);
}

/** ε of label smoothing. */
export function labelSmoothingOption(fn: string, { labelSmoothing }: Options): number {
  return numberOption(fn, "labelSmoothing", labelSmoothing, 0, "in [0, 1]", (e) => e >= 0 && e <= 1);
}

export function temperatureOption(fn: string, { temperature }: Options): number {
  return numberOption(fn, "temperature", temperature, 1, "positive and finite", (t) => t > 0 && t < Infinity);
}

/** γ of a focal loss. */
export function gammaOption(fn: string, { gamma }: Options): number {
  return numberOption(fn, "gamma", gamma, 0, "finite and not negative", (g) => g >= 0 && g < Infinity);
}
