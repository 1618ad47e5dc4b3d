// The loops that one writes by hand, for those jobs where there is an obvious one: what the baseline, over which everything else is measured, is
// held against. The logits' largest value is subtracted, nothing else is taken care of.

import type { Data, FloatArray } from "./data.js";
import type { JobName } from "./jobs.js";
import type { Entrant, Prepared } from "./run.js";

const LOOPS: { readonly [job in JobName]?: (data: Data) => Prepared["run"] } = {
  softmax:
    ({ x, classes, out: y }) =>
    () => {
      for (let start = 0; start < x.length; start += classes) {
        const end = start + classes;
        const max = largest(x, start, end);
        let sum = 0;
        for (let i = start; i < end; i++) sum += y[i] = Math.exp(x[i]! - max);
        for (let i = start; i < end; i++) y[i]! /= sum;
      }
      return y;
    },
  "cross-entropy":
    ({ x, classes, targets }) =>
    () => {
      let loss = 0;
      for (let row = 0, start = 0; start < x.length; row++, start += classes) {
        const max = largest(x, start, start + classes);
        let sum = 0;
        for (let i = start; i < start + classes; i++) sum += Math.exp(x[i]! - max);
        loss += Math.log(sum) + max - x[start + targets[row]!]!;
      }
      return loss / targets.length;
    },
  "Weston–Watkins":
    ({ x, classes, targets }) =>
    () => {
      let loss = 0;
      for (let row = 0, start = 0; start < x.length; row++, start += classes) {
        const own = start + targets[row]!;
        for (let i = start; i < start + classes; i++) if (i !== own) loss += Math.max(0, x[i]! - x[own]! + 1);
      }
      return loss / targets.length;
    },
};

function largest(x: FloatArray, start: number, end: number): number {
  let max = x[start]!;
  for (let i = start + 1; i < end; i++) if (x[i]! > max) max = x[i]!;
  return max;
}

export const byHand: Entrant = {
  name: "by hand",
  tolerance: { f32: 1e-6, f64: 1e-12 },
  prepare({ job, byHand }, data) {
    const loop = byHand ? LOOPS[job] : undefined;
    return loop && { run: loop(data) };
  },
};
