// The linear layer and its losses: check → kernel → reduce → return

import { EXPECTED_FACTOR, floatArray, isFactor, kindFor, readList, sameType } from "../arguments/arrays.js";
import { PROBABILITIES_HINT, rangeError, typeError } from "../arguments/errors.js";
import {
  asGiven,
  booleanOption,
  labelSmoothingOption,
  numberOption,
  type OptionName,
  type Options,
  optionSet,
  readOptions,
  temperatureOption,
} from "../arguments/options.js";
import { deliver, kept, type Output, outputLike } from "../arguments/output.js";
import { readShape } from "../arguments/shape.js";
import { readTargets } from "../arguments/targets.js";
import { fillWith, isSingle, lengthOf, overlaps } from "../arguments/typedArrays.js";
import type { FloatArray, Kernels, Layer, LayerTerms } from "../kernels.js";
import { CROSS_ENTROPY } from "./crossEntropy.js";
import { HINGE, readHingeForm } from "./hinge.js";
import { type LossCall, type LossKind, readTerms, reduce } from "./loss.js";
import type { LossValue } from "./reduction.js";

const LINEAR = /* @__PURE__ */ optionSet("shape", "bias", "out");

const NOT_OF_LAYERS: readonly OptionName[] = ["axis", "weight", "gamma"];
/** The same loss, of the logits of a layer. */
function ofLayer(kind: LossKind): LossKind {
  const shared = [...kind.options].filter((name) => !NOT_OF_LAYERS.includes(name));
  const options = optionSet(...shared, "classWeight", "bias", "l2");
  const outputs = ["gradWeight", "gradBias", "gradX", "gradOutput", "accumulate"] as const;
  return { ...kind, input: "x", weight: "classWeight", options, gradOptions: optionSet(...options, ...outputs) };
}

const LINEAR_CROSS_ENTROPY = /* @__PURE__ */ ofLayer(CROSS_ENTROPY);
const LINEAR_HINGE = /* @__PURE__ */ ofLayer(HINGE);

export function linear(kernels: Kernels, x: unknown, weight: unknown, given: unknown): FloatArray | number[] {
  const fn = "linear";
  const options = readOptions(fn, given, LINEAR);
  const list = readList(fn, "x", x);
  const weightList = readList(fn, "weight", weight, "");
  const asList = list !== undefined;
  const layer = readLayer(
    kernels,
    fn,
    options,
    floatArray(fn, "x", x, list, kernels),
    weight,
    weightList,
    asList,
    undefined,
  );
  const n = layer.rows * layer.classes;
  const out = outputLike(fn, "out", options.out, options.lists.out, asList, layer.x, n, "the logits");
  if (n > 0) kernels.linear(out.array, keptLayer(layer, out.isNew ? [] : [out.array]));
  return deliver(out);
}

export function linearCrossEntropy(
  kernels: Kernels,
  x: unknown,
  weight: unknown,
  targets: unknown,
  given: unknown,
  withGrad: boolean,
): LayerLoss {
  const fn = withGrad ? "linearCrossEntropyGrad" : "linearCrossEntropy";
  const call = readLayerLoss(kernels, fn, LINEAR_CROSS_ENTROPY, x, weight, targets, given, withGrad);
  const labelSmoothing = labelSmoothingOption(fn, call.loss.options);
  const temperature = temperatureOption(fn, call.loss.options);
  return finish(kernels, call, () => kernels.linearCrossEntropy(call, labelSmoothing, temperature));
}

export function linearHinge(
  kernels: Kernels,
  x: unknown,
  weight: unknown,
  targets: unknown,
  given: unknown,
  withGrad: boolean,
): LayerLoss {
  const fn = withGrad ? "linearHingeGrad" : "linearHinge";
  const call = readLayerLoss(kernels, fn, LINEAR_HINGE, x, weight, targets, given, withGrad);
  const { form, margin, p, perClass } = readHingeForm(fn, call.loss.options);
  if (!isFactor(margin, call.layer.x)) throw rangeError(fn, "margin", EXPECTED_FACTOR, margin);
  const divisor = perClass ? call.layer.classes : 1;
  return finish(kernels, call, () => kernels.linearHinge(call, form, margin, p, divisor));
}

