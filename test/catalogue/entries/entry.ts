// What there is to say of a function: how it is called, how calls are drawn and what the reference says of them, how accurate it must be.
import type { Functions } from "softmargin";
import type { Row } from "../../accuracy/row.js";
import type { Type } from "../../accuracy/ulp.js";
import type { Problem } from "../../inputs/draw.js";
import type { Rounding } from "../../oracle/oracle.js";
import type { Real } from "../../oracle/real.js";
import type { Api } from "../backends.js";
import type { Right } from "../right.js";

export type FunctionName = Exclude<keyof Api, "backend" | "initialLoss" | "createWorkspace" | "ready">;

/** Some of the functions. */
export type Entries<Name extends FunctionName> = Readonly<Record<Name, Entry>>;

export interface Entry {
  /** The arguments before the options. The first array is `x` here. */
  readonly positional: readonly string[];
  /** What messages call the first, if not `x`. */
  readonly first?: string;
  readonly options: readonly string[];
  /** What else an argument may be: names of RIGHT after a comma. */
  readonly variants?: readonly string[];
  /** Arguments that are right for this function and not what RIGHT has. */
  readonly own?: Right;
  /** Calls that the reference judges. A gradient is drawn and measured in the entry of its loss. */
  readonly ops: readonly Op[];
  readonly measured: readonly Measured[];
}

/** A function that is called by its name, on arguments that were drawn. */
export type Call<Result> = (...args: unknown[]) => Result;

/** The options that name rows. */
export const LAYOUT: readonly string[] = ["shape", "axis"];

export interface Op {
  readonly name: string;
  /** The results that are probabilities or losses, and so must never be −0. */
  readonly positive?: readonly string[];
  /** The result that is the gradient of the trial's objective. */
  readonly gradient?: string;
  draw(problem: Problem): Trial;
}

/** One call with everything decided. */
export interface Trial {
  /** The arguments, for messages. */
  describe(): string;
  /** Calls the function on fresh copies; the results by name. */
  run(api: Api): Record<string, ArrayLike<number>>;
  expected(rounding: Rounding): Record<string, Real[]>;
  /** For functions with a gradient: where it is taken, and the scalar that it is the gradient of. */
  readonly x: readonly number[];
  objective?(x: readonly number[]): Real;
  /** What the gradient may be off besides, in u, since it is taken at an x that was rounded. */
  readonly slack?: readonly number[];
}

export interface Measured {
  /** The function, and after a comma with which options. */
  readonly name: string;
  /** Largest error of the deterministic build in ulp of the result, or of the terms that cancel in it. */
  readonly bound: Readonly<Record<Type, number>>;
  readonly temperature?: number;
  run(functions: Functions, batch: Batch): ArrayLike<number> | Promise<ArrayLike<number>>;
  /** The results of one row, with the size of the terms that may cancel in them. */
  want(row: Row, given: Given): readonly Wanted[];
}

export type Wanted = { readonly value: Real; readonly terms?: number };

export type Floats = Float32Array | Float64Array;

/** Rows of logits with everything that the functions may need besides. */
export interface Batch {
  readonly shape: readonly [rows: number, classes: number];
  readonly x: Floats;
  /** A softmax and a log-softmax, rounded, and an upstream gradient. */
  readonly y: Floats;
  readonly logY: Floats;
  readonly dy: Floats;
  readonly targets: Int32Array;
  readonly probabilities: Floats;
}

/** What a batch has for one of its rows. */
export type Given = { readonly target: number } & {
  readonly [name in "y" | "logY" | "dy" | "probabilities"]: readonly Real[];
};
