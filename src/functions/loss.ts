// What all losses have in common: read and check the arguments, run the kernel, reduce. A loss adds its own options and its kernel
// (crossEntropy.ts, hinge.ts).

import { factors, floatArray, numbers, readList } from "../arguments/arrays.js";
import { PROBABILITIES_HINT, typeError } from "../arguments/errors.js";
import {
  asGiven,
  booleanOption,
  choiceOption,
  numberOption,
  type OptionName,
  type OptionSet,
  type Options,
  optionSet,
  readOptions,
} from "../arguments/options.js";
import { deliver, kept, type Output, outputLike, writtenEarly } from "../arguments/output.js";
import { readShape, rowStart, rowsError } from "../arguments/shape.js";
import { Classes, readIgnoreIndex, readTargets, type Targets } from "../arguments/targets.js";
import { fillWith, isSingle, lengthOf } from "../arguments/typedArrays.js";
import type { FloatArray, Kernels, LossTerms, Shape } from "../kernels.js";
import {
  type LossParts,
  type LossValue,
  MEANS,
  type MeanOver,
  REDUCTIONS,
  type Reduction,
  Total,
} from "./reduction.js";

const LOSS_OPTIONS = [
  "shape",
  "axis",
  "reduction",
  "weight",
  "sampleWeight",
  "ignoreIndex",
  "meanOver",
  "emptyMean",
] as const;
export const GRAD_OPTIONS = ["grad", "gradOutput", "accumulate"] as const;
/** A model of arrays of doubles. */
const F64 = Float64Array.prototype;
const anyNumber = (): boolean => true;

/** The arguments of a loss, checked: what a kernel takes, and what `reduce` then makes of its losses. */
export interface LossCall extends LossTerms {
  readonly indices: Classes | undefined;
  readonly options: Options;
  /** Whether there is nothing for a kernel to do: no rows, or a mean whose denominator is 0. */
  readonly isEmpty: boolean;
  readonly denominator: number;
  /** Whether sum and denominator are the result, the gradient being that of the sum. */
  readonly inParts: boolean;
  readonly emptyMean: number;
  /** Where the loss of each row goes, for reduction "none"; and the gradient. */
  readonly perRow: Output | undefined;
  readonly output: Output | undefined;
}

/** What is particular to a loss. */
export interface LossKind {
  /** What it calls its logits. */
  readonly input: string;
  /** What it calls its class weights. */
  readonly weight: "weight" | "classWeight";
  /** Whether it refuses class probabilities. */
  readonly indicesOnly: boolean;
  /** The default for class indices; for probabilities it is "all". */
  readonly meanOver: MeanOver;
  /** The options of the loss, and of its gradient. */
  readonly options: OptionSet;
  readonly gradOptions: OptionSet;
}

export function lossKind(
  input: string,
  indicesOnly: boolean,
  meanOver: MeanOver,
  ...ownOptions: readonly OptionName[]
): LossKind {
  const options = optionSet(...LOSS_OPTIONS, ...ownOptions);
  return {
    input,
    weight: "weight",
    indicesOnly,
    meanOver,
    options,
    gradOptions: optionSet(...options, ...GRAD_OPTIONS),
  };
}

/** Checks the arguments of the loss `fn`; `withGrad` adds the options of a gradient. Nothing is written yet. */
export function readLoss(
  kernels: Kernels,
  fn: string,
  kind: LossKind,
  x: unknown,
  y: unknown,
  given: unknown,
  withGrad: boolean,
): LossCall {
  const { input } = kind;
  const options = readOptions(fn, given, withGrad ? kind.gradOptions : kind.options);
  const list = readList(fn, input, x);
  const targetList = readList(fn, "targets", y, kind.indicesOnly ? "" : PROBABILITIES_HINT);
  const asList = list !== undefined;
  const logits = floatArray(fn, input, x, list, kernels);
  const length = lengthOf(logits);
  const targets = readTargets(fn, y, targetList, kind.indicesOnly ? undefined : logits, length, kernels);
  if (targets.indices === undefined && options.shape === undefined)
    throw typeError(fn, "shape", "given with class probabilities, [C] for one row", undefined);

  const rows = targets.indices && lengthOf(targets.indices);
  const shape = readShape(fn, options, input, length, rows, true);
  if (rows !== undefined && rows !== shape.outer * shape.inner)
    throw rowsError(fn, options, rows, shape.outer * shape.inner);
  const accumulate = booleanOption(fn, "accumulate", options.accumulate);
  if (accumulate && options.grad === undefined) throw typeError(fn, "grad", "given with accumulate", undefined);
  const output = withGrad
    ? outputLike(fn, "grad", options.grad, options.lists.grad, asList, logits, length)
    : undefined;
  return readTerms(kernels, fn, kind, options, logits, asList, targets, shape, output, accumulate);
}

