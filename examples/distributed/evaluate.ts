// Evaluation: loss, perplexity, accuracy and calibration of logits.
//
//   sums: loss, its denominator, right answers; for each of 15 bins of the confidence p = max softmax: rows, Σ p, right answers
//   calibration error = Σ over the bins |Σ p − right| / rows      (ECE; Guo et al., "On calibration of modern neural networks", 2017)

import { crossEntropy, topK } from "softmargin";
import type { Partial } from "./partial.js";
import type { Block } from "./shard.js";
import type { Job } from "./worker.js";

const BINS = 15;
const [LOSS, DENOMINATOR, RIGHT, FIRST_BIN] = [0, 1, 2, 3];

export const evaluate: Job = {
  size: FIRST_BIN + 3 * BINS,

  add(sums: Partial, { x: logits, targets, rows, columns }: Block): number {
    const { sum, denominator } = crossEntropy(logits, targets, { reduction: "parts" });
    sums[LOSS]! += sum;
    sums[DENOMINATOR]! += denominator;
    const { indices, values } = topK(logits, 1, { shape: [rows, columns] });
    for (let r = 0; r < rows; r++) {
      if (targets[r]! < 0) continue;
      const p = values[r]!;
      const bin = FIRST_BIN + 3 * Math.min(BINS - 1, Math.floor(p * BINS));
      const isRight = Number(indices[r] === targets[r]);
      sums[RIGHT]! += isRight;
      sums[bin]! += 1;
      sums[bin + 1]! += p;
      sums[bin + 2]! += isRight;
    }
    return sum;
  },

  losses: ({ x: logits, targets }: Block) => crossEntropy(logits, targets, { reduction: "none" }),
};

export interface Evaluation {
  readonly rows: number;
  readonly loss: number;
  readonly perplexity: number;
  readonly accuracy: number;
  readonly calibrationError: number;
}

export function evaluation(sums: Partial): Evaluation {
  const rows = sums[DENOMINATOR]!;
  const loss = sums[LOSS]! / rows;
  let off = 0;
  for (let bin = FIRST_BIN; bin < sums.length; bin += 3) off += Math.abs(sums[bin + 1]! - sums[bin + 2]!);
  return { rows, loss, perplexity: Math.exp(loss), accuracy: sums[RIGHT]! / rows, calibrationError: off / rows };
}
