// softmax, log-softmax and their gradients: check → kernel → return

import {
  deliver,
  floatArray,
  type OptionName,
  outputLike,
  readList,
  readOptions,
  sameKind,
  temperatureOption,
  unclobbered,
} from "./check.js";
import type { Kernels } from "./kernels.js";
import type { LogitsLike, Result } from "./options.js";
import { readShape } from "./shape.js";
import { lengthOf } from "./typedArrays.js";

const GRAD_OPTIONS: readonly OptionName[] = ["shape", "axis", "out"];
/** Those of softmax, logSoftmax and logSumExp. */
export const OPTIONS: readonly OptionName[] = [...GRAD_OPTIONS, "temperature"];

/** softmax or logSoftmax: one output like the input. */
export function softmax<A extends LogitsLike>(
  kernels: Kernels,
  fn: "softmax" | "logSoftmax",
  x: A,
  given: unknown,
): Result<A> {
  const options = readOptions(fn, given, OPTIONS);
  const list = readList(fn, "x", x);
  const input = floatArray(fn, "x", x, list);
  const shape = readShape(fn, options, "x", lengthOf(input), undefined, false);
  const temperature = temperatureOption(fn, options);
  const output = outputLike(fn, "out", options, list !== undefined, input);
  if (lengthOf(input) > 0) kernels[fn](output.array, unclobbered(input, output), shape, temperature);
  return deliver(output) as Result<A>;
}

/** Their vector–Jacobian products, from the function's own output y and the upstream gradient dy. */
export function softmaxGrad<A extends LogitsLike>(
  kernels: Kernels,
  fn: "softmaxGrad" | "logSoftmaxGrad",
  y: A,
  dy: unknown,
  given: unknown,
): Result<A> {
  const options = readOptions(fn, given, GRAD_OPTIONS);
  const list = readList(fn, "y", y);
  const upstreamList = readList(fn, "dy", dy);
  const input = floatArray(fn, "y", y, list);
  const upstream = sameKind(fn, "dy", dy, upstreamList, input, "y");
  const shape = readShape(fn, options, "y", lengthOf(input), undefined, false);
  const output = outputLike(fn, "out", options, list !== undefined, input);
  if (lengthOf(input) > 0) kernels[fn](output.array, unclobbered(input, output), unclobbered(upstream, output), shape);
  return deliver(output) as Result<A>;
}