/** The rest, for logits of a shape and `targets` that fit it. Only the type of the logits matters. */
export function readTerms(
  kernels: Kernels,
  fn: string,
  kind: LossKind,
  options: Options,
  logits: FloatArray,
  asList: boolean,
  { indices, probabilities }: Targets,
  shape: Shape,
  output: Output | undefined,
  accumulate: boolean,
): LossCall {
  const rows = shape.outer * shape.inner;
  const reduction = choiceOption<Reduction>(fn, "reduction", options.reduction, "mean", REDUCTIONS);
  const byDefault = indices === undefined ? "all" : kind.meanOver;
  const meanOver = choiceOption<MeanOver>(fn, "meanOver", options.meanOver, byDefault, MEANS);
  const emptyMean = numberOption(fn, "emptyMean", options.emptyMean, Number.NaN, "a number", anyNumber);
  if (indices === undefined && options.ignoreIndex !== undefined)
    throw typeError(fn, "ignoreIndex", "absent for targets that are probabilities", options.ignoreIndex);
  const inParts = reduction === "parts";
  const overWeights = reduction === "mean" && meanOver === "weights";
  const written = writtenEarly(output, kernels, shape);
  const hasFactors =
    options[kind.weight] !== undefined || options.sampleWeight !== undefined || options.gradOutput !== undefined;
  const { weight, sampleWeight, gradOutput, gradScale } = hasFactors
    ? readFactors(fn, kind, options, logits, shape, reduction, overWeights, written)
    : NO_FACTORS;

  const classes = indices && new Classes(indices, rows, shape.classes, readIgnoreIndex(fn, options.ignoreIndex));
  const ignored = classes === undefined ? 0 : classes.check(fn);
  if (written !== undefined) classes?.keepFrom(fn, written);
  let denominator = 1;
  if (reduction === "mean" || inParts) {
    denominator = meanOver === "all" ? rows : rows - ignored;
    const isCounted = classes !== undefined && !hasFactors;
    if (meanOver === "weights" && !isCounted)
      denominator = totalWeight(classes, probabilities, shape, weight, sampleWeight);
  }
  const perRow = reduction === "none" ? outputLike(fn, "out", undefined, undefined, asList, logits, rows) : undefined;
  return {
    losses: perRow?.array,
    grad: output?.array,
    logits: kept(logits, written, true),
    indices: classes,
    probabilities: probabilities && kept(probabilities, written, false),
    shape,
    weight,
    sampleWeight,
    gradOutput,
    gradScale: inParts ? gradScale : gradScale / denominator,
    accumulate,
    clears: !accumulate && options.grad !== undefined,
    options,
    isEmpty: rows === 0 || (denominator === 0 && !inParts),
    denominator,
    inParts,
    emptyMean,
    perRow,
    output,
  };
}

type Factors = Pick<LossTerms, "weight" | "sampleWeight" | "gradOutput" | "gradScale">;
const NO_FACTORS: Factors = { weight: undefined, sampleWeight: undefined, gradOutput: undefined, gradScale: 1 };

