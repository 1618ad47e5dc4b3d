// A long life: calls of random functions, shapes, kinds of arrays and options, every tenth of them wrong, and what is left of them in linear
// memory and on the heap.
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { create } from "softmargin/wasm";
import type { Api } from "../catalogue/backends.js";
import { invoke, numbersIn } from "../catalogue/calls.js";
import {
  type Arguments,
  allArguments,
  allSignatures,
  type Functions,
  type Signature,
  together,
} from "../catalogue/functions.js";
import { type Random, random } from "../inputs/random.js";

/** Bytes after a garbage collection. */
export interface Footprint {
  readonly linear: number;
  readonly heap: number;
  readonly buffers: number;
}

export interface Soak {
  readonly calls: number;
  readonly errors: number;
  readonly workspaces: number;
  /** After a tenth of the calls, and at the end. */
  readonly warm: Footprint;
  readonly end: Footprint;
}

/** What the heap may have grown by: V8 itself learns and forgets some hundred kilobytes. */
const HEAP_NOISE = 1 << 20;

export function leaks({ warm, end }: Soak): string[] {
  const limits = { linear: 0, heap: HEAP_NOISE, buffers: 0 };
  return (["linear", "heap", "buffers"] as const)
    .filter((key) => end[key] - warm[key] > limits[key])
    .map((key) => `${key}: ${warm[key]} bytes after warm-up, ${end[key]} at the end`);
}

const MOST_CLASSES = 20_000;

export function soak(build: "simd" | "relaxed", calls: number, seed: number, progress: (done: number) => void): Soak {
  const { api, memory } = createMeasured(build);
  const draw = random(seed);
  const golden = () => numbersIn(api.crossEntropyGrad([1, 2, 3, 3, 2, 1], [0, 2], { labelSmoothing: 0.1 })).join();
  const first = golden();
  longestRow(api);
  let errors = 0;
  let workspaces = 0;
  let functions: Functions = api;
  let warm = footprint(memory);
  for (let i = 0; i < calls; i++) {
    if (i === Math.floor(calls / 10)) {
      functions = api;
      warm = footprint(memory);
    }
    if (i % 1000 === 0) {
      progress(i);
      if (golden() !== first) throw new Error(`seed ${seed}, call ${i}: another result than at first`);
      // every other thousand in a workspace, which is forgotten then
      functions = i % 2000 === 0 ? api.createWorkspace({ bytes: 1 << draw.integer(8, 18) }) : api;
      if (functions !== api) workspaces++;
    }
    const signature = draw.pick(allSignatures);
    const isWrong = draw.chance(0.1);
    try {
      invoke(functions, signature, drawArguments(draw, signature, isWrong));
      if (isWrong) throw new Error(`seed ${seed}, call ${i}: ${signature.name} took a wrong argument`);
    } catch (error) {
      if (!isWrong || !(error instanceof TypeError || error instanceof RangeError)) throw error;
      errors++;
    }
  }
  functions = api;
  return { calls, errors, workspaces, warm, end: footprint(memory) };
}

/** The function table of a module, and its memory. */
function createMeasured(build: string): { api: Api; memory: { readonly buffer: ArrayBuffer } } {
  type Instance = { exports: { memory: { buffer: ArrayBuffer } } };
  const wasm = globalThis.WebAssembly as unknown as { Instance: new (module: object, imports: object) => Instance };
  const { Instance } = wasm;
  let memory: Instance["exports"]["memory"] | undefined;
  wasm.Instance = class extends Instance {
    constructor(module: object, imports: object) {
      super(module, imports);
      memory = this.exports.memory;
    }
  };
  try {
    const api = create(readFileSync(new URL(`../../dist/${build}.wasm`, import.meta.url))) as Api;
    return { api, memory: memory! };
  } finally {
    wasm.Instance = Instance;
  }
}

/** Grows the memory as far as any call can need it. */
function longestRow(api: Api): void {
  const x = new Float64Array(2 * MOST_CLASSES);
  const probabilities = new Float64Array(2 * MOST_CLASSES).fill(1 / MOST_CLASSES);
  const weight = new Float64Array(MOST_CLASSES).fill(1);
  const options = { shape: [MOST_CLASSES, 2], axis: 0, weight, accumulate: true, grad: x };
  api.crossEntropyGrad(x, probabilities, options);
  const wide = new Float64Array(3 * MOST_CLASSES);
  api.linearCrossEntropyGrad(wide, wide, [0, 1, 2], { gradX: true });
}

function drawArguments(draw: Random, signature: Signature, isWrong: boolean): Arguments {
  const classes = draw.chance(0.001) ? draw.integer(1000, MOST_CLASSES) : draw.integer(1, draw.pick([3, 12, 130]));
  const [outer, inner] = classes > 500 ? [1, 1] : [draw.integer(0, 5), draw.integer(1, 4)];
  const rows = outer * inner;
  const Kind = draw.pick([Float32Array, Float64Array]);
  const isList = Kind === Float64Array && rows * classes < 200 && draw.chance(0.2);
  const { first, positional, options, variants = [] } = signature;
  const inKind = (name: string, value: unknown) => {
    // what widens bits writes f32 alone
    if (!(value instanceof Float32Array) || first === "bits") return value;
    // a list of targets would be class indices
    return isList && name !== "targets" ? Array.from(value) : Kind.from(value);
  };
  const what = draw.pick(["", ...variants]);
  const chosen = options.filter(() => draw.chance(0.3));
  const right = allArguments(signature, { rows, classes }, what, [...positional, ...together(chosen, what)]);
  const given = Object.entries(right).map(([name, value]) => [name, inKind(name, value)]);
  const axis = options.includes("axis") ? { shape: [outer, classes, inner], axis: 1 } : {};
  const layout = positional.includes("weight") ? { shape: [rows, classes] } : axis;
  const wrong = isWrong
    ? draw.pick<Arguments>([{ x: null }, { shape: [rows * classes + 1] }, { axis: 7 }, { tau: 1 }])
    : {};
  return { ...Object.fromEntries(given), ...layout, ...wrong };
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function footprint({ buffer }: { readonly buffer: ArrayBuffer }): Footprint {
  for (let i = 0; i < 4; i++) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { linear: buffer.byteLength, heap: heapUsed, buffers: arrayBuffers };
}
