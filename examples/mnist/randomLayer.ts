// A layer that nothing has taught   features = max(0, x·Rᵀ + r) − m       x: [rows, 28 · 28]
//
// Each feature looks at a patch of 7 × 7 pixels, somewhere in the image: there its row of R is random, elsewhere 0, so that features see
// strokes. m is the mean of each over some images. Without it all features rise and fall together, and a head on them learns slowly.

import { linear } from "softmargin";
import type { LinearModel } from "./linearModel.js";

const side = 28;
const patch = 7;
const spread = 0.2;

export interface RandomLayer extends LinearModel {
  readonly mean: Float32Array;
}

/** `images`: those of which the mean is. */
export function randomLayer(features: number, images: Float32Array, random: () => number): RandomLayer {
  const weight = new Float32Array(features * side * side);
  const bias = new Float32Array(features);
  const small = () => spread * (2 * random() - 1);
  const place = () => Math.floor((side - patch + 1) * random());
  for (let f = 0; f < features; f++) {
    const corner = (f * side + place()) * side + place();
    for (let i = 0; i < patch * patch; i++) weight[corner + Math.floor(i / patch) * side + (i % patch)] = small();
    bias[f] = small();
  }
  const mean = new Float32Array(features);
  const made = featuresOf(images, { weight, bias, mean });
  const rows = made.length / features;
  for (let i = 0; i < made.length; i++) mean[i % features]! += made[i]! / rows;
  return { weight, bias, mean };
}

/** `out`: where they go, [rows, features]. */
export function featuresOf(images: Float32Array, layer: RandomLayer, out?: Float32Array): Float32Array {
  const { weight, bias, mean } = layer;
  const made = linear(images, weight, { shape: [images.length / side ** 2, side ** 2], bias, out });
  for (let start = 0; start < made.length; start += mean.length)
    for (let f = 0; f < mean.length; f++) made[start + f] = Math.max(0, made[start + f]!) - mean[f]!;
  return made;
}