/** The gradients by their names, those of the result and of the options that say where they go. */
type Gradients<T> = Readonly<Partial<Record<"gradWeight" | "gradBias" | "gradX", T>>>;
type LayerLoss = LossValue | (Gradients<FloatArray | number[]> & { loss: LossValue });

/** The arguments of a loss of a layer, checked: what a kernel takes, and what `finish` then makes of it. */
interface LayerCall extends LayerTerms {
  readonly loss: LossCall;
  readonly outputs: Gradients<Output> | undefined;
  readonly l2: number;
}

function readLayerLoss(
  kernels: Kernels,
  fn: string,
  kind: LossKind,
  x: unknown,
  weight: unknown,
  y: unknown,
  given: unknown,
  withGrad: boolean,
): LayerCall {
  const options = readOptions(fn, given, withGrad ? kind.gradOptions : kind.options);
  const list = readList(fn, "x", x);
  const weightList = readList(fn, "weight", weight, "");
  const targetList = readList(fn, "targets", y, kind.indicesOnly ? "" : PROBABILITIES_HINT);
  const asList = list !== undefined;
  const features = floatArray(fn, "x", x, list, kernels);
  const targets = readTargets(fn, y, targetList, kind.indicesOnly ? undefined : features, undefined, kernels);
  const { indices, probabilities } = targets;
  if (indices === undefined && options.shape === undefined)
    throw typeError(fn, "shape", "given with class probabilities, [features] for one row", undefined);
  const indexed = indices && lengthOf(indices);
  const layer = readLayer(kernels, fn, options, features, weight, weightList, asList, indexed);
  const { rows, classes } = layer;
  if (indexed !== undefined && indexed !== rows)
    throw rangeError(
      fn,
      "targets.length",
      `the number of rows, ${rows}`,
      indexed,
      indexed === rows * classes ? PROBABILITIES_HINT : "",
    );
  if (probabilities !== undefined && lengthOf(probabilities) !== rows * classes)
    throw rangeError(fn, "targets.length", `the number of logits, ${rows * classes}`, lengthOf(probabilities));

  const l2 = numberOption(
    fn,
    "l2",
    options.l2,
    0,
    "finite and not negative",
    (value) => value >= 0 && value < Infinity,
  );
  const accumulate = booleanOption(fn, "accumulate", options.accumulate);
  const outputs = withGrad ? readOutputs(fn, options, layer, asList, accumulate) : undefined;
  const shape = { outer: rows, classes, inner: 1 };
  const loss = readTerms(kernels, fn, kind, options, features, asList, targets, shape, undefined, accumulate);
  if (loss.inParts && l2 !== 0) throw typeError(fn, "l2", 'absent with reduction "parts"', l2);
  const written = Object.values(outputs ?? {}).flatMap(({ isNew, array }) => (isNew ? [] : [array]));
  for (const array of written) loss.indices?.keepFrom(fn, array);
  return {
    ...loss,
    probabilities: keptFrom(loss.probabilities, written),
    weight: keptFrom(loss.weight, written),
    sampleWeight: keptFrom(loss.sampleWeight, written),
    gradOutput: keptFrom(loss.gradOutput, written),
    layer: keptLayer(layer, written),
    gradWeight: outputs?.gradWeight?.array,
    gradBias: outputs?.gradBias?.array,
    gradX: outputs?.gradX?.array,
    loss,
    outputs,
    l2,
  };
}

