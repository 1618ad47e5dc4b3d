// A linear layer and its loss, by blocks of rows (kernels.ts: rowsPerBlock): logits, their gradient in their place, the gradients of the layer.

import { fillWith, windowOf } from "../arguments/typedArrays.js";
import { Total } from "../functions/reduction.js";
import { type FloatArray, type Layer, type LayerTerms, type LossTerms, rowsPerBlock } from "../kernels.js";
import * as product from "./product.js";

export function linear(z: FloatArray, { x, weight, bias, rows, features, classes }: Layer): void {
  product.linear(z, x, 0, weight, bias, rows, features, classes);
}

/** gradWeight, if given, += l2 · weight; returns Σ weight². */
export function decay(gradWeight: FloatArray | undefined, { weight, features, classes }: Layer, l2: number): number {
  let sum = 0;
  for (let i = 0; i < classes * features; i++) {
    const w = weight[i]!;
    sum += w * w;
    if (gradWeight !== undefined) gradWeight[i]! += l2 * w;
  }
  return sum;
}

/** The loss of a layer; `lossOf` is that of its logits. */
export function layerLoss(terms: LayerTerms, lossOf: (terms: LossTerms) => number): number {
  const { layer, losses, indices, probabilities, sampleWeight, gradOutput, gradX, gradWeight, accumulate } = terms;
  const { x, weight, bias, rows: allRows, features, classes } = layer;
  const step = Math.min(allRows, rowsPerBlock(layer));
  const logits = x instanceof Float32Array ? new Float32Array(step * classes) : new Float64Array(step * classes);
  const blockLosses = new Float64Array(step);
  const total = new Total();
  for (const sums of [gradWeight, terms.gradBias])
    if (sums !== undefined && !accumulate) fillWith(sums, 0, 0, sums === gradWeight ? classes * features : classes);
  for (let first = 0; first < allRows; first += step) {
    const rows = Math.min(step, allRows - first);
    const part = (array: Float64Array | undefined) => array && (windowOf(array, first, rows) as Float64Array);
    product.linear(logits, x, first, weight, bias, rows, features, classes);
    lossOf({
      ...terms,
      losses: blockLosses,
      grad: gradWeight && logits,
      logits,
      indices: indices && {
        at: (row) => indices.at(first + row),
        copyTo: (to, at, row, n) => indices.copyTo(to, at, first + row, n),
      },
      probabilities: probabilities && windowOf(probabilities, first * classes, rows * classes),
      shape: { outer: rows, classes, inner: 1 },
      sampleWeight: part(sampleWeight),
      gradOutput: part(gradOutput),
      accumulate: false,
      clears: true,
    });
    for (let r = 0; r < rows; r++) {
      total.add(blockLosses[r]!);
      if (losses !== undefined) losses[first + r] = blockLosses[r]!;
    }
    if (gradX !== undefined) product.linearGradX(gradX, first, logits, weight, rows, features, classes, accumulate);
    if (gradWeight !== undefined) sumUp(terms, logits, first, rows);
  }
  return total.value;
}

/** Adds a block's part of the gradients of weights and bias. Overwrites g, the gradient of its logits. */
function sumUp({ layer, gradWeight, gradBias }: LayerTerms, g: FloatArray, first: number, rows: number): void {
  const { x, features, classes } = layer;
  const left: number[] = [];
  for (let r = 0; r < rows; r++) if (!isZero(g, r * classes, classes)) left.push(r);
  let from = x;
  if (left.length < rows) {
    // Rows of zeros add nothing, whatever x holds.
    from = new (x instanceof Float32Array ? Float32Array : Float64Array)(left.length * features);
    left.forEach((r, to) => {
      for (let j = 0; j < classes; j++) g[to * classes + j] = g[r * classes + j]!;
      for (let d = 0; d < features; d++) from[to * features + d] = x[(first + r) * features + d]!;
    });
  }
  product.linearGradWeight(gradWeight!, g, from, from === x ? first : 0, left.length, features, classes);
  if (gradBias !== undefined) product.linearGradBias(gradBias, g, left.length, classes);
}

function isZero(row: FloatArray, start: number, n: number): boolean {
  for (let j = 0; j < n; j++) if (row[start + j] !== 0) return false;
  return true;
}
