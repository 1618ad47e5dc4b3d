// From bytes to functions. The ladder: each build that was asked for, then the baseline; a rung that cannot be compiled or instantiated (no
// WebAssembly, no SIMD, a content security policy, an edge runtime, a size limit) leaves its error as the reason.

import { instantiate, instantiateSync } from "@assemblyscript/loader";
import { createApi, type Softmargin, type WorkspaceOptions } from "../api.js";
import { createBaseline } from "../createBaseline.js";
import { readWorkspaceBytes, workspaceOver } from "../workspace.js";
import { Arena } from "./arena.js";
import { type Exports, readExports } from "./exports.js";
import { WasmKernels } from "./kernels.js";
import { fromText } from "./text.js";

/** A WebAssembly.Module, or the bytes of one. */
export type ModuleSource = object;
type Build = "simd" | "relaxed";
interface Instantiated {
  module: unknown;
  instance: { exports: Record<string, unknown> };
}

/** The first of the builds that runs here, or the baseline. */
export function load(builds: readonly (readonly [Build, string])[]): Softmargin {
  let reason: Error | undefined;
  for (const [name, text] of builds) {
    try {
      return create(instantiateNow(fromText(text)), name, reason);
    } catch (error) {
      reason ??= error instanceof Error ? error : new Error(String(error));
    }
  }
  return createBaseline(reason);
}

export function createFrom(source: ModuleSource): Softmargin {
  return create(instantiateNow(source));
}

export async function createFromAsync(source: unknown): Promise<Softmargin> {
  return create((await instantiate(source as never)) as unknown as Instantiated);
}

// The loader's types need those of the DOM and know nothing of this module's exports.
function instantiateNow(source: unknown): Instantiated {
  return instantiateSync(source as never) as unknown as Instantiated;
}

function create(first: Instantiated, name?: Build, reason?: Error): Softmargin {
  const { module } = first;
  // The instance at hand, then others of the same module.
  let next: Instantiated | undefined = first;
  const instantiated = (): Exports => {
    const exports = exportsOf(next ?? instantiateNow(module));
    next = undefined;
    return exports;
  };
  const kernels = new WasmKernels(new Arena(instantiated));
  const backend = { name: name ?? (isRelaxed(first) ? "relaxed" : "simd") } as const;
  return createApi(kernels, reason ? { ...backend, reason } : backend, (options: WorkspaceOptions) => {
    const bytes = readWorkspaceBytes(options);
    // Memory of its own, which never grows afterwards, so its arrays are never detached. What does not fit beside them in its arena is
    // computed by the shared kernels, on copies.
    const arena = new Arena(instantiated, bytes);
    return workspaceOver(arena.buffer, arena.reserved, bytes, new WasmKernels(arena, kernels));
  });
}

/** The raw exports: the loader's own wrap each function in a closure that allocates its arguments. */
function exportsOf({ instance }: Instantiated): Exports {
  return readExports(instance.exports);
}

function isRelaxed({ instance }: Instantiated): boolean {
  return (instance.exports["isRelaxed"] as () => number)() !== 0;
}
