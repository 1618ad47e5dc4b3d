// Options as a caller gave them. They are read before any other argument, each once: getters and proxies can stand behind them.

import { listElement, listLength, newArray, readList } from "./arrays.js";
import { describe, rangeError, typeError } from "./errors.js";
import { FEW, isLost, kindOf, lengthOf } from "./typedArrays.js";

/** All options of all functions, as they are before one is set. */
const NONE = {
  shape: undefined as unknown,
  axis: undefined as unknown,
  temperature: undefined as unknown,
  values: undefined as unknown,
  topK: undefined as unknown,
  topP: undefined as unknown,
  minP: undefined as unknown,
  random: undefined as unknown,
  labelSmoothing: undefined as unknown,
  form: undefined as unknown,
  margin: undefined as unknown,
  p: undefined as unknown,
  perClass: undefined as unknown,
  reduction: undefined as unknown,
  weight: undefined as unknown,
  sampleWeight: undefined as unknown,
  ignoreIndex: undefined as unknown,
  meanOver: undefined as unknown,
  emptyMean: undefined as unknown,
  gradOutput: undefined as unknown,
  accumulate: undefined as unknown,
  out: undefined as unknown,
  grad: undefined as unknown,
  bias: undefined as unknown,
  classWeight: undefined as unknown,
  l2: undefined as unknown,
  gradWeight: undefined as unknown,
  gradBias: undefined as unknown,
  gradX: undefined as unknown,
  bytes: undefined as unknown,
  gamma: undefined as unknown,
  posWeight: undefined as unknown,
  /** Copies of those that a result goes to, where that is a list. */
  lists: {} as Readonly<Partial<Record<string, Float64Array>>>,
};

export type OptionName = Exclude<keyof typeof NONE, "lists">;
/** The options as they were given, undefined where one is not set; lists as arrays of our own, but for those that a result goes to. */
export type Options = Readonly<typeof NONE>;
/** Those that a function has. */
export type OptionSet = ReadonlySet<OptionName>;

export function optionSet(...names: readonly OptionName[]): OptionSet {
  return new Set(names);
}

/** Those that a result goes to, and others that can be lists. */
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

function readGiven(fn: string, options: unknown, known: OptionSet): Options {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw typeError(fn, "options", "an object", options);
  const read = { ...NONE };
  const keys = Object.keys(options);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as OptionName;
    if (!known.has(key))
      throw new TypeError(`${fn}: unknown option ${describe(key)}; the options are ${[...known].join(", ")}`);
    readOption(fn, read, key, (options as Options)[key]);
  }
  return read;
}

function readOption(fn: string, read: typeof NONE, name: OptionName, value: unknown): void {
  read[name] = value;
  if (typeof value !== "object") return;
  if (name === "shape" || name === "ignoreIndex") read[name] = readFew(fn, name, value);
  else if (!Array.isArray(value)) return;
  else if (RESULTS.has(name))
    read.lists = { ...read.lists, [name]: writable(fn, name, value, readList(fn, name, value)!) };
  else if (LISTS.has(name)) read[name] = readList(fn, name, value);
}

/** A copy of a list or a typed array as a list; anything else as it is. For what has a few numbers: to make a typed array takes longer. */
function readFew(fn: string, argument: string, value: unknown): unknown {
  const isList = Array.isArray(value);
  if (!isList && kindOf(value) === undefined) return value;
  const list = value as readonly unknown[];
  const length = isList ? listLength(fn, argument, list) : lengthOf(list);
  // Nothing to ignore would be as good as an error that is not seen.
  if (!isList && length === 0 && isLost(list))
    throw new TypeError(`${fn}: ${argument} must not be detached or out of bounds`);
  // What says that it has more must fit into memory first, as any list.
  if (length > FEW) newArray(fn, Float64Array.prototype, length);
  const copy: number[] = [];
  for (let i = 0; i < length; i++) copy[i] = listElement(fn, argument, list, i);
  return copy;
}

/** `copy`, if the elements of `list`, which a result goes to, can be written: tried by what they are. */
function writable(fn: string, key: string, list: unknown[], copy: Float64Array): Float64Array {
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
  if (value === undefined) return fallback;
  if (choices.includes(value as C)) return value as C;
  const expected = choices.map((c) => JSON.stringify(c)).join(" or ");
  const error = typeof value === "number" && typeof choices[0] === "number" ? rangeError : typeError;
  throw error(fn, key, expected, value);
}

export function temperatureOption(fn: string, { temperature }: Options): number {
  return numberOption(fn, "temperature", temperature, 1, "positive and finite", (t) => t > 0 && t < Infinity);
}

/** γ of a focal loss. */
export function gammaOption(fn: string, { gamma }: Options): number {
  return numberOption(fn, "gamma", gamma, 0, "finite and not negative", (g) => g >= 0 && g < Infinity);
}
