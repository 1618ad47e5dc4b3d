// softmax       y_j = exp(z_j) / Σ_k exp(z_k),  z_j = (x_j − m) / T,  m = max x
// softmaxGrad   dx_j = y_j (dy_j − Σ_k dy_k y_k)          from y alone: x need not be kept
//
// x, y, dx, dy: [outer, classes, inner]. m cancels in the quotient, and makes every exponent ≤ 0: nothing overflows.

import { Total } from "../functions/reduction.js";
import type { FloatArray, Shape } from "../kernels.js";
import { rowExp, rowShift, rowStore, scratchRow } from "./row.js";

export function softmax(y: FloatArray, x: FloatArray, shape: Shape, temperature: number): void {
  const { outer, classes, inner } = shape;
  const row = scratchRow(0, classes);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const start = o * classes * inner + i;
      const k = rowShift(row, x, start, inner, classes, temperature);
      const d = 1 + rowExp(row, row, classes, k);
      rowStore(y, start, inner, classes, row, 1 / d, false);
    }
  }
}

export function softmaxGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void {
  const { outer, classes, inner } = shape;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const start = o * classes * inner + i;
      const end = start + classes * inner;
      const total = new Total(); // dy has both signs
      for (let at = start; at < end; at += inner) total.add(dy[at]! * y[at]!);
      const dot = total.value;
      for (let at = start; at < end; at += inner) dx[at] = y[at]! * (dy[at]! - dot);
    }
  }
}
