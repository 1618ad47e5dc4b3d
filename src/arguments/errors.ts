// What is said of a wrong argument. TypeError: the wrong kind of thing. RangeError: the right kind with a wrong value. A message names the function,
// the argument, its index, what was expected, what was given, and often a hint: what the caller probably meant.

import { kindOf, lengthOf } from "./typedArrays.js";

export function typeError(fn: string, argument: string, expected: string, given: unknown, hint = ""): TypeError {
  return new TypeError(message(fn, argument, expected, given, hint));
}

/** For class probabilities that are passed as a list of numbers. */
export const PROBABILITIES_HINT = "class probabilities go in a typed array like the logits, with shape";

export function rangeError(fn: string, argument: string, expected: string, given: unknown, hint = ""): RangeError {
  return new RangeError(message(fn, argument, expected, given, hint));
}

function message(fn: string, argument: string, expected: string, given: unknown, hint: string): string {
  return `${fn}: ${argument} must be ${expected}, got ${describe(given)}${hint && `; ${hint}`}`;
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

export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(shortened(value));
  if (typeof value === "bigint") return `${shortened(String(value))}n`;
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  const kind = kindOf(value);
  if (kind !== undefined) return `${kind.startsWith("Int") ? "an" : "a"} ${kind} of length ${lengthOf(value)}`;
  return Array.isArray(value) ? `an array of length ${value.length}` : "an object";
}

function shortened(text: string): string {
  return text.length > 50 ? `${text.slice(0, 50)}…` : text;
}

/**
 * A hint for something that holds numbers but is no array of floats: a tensor of another library, an array of integers. `shaped`: whether its shape is that
 * of the call.
 */
export function arrayHint(argument: string, value: unknown, shaped: boolean, wanted = "Float32Array"): string {
  const kind = kindOf(value);
  if (kind === "Uint16Array")
    return `float16ToFloat32(${argument}) reads it as half floats, ${wanted}.from(${argument}) as integers`;
  if (kind !== undefined && /int|Float16/i.test(kind) && !kind.startsWith("Big"))
    return `${wanted}.from(${argument}) converts it`;
  return tensorHint(argument, value, shaped);
}

/** The same where it can only be a tensor. */
export function tensorHint(argument: string, value: unknown, shaped: boolean): string {
  if (typeof value !== "object" || value === null) return "";
  try {
    const { data, dims, dataSync, [Symbol.toStringTag]: tag } = value as Partial<Record<PropertyKey, unknown>>;
    if (tag === "Float16Array")
      return `pass the bits of a polyfill's array to float16ToFloat32: new Uint16Array(${argument}.buffer, ${argument}.byteOffset, ${argument}.length)`;
    const withShape = shaped ? ` with { shape: ${argument}.${dims === undefined ? "shape" : "dims"} }` : "";
    if (typeof dataSync === "function") return `pass ${argument}.dataSync()${withShape}`;
    if (kindOf(data) !== undefined) return `pass ${argument}.data${withShape}`;
  } catch {
    // An object whose properties throw gets no hint.
  }
  return "";
}

/**
 * The error to throw where memory was short. What was caught may be an exhausted stack instead, also a RangeError (in Firefox an InternalError): it is
 * passed on.
 */
export function memoryError(caught: unknown, message: string): unknown {
  return /stack|recursion/i.test(String((caught as Partial<Error>).message)) ? caught : new RangeError(message);
}
