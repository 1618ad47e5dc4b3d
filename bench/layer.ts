// A linear layer: logits, and a training step but for the update, beside plain TypeScript and the loops that one writes by hand. GFLOP/s counts a product
// and a sum as two. Results are checked first; contenders take turns, the fastest run counts.
//
//   npx tsx bench/layer.ts

import * as simd from "softmargin";
import * as baseline from "softmargin/baseline";
import type { Functions } from "../src/api.js";

/** Rows, features, classes. */
const SIZES = [
  [1, 8, 2],
  [32, 64, 3],
  [200, 784, 10],
  [256, 512, 512],
  [1024, 512, 1000],
  [288, 768, 32_000],
] as const;

type Step = () => { readonly loss: number; readonly gradWeight: ArrayLike<number> };

for (const [rows, features, classes] of SIZES) {
  const draw = (length: number, scale: number) => new Float32Array(length).map(() => scale * (2 * Math.random() - 1));
  const x = draw(rows * features, 1);
  const weight = draw(classes * features, 2 / Math.sqrt(features));
  const targets = Int32Array.from({ length: rows }, (_, r) => r % classes);
  const gradWeight = new Float32Array(weight.length);
  const z = new Float32Array(rows * classes);
  const work = 2 * rows * features * classes;

  const step = ({ linearCrossEntropyGrad }: Functions): Step => {
    const options = { gradWeight };
    return () => linearCrossEntropyGrad(x, weight, targets, options);
  };
  const logits = ({ linear }: Functions): (() => unknown) => {
    const options = { shape: [rows, features], out: z };
    return () => linear(x, weight, options);
  };
  const byHand = stepByHand(x, weight, targets, gradWeight, rows, features, classes);
  const workspace = simd.createWorkspace({ bytes: 4 * (x.length + 2 * weight.length) + 1024 });
  const there = [x, weight, gradWeight].map((array) => {
    const copy = workspace.float32(array.length);
    copy.set(array);
    return copy;
  }) as [Float32Array, Float32Array, Float32Array];
  const inWorkspace: Step = () =>
    workspace.linearCrossEntropyGrad(there[0], there[1], targets, { gradWeight: there[2] });
  check(step(simd), byHand);
  check(step(baseline), byHand);
  check(inWorkspace, byHand);

  console.log(`${rows} × ${features} × ${classes}`);
  const steps = { simd: step(simd), workspace: inWorkspace, baseline: step(baseline), "by hand": byHand };
  report("step", steps, 2 * work);
  report("logits", { simd: logits(simd), baseline: logits(baseline) }, work);
}

/** What one writes without this library: logits of a row, its softmax, its part of the gradient. */
function stepByHand(
  x: Float32Array,
  weight: Float32Array,
  targets: Int32Array,
  gradWeight: Float32Array,
  rows: number,
  features: number,
  classes: number,
): Step {
  const p = new Float64Array(classes);
  return () => {
    let loss = 0;
    gradWeight.fill(0);
    for (let r = 0; r < rows; r++) {
      let max = Number.NEGATIVE_INFINITY;
      for (let c = 0; c < classes; c++) {
        let sum = 0;
        for (let d = 0; d < features; d++) sum += x[r * features + d]! * weight[c * features + d]!;
        p[c] = sum;
        if (sum > max) max = sum;
      }
      const own = p[targets[r]!]!;
      let total = 0;
      for (let c = 0; c < classes; c++) total += p[c] = Math.exp(p[c]! - max);
      loss += Math.log(total) + max - own;
      for (let c = 0; c < classes; c++) {
        const g = (p[c]! / total - (c === targets[r] ? 1 : 0)) / rows;
        for (let d = 0; d < features; d++) gradWeight[c * features + d]! += g * x[r * features + d]!;
      }
    }
    return { loss: loss / rows, gradWeight };
  };
}

function check(step: Step, byHand: Step): void {
  const want = byHand();
  const gradient = Array.from(want.gradWeight);
  const got = step();
  if (!(Math.abs(got.loss - want.loss) <= 1e-5 * Math.max(1, want.loss)))
    throw new Error(`${got.loss}, not ${want.loss}`);
  gradient.forEach((g, i) => {
    if (!(Math.abs(got.gradWeight[i]! - g) <= 1e-5)) throw new Error(`gradient ${i}: ${got.gradWeight[i]}, not ${g}`);
  });
}

function report(what: string, runs: Readonly<Record<string, () => unknown>>, work: number): void {
  const repeat = Math.max(1, Math.round(2e7 / (work + 2e4)));
  const fastest = new Map<string, number>();
  for (let round = 0; round < (work > 1e9 ? 3 : 20); round++) {
    for (const [name, run] of Object.entries(runs)) {
      const times = name === "baseline" || name === "by hand" ? Math.max(1, repeat >> 3) : repeat;
      const start = performance.now();
      for (let i = 0; i < times; i++) run();
      const milliseconds = (performance.now() - start) / times;
      fastest.set(name, Math.min(fastest.get(name) ?? Number.POSITIVE_INFINITY, milliseconds));
    }
  }
  const own = fastest.get("simd")!;
  for (const [name, milliseconds] of fastest) {
    const figures = [
      `${(1000 * milliseconds).toFixed(1).padStart(12)} µs`,
      `${(work / milliseconds / 1e6).toFixed(1).padStart(6)} GFLOP/s`,
      `${(milliseconds / own).toFixed(2).padStart(7)} ×`,
    ];
    console.log(`  ${what.padEnd(7)} ${name.padEnd(10)}${figures.join("")}`);
  }
}
