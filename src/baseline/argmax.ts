// argmax   the first class with the largest logit, or the first NaN, where there is one      x: [outer, classes, inner]; indices: [outer, inner]

import type { FloatArray, Shape } from "../kernels.js";
import { rowArgmax } from "./row.js";

export function argmax(indices: Int32Array, x: FloatArray, shape: Shape): void {
  const { outer, classes, inner } = shape;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const start = o * classes * inner + i;
      indices[o * inner + i] = (rowArgmax(x, start, inner, start + classes * inner, -1) - start) / inner;
    }
  }
}
