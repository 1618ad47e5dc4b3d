// check → kernel → return

import { floatArray, readList } from "../arguments/arrays.js";
import { deliverIndices, indicesOption, returnRowArrays, takeRowArrays } from "../arguments/indices.js";
import { type OptionSet, optionSet, readOptions } from "../arguments/options.js";
import { readShape } from "../arguments/shape.js";
import { lengthOf } from "../arguments/typedArrays.js";
import type { Kernels } from "../kernels.js";

const OPTIONS: OptionSet = /* @__PURE__ */ optionSet("shape", "axis", "out");

export function argmax(kernels: Kernels, x: unknown, given: unknown): Int32Array | number {
  const fn = "argmax";
  const options = readOptions(fn, given, OPTIONS);
  const input = floatArray(fn, "x", x, readList(fn, "x", x), kernels);
  const shape = readShape(fn, options, "x", lengthOf(input), undefined, false);
  const rows = shape.outer * shape.inner;
  const out = indicesOption(fn, options.out, rows);
  const arrays = takeRowArrays(fn, rows);
  if (rows > 0) kernels.argmax(arrays.tops, input, shape);
  returnRowArrays(arrays);
  return deliverIndices(fn, arrays.tops, rows, out, options);
}