/** A layer whose arrays fit each other. `rows` is their number where `shape` does not say it. */
function readLayer(
  kernels: Kernels,
  fn: string,
  options: Options,
  x: FloatArray,
  weight: unknown,
  weightList: Float64Array | undefined,
  asList: boolean,
  rows: number | undefined,
): Layer {
  const n = lengthOf(x);
  if (n === 0 && options.shape === undefined)
    throw typeError(fn, "shape", "given where x is empty, [rows, features]", undefined);
  const { outer, classes: features } = readShape(fn, { ...options, axis: undefined }, "x", n, rows, false);
  if (features === 0) throw rangeError(fn, "shape", "of at least one feature", options.shape);
  const weights = sameType(fn, "weight", weight, weightList, x, asList, "x", kernels);
  const length = lengthOf(weights);
  const classes = length / features;
  if (!Number.isInteger(classes) || classes === 0)
    throw rangeError(fn, "weight.length", `a multiple of the ${features} features`, length);
  const { bias } = options;
  // Of a list, `sameType` would report its copy.
  if (bias !== undefined && bias === options.lists.bias && isSingle(x))
    throw typeError(fn, "bias", `${kindFor(x, false)}, as x`, asGiven(options, "bias"));
  const biases = bias === undefined ? undefined : sameType(fn, "bias", bias, undefined, x, asList, "x", kernels);
  if (biases !== undefined && lengthOf(biases) !== classes)
    throw rangeError(fn, "bias.length", `the number of classes, ${classes}`, lengthOf(biases));
  return { x, weight: weights, bias: biases, rows: outer, features, classes };
}

/** Where the gradients go: of the weights; of the bias, if there is one or a place for its gradient; and of x, if it is wanted. */
function readOutputs(
  fn: string,
  options: Options,
  { x, bias, rows, features, classes }: Layer,
  asList: boolean,
  accumulate: boolean,
): Gradients<Output> {
  const read = (key: keyof Gradients<Output>, given: unknown, length: number, modelName: string) => {
    const option = options[key];
    if (accumulate && given === undefined)
      throw typeError(fn, key, option === undefined ? "given with accumulate" : "an array with accumulate", option);
    return outputLike(fn, key, given, options.lists[key], asList, x, length, modelName);
  };
  const { gradX, gradBias } = options;
  const outputs: Gradients<Output> = {
    gradWeight: read("gradWeight", options.gradWeight, classes * features, "weight"),
    ...((bias ?? gradBias) !== undefined && { gradBias: read("gradBias", gradBias, classes, "bias") }),
    ...(gradX !== undefined &&
      gradX !== false && { gradX: read("gradX", gradX === true ? undefined : gradX, rows * features, "x") }),
  };
  const entries = Object.entries(outputs);
  for (const [name, { array, isNew }] of entries) {
    const other = entries.find(([, o]) => !isNew && !o.isNew && o.array !== array && overlaps(o.array, array, false));
    const twin = entries.find(([key, o]) => key !== name && o.array === array);
    const clash = other ?? twin;
    if (clash) throw new RangeError(`${fn}: ${name} and ${clash[0]} must not share memory`);
  }
  return outputs;
}

/** An input, copied if it shares memory with one of the arrays that are written while it is still read. */
function keptFrom<A extends FloatArray | undefined>(input: A, written: readonly FloatArray[]): A {
  return input && (written.reduce<FloatArray>((array, out) => kept(array, out, false), input) as A);
}

function keptLayer(layer: Layer, written: readonly FloatArray[]): Layer {
  const { x, weight, bias } = layer;
  return { ...layer, x: keptFrom(x, written), weight: keptFrom(weight, written), bias: keptFrom(bias, written) };
}

/** The result of a call whose kernel is `run`. */
function finish(kernels: Kernels, call: LayerCall, run: () => number): LayerLoss {
  const { loss, layer, outputs, l2, accumulate } = call;
  const gradients = Object.entries(outputs ?? {});
  if (loss.isEmpty && !accumulate) for (const [, { array }] of gradients) fillWith(array, 0, 0, lengthOf(array));
  let value = reduce(loss, loss.isEmpty ? 0 : run());
  if (l2 > 0) {
    // The penalty is a part of the reduced loss. Where each row has a loss, gradOutput belongs to the rows.
    const upstream = typeof value === "number" ? ((loss.options.gradOutput as number | undefined) ?? 1) : 1;
    const penalty = (l2 / 2) * kernels.decay(call.gradWeight, layer, l2 * upstream);
    if (typeof value === "number") value += penalty;
  }
  if (outputs === undefined) return value;
  return {
    loss: value,
    ...Object.fromEntries(gradients.map(([name, output]) => [name, deliver(output)])),
  } as LayerLoss;
}
