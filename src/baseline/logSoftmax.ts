// logSoftmax       y_j = z_j − log d,  z_j = (x_j − m) / T,  d = Σ_k exp(z_k),  m = max x      x, y: [outer, classes, inner]
// logSoftmaxGrad   dx_j = dy_j − exp(y_j) Σ_k dy_k                                            from y alone
//
// Never log(softmax(x)): a probability that underflows to 0 still has a logarithm, and one near 1 has lost its last digits.

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
      let sum = 0;
      for (let at = start; at < end; at += inner) sum += dy[at]!;
      for (let at = start; at < end; at += inner) dx[at] = dy[at]! - Math.exp(y[at]!) * sum;
    }
  }
}
