// softmax, log-softmax and their gradients: check → kernel → return

import { floatArray, readList, sameKind } from "../arguments/arrays.js";
import { type OptionSet, optionSet, readOptions, temperatureOption } from "../arguments/options.js";
import { deliver, kept, outputLike, writtenEarly } from "../arguments/output.js";
import { readElements, readShape } from "../arguments/shape.js";
import { lengthOf } from "../arguments/typedArrays.js";
import type { Kernels } from "../kernels.js";
import type { LogitsLike, Result } from "../options.js";

/** The options of the gradients, and of the elementwise functions. */
export const GRAD_OPTIONS: OptionSet = /* @__PURE__ */ optionSet("shape", "axis", "out");
/** The options of softmax, logSoftmax and logSumExp. */
export const OPTIONS: OptionSet = /* @__PURE__ */ optionSet("shape", "axis", "temperature", "out");

/** softmax or logSoftmax: one output like the input. */
export function softmax<A extends LogitsLike>(
  kernels: Kernels,
  fn: "softmax" | "logSoftmax",
  x: A,
  given: unknown,
): Result<A> {
  const options = readOptions(fn, given, OPTIONS);
  const list = readList(fn, "x", x);
  const input = floatArray(fn, "x", x, list, kernels);
  const length = lengthOf(input);
  const shape = readShape(fn, options, "x", length, undefined, false);
  const temperature = temperatureOption(fn, options);
  const output = outputLike(fn, "out", options.out, options.lists.out, list !== undefined, input, length);
  if (length > 0) {
    const source = kept(input, writtenEarly(output, kernels, shape), true);
    if (fn === "softmax") kernels.softmax(output.array, source, shape, temperature);
    else kernels.logSoftmax(output.array, source, shape, temperature);
  }
  return deliver(output) as Result<A>;
}

/** Their vector–Jacobian products and those of the sigmoids, from the function's own output y and the upstream gradient dy. */
export function softmaxGrad<A extends LogitsLike>(
  kernels: Kernels,
  fn: "softmaxGrad" | "logSoftmaxGrad" | "sigmoidGrad" | "logSigmoidGrad",
  y: A,
  dy: unknown,
  given: unknown,
): Result<A> {
  const options = readOptions(fn, given, GRAD_OPTIONS);
  const list = readList(fn, "y", y);
  const upstreamList = readList(fn, "dy", dy);
  const input = floatArray(fn, "y", y, list, kernels);
  const length = lengthOf(input);
  const upstream = sameKind(fn, "dy", dy, upstreamList, input, list !== undefined, length, "y", kernels);
  const isRow = fn === "softmaxGrad" || fn === "logSoftmaxGrad";
  const shape = isRow
    ? readShape(fn, options, "y", length, undefined, false)
    : readElements(fn, options, "y", length, false);
  const output = outputLike(fn, "out", options.out, options.lists.out, list !== undefined, input, length);
  if (length > 0) {
    const written = writtenEarly(output, kernels, shape);
    const ys = kept(input, written, true);
    const dys = kept(upstream, written, true);
    kernels[fn](output.array, ys, dys, shape);
  }
  return deliver(output) as Result<A>;
}
