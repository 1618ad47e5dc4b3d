// What all losses have in common: read and check the arguments, run the kernel, reduce. A loss adds its own options and its kernel
// (crossEntropy.ts, hinge.ts).

import {
  booleanOption,
  choiceOption,
  floatArray,
  numberOption,
  type OptionName,
  type OptionSet,
  type Options,
  optionArray,
  optionSet,
  rangeError,
  readList,
  readOptions,
  typeError,
  weights,
} from "../arguments/check.js";
import { clobberedBy, deliver, type Output, outputLike, separate, unclobbered } from "../arguments/output.js";
import { readShape, rowStart } from "../arguments/shape.js";
import { IGNORED_BY_DEFAULT, readClasses, readIgnoreIndex, readTargets } from "../arguments/targets.js";
import { copy, fillWith, lengthOf } from "../arguments/typedArrays.js";
import type { FloatArray, Kernels, LossTerms, Shape } from "../kernels.js";
import type { LossValue } from "../options.js";
import { MEANS, type MeanOver, REDUCTIONS, type Reduction, rowBuffer, Total } from "./reduction.js";

const LOSS_OPTIONS: OptionSet = /* @__PURE__ */ optionSet(
  "shape",
  "axis",
  "reduction",
  "weight",
  "sampleWeight",
  "ignoreIndex",
  "meanOver",
  "emptyMean",
);
const GRAD_OPTIONS: OptionSet = /* @__PURE__ */ optionSet("grad", "gradOutput", "accumulate");
/** A model of arrays of doubles. */
const F64 = Float64Array.prototype;
const anyNumber = (): boolean => true;

/** The arguments of a loss, checked, and all memory that it needs: what a kernel takes, and what `reduce` then makes of its losses. */
export interface LossCall extends LossTerms {
  readonly options: Options;
  /** Whether there is nothing for a kernel to do: no rows, or none that counts in the mean. */
  readonly isEmpty: boolean;
  readonly denominator: number;
  readonly emptyMean: number;
  /** For the loss of each row, where that is the result. */
  readonly perRow: Output | undefined;
  readonly output: Output | undefined;
}

type Factors = Pick<LossTerms, "weight" | "sampleWeight" | "gradOutput" | "gradScale">;
const NO_FACTORS: Factors = { weight: undefined, sampleWeight: undefined, gradOutput: undefined, gradScale: 1 };

/** What is particular to a loss. */
export interface LossKind {
  /** What it calls its logits. */
  readonly input: string;
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
  const options = LOSS_OPTIONS | optionSet(...ownOptions);
  return { input, indicesOnly, meanOver, options, gradOptions: options | GRAD_OPTIONS };
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
  const targetList = readList(fn, "targets", y);
  const logits = floatArray(fn, input, x, list);
  const targets = readTargets(fn, y, targetList, kind.indicesOnly ? undefined : logits);

  const indexed = targets.indices !== undefined;
  const length = lengthOf(logits);
  const shape = readShape(fn, options, input, length, indexed ? targets.length : undefined, true);
  const rows = shape.outer * shape.inner;
  const reduction = choiceOption<Reduction>(fn, "reduction", options.reduction, "mean", REDUCTIONS);
  const meanOver = choiceOption<MeanOver>(fn, "meanOver", options.meanOver, indexed ? kind.meanOver : "all", MEANS);
  const emptyMean = numberOption(fn, "emptyMean", options.emptyMean, Number.NaN, "a number", anyNumber);
  if (indexed && targets.length !== rows)
    throw rangeError(fn, "targets.length", `the number of rows, ${rows}`, targets.length);
  if (!indexed && options.ignoreIndex !== undefined) {
    throw typeError(fn, "ignoreIndex", "absent for targets that are probabilities", options.ignoreIndex);
  }

  const hasFactors =
    options.weight !== undefined || options.sampleWeight !== undefined || options.gradOutput !== undefined;
  let factors = hasFactors ? readFactors(fn, options, logits, shape, reduction) : NO_FACTORS;
  const accumulate = booleanOption(fn, "accumulate", options.accumulate);
  const output = withGrad
    ? outputLike(fn, "grad", options.grad, options.list, list !== undefined, logits, length)
    : undefined;
  const written = clobberedBy(output, kernels, shape);
  if (hasFactors && written !== undefined) factors = separated(factors, written);
  let { weight, sampleWeight } = factors;
  const { gradOutput, gradScale } = factors;

  // Last of the checks, since its result lives in a buffer that is used again.
  const { ignoreIndex } = options;
  const ignored = ignoreIndex === undefined ? IGNORED_BY_DEFAULT : readIgnoreIndex(fn, ignoreIndex);
  const room = kernels.readsFirst(shape) ? kernels.indices : undefined;
  const checked = indexed ? readClasses(fn, targets, shape.classes, ignored, room) : undefined;
  const indices = checked?.classes;
  const probabilities = indexed ? undefined : separate(targets.probabilities, written);