/** What multiplies the losses or gradients, of the types that the kernels take. Most calls have none. */
function readFactors(
  fn: string,
  kind: LossKind,
  options: Options,
  logits: FloatArray,
  shape: Shape,
  reduction: Reduction,
  overWeights: boolean,
  written: FloatArray | undefined,
): Factors {
  const rows = shape.outer * shape.inner;
  const type: FloatArrayType = isSingle(logits) ? Float32Array : Float64Array;
  const w = factors(fn, kind.weight, options[kind.weight], shape.classes, "classes", logits);
  const u = factors(fn, "sampleWeight", options.sampleWeight, rows, "rows", F64);
  const g = options.gradOutput;
  const gs = readUpstream(fn, options, reduction, rows, "rows");
  return {
    weight: w && kept(inRange(w, type, overWeights), written, false),
    sampleWeight: u && kept(inRange(u, Float64Array, overWeights), written, false),
    gradOutput: gs && kept(ofType(gs, Float64Array), written, false),
    gradScale: typeof g === "number" ? g : 1,
  };
}

/** The upstream gradients of `length` losses that are not reduced; undefined if there is one number, or none. */
export function readUpstream(
  fn: string,
  options: Options,
  reduction: Reduction,
  length: number,
  things: string,
): FloatArray | undefined {
  const { gradOutput } = options;
  if (gradOutput === undefined || typeof gradOutput === "number") return undefined;
  if (reduction === "none") return numbers(fn, "gradOutput", gradOutput, length, things);
  const expected = `a number for reduction ${JSON.stringify(reduction)}`;
  throw typeError(fn, "gradOutput", expected, asGiven(options, "gradOutput"));
}

/**
 * Factors in an array of a type. Divided by their total (`overWeights`) only their ratios matter: then they are scaled by a power of two if the total, or
 * its inverse, could overflow.
 */
function inRange<A extends FloatArray>(values: FloatArray, type: FloatArrayType<A>, overWeights: boolean): A {
  const typed = ofType(values, type);
  if (!overWeights) return typed;
  let largest = 0;
  for (let i = 0; i < lengthOf(typed); i++) largest = Math.max(largest, typed[i]!);
  if (largest === 0 || (largest > 2 ** -500 && largest < 2 ** 500)) return typed;
  const scaled = new type(typed);
  for (let i = 0; i < lengthOf(scaled); i++) scaled[i]! *= largest < 1 ? 2 ** 1000 : 2 ** -1000;
  return scaled;
}

type FloatArrayType<A extends FloatArray = FloatArray> = new (values: FloatArray) => A;

export function ofType<A extends FloatArray>(values: FloatArray, type: FloatArrayType<A>): A {
  return values instanceof type ? values : new type(values);
}

/** Σ u·w_y over the rows that count; for probabilities Σ u·Σ_j w_j t_j. */
function totalWeight(
  classes: Classes | undefined,
  probabilities: FloatArray | undefined,
  shape: Shape,
  weight: FloatArray | undefined,
  sampleWeight: Float64Array | undefined,
): number {
  const { outer, classes: C, inner } = shape;
  const total = new Total();
  for (let r = 0; r < outer * inner; r++) {
    const u = sampleWeight === undefined ? 1 : sampleWeight[r]!;
    if (classes !== undefined) {
      const y = classes.at(r);
      if (y >= 0) total.add(u * (weight === undefined ? 1 : weight[y]!));
    } else if (u !== 0) {
      const start = rowStart(shape, r);
      const mass = new Total();
      for (let j = 0; j < C; j++)
        mass.add((weight === undefined ? 1 : weight[j]!) * probabilities![start + j * inner]!);
      total.add(u * mass.value);
    }
  }
  return total.value;
}

/** The result of a call, the loss or `{ loss, grad }`; `total` is what its kernel has returned, or 0 if it is empty. */
export function reduce(call: LossCall, total: number): LossValue {
  const { clears, isEmpty, denominator, inParts, emptyMean, perRow, output } = call;
  if (isEmpty && output !== undefined && clears) fillWith(output.array, 0, 0, lengthOf(output.array));
  const loss = perRow === undefined ? reduced(total, denominator, inParts, emptyMean) : deliver(perRow);
  return (output === undefined ? loss : { loss, grad: deliver(output) }) as LossValue;
}

export function reduced(total: number, denominator: number, inParts: boolean, emptyMean: number): number | LossParts {
  if (inParts) return { sum: total, denominator };
  return denominator === 0 ? emptyMean : total / denominator;
}
