// logSoftmax       y_j = z_j − log Σ_k exp(z_k),  z_j = (x_j − m) / T,  m = max x
// logSoftmaxGrad   dx_j = dy_j − exp(y_j) Σ_k dy_k        from y alone: x need not be kept
//
// x, y, dx, dy: [outer, classes, inner]. Never log(softmax(x)): a probability that underflows to 0 still has a
// logarithm, and one that rounds to 1 has lost it.

import { Total } from "../functions/reduction.js";
import type { FloatArray, Shape } from "../kernels.js";
import { rowExp, rowShift, scratchRow } from "./row.js";

export function logSoftmax(y: FloatArray, x: FloatArray, shape: Shape, temperature: number): void {
  const { outer, classes, inner } = shape;
  const z = scratchRow(0, classes);
  const e = scratchRow(1, classes);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const start = o * classes * inner + i;
      const k = rowShift(z, x, start, inner, classes, temperature);
      const logD = Math.log1p(rowExp(e, z, classes, k));
      for (let j = 0, at = start; j < classes; j++, at += inner) y[at] = z[j]! - logD;
    }
  }
}

export function logSoftmaxGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void {
  const { outer, classes, inner } = shape;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const start = o * classes * inner + i;
      const end = start + classes * inner;
      const total = new Total(); // dy has both signs
      for (let at = start; at < end; at += inner) total.add(dy[at]!);
      const sum = total.value;
      for (let at = start; at < end; at += inner) dx[at] = dy[at]! - Math.exp(y[at]!) * sum;
    }
  }
}