  let losses: Float64Array | undefined;
  let perRow: Output | undefined;
  let denominator = 1;
  if (reduction === "none") {
    losses = rowBuffer(fn, rows);
    perRow = outputLike(fn, "out", undefined, undefined, list !== undefined, logits, rows);
  } else if (reduction === "mean") {
    denominator = meanOver === "all" || checked === undefined ? rows : rows - checked.ignored;
    if (meanOver === "weights" && (hasFactors || !indexed)) {
      const total = () => totalWeight(indices, probabilities, shape, weight, sampleWeight);
      denominator = total();
      // A weighted mean does not depend on the scale of its weights, but out here the sums and 1 / denominator would.
      if (!(denominator > 2 ** -900 && denominator < 2 ** 900)) {
        weight = normalized(weight);
        sampleWeight = normalized(sampleWeight);
        denominator = total();
      }
    }
  }
  return {
    losses,
    grad: output?.array,
    logits: unclobbered(logits, written),
    indices,
    probabilities,
    shape,
    weight,
    sampleWeight,
    gradOutput,
    gradScale: gradScale / denominator,
    accumulate,
    clears: !accumulate && options.grad !== undefined,
    options,
    isEmpty: rows === 0 || denominator === 0,
    denominator,
    emptyMean,
    perRow,
    output,
  };
}

/**
 * The options that multiply the losses or gradients, of the types that the kernels take. Apart, since most calls have none: so V8 compiles more of
 * what all calls need into readLoss (a loss of one row takes 8 to 15 % less, Node 24).
 */
function readFactors(fn: string, options: Options, logits: FloatArray, shape: Shape, reduction: Reduction): Factors {
  const g = options.gradOutput;
  const rows = shape.outer * shape.inner;
  const type: new (values: FloatArray) => FloatArray = logits instanceof Float32Array ? Float32Array : Float64Array;
  const w = weights(fn, "weight", options.weight, shape.classes, "the number of classes", logits);
  const u = weights(fn, "sampleWeight", options.sampleWeight, rows, "the number of rows", F64);
  let gradOutput: Float64Array | undefined;
  if (g !== undefined && typeof g !== "number") {
    if (reduction !== "none")
      throw typeError(fn, "gradOutput", `a number for reduction ${JSON.stringify(reduction)}`, g);
    gradOutput = ofType(optionArray(fn, "gradOutput", g, rows, "the number of rows"), Float64Array);
  }
  return {
    weight: w && ofType(w, type),
    sampleWeight: u && ofType(u, Float64Array),
    gradOutput,
    gradScale: typeof g === "number" ? g : 1,
  };
}

function separated({ weight, sampleWeight, gradOutput, gradScale }: Factors, written: FloatArray): Factors {
  return {
    weight: weight && separate(weight, written),
    sampleWeight: sampleWeight && separate(sampleWeight, written),
    gradOutput: gradOutput && separate(gradOutput, written),
    gradScale,
  };
}

/** The result of a call whose kernel, if it was not empty, has run and returned `total`: the loss, or `{ loss, grad }`. */
export function reduce(call: LossCall, total: number): LossValue {
  const { shape, losses, clears, isEmpty, denominator, emptyMean, perRow, output } = call;
  if (isEmpty && output !== undefined && clears) fillWith(output.array, 0, 0, lengthOf(output.array));
  let loss: LossValue;
  if (perRow !== undefined) {
    copy(perRow.array, 0, losses!, 0, shape.outer * shape.inner);
    loss = deliver(perRow);
  } else loss = denominator === 0 ? emptyMean : total / denominator;
  return (output !== undefined ? { loss, grad: deliver(output) } : loss) as LossValue;
}

/** The weights, times the power of two that brings the largest to 1 or a little more. */
function normalized<A extends FloatArray>(weights: A | undefined): A | undefined {
  if (weights === undefined) return undefined;
  let largest = 0;
  for (const w of weights) largest = Math.max(largest, w);
  if (largest === 0) return weights;
  const exponent = Math.floor(Math.log2(largest));
  // In two steps, since 2^1074 is no double.
  return weights.map((w) => w * 2 ** -Math.ceil(exponent / 2) * 2 ** -Math.floor(exponent / 2)) as A;
}

function ofType<A>(values: FloatArray, type: new (values: FloatArray) => A): A {
  return values instanceof type ? values : new type(values);
}

/** Σ u·w_y over the rows that count; for probabilities Σ u·Σ_j w_j t_j. */
function totalWeight(
  indices: Int32Array | undefined,
  probabilities: FloatArray | undefined,
  shape: Shape,
  weight: FloatArray | undefined,
  sampleWeight: Float64Array | undefined,
): number {
  const { outer, classes, inner } = shape;
  const total = new Total();
  for (let r = 0; r < outer * inner; r++) {
    const u = sampleWeight === undefined ? 1 : sampleWeight[r]!;
    if (indices !== undefined) {
      const y = indices[r]!;
      if (y >= 0) total.add(u * (weight === undefined ? 1 : weight[y]!));
    } else if (u !== 0) {
      const start = rowStart(shape, r);
      const mass = new Total();
      for (let j = 0; j < classes; j++)
        mass.add((weight === undefined ? 1 : weight[j]!) * probabilities![start + j * inner]!);
      total.add(u * mass.value);
    }
  }
  return total.value;
}
