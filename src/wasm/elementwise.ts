// Elementwise functions on linear memory: the sigmoids with their gradients, binary cross-entropy, half floats.

import { lengthOf } from "../arguments/typedArrays.js";
import { binaryCrossEntropy as binaryCrossEntropyOf } from "../baseline/binaryCrossEntropy.js";
import type { BinaryTerms, FloatArray, Shape } from "../kernels.js";
import type { Blocks } from "./blocks.js";

/** y = f(x) */
export function sigmoid(blocks: Blocks, f: "sigmoid" | "logSigmoid", y: FloatArray, x: FloatArray, shape: Shape): void {
  const b = blocks.openElements(x, shape, 1);
  const kernel = f === "sigmoid" ? b.exports.sigmoid : b.exports.logSigmoid;
  do {
    const xs = b.enter(x);
    const ys = b.place(y, x, xs, false);
    kernel(b.bytes, ys, xs, b.rows);
    b.leave(y, ys, false);
  } while (b.next());
}

/** dx = f(y, dy) */
export function sigmoidGrad(
  blocks: Blocks,
  f: "sigmoidGrad" | "logSigmoidGrad",
  dx: FloatArray,
  y: FloatArray,
  dy: FloatArray,
  shape: Shape,
): void {
  const b = blocks.openElements(y, shape, 2);
  const kernel = f === "sigmoidGrad" ? b.exports.sigmoidGrad : b.exports.logSigmoidGrad;
  do {
    const ys = b.enter(y);
    const dys = b.enter(dy);
    const dxs = b.place(dx, y, ys, false);
    kernel(b.bytes, dxs, ys, dys, b.rows);
    b.leave(dx, dxs, false);
  } while (b.next());
}

export function binaryCrossEntropy(blocks: Blocks, terms: BinaryTerms): number {
  const { losses, grad, logits, targets, shape, weight, posWeight, sampleWeight, gradOutput } = terms;
  const { gradScale, accumulate, labelSmoothing, gamma } = terms;
  // The kernel's powers are exact enough for f32 only: those of f64 are the baseline's.
  if (gamma !== 0 && gamma !== 1 && gamma !== 2 && logits instanceof Float64Array) return binaryCrossEntropyOf(terms);
  const isWeighted = weight !== undefined || sampleWeight !== undefined;
  const more = [losses !== undefined, posWeight !== undefined, gradOutput !== undefined, isWeighted, accumulate];
  const b = blocks.openElements(logits, shape, 2 + more.filter(Boolean).length);
  const total = b.takeTotal();
  do {
    const ts = b.enter(targets);
    const ws = isWeighted ? b.spread(shape, weight, sampleWeight) : 0;
    const ps = posWeight === undefined ? 0 : b.spread(shape, posWeight, undefined);
    const gs = gradOutput === undefined ? 0 : b.enter(gradOutput);
    const ls = losses === undefined ? 0 : b.takeElements();
    const xs = b.enter(logits);
    const grads = grad === undefined ? 0 : b.place(grad, logits, xs, accumulate);
    b.exports.binaryCrossEntropy(
      b.bytes,
      total,
      ls,
      grads,
      xs,
      ts,
      ws,
      ps,
      gs,
      b.rows,
      labelSmoothing,
      gamma,
      gradScale,
    );
    if (losses !== undefined) b.leave(losses, ls, false);
    if (grad !== undefined) b.leave(grad, grads, accumulate);
  } while (b.next());
  return b.readTotal(total);
}

export function float16ToFloat32(blocks: Blocks, y: Float32Array, x: Uint16Array): void {
  const b = blocks.openElements(y, { outer: lengthOf(x), classes: 1, inner: 1 }, 1);
  do {
    const ys = b.takeElements();
    b.widen(ys, x, b.firstRow, b.rows);
    b.leaveValues(y, ys, 1);
  } while (b.next());
}
