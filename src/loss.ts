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
} from "./check.js";
import type { FloatArray, Kernels, RowTerms, Shape } from "./kernels.js";
import type { LossValue } from "./options.js";
import { clobberedBy, deliver, type Output, outputLike, separate, unclobbered } from "./output.js";
import { MEANS, type MeanOver, REDUCTIONS, type Reduction, rowBuffer, Total } from "./reduction.js";
import { readShape, rowStart } from "./shape.js";
import { readClasses, readIgnoreIndex, readTargets } from "./targets.js";
import { copy, fillWith, lengthOf } from "./typedArrays.js";

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
export interface LossCall {
  readonly options: Options;
  readonly logits: FloatArray;
  readonly targets: Int32Array | FloatArray;
  readonly shape: Shape;
  readonly weight: FloatArray | undefined;
  readonly rows: RowTerms;
  /** For the losses of the rows, where they are the result. */
  readonly losses: Float64Array | undefined;
  /** Whether there is nothing for a kernel to do: no rows, or none that counts in the mean. */
  readonly isEmpty: boolean;
  readonly denominator: number;
  readonly emptyMean: number;
  /** For the loss of each row, where that is the result. */
  readonly perRow: Output | undefined;
  readonly output: Output | undefined;
}

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

  const toType = logits instanceof Float32Array ? toF32 : toF64;
  const { lists } = options;
  const w = weights(fn, "weight", options.weight, lists?.weight, shape.classes, "the number of classes", logits);
  const u = weights(fn, "sampleWeight", options.sampleWeight, lists?.sampleWeight, rows, "the number of rows", F64);
  let weight = w && toType(w);
  let sampleWeight = u && toF64(u);

  const g = options.gradOutput;
  let gradScale = 1;
  let gradOutput: Float64Array | undefined;
  if (typeof g === "number") gradScale = g;
  else if (g !== undefined) {
    if (reduction !== "none")
      throw typeError(fn, "gradOutput", `a number for reduction ${JSON.stringify(reduction)}`, g);
    gradOutput = toF64(optionArray(fn, "gradOutput", g, lists?.gradOutput, rows, "the number of rows"));
  }
  const accumulate = booleanOption(fn, "accumulate", options.accumulate);
  const output = withGrad
    ? outputLike(fn, "grad", options.grad, lists?.grad, list !== undefined, logits, length)
    : undefined;
  const written = clobberedBy(output, kernels, shape);
  weight &&= separate(weight, written);
  sampleWeight &&= separate(sampleWeight, written);
  gradOutput &&= separate(gradOutput, written);

  // Last of the checks, since its result lives in a buffer that is used again.
  const indices = indexed ? readClasses(fn, targets, shape.classes, readIgnoreIndex(fn, options)) : undefined;
  const kernelTargets = indices?.classes ?? separate(targets.probabilities!, written);
  const counted = rows - (indices?.ignored ?? 0);

  const losses = reduction === "none" ? rowBuffer(fn, rows) : undefined;
  const perRow =
    reduction === "none" ? outputLike(fn, "out", undefined, undefined, list !== undefined, logits, rows) : undefined;
  let denominator = 1;
  if (reduction === "mean") {
    denominator = meanOver === "all" ? rows : counted;
    if (meanOver === "weights") denominator = totalWeight(kernelTargets, shape, weight, sampleWeight, counted);
  }
  return {
    options,
    logits: unclobbered(logits, written),
    targets: kernelTargets,
    shape,
    weight,
    rows: {
      sampleWeight,
      gradOutput,
      gradScale: gradScale / denominator,
      accumulate,
      clears: !accumulate && output?.given !== undefined,
    },
    losses,
    isEmpty: rows === 0 || denominator === 0,
    denominator,
    emptyMean,
    perRow,
    output,
  };
}

/** The result of a call whose kernel, if it was not empty, has run and returned `total`: the loss, or `{ loss, grad }`. */
export function reduce(call: LossCall, total: number): LossValue {
  const { shape, rows, losses, isEmpty, denominator, emptyMean, perRow, output } = call;
  const count = shape.outer * shape.inner;
  if (isEmpty && output && rows.clears) fillWith(output.array, 0, 0, lengthOf(output.array));
  let loss: LossValue;
  if (perRow) {
    copy(perRow.array, 0, losses!, 0, count);
    loss = deliver(perRow);
  } else loss = denominator === 0 ? emptyMean : total / denominator;
  return (output ? { loss, grad: deliver(output) } : loss) as LossValue;
}

const toF32 = (values: FloatArray): Float32Array =>
  values instanceof Float32Array ? values : new Float32Array(values);
const toF64 = (values: FloatArray): Float64Array =>
  values instanceof Float64Array ? values : new Float64Array(values);

/** Σ u·w_y over the rows that count; for probabilities Σ u·Σ_j w_j t_j. */
function totalWeight(
  targets: Int32Array | FloatArray,
  shape: Shape,
  weight: FloatArray | undefined,
  sampleWeight: Float64Array | undefined,
  counted: number,
): number {
  const { outer, classes, inner } = shape;
  const total = new Total();
  if (targets instanceof Int32Array) {
    if (weight === undefined && sampleWeight === undefined) return counted;
    for (let r = 0; r < outer * inner; r++) {
      const y = targets[r]!;
      if (y >= 0) total.add((weight ? weight[y]! : 1) * (sampleWeight ? sampleWeight[r]! : 1));
    }
    return total.value;
  }
  for (let r = 0; r < outer * inner; r++) {
    const u = sampleWeight ? sampleWeight[r]! : 1;
    if (u === 0) continue;
    const start = rowStart(shape, r);
    const mass = new Total();
    for (let j = 0; j < classes; j++) mass.add((weight ? weight[j]! : 1) * targets[start + j * inner]!);
    total.add(u * mass.value);
  }
  return total.value;
}
