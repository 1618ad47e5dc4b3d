// softmargin/wasm: no module inlined. For modules that come from elsewhere: a file, a bundler's import, an edge runtime's.

import type { Softmargin } from "./api.js";
import { createFrom, createFromAsync, has, type ResponseLike } from "./wasm/load.js";

export type * from "./public.js";

/** A WebAssembly.Module, or the bytes of one: an ArrayBuffer, a typed array, a DataView. */
export type ModuleSource = object;
/** A Response, or a promise of one, of a ModuleSource, or of what `import()` gives of a file whose default export is a ModuleSource. */
export type LaterSource = ResponseLike | PromiseLike<unknown>;

/**
 * The functions on the kernels in `source`, softmargin/simd.wasm or softmargin/relaxed.wasm: at once for a module or bytes; as a promise for a
 * Response, of any content type, or a promise.
 *
 * @throws what compiling or instantiating throws; a TypeError for a module of something else, and for a Response that is not ok. Nothing falls
 *   back to the baseline here.
 * @example const { softmax } = await create(fetch("/simd.wasm"));
 */
export function create(source: LaterSource): Promise<Softmargin>;
export function create(source: ModuleSource): Softmargin;
export function create(source: unknown): Softmargin | Promise<Softmargin>;
export function create(source: unknown): Softmargin | Promise<Softmargin> {
  return has(source, "then") || has(source, "arrayBuffer") ? createFromAsync(source) : createFrom(source);
}
