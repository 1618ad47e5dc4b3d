// check → kernel → reduce → return

import { factors, floatArray, newArray, readList } from "../arguments/arrays.js";
import { rangeError, tensorHint, typeError } from "../arguments/errors.js";
import {
  booleanOption,
  choiceOption,
  gammaOption,
  labelSmoothingOption,
  numberOption,
  type OptionSet,
  optionSet,
  readOptions,
} from "../arguments/options.js";
import { deliver, kept, outputLike, writtenEarly } from "../arguments/output.js";
import { readElements } from "../arguments/shape.js";
import { integerArray } from "../arguments/targets.js";
import { computedKindOf, isSingle, lengthOf } from "../arguments/typedArrays.js";
import type { FloatArray, Kernels } from "../kernels.js";
import { GRAD_OPTIONS, ofType, readUpstream, reduced } from "./loss.js";
import { type LossValue, REDUCTIONS, type Reduction } from "./reduction.js";

const OPTIONS: OptionSet = /* @__PURE__ */ optionSet(
  "shape",
  "axis",
  "reduction",
  "weight",
  "posWeight",
  "sampleWeight",
  "labelSmoothing",
  "gamma",
  "emptyMean",
);
const ALL_OPTIONS: OptionSet = /* @__PURE__ */ optionSet(...OPTIONS, ...GRAD_OPTIONS);

export function binaryCrossEntropy(
  kernels: Kernels,
  x: unknown,
  y: unknown,
  given: unknown,
  withGrad: boolean,
): LossValue {
  const fn = withGrad ? "binaryCrossEntropyGrad" : "binaryCrossEntropy";
  const options = readOptions(fn, given, withGrad ? ALL_OPTIONS : OPTIONS);
  const list = readList(fn, "logits", x);
  const targetList = readList(fn, "targets", y);
  const asList = list !== undefined;
  const logits = floatArray(fn, "logits", x, list, kernels);
  const length = lengthOf(logits);
  const type: FloatType = isSingle(logits) ? Float32Array : Float64Array;
  const targets = readTargets(kernels, fn, y, targetList, logits);
  const shape = readElements(fn, options, "logits", length, true);
  const accumulate = booleanOption(fn, "accumulate", options.accumulate);
  if (accumulate && options.grad === undefined) throw typeError(fn, "grad", "given with accumulate", undefined);
  const output = withGrad
    ? outputLike(fn, "grad", options.grad, options.lists.grad, asList, logits, length)
    : undefined;
  const reduction = choiceOption<Reduction>(fn, "reduction", options.reduction, "mean", REDUCTIONS);
  const emptyMean = numberOption(fn, "emptyMean", options.emptyMean, Number.NaN, "a number", () => true);
  const labelSmoothing = labelSmoothingOption(fn, options);
  const gamma = gammaOption(fn, options);

  const written = writtenEarly(output, kernels, shape);
  const own = (values: FloatArray | undefined, kind: FloatType = type) =>
    values && kept(ofType(values, kind), written, false);
  const { classes, outer, inner } = shape;
  const weight = own(factors(fn, "weight", options.weight, classes, "labels", logits));
  const posWeight = own(factors(fn, "posWeight", options.posWeight, classes, "labels", logits));
  const rowFactors = factors(fn, "sampleWeight", options.sampleWeight, outer * inner, "rows", logits);
  const g = options.gradOutput;
  const perElement = readUpstream(fn, options, reduction, length, "elements");
  const losses =
    reduction === "none" ? outputLike(fn, "grad", undefined, undefined, asList, logits, length) : undefined;
  const inParts = reduction === "parts";
  const denominator = reduction === "mean" || inParts ? length : 1;
  const total =
    length === 0
      ? 0
      : kernels.binaryCrossEntropy({
          losses: losses?.array,
          grad: output?.array,
          logits: kept(logits, written, true),
          targets: kept(targets, written, false),
          shape,
          weight,
          posWeight,
          sampleWeight: own(rowFactors, Float64Array) as Float64Array | undefined,
          gradOutput: own(perElement),
          gradScale: (typeof g === "number" ? g : 1) / (inParts ? 1 : denominator),
          accumulate,
          labelSmoothing,
          gamma,
        });
  const loss = losses === undefined ? reduced(total, denominator, inParts, emptyMean) : deliver(losses);
  return (output === undefined ? loss : { loss, grad: deliver(output) }) as LossValue;
}

type FloatType = new (values: FloatArray) => FloatArray;

/** The targets, of the logits' type. */
function readTargets(
  kernels: Kernels,
  fn: string,
  value: unknown,
  list: Float64Array | undefined,
  logits: FloatArray,
): FloatArray {
  const isFloat = list === undefined && computedKindOf(value) === computedKindOf(logits);
  const given = list ?? (isFloat ? floatArray(fn, "targets", value, undefined, kernels) : integerArray(fn, value));
  if (given === undefined) {
    const expected = `a ${computedKindOf(logits)}, an integer typed array or an array of numbers`;
    throw typeError(fn, "targets", expected, value, tensorHint("targets", value, false));
  }
  const length = lengthOf(logits);
  if (lengthOf(given) !== length) throw rangeError(fn, "targets.length", `logits.length = ${length}`, lengthOf(given));
  const wrong = firstOutside(given as ArrayLike<number>, length);
  if (wrong < length) throw rangeError(fn, `targets[${wrong}]`, "in [0, 1]", given[wrong]);
  if (isFloat) return given as FloatArray;
  const converted = newArray(fn, logits, length);
  for (let i = 0; i < length; i++) converted[i] = Number(given[i]);
  return converted;
}

/** The index of the first number that is not in [0, 1]; `length` if there is none. */
function firstOutside(values: ArrayLike<number>, length: number): number {
  // A loop of its own for the usual kind: one that has seen every kind is slow in V8.
  let i = 0;
  if (values instanceof Float32Array) while (i < length && isInside(values[i]!)) i++;
  else while (i < length && isInside(values[i]!)) i++;
  return i;
}

function isInside(value: number): boolean {
  return value >= 0 && value <= 1;
}
