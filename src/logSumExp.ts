// check → kernel → return

import { floatArray, outputLike, readOptions, temperatureOption } from "./check.js";
import type { Kernels } from "./kernels.js";
import type { LogitsLike, Result } from "./options.js";
import { lossBuffer } from "./reduction.js";
import { readShape } from "./shape.js";

export function logSumExp<A extends LogitsLike>(kernels: Kernels, x: A, given: unknown): Result<A> {
  const fn = "logSumExp";
  const options = readOptions(fn, given, ["shape", "axis", "out", "temperature"]);
  const input = floatArray(fn, "x", x);
  const shape = readShape(fn, options, "x", input.length, undefined, false);
  const temperature = temperatureOption(fn, options);
  const rows = shape.outer * shape.inner;
  const perRow = input instanceof Float32Array ? new Float32Array(rows) : new Float64Array(rows);
  const output = options.out === undefined ? undefined : outputLike(fn, "out", options.out, x, perRow);
  const values = lossBuffer(rows);
  kernels.logSumExp(values, input, shape, temperature);
  if (output === undefined) {
    perRow.set(values.subarray(0, rows));
    return (Array.isArray(x) ? Array.from(perRow) : perRow) as Result<A>;
  }
  output.array.set(values.subarray(0, rows));
  return output.deliver() as Result<A>;
}
