import type { Engine } from "./api.js";
import { baselineKernels } from "./baseline/kernels.js";
import { readWorkspaceBytes, workspaceOver } from "./workspace.js";

/** The engine of plain loops; `reason` says why it runs where something faster was asked for. */
export function createBaseline(reason?: Error): Engine {
  return {
    kernels: baselineKernels,
    backend: reason ? { name: "baseline", reason } : { name: "baseline" },
    createWorkspace: (options) => {
      const bytes = readWorkspaceBytes(options);
      return workspaceOver(new ArrayBuffer(bytes), 0, bytes, baselineKernels);
    },
  };
}
