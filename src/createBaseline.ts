import type { Engine } from "./api.js";
import { baselineKernels } from "./baseline/kernels.js";
import { ownMemory } from "./workspace.js";

/** The engine of plain loops; `reason` says why it runs where something faster was asked for. */
export function createBaseline(reason?: Error): Engine {
  return {
    kernels: baselineKernels,
    backend: reason ? { name: "baseline", reason } : { name: "baseline" },
    reserve: (bytes) => ownMemory(bytes, baselineKernels),
  };
}
