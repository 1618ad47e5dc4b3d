// Training of a linear classifier by full-batch gradient descent with momentum: v = 0.9 v + g, w = w − rate · v.
//
//   sums: loss, its denominator, gradient of the weights [classes, features], gradient of the bias [classes]
//   a step's file: [2, classes · (features + 1)] doubles: w and v, each the weights and then the bias

import { linear, linearCrossEntropy, linearCrossEntropyGrad, linearHinge, linearHingeGrad } from "softmargin";
import { evaluate } from "./evaluate.js";
import type { Partial } from "./partial.js";
import { type Block, readDoubles } from "./shard.js";
import type { Job } from "./worker.js";

const MOMENTUM = 0.9;
const [LOSS, DENOMINATOR, GRADIENT] = [0, 1, 2];

export const OBJECTIVES = {
  softmax: { loss: linearCrossEntropy, grad: linearCrossEntropyGrad, rate: 0.3 },
  svm: { loss: linearHinge, grad: linearHingeGrad, rate: 0.01 },
} as const;
export type Objective = keyof typeof OBJECTIVES;

interface Model {
  readonly classes: number;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** The weights of a step, as the workers use them: in f32. */
async function readModel(path: string, classes: number): Promise<Model> {
  const state = await readDoubles(path);
  const w = Float32Array.from(state.subarray(0, state.length / 2));
  return { classes, weight: w.subarray(0, w.length - classes), bias: w.subarray(w.length - classes) };
}

/** The job of a step: the gradient at the weights in a file. */
export async function gradientJob(objective: Objective, path: string, classes: number): Promise<Job> {
  const { weight, bias } = await readModel(path, classes);
  const { loss, grad } = OBJECTIVES[objective];
  return {
    size: GRADIENT + weight.length + classes,
    add(sums: Partial, { x, targets }: Block): number {
      const { loss, gradWeight, gradBias } = grad(x, weight, targets, { bias, reduction: "parts" });
      sums[LOSS]! += loss.sum;
      sums[DENOMINATOR]! += loss.denominator;
      for (let i = 0; i < weight.length; i++) sums[GRADIENT + i]! += gradWeight[i]!;
      for (let j = 0; j < classes; j++) sums[GRADIENT + weight.length + j]! += gradBias![j]!;
      return loss.sum;
    },
    losses: ({ x, targets }: Block) => loss(x, weight, targets, { bias, reduction: "none" }),
  };
}

/** The evaluation of the logits that the weights in a file make of features. */
export async function testJob(path: string, classes: number): Promise<Job> {
  const { weight, bias } = await readModel(path, classes);
  const ofLogits = (block: Block): Block => {
    const { x, rows, columns } = block;
    return { ...block, x: linear(x, weight, { bias, shape: [rows, columns] }), columns: classes };
  };
  return {
    size: evaluate.size,
    add: (sums, block) => evaluate.add(sums, ofLogits(block)),
    losses: (block) => evaluate.losses(ofLogits(block)),
  };
}

/** The state after a step down the gradient. */
export function step(state: Float64Array, sums: Partial, rate: number): Float64Array {
  const n = state.length / 2;
  const next = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) {
    next[n + i] = MOMENTUM * state[n + i]! + sums[GRADIENT + i]! / sums[DENOMINATOR]!;
    next[i] = state[i]! - rate * next[n + i]!;
  }
  return next;
}

export const meanLoss = (sums: Partial): number => sums[LOSS]! / sums[DENOMINATOR]!;
