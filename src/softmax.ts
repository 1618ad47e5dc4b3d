// softmax, log-softmax and their gradients: check → kernel → return

import { floatArray, outputLike, readList, readOptions, sameKind, temperatureOption, unclobbered } from "./check.js";
import type { Kernels } from "./kernels.js";
import type { LogitsLike, Result } from "./options.js";
import { readShape } from "./shape.js";
import { lengthOf } from "./typedArrays.js";

/** softmax or logSoftmax: one output like the input. */
export function softmax<A extends LogitsLike>(
  kernels: Kernels,
  fn: "softmax" | "logSoftmax",
  x: A,
  given: unknown,
): Result<A> {
  const options = readOptions(fn, given, ["shape", "axis", "out", "temperature"]);
  const list = readList(fn, "x", x);
  const input = floatArray(fn, "x", x, list);
  const shape = readShape(fn, options, "x", lengthOf(input), undefined, false);
  const temperature = temperatureOption(fn, options);
  const output = outputLike(fn, "out", options, list !== undefined, input);
  if (lengthOf(input) > 0) kernels[fn](output.array, unclobbered(input, output), shape, temperature);
  return output.deliver() as Result<A>;
}

/** Their vector–Jacobian products, from the function's own output y and the upstream gradient dy. */
export function softmaxGrad<A extends LogitsLike>(
  kernels: Kernels,
  fn: "softmaxGrad" | "logSoftmaxGrad",
  y: A,
  dy: unknown,
  given: unknown,
): Result<A> {
  const options = readOptions(fn, given, ["shape", "axis", "out"]);
  const list = readList(fn, "y", y);
  const upstreamList = readList(fn, "dy", dy);
  const input = floatArray(fn, "y", y, list);
  const upstream = sameKind(fn, "dy", dy, upstreamList, input, "y");
  const shape = readShape(fn, options, "y", lengthOf(input), undefined, false);
  const output = outputLike(fn, "out", options, list !== undefined, input);
  if (lengthOf(input) > 0) kernels[fn](output.array, unclobbered(input, output), unclobbered(upstream, output), shape);
  return output.deliver() as Result<A>;
}
