// The losses of rows on linear memory, with their gradients: cross-entropy and hinge.

import { bytesPerElement, fillWith, setFrom } from "../arguments/typedArrays.js";
import type { FloatArray, Formulation, LayerTerms, LossTerms } from "../kernels.js";
import type { Blocks, LossPointers } from "./blocks.js";
import type { Exports } from "./exports.js";
import { scaledCopy, scaleFor } from "./temperature.js";

type Terms = LossTerms | LayerTerms;

/** Computes the loss of a block. */
export type LossKernel = (b: Blocks, at: LossPointers) => void;

export function crossEntropy(blocks: Blocks, terms: LossTerms, labelSmoothing: number, temperature: number): number {
  const scale = scaleFor(temperature);
  return scale === 1
    ? lossOf(blocks, terms, blocks.exports.narrowExp, crossEntropyKernel(terms, labelSmoothing, temperature), false)
    : scaledCrossEntropy(blocks, terms, labelSmoothing, temperature, scale);
}

export function crossEntropyKernel({ shape, gradScale }: Terms, smoothing: number, temperature: number): LossKernel {
  return (b, at) =>
    b.exports.crossEntropy(
      b.bytes,
      at.total,
      at.losses,
      at.grads,
      at.complements,
      at.logits,
      at.targets,
      at.probabilities,
      at.weight,
      at.sampleWeight,
      at.gradOutput,
      b.rowOuters,
      shape.classes,
      b.rowInners,
      smoothing,
      temperature,
      gradScale,
    );
}

function scaledCrossEntropy(
  blocks: Blocks,
  terms: LossTerms,
  labelSmoothing: number,
  temperature: number,
  scale: number,
): number {
  const { grad, logits, probabilities, weight, gradScale } = terms;
  const wide = (array: FloatArray | undefined) => array && new Float64Array(array);
  const gradient = wide(grad);
  const scaled: LossTerms = {
    ...terms,
    grad: gradient,
    logits: scaledCopy(logits, scale),
    probabilities: wide(probabilities),
    weight: wide(weight),
    gradScale: gradScale * scale,
  };
  const total = crossEntropy(blocks, scaled, labelSmoothing, temperature * scale);
  if (grad) setFrom(grad, gradient!);
  return total;
}

export function hinge(
  blocks: Blocks,
  terms: LossTerms,
  form: Formulation,
  margin: number,
  p: 1 | 2,
  divisor: number,
): number {
  const { grad, logits, shape, accumulate } = terms;
  const { narrow } = blocks.exports;
  const kernel = hingeKernel(terms, form, margin, p, divisor);
  const bytes = bytesPerElement(logits);
  if (grad === undefined || shape.classes <= narrow[bytes]) return lossOf(blocks, terms, narrow, kernel, false);
  const isSparse = form === "crammer-singer" && shape.inner === 1 && !accumulate && blocks.inWorkspace(grad) === 0;
  if (isSparse) return sparseLossOf(blocks, terms, grad, kernel);
  // f32 squares are faster if the gradient does not overwrite the scores.
  return lossOf(blocks, terms, narrow, kernel, p === 2 && bytes === 4);
}

export function hingeKernel(
  { shape, gradScale }: Terms,
  form: Formulation,
  margin: number,
  p: 1 | 2,
  divisor: number,
): LossKernel {
  return (b, at) =>
    b.exports.hinge(
      b.bytes,
      at.total,
      at.losses,
      at.grads,
      at.top,
      at.logits,
      at.targets,
      at.weight,
      at.sampleWeight,
      at.gradOutput,
      b.rowOuters,
      shape.classes,
      b.rowInners,
      form === "weston-watkins" ? 1 : 0,
      margin,
      p - 1,
      divisor,
      gradScale,
    );
}

