// Focal loss of a class (Lin et al., "Focal loss for dense object detection", 2017), made of two calls of cross-entropy. For one row:
//
//   n = −ln p_y,  q = 1 − p_y = 1 − e^−n,    loss = w_y u q^γ n,    d loss / d x_j = q^γ (1 + γ p_y n/q) · d n / d x_j
//
// n/q → 1 as q → 0, and p_y n → 0 as p_y → 0: nothing cancels or overflows, however small γ is.

import { newArray } from "../arguments/arrays.js";
import { fillWith } from "../arguments/typedArrays.js";
import type { ClassIndices, Kernels, LossTerms } from "../kernels.js";
import { ofType } from "./loss.js";
import { Total } from "./reduction.js";

/**
 * The loss has γ + 1 factors that are as good as the exponentials. Few of them in f32 are not good enough: n of that many classes is computed in f64; more
 * classes would take twice the time.
 */
const FEW = 10;
/** How many e^−n make a row of the kernel that computes them. */
const TERMS = 16;

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
  const inner = Math.ceil(rows / TERMS);
  const log = newArray(fn, Float64Array.prototype, (TERMS + 1) * inner); // n, then −n; and zeros
  const p = newArray(fn, Float64Array.prototype, (TERMS + 1) * inner); // 0 and 1, then −p
  const q = newArray(fn, Float64Array.prototype, rows); // 1, then q, then the factor of the gradient
  const none = { grad: undefined, weight: undefined, sampleWeight: undefined, gradOutput: undefined };
  const logits = shape.classes > FEW ? terms.logits : ofType(terms.logits, Float64Array);
  kernels.crossEntropy({ ...terms, ...none, logits, losses: log }, 0, temperature);
  for (let r = 0; r < rows; r++) log[r]! *= -1;
  // The backend's own e^−n, by a product whose Σ dy is 1: Math.exp differs between engines.
  if (grad !== undefined || (gamma !== 1 && gamma !== 2)) {
    fillWith(p, 1, TERMS * inner, p.length);
    kernels.logSoftmaxGrad(p, log, p, { outer: 1, classes: TERMS + 1, inner });
  }
  fillWith(q, 1, 0, rows);
  kernels.logSigmoidGrad(q, log, q, { outer: rows, classes: 1, inner: 1 });

  const total = new Total();
  for (let r = 0; r < rows; r++) {
    const y = indices.at(r);
    const w = y < 0 ? 0 : weight === undefined ? 1 : weight[y]!;
    const u = y < 0 ? 0 : sampleWeight === undefined ? 1 : sampleWeight[r]!;
    const n = -log[r]!;
    const qr = q[r]!;
    const pr = -p[r]!;
    const power = powerOf(qr, pr, gamma);
    const loss = u === 0 ? 0 : u * (w === 0 && n === Infinity ? 0 : w * power * n) + 0;
    total.add(loss);
    if (losses !== undefined) losses[r] = loss;
    if (grad === undefined) continue;
    const factor = qr === 0 ? 0 : power * (1 + (pr === 0 ? 0 : (gamma * pr * n) / qr));
    q[r] = gradOutput === undefined ? factor : factor * gradOutput[r]!;
  }
  if (grad !== undefined) kernels.crossEntropy({ ...terms, losses: undefined, gradOutput: q }, 0, temperature);
  return total.value;
}

/**
 * q^γ of q = 1 − p; where γ is 0, 1 or 2 without a logarithm, and so the same on every engine. A small p has lost digits in q, which a large γ would show:
 * (1 − p)^(1/p) is 1/e for p = 10⁻¹⁶, too.
 */
export function powerOf(q: number, p: number, gamma: number): number {
  if (gamma === 2) return q * q;
  if (gamma === 1) return q;
  if (gamma === 0) return 1;
  return p < 0.5 ? Math.exp(gamma * Math.log1p(-p)) : q ** gamma;
}
