// What the page "A token out of 151,936" computes, and shows as its code.

import { crossEntropy, sample, softmax, topK } from "softmargin";

export const VOCABULARY = 151_936;

export interface Choice {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
}

// One row of logits goes in, a token comes out.
export function draw(logits: Float32Array, choice: Choice, random: () => number) {
  return sample(logits, { ...choice, random });
}

// What sample leaves to draw from: first topK, then topP of what is left, then minP.
export function left(logits: Float32Array, choice: Choice) {
  const { indices, values } = topK(logits, choice.topK, { temperature: choice.temperature });
  const mass = values.reduce((a, b) => a + b, 0);
  let count = 0;
  for (let sum = 0; count < values.length && sum < choice.topP * mass; count++) sum += values[count];
  while (values[count - 1] < choice.minP * values[0]) count--;
  return { tokens: indices.subarray(0, count), p: values.subarray(0, count) };
}

// The entropy of what is left, in nats: the cross-entropy of a distribution with itself.
export function entropy(logits: Float32Array, tokens: Int32Array, temperature: number) {
  const z = Float32Array.from(tokens, (token) => logits[token]);
  return crossEntropy(z, softmax(z, { temperature }), { shape: [z.length], temperature });
}

// The same draw as it is usually written: an object for each token, and a sort of all of them.
export function drawBySorting(logits: Float32Array, choice: Choice, random: () => number) {
  let max = -Infinity;
  for (const logit of logits) max = Math.max(max, logit);
  const all = Array.from(logits, (logit, token) => ({ token, e: Math.exp((logit - max) / choice.temperature) }))
    .sort((a, b) => b.e - a.e)
    .slice(0, choice.topK);
  const mass = all.reduce((sum, { e }) => sum + e, 0);
  let count = 0;
  for (let sum = 0; count < all.length && sum < choice.topP * mass; count++) sum += all[count].e;
  const kept = all.slice(0, count).filter(({ e }) => e >= choice.minP * all[0].e);
  let rest = random() * kept.reduce((sum, { e }) => sum + e, 0);
  for (const { token, e } of kept) {
    rest -= e;
    if (rest < 0) return token;
  }
  return kept[kept.length - 1].token;
}