/** `apart`: the gradient is computed beside the logits instead of over them. */
function lossOf(
  blocks: Blocks,
  terms: LossTerms,
  narrow: Exports["narrow"],
  kernel: LossKernel,
  apart: boolean,
): number {
  const { losses, grad, complements, logits, probabilities, shape, accumulate } = terms;
  const slots = 1 + (probabilities === undefined ? 0 : 1) + (accumulate ? 1 : 0) + (apart ? 1 : 0);
  const b = blocks.open(logits, shape, narrow, slots, bytesPerRow(terms), keptElements(terms));
  const at = startLoss(b, terms);
  do {
    enterRows(b, at, terms);
    at.logits = b.enter(logits);
    at.probabilities = probabilities === undefined ? 0 : b.enter(probabilities);
    at.grads = grad === undefined ? 0 : b.place(grad, logits, at.logits, accumulate, apart);
    kernel(b, at);
    if (losses !== undefined) b.leaveRows(losses, at.losses);
    if (complements !== undefined) b.leaveRows(complements, at.complements, 3);
    if (grad !== undefined) b.leave(grad, at.grads, accumulate);
  } while (b.next());
  return b.readTotal(at.total);
}

/** The same where only two classes of a row have a gradient, which then does not go through the arena. */
function sparseLossOf(blocks: Blocks, terms: LossTerms, grad: FloatArray, kernel: LossKernel): number {
  const { losses, logits, shape, clears } = terms;
  const { classes } = shape;
  const b = blocks.open(logits, shape, blocks.exports.narrow, 1, bytesPerRow(terms) + 16, keptElements(terms));
  const at = startLoss(b, terms);
  do {
    enterRows(b, at, terms);
    at.logits = b.enter(logits);
    at.probabilities = 0;
    at.grads = 0;
    at.top = b.arena.take(b.rows * 16);
    kernel(b, at);
    if (losses !== undefined) b.leaveRows(losses, at.losses);
    const { f64, i32 } = b.arena;
    let start = b.firstRow * classes;
    if (clears) fillWith(grad, 0, start, start + b.elements);
    for (let r = 0; r < b.rows; r++, start += classes) {
      const gradient = f64[(at.top >>> 3) + 2 * r]!;
      const top = f64[(at.top >>> 3) + 2 * r + 1]!;
      const y = i32[(at.targets >>> 2) + r]!;
      if (top < 0) fillWith(grad, Number.NaN, start, start + classes);
      else if (y >= 0) {
        grad[start + top] = gradient;
        grad[start + y] = 0 - gradient;
      }
    }
  } while (b.next());
  return b.readTotal(at.total);
}

/** The bytes that a loss needs for each row beside its classes: one target and perhaps a loss, the complements and two factors. */
export function bytesPerRow({ losses, complements, sampleWeight, gradOutput }: Terms): number {
  return (
    4 +
    (losses === undefined ? 0 : 8) +
    (complements === undefined ? 0 : 24) +
    (sampleWeight === undefined ? 0 : 8) +
    (gradOutput === undefined ? 0 : 8)
  );
}

/** The elements that it needs once. */
export function keptElements({ weight, shape }: Terms): number {
  return weight === undefined ? 0 : shape.classes;
}

export function startLoss(b: Blocks, { weight }: Terms): LossPointers {
  const { pointers } = b;
  pointers.total = b.takeTotal();
  pointers.weight = weight === undefined ? 0 : b.enterClasses(weight);
  pointers.top = 0;
  return pointers;
}

/** Brings in what belongs to the rows of the block, and makes room for what comes out. */
export function enterRows(
  b: Blocks,
  at: LossPointers,
  { losses, complements, indices, sampleWeight, gradOutput }: Terms,
): void {
  at.targets = indices === undefined ? 0 : b.enterIndices(indices);
  at.sampleWeight = sampleWeight === undefined ? 0 : b.enterRows(sampleWeight);
  at.gradOutput = gradOutput === undefined ? 0 : b.enterRows(gradOutput);
  at.losses = losses === undefined ? 0 : b.arena.take(b.rows * 8);
  at.complements = complements === undefined ? 0 : b.arena.take(b.rows * 24);
}
