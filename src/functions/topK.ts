// check → kernel → return

import { floatArray, newArray, readList } from "../arguments/arrays.js";
import { checkedNumber } from "../arguments/errors.js";
import { NO_INDICES } from "../arguments/indices.js";
import { choiceOption, type OptionSet, optionSet, readOptions, temperatureOption } from "../arguments/options.js";
import { deliver, outputLike } from "../arguments/output.js";
import { readShape } from "../arguments/shape.js";
import { lengthOf } from "../arguments/typedArrays.js";
import type { Kernels, TopKValues } from "../kernels.js";
import type { LogitsLike, Result } from "../options.js";

const OPTIONS: OptionSet = /* @__PURE__ */ optionSet("shape", "axis", "temperature", "values");
const VALUES: readonly TopKValues[] = ["probabilities", "logProbabilities", "logits"];

export function topK<A extends LogitsLike>(
  kernels: Kernels,
  x: A,
  k: unknown,
  given: unknown,
): { indices: Int32Array; values: Result<A> } {
  const fn = "topK";
  const options = readOptions(fn, given, OPTIONS);
  const list = readList(fn, "x", x);
  const input = floatArray(fn, "x", x, list, kernels);
  const shape = readShape(fn, options, "x", lengthOf(input), undefined, false);
  const { classes } = shape;
  const isCount = (n: number) => Number.isInteger(n) && n >= 1 && n <= classes;
  const count = checkedNumber(fn, "k", k, `an integer in [1, ${classes}]`, isCount);
  const temperature = temperatureOption(fn, options);
  const kind = choiceOption(fn, "values", options.values, "probabilities", VALUES);
  const rows = shape.outer * shape.inner;
  const indices = newArray(fn, NO_INDICES, rows * count);
  const values = outputLike(fn, "out", undefined, undefined, list !== undefined, input, rows * count);
  if (rows > 0) kernels.topK(indices, values.array, input, shape, count, kind, temperature);
  return { indices, values: deliver(values) as Result<A> };
}
