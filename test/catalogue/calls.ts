// How tests call a function whose arguments they have by name, and look at what comes back, whatever was done to the arrays.
import type { Arguments, Functions, Signature } from "./functions.js";

/** Calls a function with arguments by name. Getters among the options are left for the function to call. */
export function invoke(functions: Functions, { name, positional }: Signature, given: Arguments): unknown {
  const all = Object.getOwnPropertyDescriptors(given);
  const values = positional.map((key) => all[key]?.value as unknown);
  const options = Object.entries(all).filter(([key]) => !positional.includes(key));
  const f = functions[name] as (...args: unknown[]) => unknown;
  return f(...values, Object.defineProperties({}, Object.fromEntries(options)));
}

/** The arguments with some replaced, again without calling getters. */
export function replaced(right: Arguments, given: Arguments): Arguments {
  return Object.defineProperties({ ...right }, Object.getOwnPropertyDescriptors(given));
}

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
const getter = (key: PropertyKey) =>
  Object.getOwnPropertyDescriptor(typedArray, key)!.get as (this: unknown) => unknown;
const kinds = { Float32Array, Float64Array, Int32Array, Uint16Array, BigInt64Array };

/** An array over the same elements that has no properties of its own to lie with. */
export function honest(array: unknown): Float32Array {
  const Kind = kinds[getter(Symbol.toStringTag).call(array) as keyof typeof kinds] as Float32ArrayConstructor;
  const [buffer, offset, length] = ["buffer", "byteOffset", "length"].map((key) => getter(key).call(array));
  return new Kind(buffer as ArrayBuffer, offset as number, length as number);
}

/** All numbers of a result: an array, a loss, a loss with its gradient. */
export function numbersIn(result: unknown): number[] {
  if (typeof result === "number") return [result];
  if (ArrayBuffer.isView(result)) return Array.from(honest(result), Number);
  return Object.values(result as object).flatMap(numbersIn);
}

export function caught(f: () => unknown): Error {
  try {
    f();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}
