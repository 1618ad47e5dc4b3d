// Cross-entropy of a row and its target, a class y or class probabilities t.
// logits, grad, t: [outer, classes, inner]; loss, y: [outer, inner]
//
//   z_j = (x_j − m) / T,  m = x_k = max x,  e_j = exp(z_j),  s = Σ_{j ≠ k} e_j,  d = 1 + s
//   p_j = e_j / d,  −log p_j = log d − z_j,  log d = log1p(s)
//
//                               loss                              d loss / d z_j
//   class y                     w_y (log d − z_y)                 w_y (p_j − [j = y])
//   any q, with Q = Σ_j q_j     Q log d − Σ_j q_j z_j             Q p_j − q_j
//     y smoothed by ε           q_j = w_j ε/C + (1 − ε) w_y [j = y]
//     t smoothed by ε           q_j = w_j ((1 − ε) t_j + ε/C)
//
// Then the loss times u, and the gradient times u · gradOutput · gradScale / T.
//
// Where a probability comes near 1 nothing cancels: the loss adds terms ≥ 0 only; p_y − 1 is −Σ_{j ≠ y} e_j / d; and
// Q p_k − q_k, once p_k > ½, is Σ_{j ≠ k} q_j − Q s / d.

import { sum } from "../functions/reduction.js";
import type { FloatArray, LossTerms } from "../kernels.js";
import { Losses } from "./losses.js";
import { rowExp, rowShift, rowStore, rowZero, scratchRow } from "./row.js";

export function crossEntropy(terms: LossTerms, labelSmoothing: number, temperature: number): number {
  return terms.indices !== undefined && labelSmoothing === 0
    ? classTargets(terms, temperature)
    : anyTargets(terms, labelSmoothing, temperature);
}

function classTargets(terms: LossTerms, temperature: number): number {
  const { grad, complements, logits, weight, sampleWeight, gradOutput, gradScale, accumulate, clears } = terms;
  const { outer, classes, inner } = terms.shape;
  const indices = terms.indices!;
  const e = scratchRow(0, classes);
  const losses = new Losses(terms.losses);
  for (let o = 0, row = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++, row++) {
      const start = o * classes * inner + i;
      const y = indices.at(row);
      const u = sampleWeight === undefined ? 1 : sampleWeight[row]!;
      if (y < 0 || u === 0) {
        losses.set(row, 0);
        if (grad !== undefined) rowZero(grad, start, inner, classes, accumulate, clears);
        continue;
      }
      const k = rowShift(e, logits, start, inner, classes, temperature);
      const zy = e[y]!;
      const s = rowExp(e, e, classes, k);
      const w = weight === undefined ? 1 : weight[y]!;
      if (complements !== undefined) {
        const q = (s + (1 - e[y]!)) / (1 + s);
        complements[3 * row] = q;
        complements[3 * row + 1] = q > 0.5 ? 1 - q - e[y]! / (1 + s) : 0;
      }
      losses.set(row, u * (w * Math.log1p(s) - (w === 0 ? 0 : w * zy))); // 0 · (−log 0) counts as 0
      if (grad === undefined) continue;
      const d = 1 + s;
      const upstream = gradOutput === undefined ? gradScale : gradScale * gradOutput[row]!;
      e[y] = y === k ? -s : e[y]! - d; // minus the sum of the others
      rowStore(grad, start, inner, classes, e, (upstream * u * w) / temperature / d, accumulate);
    }
  }
  return losses.total;
}

function anyTargets(terms: LossTerms, labelSmoothing: number, temperature: number): number {
  const { grad, logits, indices, probabilities, weight, sampleWeight, gradOutput, gradScale, accumulate, clears } =
    terms;
  const { outer, classes, inner } = terms.shape;
  const e = scratchRow(0, classes);
  const losses = new Losses(terms.losses);
  const q = scratchRow(1, classes);
  const w = scratchRow(2, classes);
  for (let j = 0; j < classes; j++) w[j] = weight === undefined ? 1 : weight[j]!;
  for (let o = 0, row = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++, row++) {
      const start = o * classes * inner + i;
      const y = indices === undefined ? 0 : indices.at(row);
      const u = sampleWeight === undefined ? 1 : sampleWeight[row]!;
      if (y < 0 || u === 0) {
        losses.set(row, 0);
        if (grad !== undefined) rowZero(grad, start, inner, classes, accumulate, clears);
        continue;
      }
      if (indices !== undefined) smoothClass(q, w, y, classes, labelSmoothing);
      else smoothProbabilities(q, w, probabilities!, start, inner, classes, labelSmoothing);
      const k = rowShift(e, logits, start, inner, classes, temperature);

      // Both sums leave k out: z_k is 0, and the gradient at k needs the q of the others.
      const qk = q[k]!;
      q[k] = 0;
      const others = sum(q, classes);
      const cross = -dot(q, e, classes);
      q[k] = qk;

      const s = rowExp(e, e, classes, k);
      const total = others + qk;
      losses.set(row, u * (total * Math.log1p(s) + cross));
      if (grad === undefined) continue;
      const scale = total / (1 + s);
      for (let j = 0; j < classes; j++) e[j] = e[j]! * scale - q[j]!;
      if (s < 1) e[k] = others - scale * s;
      const upstream = gradOutput === undefined ? gradScale : gradScale * gradOutput[row]!;
      rowStore(grad, start, inner, classes, e, (upstream * u) / temperature, accumulate);
    }
  }
  return losses.total;
}

/** Σ q_j · z_j, pairwise; 0 · (−Infinity) counts as 0. */
function dot(q: Float64Array, z: Float64Array, to: number, from = 0): number {
  if (to - from > 256) {
    const middle = (from + to) >>> 1;
    return dot(q, z, middle, from) + dot(q, z, to, middle);
  }
  let total = 0;
  for (let j = from; j < to; j++) if (q[j] !== 0) total += q[j]! * z[j]!;
  return total;
}

function smoothClass(q: Float64Array, w: Float64Array, y: number, classes: number, smoothing: number): void {
  const spread = smoothing / classes;
  for (let j = 0; j < classes; j++) q[j] = w[j]! * spread;
  q[y]! += (1 - smoothing) * w[y]!;
}

function smoothProbabilities(
  q: Float64Array,
  w: Float64Array,
  t: FloatArray,
  start: number,
  stride: number,
  classes: number,
  smoothing: number,
): void {
  const keep = 1 - smoothing;
  const spread = smoothing / classes;
  for (let j = 0, at = start; j < classes; j++, at += stride) q[j] = w[j]! * (keep * t[at]! + spread);
}
