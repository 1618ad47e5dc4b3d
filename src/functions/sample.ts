// check → random → kernel → return

import { floatArray, readList } from "../arguments/arrays.js";
import { rangeError, typeError } from "../arguments/errors.js";
import { deliverIndices, indicesOption, returnRowArrays, takeRowArrays } from "../arguments/indices.js";
import { numberOption, type OptionSet, type Options, optionSet, readOptions } from "../arguments/options.js";
import { readShape, rowStart } from "../arguments/shape.js";
import { lengthOf } from "../arguments/typedArrays.js";
import type { FloatArray, Kernels, Restriction, Shape } from "../kernels.js";

const OPTIONS: OptionSet = /* @__PURE__ */ optionSet(
  "shape",
  "axis",
  "temperature",
  "topK",
  "topP",
  "minP",
  "random",
  "out",
);

export function sample(kernels: Kernels, x: unknown, given: unknown): Int32Array | number {
  const fn = "sample";
  const options = readOptions(fn, given, OPTIONS);
  const list = readList(fn, "x", x);
  let input = floatArray(fn, "x", x, list, kernels);
  const length = lengthOf(input);
  const shape = readShape(fn, options, "x", length, undefined, false);
  const rows = shape.outer * shape.inner;
  const temperature = numberOption(
    fn,
    "temperature",
    options.temperature,
    1,
    "finite and not negative",
    (t) => t >= 0 && t < Infinity,
  );
  const restriction = restrictionOf(fn, options);
  const random = randomOption(fn, options.random);
  let out = indicesOption(fn, options.out, rows);
  const arrays = takeRowArrays(fn, rows);
  if (rows > 0) {
    kernels.argmax(arrays.tops, input, shape);
    checkTops(fn, input, arrays.tops, shape);
  }
  if (temperature > 0 && rows > 0) {
    for (let r = 0; r < rows; r++) arrays.u[r] = drawn(fn, random());
    // `random` may have done anything to the arrays: they are checked again.
    input = floatArray(fn, "x", x, list, kernels);
    if (lengthOf(input) !== length)
      throw rangeError(fn, "x.length", `${length}, as before random was called`, lengthOf(input));
    out = indicesOption(fn, options.out, rows);
    kernels.sample(arrays.classes, input, arrays.tops, arrays.u, shape, temperature, restriction);
  }
  returnRowArrays(arrays);
  return deliverIndices(fn, temperature > 0 ? arrays.classes : arrays.tops, rows, out, options);
}

function restrictionOf(fn: string, options: Options): Restriction {
  const isCount = (k: number) => Number.isInteger(k) && k >= 1;
  return {
    topK: numberOption(fn, "topK", options.topK, Infinity, "an integer, at least 1", isCount),
    topP: numberOption(fn, "topP", options.topP, 1, "in (0, 1]", (p) => p > 0 && p <= 1),
    minP: numberOption(fn, "minP", options.minP, 0, "in [0, 1]", (p) => p >= 0 && p <= 1),
  };
}

function randomOption(fn: string, random: unknown): () => unknown {
  if (random === undefined) return Math.random;
  if (typeof random !== "function") throw typeError(fn, "random", "a function", random);
  return random as () => unknown;
}

function drawn(fn: string, u: unknown): number {
  if (typeof u !== "number" || !(u >= 0 && u < 1)) throw rangeError(fn, "random()", "a number in [0, 1)", u);
  return u;
}

/** A row can be drawn from if its largest logit is finite. That rules out NaN too, which counts as the largest. */
function checkTops(fn: string, x: FloatArray, tops: Int32Array, shape: Shape): void {
  for (let r = 0; r < shape.outer * shape.inner; r++) {
    const at = rowStart(shape, r) + tops[r]! * shape.inner;
    const top = x[at]!;
    if (Number.isFinite(top)) continue;
    const what = top === -Infinity ? "a number above −Infinity" : "no NaN and no +Infinity";
    throw new RangeError(`${fn}: row ${r} of x must hold ${what}, got x[${at}] = ${top}`);
  }
}
