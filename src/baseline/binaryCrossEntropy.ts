// Binary cross-entropy of each element and its target t, focal with γ > 0. With p = sigmoid(x), c = 1 − p = sigmoid(−x), e = e^−|x|:
//
//   a = posWeight · (t (1 − ε) + ε/2),  b = (1 − t)(1 − ε) + ε/2
//   s = −ln p = log1p(e) + max(−x, 0),  z = −ln c = log1p(e) + max(x, 0)
//
//   loss = u w (a c^γ s + b p^γ z)
//   grad = u w (b p^γ (p + γ c z) − a c^γ (c + γ p s)) · gradOutput · gradScale
//
// All terms of a, b and of the loss are ≥ 0: only those of the gradient can cancel, where t is neither 0 nor 1.

import { powerOf } from "../functions/focal.js";
import type { BinaryTerms } from "../kernels.js";
import { Losses } from "./losses.js";

export function binaryCrossEntropy(terms: BinaryTerms): number {
  const { grad, logits, targets, weight, posWeight, sampleWeight, gradOutput, gradScale } = terms;
  const { accumulate, labelSmoothing, gamma } = terms;
  const { outer, classes, inner } = terms.shape;
  const keep = 1 - labelSmoothing;
  const half = labelSmoothing / 2;
  const losses = new Losses(terms.losses);
  for (let o = 0, at = 0; o < outer; o++) {
    for (let j = 0; j < classes; j++) {
      const w = weight === undefined ? 1 : weight[j]!;
      const ws = posWeight === undefined ? 1 : posWeight[j]!;
      for (let i = 0; i < inner; i++, at++) {
        const factor = sampleWeight === undefined ? w : w * sampleWeight[o * inner + i]!;
        if (factor === 0) {
          losses.set(at, 0);
          if (grad !== undefined && !accumulate) grad[at] = 0;
          continue;
        }
        const x = logits[at]!;
        const t = targets[at]!;
        const e = Math.exp(-Math.abs(x));
        const log = Math.log1p(e);
        const p = (x < 0 ? e : 1) / (1 + e);
        const c = (x < 0 ? 1 : e) / (1 + e);
        const s = log + Math.max(-x, 0);
        const z = log + Math.max(x, 0);
        const a = ws * (keep * t + half) * powerOf(c, p, gamma);
        const b = (keep * (1 - t) + half) * powerOf(p, c, gamma);
        losses.set(at, factor * (times(a, s) + times(b, z)));
        if (grad === undefined) continue;
        const slope = b * (p + gamma * times(c, z)) - a * (c + gamma * times(p, s));
        const upstream = gradOutput === undefined ? gradScale : gradScale * gradOutput[at]!;
        const value = upstream * factor * slope + 0; // not −0
        grad[at] = accumulate ? grad[at]! + value : value;
      }
    }
  }
  return losses.total;
}

/** f · x, and 0 where f is 0, though x may be Infinity. */
function times(f: number, x: number): number {
  return f === 0 ? 0 : f * x;
}
