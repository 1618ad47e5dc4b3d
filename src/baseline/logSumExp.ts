// logSumExp   lse = log Σ_j exp(x_j / T) = m / T + log1p(s),  s = Σ_{j ≠ k} exp((x_j − m) / T),  m = x_k = max x
//
// x: [outer, classes, inner]; lse: [outer, inner]. A maximum that is not finite is the result itself: +Infinity
// outweighs every other term, −Infinity is the logarithm of no term at all, and NaN stays NaN.

import type { FloatArray, Shape } from "../kernels.js";
import { rowExp, rowShift, scratchRow } from "./row.js";

export function logSumExp(lse: FloatArray, x: FloatArray, shape: Shape, temperature: number): void {
  const { outer, classes, inner } = shape;
  const row = scratchRow(0, classes);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const start = o * classes * inner + i;
      const k = rowShift(row, x, start, inner, classes, temperature);
      const max = x[start + k * inner]!;
      const logD = Math.log1p(rowExp(row, row, classes, k));
      lse[o * inner + i] = Number.isFinite(max) ? max / temperature + logD : max;
    }
  }
}
