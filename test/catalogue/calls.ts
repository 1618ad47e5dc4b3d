// The functions by their arguments, for tests that replace one of these by something else: errors, hostile arrays, options, faults.
import type { Api } from "./backends.js";

export type FunctionName = Exclude<keyof Api, "backend" | "initialLoss" | "createWorkspace" | "ready">;
/** What is common to the plain functions and those of a workspace. */
export type Functions = Pick<Api, FunctionName>;

export interface Signature {
  readonly name: FunctionName;
  /** What messages call the first argument, which is `x` here. */
  readonly first: string;
  readonly second?: "dy" | "targets";
  readonly output?: "out" | "grad";
}

export const forward: readonly Signature[] = [
  { name: "softmax", first: "x", output: "out" },
  { name: "logSoftmax", first: "x", output: "out" },
  { name: "logSumExp", first: "x", output: "out" },
];
export const products: readonly Signature[] = [
  { name: "softmaxGrad", first: "y", second: "dy", output: "out" },
  { name: "logSoftmaxGrad", first: "y", second: "dy", output: "out" },
];
export const crossEntropies: readonly Signature[] = [
  { name: "crossEntropy", first: "logits", second: "targets" },
  { name: "crossEntropyGrad", first: "logits", second: "targets", output: "grad" },
];
export const hinges: readonly Signature[] = [
  { name: "hinge", first: "scores", second: "targets" },
  { name: "hingeGrad", first: "scores", second: "targets", output: "grad" },
];
export const losses: readonly Signature[] = [...crossEntropies, ...hinges];
export const gradients: readonly Signature[] = losses.filter((signature) => signature.output !== undefined);
export const signatures: readonly Signature[] = [...forward, ...products, ...losses];

/** Arguments by name: `x`, `dy` and `targets` are positional, all others options. */
export type Arguments = Readonly<Record<string, unknown>>;

/** Calls a function with those of the arguments that it has. Getters among the options are left for the function to call. */
export function invoke(functions: Functions, { name, second }: Signature, given: Arguments): unknown {
  const { x, dy, targets, ...options } = Object.getOwnPropertyDescriptors(given);
  const positional = [x, ...(second === "dy" ? [dy] : []), ...(second === "targets" ? [targets] : [])];
  const values = positional.map((descriptor) => descriptor?.value as unknown);
  return (functions[name] as (...args: unknown[]) => unknown)(...values, Object.defineProperties({}, options));
}

/** The arguments with some replaced, again without calling getters. */
export function replaced(right: Arguments, given: Arguments): Arguments {
  return Object.defineProperties({ ...right }, Object.getOwnPropertyDescriptors(given));
}

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
const getter = (key: PropertyKey) =>
  Object.getOwnPropertyDescriptor(typedArray, key)!.get as (this: unknown) => unknown;
const kinds = { Float32Array, Float64Array, Int32Array, BigInt64Array };

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
