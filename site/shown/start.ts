// What the start page computes, and shows as its code.

import { argmax, crossEntropy, crossEntropyGrad, hinge, logSumExp, sample, softmax, topK } from "softmargin";

type Call = (x: number[], y: number) => unknown;
export const probabilities: Call = (x) => softmax(x);
export const logOfSum: Call = (x) => logSumExp(x);
export const loss: Call = (x, y) => crossEntropy(x, y);
export const gradient: Call = (x, y) => crossEntropyGrad(x, y).grad;
export const margin: Call = (x, y) => hinge(x, y);
export const largest: Call = (x) => argmax(x);
export const best: Call = (x) => topK(x, 2);
export const drawn: Call = (x) => sample(x, { topP: 0.9 });

// What one writes.
export function softmaxByHand(x: number[]) {
  const max = Math.max(...x);
  const e = x.map((logit) => Math.exp(logit - max));
  const sum = e.reduce((a, b) => a + b);
  return e.map((part) => part / sum);
}

export function lossByHand(x: number[], y: number) {
  return -Math.log(softmaxByHand(x)[y]);
}
