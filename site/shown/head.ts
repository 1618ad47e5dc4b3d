// What the page "Train a head" computes, and shows as its code.

import type { Workspace } from "softmargin";

export const CLASSES = 10;

// All of it lies in a workspace, the kernels' own memory: nothing is copied on the way to them and back.
export function untrained(workspace: Workspace, width: number) {
  return {
    weight: workspace.float32(CLASSES * width), // zeros: every class scores the same
    bias: workspace.float32(CLASSES),
    gradWeight: workspace.float32(CLASSES * width),
    gradBias: workspace.float32(CLASSES),
  };
}
export type Head = ReturnType<typeof untrained>;

// x: [rows, width] features, labels: [rows] digits. Returns the loss before the step.
export function step(workspace: Workspace, head: Head, x: Float32Array, labels: Uint8Array, rate: number) {
  const { weight, bias, gradWeight, gradBias } = head;
  const { loss } = workspace.linearCrossEntropyGrad(x, weight, labels, { bias, gradWeight, gradBias });
  for (let i = 0; i < weight.length; i++) weight[i] -= rate * gradWeight[i];
  for (let c = 0; c < CLASSES; c++) bias[c] -= rate * gradBias[c];
  return loss;
}

export function judge(workspace: Workspace, { weight, bias }: Head, x: Float32Array) {
  const rows = (x.length * CLASSES) / weight.length;
  const scores = workspace.linear(x, weight, { shape: [rows, x.length / rows], bias });
  const guesses = workspace.argmax(scores, { shape: [rows, CLASSES] });
  const p = workspace.softmax(scores, { shape: [rows, CLASSES] });
  return { guesses, confidence: Float32Array.from(guesses, (guess, r) => p[r * CLASSES + guess]) };
}
