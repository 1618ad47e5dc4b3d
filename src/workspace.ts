// Arrays cut one after the other from a fixed range of one buffer.

import { newArray } from "./arguments/arrays.js";
import { checkedSize } from "./arguments/errors.js";
import { optionSet, readOptions } from "./arguments/options.js";
import type { Kernels } from "./kernels.js";

const ALIGNMENT = 16;

/** The `bytes` option of createWorkspace, rounded up to whole vectors. */
export function readWorkspaceBytes(given: unknown): number {
  const { bytes } = readOptions("createWorkspace", given, optionSet("bytes"));
  return Math.ceil(checkedSize("createWorkspace", "bytes", bytes) / ALIGNMENT) * ALIGNMENT;
}

/** Where the bytes of a workspace are, and the kernels that compute on arrays there: in place, or on copies. */
export interface WorkspaceMemory {
  readonly buffer: ArrayBuffer;
  readonly start: number;
  readonly kernels: Kernels;
}

/** A buffer of its own. */
export function ownMemory(bytes: number, kernels: Kernels): WorkspaceMemory {
  const { buffer } = newArray("createWorkspace", Float64Array.prototype, bytes / 8);
  return { buffer: buffer as ArrayBuffer, start: 0, kernels };
}

export interface WorkspaceArrays {
  /** A new array of zeros inside the workspace. Throws a RangeError if it no longer fits. */
  float32(length: number): Float32Array;
  float64(length: number): Float64Array;
  int32(length: number): Int32Array;
  /** Takes all arrays back: their memory is handed out again, so arrays made before must no longer be used. */
  reset(): void;
}

export function arraysIn({ buffer, start }: WorkspaceMemory, bytes: number): WorkspaceArrays {
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
    float32: (length) => take("float32", Float32Array, 4, length),
    float64: (length) => take("float64", Float64Array, 8, length),
    int32: (length) => take("int32", Int32Array, 4, length),
    reset: () => {
      next = start;
    },
  };
}
