// The bare passes of softmax: a kernel that takes much longer than their sum wastes time between them, a call that takes much longer than the
// kernel and the copies wastes it around the kernel. The passes are compiled as the kernels are, into a module of their own (assembly/passes.ts).

import type { Functions } from "../src/api.js";
import { compile, instantiate } from "./compile.js";
import { type FloatArray, makeData, type Type } from "./data.js";
import { JOBS } from "./jobs.js";
import { type Contender, measure, type Pace } from "./measure.js";

/** In nanoseconds per element; `sum` is what it should come close to. */
interface Close {
  readonly ns: number;
  readonly sum: number;
}

export interface Passes {
  readonly rows: number;
  readonly classes: number;
  readonly type: Type;
  readonly times: Readonly<Record<string, number>>;
  readonly kernel: Close;
  readonly call: Close;
}

type Run = (pass: number, y: number, x: number, rows: number, cols: number) => void;
type Softmax = (
  bytes: number,
  y: number,
  x: number,
  outer: number,
  cols: number,
  inner: number,
  temperature: number,
) => void;

// As numbered in assembly/passes.ts.
const NARROW = { gather: 0, max: 1, exp: 2, "scale and scatter": 3 };
const WIDE = { max: 1, exp: 2, scale: 3 };
/** What fits into a block that stays in the cache. */
const ELEMENTS = 8000;

export async function passes(pace: Pace, api: Functions): Promise<Passes[]> {
  const module = compile("passes");
  const results: Passes[] = [];
  for (const type of ["f32", "f64"] as const) {
    for (const classes of [10, 1000, 32000]) results.push(await passesOf(module, type, classes, pace, api));
  }
  return results;
}

async function passesOf(module: string, type: Type, classes: number, pace: Pace, api: Functions): Promise<Passes> {
  const rows = Math.max(1, Math.floor(ELEMENTS / classes));
  const elements = rows * classes;
  const data = makeData(type, { outer: rows, classes, inner: 1 });
  // The kernel is the one that is shipped.
  const bare = place(module, data.x);
  const shipped = place("dist/simd.wasm", data.x);
  const run = bare.exports[type === "f32" ? "runF32" : "runF64"] as Run;
  const softmax = shipped.exports["softmax"] as Softmax;
  const which =
    classes > (shipped.exports["narrowExp"] as (bytes: number) => number)(data.x.BYTES_PER_ELEMENT) ? WIDE : NARROW;

  const contenders: Contender[] = [
    ...Object.entries(which).map(([name, pass]) => ({ name, run: () => run(pass, bare.y, bare.x, rows, classes) })),
    { name: "copy in", run: () => bare.view.set(data.x, bare.x / data.x.BYTES_PER_ELEMENT) },
    { name: "copy out", run: () => data.out.set(bare.result) },
    { name: "kernel", run: () => softmax(data.x.BYTES_PER_ELEMENT, shipped.y, shipped.x, rows, classes, 1, 1) },
    { name: "call", run: JOBS.softmax.prepare(api, data) },
  ];
  const rounds = await measure(contenders, pace);
  // Of each the fastest batch: nothing here is compared with a neighbour that was disturbed as well.
  const ns = (name: string): number => Math.min(...rounds[name]!) / elements;
  const times = Object.fromEntries([...Object.keys(which), "copy in", "copy out"].map((name) => [name, ns(name)]));
  const sum = (names: readonly string[]): number => names.reduce((total, name) => total + times[name]!, 0);
  return {
    rows,
    classes,
    type,
    times,
    kernel: { ns: ns("kernel"), sum: sum(Object.keys(which)) },
    call: { ns: ns("call"), sum: sum(Object.keys(times)) },
  };
}

/** A module of its own with x in its memory, and room for y. */
function place(file: string, values: FloatArray) {
  const room = Math.ceil(values.byteLength / 64) * 64;
  const { exports, memory, start: x } = instantiate(file, 2 * room);
  const y = x + room;
  const view = values instanceof Float32Array ? new Float32Array(memory) : new Float64Array(memory);
  const at = (pointer: number): number => pointer / values.BYTES_PER_ELEMENT;
  view.set(values, at(x));
  return { exports, x, y, view, result: view.subarray(at(y), at(y) + values.length) };
}
