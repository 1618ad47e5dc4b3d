// sigmoid and logSigmoid: check → kernel → return. Their gradients are read as those of softmax.

import { floatArray, readList } from "../arguments/arrays.js";
import { readOptions } from "../arguments/options.js";
import { deliver, kept, outputLike, writtenEarly } from "../arguments/output.js";
import { readElements } from "../arguments/shape.js";
import { lengthOf } from "../arguments/typedArrays.js";
import type { Kernels } from "../kernels.js";
import type { LogitsLike, Result } from "../options.js";
import { GRAD_OPTIONS } from "./softmax.js";

export function sigmoid<A extends LogitsLike>(
  kernels: Kernels,
  fn: "sigmoid" | "logSigmoid",
  x: A,
  given: unknown,
): Result<A> {
  const options = readOptions(fn, given, GRAD_OPTIONS);
  const list = readList(fn, "x", x);
  const input = floatArray(fn, "x", x, list, kernels);
  const length = lengthOf(input);
  const shape = readElements(fn, options, "x", length, false);
  const output = outputLike(fn, "out", options.out, options.lists.out, list !== undefined, input, length);
  if (length > 0) kernels[fn](output.array, kept(input, writtenEarly(output, kernels, shape), true), shape);
  return deliver(output) as Result<A>;
}
