// The products of a linear layer beside the bare loop of their tile, which nothing can be faster than (assembly/products.ts); and a whole training step
// beside the sum of its products.

import type { Functions } from "../src/api.js";
import { compile, instantiate } from "./compile.js";
import { makeData, type Type } from "./data.js";
import { JOBS } from "./jobs.js";
import { type Contender, measure, type Pace } from "./measure.js";

/** In GFLOP/s, where a product and a sum are two. */
export interface Products {
  readonly size: readonly [rows: number, features: number, classes: number];
  readonly type: Type;
  readonly bare: number;
  readonly products: Readonly<Record<string, number>>;
  /** What each should reach, as a share of the bare loop. */
  readonly atLeast: number;
  /** A step's time over that of its products. */
  readonly step?: number;
}

// Powers of two beside their neighbours: rows that are so far apart share few sets of a cache.
const SIZES: readonly (readonly [number, number, number, number])[] = [
  [1024, 1024, 1024, 0.78],
  [1000, 1000, 1000, 0.78],
  [1024, 512, 1000, 0.78],
  [6000, 784, 10, 0.45],
];
/** So many rows are a block. */
const STEP = [104, 768, 32_000] as const;
const BARE = 100_000;

type Run = (...args: number[]) => void;

export async function products(pace: Pace, api: Functions): Promise<Products[]> {
  const bare = instantiate(compile("products"), 65536);
  const results: Products[] = [];
  for (const type of ["f32", "f64"] as const) {
    const run = bare.exports[type === "f32" ? "bareF32" : "bareF64"] as Run;
    const loop: Contender = { name: "bare", run: () => run(bare.start, BARE) };
    for (const [rows, features, classes, atLeast] of type === "f32" ? SIZES : SIZES.slice(1, 2)) {
      const times = await fastest([loop, ...kernels(type, rows, features, classes)], pace);
      const { bare: ns, ...others } = times;
      const work = 2 * rows * features * classes;
      results.push({
        size: [rows, features, classes],
        type,
        bare: (BARE * (type === "f32" ? 64 : 32)) / ns!,
        products: Object.fromEntries(Object.entries(others).map(([name, time]) => [name, work / time])),
        atLeast,
      });
    }
    if (type === "f32") results.push(await stepOf(loop, pace, api));
  }
  return results;
}

/** Of each the fastest batch: nothing here is compared with a neighbour that was disturbed as well. */
async function fastest(contenders: readonly Contender[], pace: Pace): Promise<Record<string, number>> {
  const rounds = await measure(contenders, { ...pace, rounds: Math.min(pace.rounds, 7) });
  return Object.fromEntries(Object.entries(rounds).map(([name, times]) => [name, Math.min(...times)]));
}

/** The kernels that are shipped, on arrays in their memory. */
function kernels(type: Type, rows: number, features: number, classes: number): Contender[] {
  const bytes = type === "f32" ? 4 : 8;
  const [x, weight, logits] = [rows * features, classes * features, rows * classes].map((n) => (n * bytes + 63) & -64);
  const { exports, memory, start } = instantiate("dist/simd.wasm", 2 * (x! + weight!) + logits!);
  const values = type === "f32" ? new Float32Array(memory, start) : new Float64Array(memory, start);
  values.forEach((_, i) => {
    values[i] = ((i * 7919) % 31) / 16 - 1;
  });
  const ws = start + x!;
  const dws = ws + weight!;
  const zs = dws + weight!;
  const dxs = zs + logits!;
  const { linear, linearGradX, linearGradWeight } = exports as Record<string, Run>;
  return [
    { name: "x·wᵀ", run: () => linear!(bytes, zs, start, ws, 0, rows, features, classes, classes) },
    { name: "g·w", run: () => linearGradX!(bytes, dxs, zs, ws, rows, features, classes, classes, 0) },
    { name: "gᵀ·x", run: () => linearGradWeight!(bytes, dws, zs, start, rows, features, classes, classes) },
  ];
}

/** A block's step with 32,000 classes, whose weights come and go a part at a time; the products are those of a part. */
async function stepOf(loop: Contender, pace: Pace, api: Functions): Promise<Products> {
  const [rows, features, classes] = STEP;
  const part = 160;
  const data = makeData("f32", { outer: rows, features, classes, inner: 1 });
  const step: Contender = { name: "step", run: JOBS["linear cross-entropy + gradient"].prepare(api, data) };
  const [z, , dw] = kernels("f32", rows, features, part);
  const times = await fastest([loop, z!, dw!, step], pace);
  const work = 2 * rows * features * part;
  const sum = (classes / part) * (times["x·wᵀ"]! + times["gᵀ·x"]!);
  return {
    size: STEP,
    type: "f32",
    bare: (BARE * 64) / times["bare"]!,
    products: { x·wᵀ: work / times["x·wᵀ"]!, gᵀ·x: work / times["gᵀ·x"]! },
    atLeast: 0.7,
    step: times["step"]! / sum,
  };
}
