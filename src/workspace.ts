// Arrays cut one after the other from a fixed range of one buffer.

import { createFunctions, type Workspace } from "./api.js";
import { newArray } from "./arguments/arrays.js";
import { checkedSize, optionSet, readOptions } from "./arguments/options.js";
import type { Kernels } from "./kernels.js";

const ALIGNMENT = 16;

/** The `bytes` option of createWorkspace, rounded up to whole vectors. */
export function readWorkspaceBytes(given: unknown): number {
  const { bytes } = readOptions("createWorkspace", given, optionSet("bytes"));
  return Math.ceil(checkedSize("createWorkspace", "bytes", bytes) / ALIGNMENT) * ALIGNMENT;
}

/** A workspace in a buffer of its own. */
export function workspaceOf(bytes: number, kernels: Kernels): Workspace {
  const { buffer } = newArray("createWorkspace", Float64Array.prototype, bytes / 8);
  return workspaceOver(buffer as ArrayBuffer, 0, bytes, kernels);
}

/** A workspace over the bytes from `start` on; `kernels` compute on them in place if they can. */
export function workspaceOver(buffer: ArrayBuffer, start: number, bytes: number, kernels: Kernels): Workspace {
  let next = start;
  const end = start + bytes;

  function take<A>(
    fn: string,
    array: new (buffer: ArrayBuffer, offset: number, length: number) => A,
    size: number,
    length: number,
  ): A {
    checkedSize(fn, "length", length);
    if (length * size > end - next) {
      throw new RangeError(
        `${fn}: the workspace has ${end - next} of ${bytes} bytes left, ${length} elements need ${length * size}`,
      );
    }
    const at = next;
    const after = Math.min(end, at + Math.ceil((length * size) / ALIGNMENT) * ALIGNMENT);
    // The baseline's buffer can be detached: then this throws, and nothing is taken.
    new Uint8Array(buffer, at, after - at).fill(0);
    next = after;
    return new array(buffer, at, length);
  }

  return {
    ...createFunctions({ kernels }),
    float32: (length) => take("float32", Float32Array, 4, length),
    float64: (length) => take("float64", Float64Array, 8, length),
    int32: (length) => take("int32", Int32Array, 4, length),
    reset: () => {
      next = start;
    },
  };
}
