// Half floats as inputs. A Float16Array has the bits of a Uint16Array over the same memory.

import type { FloatArray, Kernels } from "../kernels.js";
import { newArray, plainArray } from "./arrays.js";
import { Float16, lengthOf } from "./typedArrays.js";

const MODEL = /* @__PURE__ */ new Float32Array(0);

/** A Float16Array as the kernels take it: as it is if they widen what they read, else as a Float32Array. */
export function halfFloats(fn: string, argument: string, value: unknown, kernels: Kernels): FloatArray {
  if (kernels.widens) return plainArray(fn, argument, value as Float32Array, Float16!);
  const bits = plainArray(fn, argument, value as Uint16Array, Uint16Array);
  const numbers = newArray(fn, MODEL, lengthOf(bits));
  kernels.float16ToFloat32(numbers, bits);
  return numbers;
}
