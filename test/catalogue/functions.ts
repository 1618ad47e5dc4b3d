// The list of functions: all entries, and what is made of them. What is tested of every function goes through it: the reference, gradients, errors,
// hostile arrays and lists, options, overlaps, faults, workspaces, the arena, soak, digest, properties, accuracy.
import type { Api } from "./backends.js";
import { binaryLosses } from "./entries/binaryCrossEntropy.js";
import { decisions } from "./entries/decisions.js";
import type { Entry, FunctionName, Measured, Op } from "./entries/entry.js";
import { float16 } from "./entries/float16.js";
import { layers } from "./entries/layers.js";
import { losses } from "./entries/losses.js";
import { ofElements } from "./entries/sigmoid.js";
import { softmaxes } from "./entries/softmax.js";
import { RIGHT, type Sizes } from "./right.js";

const entries = {
  ...softmaxes,
  ...losses,
  ...layers,
  ...decisions,
  ...float16,
  ...ofElements,
  ...binaryLosses,
} satisfies Record<FunctionName, Entry>;

/** The losses of rows of class indices; each has a gradient. */
export type RowLoss = Exclude<keyof typeof losses, `${string}Grad`>;
export const rowLosses: readonly RowLoss[] = Object.keys(losses).filter((name) => !name.endsWith("Grad")) as RowLoss[];

/** What is common to the plain functions and those of a workspace. */
export type Functions = Pick<Api, FunctionName>;

export const ops: readonly Op[] = Object.values(entries).flatMap((entry) => entry.ops);

export const measured: readonly Measured[] = Object.values(entries).flatMap((entry) => entry.measured);

/** Arguments by name, positional ones and options. */
export type Arguments = Readonly<Record<string, unknown>>;

/** The options that say where a result goes: `out` is the result itself, the others are properties of it. */
const OUTPUTS = ["out", "grad", "gradWeight", "gradBias", "gradX"];

export interface Signature extends Entry {
  readonly name: FunctionName;
  readonly first: string;
  /** The second positional argument. */
  readonly second: string | undefined;
  readonly outputs: readonly string[];
  /** The first of them. */
  readonly output: string | undefined;
}

export const allSignatures: readonly Signature[] = Object.entries(entries as Record<FunctionName, Entry>).map(
  ([name, entry]) => {
    const outputs = entry.options.filter((option) => OUTPUTS.includes(option));
    const [, second] = entry.positional;
    return { first: "x", ...entry, name: name as FunctionName, second, outputs, output: outputs[0] };
  },
);

/** Those of rows of numbers: all but what widens bits. */
export const signatures: readonly Signature[] = allSignatures.filter(({ options }) => options.includes("shape"));

/** Rows too long to lie side by side in vectors, and longer than what is copied element by element. */
export const USUAL: Sizes = { rows: 3, classes: 70 };

/** All arguments of a right call, or those that are positional; `what` names a variant that is meant. */
export function allArguments(
  { positional, options, own = {} }: Signature,
  sizes: Sizes = USUAL,
  what = "",
  names: readonly string[] = [...positional, ...options],
): Arguments {
  const variant = what.includes(",") ? what : "";
  return Object.fromEntries(
    names.map((name) => {
      const of = variant.startsWith(`${name},`) ? variant : name;
      return [name, (own[of] ?? RIGHT[of]!)(sizes)];
    }),
  );
}

/** Those of some options that are right beside each other and such a variant of an argument. */
export function together(options: readonly string[], what: string): string[] {
  const needs: Readonly<Record<string, boolean>> = {
    gradOutput: options.includes("reduction"),
    // All that there is must be given then.
    accumulate:
      options.includes("grad") ||
      (options.includes("gradWeight") && options.includes("gradBias") === options.includes("bias")),
    ignoreIndex: what !== "targets, probabilities",
  };
  return options.filter((name) => needs[name] ?? true);
}

/** A right call with fresh arrays wherever there can be one, and otherwise only with what these need. */
export function rightArguments(signature: Signature, what = "", sizes: Sizes = USUAL): Arguments {
  const all = Object.entries(allArguments(signature, sizes, what));
  const isNeeded = (name: string) => ["shape", "reduction", ...signature.positional].includes(name);
  const isCode = (value: unknown) => typeof value === "function";
  return Object.fromEntries(
    all.filter(([name, value]) => isNeeded(name) || ArrayBuffer.isView(value) || isCode(value)),
  );
}

/** The array arguments: their names, and after a comma what else one can be. */
export function arraysOf(signature: Signature): string[] {
  const arrays = Object.entries(rightArguments(signature)).filter(([, value]) => ArrayBuffer.isView(value));
  return [...arrays.map(([name]) => name), ...(signature.variants ?? [])];
}

/** The array that was given for an output, in what a function has returned. */
export function returned(output: string, value: unknown): unknown {
  return output === "out" ? value : (value as Arguments)[output];
}
