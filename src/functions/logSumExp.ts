// check → kernel → return

import { floatArray, readList } from "../arguments/arrays.js";
import { readOptions, temperatureOption } from "../arguments/options.js";
import { deliver, kept, outputLike, writtenEarly } from "../arguments/output.js";
import { readShape } from "../arguments/shape.js";
import { lengthOf } from "../arguments/typedArrays.js";
import type { Kernels } from "../kernels.js";
import type { LogitsLike, Result } from "../options.js";
import { OPTIONS } from "./softmax.js";

export function logSumExp<A extends LogitsLike>(kernels: Kernels, x: A, given: unknown): Result<A> {
  const fn = "logSumExp";
  const options = readOptions(fn, given, OPTIONS);
  const list = readList(fn, "x", x);
  const input = floatArray(fn, "x", x, list, kernels);
  const shape = readShape(fn, options, "x", lengthOf(input), undefined, false);
  const temperature = temperatureOption(fn, options);
  const rows = shape.outer * shape.inner;
  const output = outputLike(fn, "out", options.out, options.lists.out, list !== undefined, input, rows, "the result");
  if (rows > 0)
    kernels.logSumExp(output.array, kept(input, writtenEarly(output, kernels, shape), true), shape, temperature);
  return deliver(output) as Result<A>;
}
