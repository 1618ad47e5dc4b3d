// softmargin/wasm: nothing inlined. For modules that are compiled elsewhere: streaming, a strict content security policy, edge runtimes.

import type { Softmargin } from "./api.js";
import { createFrom, createFromAsync, type ModuleSource } from "./wasm/load.js";

export type * from "./public.js";
export type { ModuleSource } from "./wasm/load.js";

/**
 * The functions over the kernels in `source`: softmargin/simd.wasm or softmargin/relaxed.wasm as a WebAssembly.Module or as bytes (at
 * once), as a Response or as a promise of any of these (a promise).
 *
 * @throws what compiling or instantiating throws; a TypeError for a module of something else. Nothing falls back to the baseline here.
 * @example const { softmax } = await create(fetch("/simd.wasm"));
 */
export function create(source: ModuleSource): Softmargin;
export function create(source: unknown): Softmargin | Promise<Softmargin>;
export function create(source: unknown): Softmargin | Promise<Softmargin> {
  const later = typeof source === "object" && source !== null && ("then" in source || "arrayBuffer" in source);
  return later ? createFromAsync(source) : createFrom(source as ModuleSource);
}
