// From bytes to functions. The ladder: each build that was asked for, then the baseline; a rung that cannot be compiled or instantiated (no
// WebAssembly, no SIMD, a content security policy, an edge runtime, a size limit) leaves its error as the reason. Synchronous first, at
// import, where edge runtimes allow it and everything is ready on the first line; `ready` tries the rest asynchronously.

import { instantiateSync } from "@assemblyscript/loader";
import { type Backend, createApi, type Engine, type Softmargin, show } from "../api.js";
import { typeError } from "../arguments/errors.js";
import { createBaseline } from "../createBaseline.js";
import { ownMemory } from "../workspace.js";
import { Arena } from "./arena.js";
import { type Exports, readExports } from "./exports.js";
import { kernelsOver } from "./kernels.js";
import { LayerBlocks } from "./layer.js";
import { fromText } from "./text.js";

// Declared here, since neither the DOM's types nor Node's need be there.
declare const WebAssembly: { instantiate(source: unknown): Promise<Instantiated | Instance> };

type Build = readonly [name: "simd" | "relaxed", text: string];
interface Instantiated {
  module: unknown;
  instance: Instance;
  /** Whether synchronous instantiation may be refused here. */
  asynchronously?: boolean;
}
interface Instance {
  exports: Record<string, unknown>;
}

/** The first of the builds that runs here, or the baseline; `ready` upgrades to the first refused build that runs if compiled asynchronously. */
export function load(builds: readonly Build[]): Softmargin {
  const refusals: Error[] = [];
  const engine = { ...firstOf(builds, refusals) };
  const api = createApi(engine);
  let readiness: Promise<Backend> | undefined;
  async function upgrade(): Promise<Backend> {
    for (const [i, refusal] of refusals.entries()) {
      if (isFinal(refusal)) continue;
      const [name, text] = builds[i]!;
      try {
        Object.assign(
          engine,
          createEngine(await instantiateLater(fromText(text)), name, i === 0 ? undefined : refusals[0]),
        );
        show(api.backend, engine.backend);
        break;
      } catch (error) {
        refusals[i] = asError(error);
      }
    }
    return api.backend;
  }
  return { ...api, ready: () => (readiness ??= upgrade()) };
}

/** The first of the builds that runs if compiled synchronously, or the baseline, and why those before it do not. */
function firstOf(builds: readonly Build[], refusals: Error[]): Engine {
  for (const [name, text] of builds) {
    try {
      return createEngine(instantiateNow(fromText(text)), name, refusals[0]);
    } catch (error) {
      refusals.push(asError(error));
    }
  }
  return createBaseline(refusals[0]);
}

/**
 * A CompileError is about the module or a security policy, however it is compiled: another try would only report the same violation of the
 * policy. Anything else, such as the RangeError of Chrome's size limit, may be about compiling synchronously.
 */
function isFinal(refusal: Error): boolean {
  return refusal.name === "CompileError";
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** The functions over a module or the bytes of one. */
export function createFrom(source: unknown): Softmargin {
  return createApi(createEngine(instantiateNow(checked(source))));
}

/** The functions over a Response, or a promise of a Response, a module, bytes, or a namespace with one of these as its default export. */
export async function createFromAsync(given: unknown): Promise<Softmargin> {
  let source = await given;
  if (has(source, "default")) source = source.default;
  if (has(source, "arrayBuffer")) source = await bodyOf(source as ResponseLike);
  return createApi(createEngine(await instantiateLater(checked(source))));
}

function checked(source: unknown): object {
  // V8 takes no DataView, other engines do.
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (typeof source === "object" && source !== null) return source;
  throw typeError("create", "source", "a WebAssembly.Module, bytes, a Response or a promise of one of these", source);
}

export interface ResponseLike {
  arrayBuffer(): PromiseLike<ArrayBuffer>;
}

/**
 * Not WebAssembly.instantiateStreaming: it insists on the MIME type application/wasm, is missing in some runtimes, and has nothing to gain
 * with 90 kB.
 */
async function bodyOf(response: ResponseLike): Promise<ArrayBuffer> {
  const { ok, status, url } = response as { ok?: boolean; status?: number; url?: string };
  if (ok === false) {
    throw new TypeError(`create: source must be a module, got HTTP status ${status}${url ? ` from ${url}` : ""}`);
  }
  return response.arrayBuffer();
}

/** Whether the value has a property of its own or of its class; one that somebody added to Object.prototype does not count. */
export function has<K extends string>(value: unknown, key: K): value is Record<K, unknown> {
  if (typeof value !== "object" || value === null || !(key in value)) return false;
  return (value as Record<K, unknown>)[key] !== (Object.prototype as Partial<Record<K, unknown>>)[key];
}

// The loader's types need those of the DOM and know nothing of this module's exports.
function instantiateNow(source: unknown): Instantiated {
  return instantiateSync(source as never) as unknown as Instantiated;
}

/** Not by the loader: it names WebAssembly.compile, and so Next.js refuses to build an edge route. */
async function instantiateLater(source: unknown): Promise<Instantiated> {
  const result = await WebAssembly.instantiate(source);
  const { module, instance } = has(result, "instance") ? result : { module: source, instance: result };
  return { module, instance, asynchronously: true };
}

function createEngine(first: Instantiated, name?: Build[0], reason?: Error): Engine {
  const { module } = first;
  const blocks = new LayerBlocks(new Arena(supply(first)));
  const kernels = kernelsOver(blocks);
  const backend = { name: name ?? (isRelaxed(first) ? "relaxed" : "simd") } as const;
  return {
    kernels,
    backend: reason ? { ...backend, reason } : backend,
    reserve(bytes) {
      let own: Instantiated;
      try {
        own = instantiateNow(module);
      } catch (error) {
        if (!first.asynchronously) throw error;
        // The same results on copies.
        return ownMemory(bytes, kernels);
      }
      // Memory of its own, which never grows afterwards, so its arrays are never detached. What does not fit beside them in its arena is
      // computed by the shared kernels, on copies.
      const arena = new Arena(supply(own), bytes);
      return { buffer: arena.buffer, start: arena.reserved, kernels: kernelsOver(new LayerBlocks(arena, blocks)) };
    },
  };
}

/** The exports of the given instance, then of new instances of its module. */
function supply(first: Instantiated): () => Exports {
  let next: Instantiated | undefined = first;
  return () => {
    const exports = exportsOf(next ?? instantiateNow(first.module));
    next = undefined;
    return exports;
  };
}

/** The raw exports: the loader's own wrap each function in a closure that allocates its arguments. */
function exportsOf({ instance }: Instantiated): Exports {
  return readExports(instance.exports);
}

function isRelaxed({ instance }: Instantiated): boolean {
  return (instance.exports["isRelaxed"] as () => number)() !== 0;
}
