// Focal loss of a class (Lin et al., "Focal loss for dense object detection", 2017), made of two calls of cross-entropy. For one row:
//
//   n = −ln p_y,  q = 1 − p_y = 1 − e^−n,    loss = w_y u q^γ n,    d loss / d x_j = q^γ (1 + γ p_y n/q) · d n / d x_j
//
// n/q → 1 as q → 0, and p_y n → 0 as p_y → 0: nothing cancels or overflows, however small γ is.

import { newArray } from "../arguments/arrays.js";
import { fillWith } from "../arguments/typedArrays.js";
import type { ClassIndices, Kernels, LossTerms } from "../kernels.js";
import { Total } from "./reduction.js";

/** The sum of the losses; each loss and the gradient go where `terms` says. */
export function focal(
  kernels: Kernels,
  fn: string,
  terms: LossTerms,
  indices: ClassIndices,
  gamma: number,
  temperature: number,
): number {
  const { losses, grad, shape, weight, sampleWeight, gradOutput } = terms;
  const rows = shape.outer * shape.inner;
  const log = newArray(fn, Float64Array.prototype, 2 * rows); // n, then −n; and zeros
  const p = newArray(fn, Float64Array.prototype, 2 * rows); // 0 and 1, then −p and 0
  const q = newArray(fn, Float64Array.prototype, rows); // 1, then q, then the factor of the gradient
  const none = { grad: undefined, weight: undefined, sampleWeight: undefined, gradOutput: undefined };
  kernels.crossEntropy({ ...terms, ...none, losses: log }, 0, temperature);
  for (let r = 0; r < rows; r++) log[r]! *= -1;
  // The backend's own e^−n, by a product whose Σ dy is 1: Math.exp differs between engines.
  fillWith(p, 1, rows, 2 * rows);
  kernels.logSoftmaxGrad(p, log, p, { outer: 1, classes: 2, inner: rows });
  fillWith(q, 1, 0, rows);
  kernels.logSigmoidGrad(q, log, q, { outer: rows, classes: 1, inner: 1 });

  const total = new Total();
  for (let r = 0; r < rows; r++) {
    const y = indices.at(r);
    const w = y < 0 ? 0 : weight === undefined ? 1 : weight[y]!;
    const u = y < 0 ? 0 : sampleWeight === undefined ? 1 : sampleWeight[r]!;
    const n = -log[r]!;
    const power = powerOf(q[r]!, gamma);
    const loss = u === 0 ? 0 : u * (w === 0 && n === Infinity ? 0 : w * power * n) + 0;
    total.add(loss);
    if (losses !== undefined) losses[r] = loss;
    const factor = q[r] === 0 ? 0 : power * (1 - (p[r] === 0 ? 0 : (gamma * p[r]! * n) / q[r]!));
    q[r] = gradOutput === undefined ? factor : factor * gradOutput[r]!;
  }
  if (grad !== undefined) kernels.crossEntropy({ ...terms, losses: undefined, gradOutput: q }, 0, temperature);
  return total.value;
}

/** x^γ for x ≥ 0; where γ is 0, 1 or 2 without a logarithm, and so the same on every engine. */
export function powerOf(x: number, gamma: number): number {
  if (gamma === 2) return x * x;
  if (gamma === 1) return x;
  return gamma === 0 ? 1 : x ** gamma;
}
