// check → kernel → return

import { floatArray, readList, readOptions, temperatureOption } from "../arguments/check.js";
import { deliver, outputLike } from "../arguments/output.js";
import { readShape } from "../arguments/shape.js";
import { copy, lengthOf } from "../arguments/typedArrays.js";
import type { Kernels } from "../kernels.js";
import type { LogitsLike, Result } from "../options.js";
import { rowBuffer } from "./reduction.js";
import { OPTIONS } from "./softmax.js";

export function logSumExp<A extends LogitsLike>(kernels: Kernels, x: A, given: unknown): Result<A> {
  const fn = "logSumExp";
  const options = readOptions(fn, given, OPTIONS);
  const list = readList(fn, "x", x);
  const input = floatArray(fn, "x", x, list);
  const shape = readShape(fn, options, "x", lengthOf(input), undefined, false);
  const temperature = temperatureOption(fn, options);
  const rows = shape.outer * shape.inner;
  const output = outputLike(fn, "out", options.out, options.list, list !== undefined, input, rows);
  const values = rowBuffer(fn, rows);
  if (rows > 0) kernels.logSumExp(values, input, shape, temperature);
  copy(output.array, 0, values, 0, rows);
  return deliver(output) as Result<A>;
}
