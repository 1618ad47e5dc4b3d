import { createApi, type Softmargin } from "./api.js";
import { baselineKernels } from "./baseline/kernels.js";
import { readWorkspaceBytes, workspaceOver } from "./workspace.js";

/** The functions over plain loops; `reason` says why they run where something faster was asked for. */
export function createBaseline(reason?: Error): Softmargin {
  return createApi(baselineKernels, reason ? { name: "baseline", reason } : { name: "baseline" }, (options) => {
    const bytes = readWorkspaceBytes(options);
    return workspaceOver(new ArrayBuffer(bytes), 0, bytes, baselineKernels);
  });
}
