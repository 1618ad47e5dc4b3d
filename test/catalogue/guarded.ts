// The backends with their memory under watch. A kernel may write the arrays that it is told to write and the module's own part of linear
// memory; between kernels nothing writes that part; the end of the memory, beyond the arena, is never written. And arrays with canaries on
// both sides.
import { readFileSync } from "node:fs";
import * as baseline from "softmargin/baseline";
import { create } from "softmargin/wasm";
import { afterEach, assert, describe } from "vitest";
import { type Api, type Backend, backends } from "./backends.js";
import { kernels, roomsOf } from "./kernels.js";

type Range = readonly [start: number, end: number];
type Export = (...args: number[]) => unknown;
interface Memory {
  readonly buffer: ArrayBuffer;
}
interface RawInstance {
  readonly exports: Record<string, unknown>;
}
type InstanceType = new (module: object, imports: object) => RawInstance;

const wasm = globalThis.WebAssembly as unknown as { Instance: InstanceType };
const CANARY = 0xa5;
const TAIL = 4096;

/** Kernel calls watched so far: none would mean that nothing was watched. */
let watched = 0;

function watch(exports: RawInstance["exports"]): RawInstance["exports"] {
  const memory = exports["memory"] as Memory;
  const own = (exports["heapBase"] as () => number)();
  const before = (length: number) => new Uint8Array(new Uint8Array(memory.buffer, 0, length));
  let module = before(own);
  const wrapped = Object.entries(exports).map(([name, f]): [string, unknown] => {
    if (!kernels.has(name)) return [name, f];
    return [
      name,
      (...args: number[]) => {
        const old = before(memory.buffer.byteLength);
        must(same(old, module, [0, own]), "the module's part of the memory was written between kernels");
        const result = (f as Export)(...args);
        watched++;
        const now = new Uint8Array(memory.buffer);
        let end = own;
        for (const range of written(name, args)) {
          must(range[0] >= own && range[1] <= now.length, `${name} was told to write ${range} of ${now.length}`);
          must(same(old, now, [end, range[0]]), `${name}(${args}) wrote before ${range}`);
          end = range[1];
        }
        must(same(old, now, [end, now.length]), `${name}(${args}) wrote after ${end}`);
        module = before(own);
        return result;
      },
    ];
  });
  return Object.fromEntries(wrapped);
}

/** Where a kernel may write, in the order of addresses. */
function written(name: string, values: number[]): Range[] {
  const kernel = kernels.get(name)!;
  const args = Object.fromEntries(Object.keys(kernel.types).map((key, i) => [key, Number(values[i])]));
  const roomOf = roomsOf({ kernel, args });
  return kernel.outputs
    .filter((array) => args[array] !== 0)
    .map((array): Range => {
      const { length, Kind } = roomOf(array);
      return [args[array]!, args[array]! + length * Kind.BYTES_PER_ELEMENT];
    })
    .sort(([a], [b]) => a - b);
}

function same(a: Uint8Array, b: Uint8Array, [start, end]: Range): boolean {
  return start >= end || Buffer.compare(range(a, start, end), range(b, start, end)) === 0;
}

function range({ buffer, byteOffset }: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + start, end - start);
}

/** Works while the prototypes are being tampered with, as the rest of this does. */
function must(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

const Original = wasm.Instance;
const memories: Memory[] = [];

/** In place of WebAssembly.Instance. */
function Watched(module: object, imports: object): object {
  const { exports } = new Original(module, imports);
  memories.push(exports["memory"] as Memory);
  return { exports: watch(exports) };
}

const tailOf = ({ buffer }: Memory) => new Uint8Array(buffer, buffer.byteLength - TAIL);

function createWatched(build: "simd" | "relaxed"): { api: Api; verify(): void } {
  const bytes = readFileSync(new URL(`../../dist/${build}.wasm`, import.meta.url));
  wasm.Instance = Watched as unknown as InstanceType;
  const api = create(bytes) as Api;
  wasm.Instance = Original;
  const memory = memories.at(-1)!;
  tailOf(memory).fill(CANARY);
  const createWorkspace: Api["createWorkspace"] = (options) => {
    wasm.Instance = Watched as unknown as InstanceType;
    try {
      return api.createWorkspace(options);
    } finally {
      wasm.Instance = Original;
    }
  };
  return {
    api: { ...api, createWorkspace },
    verify: () =>
      assert(
        tailOf(memory).every((byte) => byte === CANARY),
        "written beyond the arena",
      ),
  };
}

/** An array in the middle of a larger buffer; `offset` bytes off the alignment of a vector. */
export class Canaries {
  private readonly guarded: { buffer: ArrayBufferLike; start: number; end: number }[] = [];

  around<A extends ArrayBufferView>(
    Kind: new (buffer: ArrayBuffer, offset: number, length: number) => A,
    length: number,
    {
      offset = 0,
      buffer = (bytes: number) => new ArrayBuffer(bytes),
    }: { offset?: number; buffer?: (bytes: number) => ArrayBufferLike } = {},
  ): A {
    const { BYTES_PER_ELEMENT } = Kind as unknown as { BYTES_PER_ELEMENT: number };
    const start = 64 + offset;
    const end = start + length * BYTES_PER_ELEMENT;
    const memory = buffer(Math.ceil((end + 64) / 8) * 8);
    new Uint8Array(memory).fill(CANARY);
    this.guarded.push({ buffer: memory, start, end });
    return new Kind(memory as ArrayBuffer, start, length);
  }

  verify(): void {
    for (const { buffer, start, end } of this.guarded) {
      if (buffer.byteLength === 0) continue; // detached since
      const bytes = new Uint8Array(buffer);
      const isIntact = bytes.every((byte, i) => (i >= start && i < end) || byte === CANARY);
      assert(isIntact, `written beside an array of ${end - start} bytes`);
    }
    this.guarded.length = 0;
  }
}

export interface GuardedBackend {
  readonly name: Backend["name"];
  readonly api: Api;
  readonly canaries: Canaries;
}

/** As onEveryBackend, with memory under watch. */
export function onEveryGuardedBackend(tests: (backend: GuardedBackend) => void): void {
  for (const { name, runs } of backends) {
    describe.skipIf(!runs)(name, () => {
      const isPlain = name === "baseline" || !runs;
      const { api, verify } = isPlain ? { api: baseline, verify: () => {} } : createWatched(name);
      const canaries = new Canaries();
      const already = watched;
      afterEach(() => {
        canaries.verify();
        verify();
        assert(isPlain || watched > already, "no kernel was watched");
      });
      tests({ name, api, canaries });
    });
  }
}
