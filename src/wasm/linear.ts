// A linear layer and its losses on linear memory.

import { isSingle } from "../arguments/typedArrays.js";
import type { FloatArray, Formulation, Layer, LayerTerms, LossTerms } from "../kernels.js";
import { NONE_NARROW } from "./blocks.js";
import type { LayerBlocks } from "./layer.js";
import {
  bytesPerRow,
  crossEntropy,
  crossEntropyKernel,
  enterRows,
  hingeKernel,
  keptElements,
  type LossKernel,
  startLoss,
} from "./losses.js";
import { scaleFor } from "./temperature.js";

export function linear(blocks: LayerBlocks, z: FloatArray, layer: Layer): void {
  const b = blocks.openLayer(layer, undefined, 1, 0, 0);
  do {
    const there = b.inPlace(z);
    const zs = there !== 0 ? there : b.arena.take(b.elements * b.bytes);
    b.blockLogits(zs, b.enterFeatures(layer.x), layer);
    b.leave(z, zs, false);
  } while (b.next());
}

export function linearCrossEntropy(
  blocks: LayerBlocks,
  terms: LayerTerms,
  labelSmoothing: number,
  temperature: number,
): number {
  return scaleFor(temperature) === 1
    ? layerLoss(blocks, terms, crossEntropyKernel(terms, labelSmoothing, temperature))
    : throughLogits(blocks, terms, (loss) => crossEntropy(blocks, loss, labelSmoothing, temperature));
}

export function linearHinge(
  blocks: LayerBlocks,
  terms: LayerTerms,
  form: Formulation,
  margin: number,
  p: 1 | 2,
  divisor: number,
): number {
  return layerLoss(blocks, terms, hingeKernel(terms, form, margin, p, divisor));
}

/** The loss of a layer and its gradients, block by block; `kernel` turns the logits into their gradient. */
function layerLoss(blocks: LayerBlocks, terms: LayerTerms, kernel: LossKernel): number {
  const { layer, losses, probabilities, gradWeight } = terms;
  const slots = probabilities === undefined ? 1 : 2;
  const b = blocks.openLayer(layer, terms, slots, bytesPerRow(terms), keptElements(terms));
  const at = startLoss(b, terms);
  do {
    enterRows(b, at, terms);
    const xs = b.enterFeatures(layer.x);
    at.logits = b.arena.take(b.elements * b.bytes);
    at.grads = gradWeight === undefined ? 0 : at.logits;
    at.probabilities = probabilities === undefined ? 0 : b.enter(probabilities);
    b.blockLogits(at.logits, xs, layer);
    kernel(b, at);
    if (losses !== undefined) b.leaveRows(losses, at.losses);
    if (gradWeight !== undefined) b.blockGrads(at.logits, xs, terms);
  } while (b.next());
  return b.readTotal(at.total);
}

/** The same with all logits in memory: for temperatures that the kernels do not take. */
function throughLogits(blocks: LayerBlocks, terms: LayerTerms, lossOf: (terms: LossTerms) => number): number {
  const { layer, gradWeight } = terms;
  const length = layer.rows * layer.classes;
  const logits = isSingle(layer.x) ? new Float32Array(length) : new Float64Array(length);
  const grad = gradWeight && logits;
  linear(blocks, logits, layer);
  const total = lossOf({ ...terms, logits, grad, accumulate: false, clears: true });
  if (grad === undefined) return total;
  const b = blocks.openLayer(layer, terms, 1, 0, 0);
  do b.blockGrads(b.enter(grad), b.enterFeatures(layer.x), terms);
  while (b.next());
  return total;
}

export function decay(
  blocks: LayerBlocks,
  gradWeight: FloatArray | undefined,
  { weight, classes, features }: Layer,
  l2: number,
): number {
  const b = blocks.open(weight, { outer: classes, classes: features, inner: 1 }, NONE_NARROW, 2);
  let sum = 0;
  do {
    const ws = b.enter(weight);
    const grads = gradWeight === undefined ? 0 : b.enter(gradWeight);
    sum += b.exports.decay(b.bytes, grads, ws, b.elements, l2);
    if (gradWeight !== undefined) b.leave(gradWeight, grads, false);
  } while (b.next());
  return sum;
}
