// linear model   scores = x·W + b                        x: [rows, inputs], W: [inputs, classes], b: [classes]
// its gradient   dW = xᵀ·dScores, db = Σ_rows dScores    dScores, like scores: [rows, classes], from the loss
// a step of SGD  W ← W − rate·dW,  b ← b − rate·db
//
// The trick: four out of five pixels of a digit are 0 and add nothing to either product, so both loops skip them. W has a row
// for each pixel, so that the weights a pixel needs lie side by side.

export interface LinearModel {
  readonly inputs: number;
  readonly classes: number;
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

/** Small random weights, uniform in ±spread, and no bias: a model that prefers no class. */
export function createModel(inputs: number, classes: number, spread: number, random: () => number): LinearModel {
  const weights = Float32Array.from({ length: inputs * classes }, () => spread * (2 * random() - 1));
  return { inputs, classes, weights, bias: new Float32Array(classes) };
}

/** scores = x·W + b for the images numbered `rows`; a byte counts as byte / 255. */
export function computeScores(scores: Float32Array, model: LinearModel, images: Uint8Array, rows: Int32Array): void {
  const { inputs, classes, weights, bias } = model;
  for (let r = 0; r < rows.length; r++) {
    const score = r * classes;
    const image = rows[r]! * inputs;
    scores.set(bias, score);
    for (let i = 0; i < inputs; i++) {
      const byte = images[image + i]!;
      if (byte === 0) continue;
      const x = byte / 255;
      const weight = i * classes;
      for (let c = 0; c < classes; c++) scores[score + c]! += x * weights[weight + c]!;
    }
  }
}

/** One step of gradient descent, W ← W − rate · xᵀ·dScores, straight into the weights. */
export function descend(
  model: LinearModel,
  dScores: Float32Array,
  images: Uint8Array,
  rows: Int32Array,
  rate: number,
): void {
  const { inputs, classes, weights, bias } = model;
  for (let r = 0; r < rows.length; r++) {
    const score = r * classes;
    const image = rows[r]! * inputs;
    for (let c = 0; c < classes; c++) bias[c]! -= rate * dScores[score + c]!;
    for (let i = 0; i < inputs; i++) {
      const byte = images[image + i]!;
      if (byte === 0) continue;
      const step = rate * (byte / 255);
      const weight = i * classes;
      for (let c = 0; c < classes; c++) weights[weight + c]! -= step * dScores[score + c]!;
    }
  }
}
