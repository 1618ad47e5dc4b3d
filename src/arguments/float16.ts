// Half floats: widened on the way in, so that nothing else has to know of them. A Float16Array has the bits of a Uint16Array over the same memory;
// Node 20 and 22 have none.

import type { Kernels } from "../kernels.js";
import { newArray, plainArray } from "./arrays.js";
import { lengthOf } from "./typedArrays.js";

/** Up to so many numbers are widened into an array that is kept: one for each name of an argument, since a function takes several, and of one length. */
const KEPT_LENGTH = 1 << 20;
const kept = /* @__PURE__ */ new Map<string, Float32Array>();
const none = /* @__PURE__ */ new Float32Array(0);

/** The numbers of a Float16Array, valid until the next call for an argument of this name. */
export function widened(fn: string, argument: string, value: unknown, kernels: Kernels): Float32Array {
  const bits = plainArray(fn, argument, value as Uint16Array, Uint16Array);
  const length = lengthOf(bits);
  let y = kept.get(argument) ?? none;
  if (lengthOf(y) !== length) y = newArray(fn, y, length);
  if (length <= KEPT_LENGTH) kept.set(argument, y);
  kernels.float16ToFloat32(y, bits);
  return y;
}
