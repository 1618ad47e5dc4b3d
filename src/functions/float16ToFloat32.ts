// check → kernel → return

import { newArray, plainArray } from "../arguments/arrays.js";
import { rangeError, tensorHint, typeError } from "../arguments/errors.js";
import { type OptionSet, optionSet, readOptions } from "../arguments/options.js";
import { bufferOf, kindOf, lengthOf, mayBeOne } from "../arguments/typedArrays.js";
import type { Kernels } from "../kernels.js";

const MODEL = /* @__PURE__ */ new Float32Array(0);
const OPTIONS: OptionSet = /* @__PURE__ */ optionSet("out");

export function float16ToFloat32(kernels: Kernels, bits: unknown, given: unknown): Float32Array {
  const fn = "float16ToFloat32";
  const options = readOptions(fn, given, OPTIONS);
  const kind = kindOf(bits);
  if (kind !== "Uint16Array" && kind !== "Float16Array")
    throw typeError(fn, "bits", "a Uint16Array or a Float16Array", bits, tensorHint("bits", bits, false));
  const input = plainArray(fn, "bits", bits as Uint16Array, Uint16Array);
  const length = lengthOf(input);
  const out = options.out === undefined ? newArray(fn, MODEL, length) : floatOut(fn, options.out, length);
  // In the same memory, results could overwrite bits that are still to be read.
  const isApart = options.out === undefined || !mayBeOne(bufferOf(input), bufferOf(out));
  if (length > 0) kernels.float16ToFloat32(out, isApart ? input : new Uint16Array(input));
  return (options.out ?? out) as Float32Array;
}

function floatOut(fn: string, out: unknown, length: number): Float32Array {
  if (kindOf(out) !== "Float32Array") throw typeError(fn, "out", "a Float32Array", out);
  const array = plainArray(fn, "out", out as Float32Array, Float32Array);
  if (lengthOf(array) !== length) throw rangeError(fn, "out.length", `bits.length = ${length}`, lengthOf(array));
  return array;
}
