// Focal loss of a class (Lin et al., "Focal loss for dense object detection", 2017), made of two calls of cross-entropy. For one row:
//
//   n = −ln p_y,  q = 1 − p_y,    loss = w_y u q^γ n,    d loss / d x_j = q^(γ − 1) (q + γ p_y n) · d n / d x_j
//
// Each has γ + 1 factors, whose errors add up. So the first call gives q and n with their rounding errors, and the products keep theirs.

import { newArray } from "../arguments/arrays.js";
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
  const { losses, grad, logits, shape, weight, sampleWeight, gradOutput } = terms;
  const rows = shape.outer * shape.inner;
  const log = newArray(fn, Float64Array.prototype, rows); // then the factor of the gradient
  const complements = newArray(fn, Float64Array.prototype, 3 * rows);
  const none = { grad: undefined, weight: undefined, sampleWeight: undefined, gradOutput: undefined };
  kernels.crossEntropy({ ...terms, ...none, losses: log, complements }, 0, temperature);

  const total = new Total();
  for (let r = 0; r < rows; r++) {
    const y = indices.at(r);
    const w = y < 0 ? 0 : weight === undefined ? 1 : weight[y]!;
    const u = y < 0 ? 0 : sampleWeight === undefined ? 1 : sampleWeight[r]!;
    const n = log[r]!;
    const q = complements[3 * r]!;
    // 0 and Infinity have no rounding error.
    const isPlain = !(q > 0 && n < Infinity);
    const qLost = isPlain ? 0 : complements[3 * r + 1]!;
    const nLost = isPlain ? 0 : complements[3 * r + 2]!;
    const p = isPlain ? 1 - q : 1 - q + lostByComplement(q, qLost);
    const plain = w === 0 && n === Infinity ? 0 : w * powerOf(q, p, gamma) * n;
    const loss = u === 0 ? 0 : u * (isPlain ? plain : plain + plain * (powerLost(q, qLost, p, gamma) + nLost / n)) + 0;
    total.add(loss);
    if (losses !== undefined) losses[r] = loss;
    if (grad === undefined) continue;
    const factor = isPlain ? powerOf(q, p, gamma) : gradientFactor(n, nLost, q, qLost, p, gamma);
    log[r] = gradOutput === undefined ? factor : factor * gradOutput[r]!;
  }
  if (grad !== undefined) {
    const more = logits instanceof Float64Array ? { complements } : {};
    kernels.crossEntropy({ ...terms, ...more, losses: undefined, gradOutput: log }, 0, temperature);
  }
  return total.value;
}

/** q^(γ − 1) (q + γ p n), rounded once or twice in all. */
function gradientFactor(n: number, nLost: number, q: number, qLost: number, p: number, gamma: number): number {
  const pLost = 1 - q - p + lostByComplement(q, qLost);
  const slope = gamma * p * n;
  const slopeLost = lostByProduct(gamma * p, n, slope) + gamma * (p * nLost + pLost * n);
  const sum = q + slope;
  const sumLost = lostBySum(q, slope, sum) + qLost + slopeLost;
  const power = powerOf(q, p, gamma - 1);
  const factor = power * sum;
  const lost = power * sumLost + lostByProduct(power, sum, factor) + factor * powerLost(q, qLost, p, gamma - 1);
  return Number.isFinite(lost) ? factor + lost : factor;
}

/** The rounding error of 1 − q, q's own included. */
function lostByComplement(q: number, qLost: number): number {
  return 1 - (1 - q) - q - qLost;
}

/** The rounding error of sum = a + b (Knuth's TwoSum). */
function lostBySum(a: number, b: number, sum: number): number {
  const added = sum - a;
  return a - (sum - added) + (b - added);
}

/** The rounding error of product = a · b (Dekker): products of halves are exact. */
function lostByProduct(a: number, b: number, product: number): number {
  const a1 = leading(a);
  const b1 = leading(b);
  return a1 * b1 - product + a1 * (b - b1) + (a - a1) * b1 + (a - a1) * (b - b1);
}

/** The first 26 bits. */
function leading(x: number): number {
  const scaled = x * (2 ** 27 + 1);
  return scaled - (scaled - x);
}

/**
 * q^γ of q = 1 − p; for γ = 0, 1 or 2 without a logarithm, and so the same on every engine. From p if p < ½: q has lost digits of a small p, which a large
 * γ would show, since (1 − p)^(1/p) is 1/e for p = 10⁻¹⁶, too.
 */
export function powerOf(q: number, p: number, gamma: number): number {
  if (gamma === 2) return q * q;
  if (gamma === 1) return q;
  if (gamma === 0) return 1;
  return p < 0.5 ? Math.exp(gamma * Math.log1p(-p)) : q ** gamma;
}

/** The relative error of `powerOf` from the rounding error of q, where it is computed from q. */
function powerLost(q: number, qLost: number, p: number, gamma: number): number {
  return gamma === 2 || gamma === 1 || p >= 0.5 ? (gamma * qLost) / q : 0;
}
