// Multi-class hinge loss of a row and its true class y.
// scores, grad: [outer, classes, inner]; loss, y: [outer, inner]
//
//   z_j = (x_j − x_y) + margin, j ≠ y: by how much class j violates the margin
//
//                    loss                   d loss / d x_j                          d loss / d x_y
//   Weston–Watkins   Σ_j max(0, z_j)^p      p z_j^{p−1} [z_j > 0]                   minus the sum of the others
//   Crammer–Singer   max(0, z_k)^p          the same for j = k, 0 for the rest      minus that of k
//                    k: the lowest j attaining max_{j ≠ y} x_j
//
// Then the loss times w_y / divisor · u, and the gradient times w_y / divisor · u · gradOutput · gradScale. (Times 1 / divisor
// would be one rounding more.)

import type { FloatArray, Formulation, LossTerms } from "../kernels.js";
import { Losses } from "./losses.js";
import { rowArgmax, rowFill, rowStore, rowZero, scratchRow } from "./row.js";

export function hinge(terms: LossTerms, form: Formulation, margin: number, p: 1 | 2, divisor: number): number {
  const { grad, logits: scores, weight, sampleWeight, gradOutput, gradScale, accumulate, clears } = terms;
  const { outer, classes, inner } = terms.shape;
  const indices = terms.indices!;
  // In rows of up to ten classes two loops, whose ends are mispredicted, cost more than the slopes.
  const slopes = grad === undefined && classes > 10 ? undefined : scratchRow(0, classes);
  const losses = new Losses(terms.losses);
  for (let o = 0, row = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++, row++) {
      const start = o * classes * inner + i;
      const y = indices.at(row);
      const u = sampleWeight === undefined ? 1 : sampleWeight[row]!;
      if (y < 0 || u === 0) {
        losses.set(row, 0);
        if (grad !== undefined) rowZero(grad, start, inner, classes, accumulate, clears);
        continue;
      }
      const factor = ((weight === undefined ? 1 : weight[y]!) / divisor) * u;
      const upstream = gradOutput === undefined ? gradScale : gradScale * gradOutput[row]!;
      if (form === "weston-watkins") {
        losses.set(row, factor * westonWatkins(slopes, scores, start, inner, classes, y, margin, p));
        if (grad === undefined) continue;
        let scale = factor * upstream;
        // A slope of 0 stays +0, whatever the scale.
        if (!(scale >= 0 && scale < Infinity)) scale = multiplied(slopes!, classes, scale);
        rowStore(grad, start, inner, classes, slopes!, scale, accumulate);
      } else {
        const at = start + y * inner;
        const rival = rowArgmax(scores, start, inner, start + classes * inner, at);
        const z = classes > 1 ? Math.max(0, scores[rival]! - scores[at]! + margin) : noViolation(scores[at]!);
        losses.set(row, factor * (p === 1 ? z : z * z));
        if (grad === undefined) continue;
        if (Number.isNaN(z)) rowFill(grad, start, inner, classes, NaN);
        else rowZero(grad, start, inner, classes, accumulate, clears);
        if (z > 0) {
          const slope = factor * upstream * (p === 1 ? 1 : 2 * z);
          grad[rival]! += slope;
          grad[at]! -= slope;
        }
      }
    }
  }
  return losses.total;
}

/** Multiplies the slopes that are not 0. Returns 1, the scale that is left. */
function multiplied(slopes: Float64Array, classes: number, scale: number): number {
  for (let j = 0; j < classes; j++) if (slopes[j] !== 0) slopes[j]! *= scale;
  return 1;
}

/** Returns the loss of the row, and stores its gradient in `slopes`, if given. */
function westonWatkins(
  slopes: Float64Array | undefined,
  x: FloatArray,
  start: number,
  stride: number,
  classes: number,
  y: number,
  margin: number,
  p: 1 | 2,
): number {
  const at = start + y * stride;
  const xy = x[at]!;
  const end = start + classes * stride;
  if (slopes === undefined) {
    const sum = violations(noViolation(xy), x, start, at, stride, xy, margin, p);
    return violations(sum, x, at + stride, end, stride, xy, margin, p);
  }
  for (let j = 0, i = start; i < end; j++, i += stride) slopes[j] = x[i]! - xy + margin;
  slopes[y] = noViolation(xy);
  let loss = 0;
  let sum = 0;
  if (p === 1) {
    for (let j = 0; j < classes; j++) {
      const z = slopes[j]!;
      loss += positive(z);
      sum += slopes[j] = +(z > 0); // by Number(), it took five times as long in Firefox
    }
  } else {
    for (let j = 0; j < classes; j++) {
      const z = positive(slopes[j]!);
      loss += z * z;
      sum += slopes[j] = 2 * z;
    }
  }
  slopes[y] = 0 - sum;
  if (Number.isNaN(loss)) slopes.fill(NaN, 0, classes);
  return loss;
}

/** sum + Σ max(0, z_j)^p of the classes from `from` to `to`, added in their order, as with slopes. */
function violations(
  sum: number,
  x: FloatArray,
  from: number,
  to: number,
  stride: number,
  xy: number,
  margin: number,
  p: 1 | 2,
): number {
  if (p === 1) for (let i = from; i < to; i += stride) sum += positive(x[i]! - xy + margin);
  else for (let i = from; i < to; i += stride) sum += positive(x[i]! - xy + margin) ** 2;
  return sum;
}

// max(0, z) without a branch on the sign. Untrained scores violate their margins at random: that branch, also within
// Math.max, is mispredicted every other time, and takes 4 ns per element instead of 1. The branch on −Infinity, whose
// sum would be NaN, is predicted.
function positive(z: number): number {
  return z === -Infinity ? 0 : 0.5 * (z + Math.abs(z));
}

// z_y: the true class cannot violate its own margin, but can be NaN.
function noViolation(xy: number): number {
  return Number.isNaN(xy) ? NaN : 0;
}
