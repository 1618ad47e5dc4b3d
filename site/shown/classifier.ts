// What the page "A linear classifier" computes, and shows as its code.

import { initialLoss, linear, linearCrossEntropyGrad, linearHingeGrad, softmax } from "softmargin";

export interface Points {
  readonly x: Float32Array; // [points, 2]
  readonly y: Uint8Array; // the class of each
}
export interface Model {
  readonly weight: Float32Array; // [3, 2]
  readonly bias: Float32Array; // [3]
}
export interface Objective {
  readonly loss: "softmax" | "weston-watkins" | "crammer-singer";
  readonly p: 1 | 2; // the power of each violation of a margin
  readonly l2: number;
}

export function lossAndGradients({ x, y }: Points, { weight, bias }: Model, { loss, p, l2 }: Objective) {
  return loss === "softmax"
    ? linearCrossEntropyGrad(x, weight, y, { bias, l2 })
    : linearHingeGrad(x, weight, y, { bias, l2, form: loss, p });
}

export function step(points: Points, model: Model, objective: Objective, rate: number) {
  const { loss, gradWeight, gradBias } = lossAndGradients(points, model, objective);
  for (let i = 0; i < 6; i++) model.weight[i] -= rate * gradWeight[i];
  for (let c = 0; c < 3; c++) model.bias[c] -= rate * gradBias![c];
  return loss;
}

export function untrained({ loss, p }: Objective) {
  return loss === "softmax" ? initialLoss("crossEntropy", 3) : initialLoss("hinge", 3, { form: loss, p });
}

// Scores at every point of a grid, and what a softmax makes of them.
export function regions(grid: Float32Array, { weight, bias }: Model) {
  const rows = grid.length / 2;
  const scores = linear(grid, weight, { shape: [rows, 2], bias });
  return { scores, p: softmax(scores, { shape: [rows, 3] }) };
}
