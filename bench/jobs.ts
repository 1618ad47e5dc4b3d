// What is timed: every function, as a call on ordinary arrays with a result array that is used again, so that neither side measures the
// allocator. Data are seeded; logits look like a network's: roughly normal, standard deviation 4.

import type { Softmargin } from "softmargin";

export type FloatArray = Float32Array | Float64Array;

/** One size and type of input. */
export interface Data {
  readonly x: FloatArray;
  readonly upstream: FloatArray;
  readonly probabilities: FloatArray;
  readonly targets: Int32Array;
  readonly out: FloatArray;
  readonly rows: number;
  readonly classes: number;
}

/** Runs a job on a backend and returns what it computed, for the check before timing. */
export type Job = (api: Softmargin, data: Data) => number | ArrayLike<number>;

const shape = (d: Data): { shape: [number, number]; out: FloatArray } => ({ shape: [d.rows, d.classes], out: d.out });

export const JOBS: Readonly<Record<string, Job>> = {
  softmax: (api, d) => api.softmax(d.x, shape(d)),
  softmaxGrad: (api, d) => api.softmaxGrad(d.probabilities, d.upstream, shape(d)),
  logSoftmax: (api, d) => api.logSoftmax(d.x, shape(d)),
  logSoftmaxGrad: (api, d) => api.logSoftmaxGrad(d.upstream, d.x, shape(d)),
  logSumExp: (api, d) => api.logSumExp(d.x, { shape: [d.rows, d.classes] }),
  crossEntropy: (api, d) => api.crossEntropy(d.x, d.targets),
  crossEntropyGrad: (api, d) => api.crossEntropyGrad(d.x, d.targets, { grad: d.out }).grad,
  "crossEntropyGrad, probabilities": (api, d) =>
    api.crossEntropyGrad(d.x, d.probabilities, { grad: d.out, shape: [d.rows, d.classes] }).grad,
  "hinge, Weston–Watkins": (api, d) => api.hinge(d.x, d.targets),
  "hingeGrad, Weston–Watkins": (api, d) => api.hingeGrad(d.x, d.targets, { grad: d.out }).grad,
  "hinge, Crammer–Singer": (api, d) => api.hinge(d.x, d.targets, { form: "crammer-singer" }),
  "hingeGrad, Crammer–Singer": (api, d) => api.hingeGrad(d.x, d.targets, { form: "crammer-singer", grad: d.out }).grad,
};

/** Mulberry32: 32 bits of state, the same numbers everywhere. */
function uniform(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function makeData(type: "f32" | "f64", rows: number, classes: number): Data {
  const n = rows * classes;
  const make = (): FloatArray => (type === "f32" ? new Float32Array(n) : new Float64Array(n));
  const next = uniform(rows * 31 + classes);
  // A sum of four uniforms has variance 1/3.
  const normal = (): number => (next() + next() + next() + next() - 2) * Math.sqrt(3) * 4;
  const x = make().map(normal);
  // Negative, as log-probabilities are.
  const upstream = make().map(() => -next() * 10);
  const probabilities = make().map(next);
  for (let r = 0; r < rows; r++) {
    const row = probabilities.subarray(r * classes, (r + 1) * classes);
    let total = 0;
    for (const p of row) total += p;
    for (let j = 0; j < classes; j++) row[j]! /= total;
  }
  const targets = new Int32Array(rows).map(() => Math.floor(next() * classes));
  return { x, upstream, probabilities, targets, out: make(), rows, classes };
}
