// linear model   scores = x·Wᵀ + b       x: [rows, inputs], W: [classes, inputs], b: [classes]; `linear` of softmargin
// a step of SGD  W ← W − rate·dW,  b ← b − rate·db

export interface LinearModel {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** Small random weights, uniform in ±spread, and no bias: a model that prefers no class. */
export function createModel(inputs: number, classes: number, spread: number, random: () => number): LinearModel {
  const weight = Float32Array.from({ length: classes * inputs }, () => spread * (2 * random() - 1));
  return { weight, bias: new Float32Array(classes) };
}

/** One step of gradient descent. */
export function descend(model: LinearModel, gradient: LinearModel, rate: number): void {
  const { weight, bias } = model;
  for (let i = 0; i < weight.length; i++) weight[i]! -= rate * gradient.weight[i]!;
  for (let c = 0; c < bias.length; c++) bias[c]! -= rate * gradient.bias[c]!;
}
