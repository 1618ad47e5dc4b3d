// sigmoid          y = 1 / (1 + e^−x);  with e = e^−|x| ≤ 1 it is 1 / (1 + e) for x ≥ 0 and e / (1 + e) for x < 0
// sigmoidGrad      dx = dy · y · (1 − y)
// logSigmoid       y = −ln(1 + e^−x) = min(x, 0) − log1p(e)
// logSigmoidGrad   dx = dy · (1 − e^y)
//
// Elementwise; of the shape only the size matters.

import type { FloatArray, Shape } from "../kernels.js";

export function sigmoid(y: FloatArray, x: FloatArray, shape: Shape): void {
  const n = sizeOf(shape);
  for (let i = 0; i < n; i++) {
    const e = Math.exp(-Math.abs(x[i]!));
    y[i] = (x[i]! < 0 ? e : 1) / (1 + e);
  }
}

export function sigmoidGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void {
  const n = sizeOf(shape);
  for (let i = 0; i < n; i++) dx[i] = dy[i]! * (y[i]! * (1 - y[i]!));
}

export function logSigmoid(y: FloatArray, x: FloatArray, shape: Shape): void {
  const n = sizeOf(shape);
  for (let i = 0; i < n; i++) y[i] = Math.min(x[i]!, 0) - Math.log1p(Math.exp(-Math.abs(x[i]!)));
}

export function logSigmoidGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void {
  const n = sizeOf(shape);
  for (let i = 0; i < n; i++) dx[i] = dy[i]! * (0 - Math.expm1(y[i]!));
}

function sizeOf({ outer, classes, inner }: Shape): number {
  return outer * classes * inner;
}
