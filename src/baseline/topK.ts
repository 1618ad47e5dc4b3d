// topK   the k largest of each row, largest first: their classes, and their values
//
//   logits             x_j
//   probabilities      e_j / Σ e,  e_j = exp((x_j − m) / T)
//   logProbabilities   (x_j − m) / T − log Σ e
//
// x: [outer, classes, inner]; indices, values: [outer · inner, k]

import type { FloatArray, Shape, TopKValues } from "../kernels.js";
import { rowExp, rowShift, scratchRow } from "./row.js";
import { FEW, insertTop, scratchPositions, selectTop, sortPositions } from "./select.js";

export function topK(
  indices: Int32Array,
  values: FloatArray,
  x: FloatArray,
  shape: Shape,
  k: number,
  kind: TopKValues,
  temperature: number,
): void {
  const { outer, classes, inner } = shape;
  const isFew = k <= FEW;
  const row = scratchRow(0, isFew && kind === "logits" ? 0 : classes);
  const z = scratchRow(1, kind === "logits" ? 0 : classes);
  const positions = scratchPositions(k);
  for (let r = 0; r < outer * inner; r++) {
    const start = Math.floor(r / inner) * classes * inner + (r % inner);
    if (isFew) insertTop(positions, x, start, inner, classes, k);
    else {
      for (let j = 0, i = start; j < classes; j++, i += inner) row[j] = x[i]!;
      selectTop(positions, row, classes, k);
      sortPositions(positions, row, k);
    }
    for (let i = 0; i < k; i++) indices[r * k + i] = positions[i]!;
    if (kind === "logits") {
      for (let i = 0; i < k; i++) values[r * k + i] = x[start + positions[i]! * inner]!;
      continue;
    }
    const argmax = rowShift(z, x, start, inner, classes, temperature);
    const others = rowExp(row, z, classes, argmax);
    const log = Math.log1p(others);
    for (let i = 0; i < k; i++) {
      const j = positions[i]!;
      values[r * k + i] = kind === "probabilities" ? row[j]! / (1 + others) : z[j]! - log;
    }
  }
}
