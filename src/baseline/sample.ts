// sample   the class at which the running sum of e_j = exp((x_j − m) / T), in the order of the classes, exceeds u of its total
//
// Of all classes; or of the `topK` largest, of these the fewest that have `topP` of the sum, and of these the classes with at least `minP` of the
// largest. x: [outer, classes, inner]; classes, u: [outer, inner]

import { fillWith } from "../arguments/typedArrays.js";
import type { FloatArray, Restriction, Shape } from "../kernels.js";
import { rowExp, rowShift, scratchRow } from "./row.js";
import { scratchPositions, select, selectTop } from "./select.js";

export function sample(
  drawn: Int32Array,
  x: FloatArray,
  _tops: Int32Array,
  u: Float64Array,
  shape: Shape,
  temperature: number,
  restriction: Restriction,
): void {
  const { outer, classes, inner } = shape;
  const row = scratchRow(0, classes);
  const e = scratchRow(1, classes);
  for (let r = 0; r < outer * inner; r++) {
    const start = Math.floor(r / inner) * classes * inner + (r % inner);
    const top = rowShift(row, x, start, inner, classes, temperature);
    const sum = 1 + rowExp(e, row, classes, top);
    // The restrictions compare the logits themselves: subtracting the largest may make different ones equal.
    for (let j = 0, i = start; j < classes; j++, i += inner) row[j] = x[i]!;
    drawn[r] = draw(restricted(row, e, sum, classes, restriction), classes, u[r]!);
  }
}

/** e, with 0 for the classes that go. */
function restricted(
  row: Float64Array,
  e: Float64Array,
  sum: number,
  classes: number,
  { topK, topP, minP }: Restriction,
): Float64Array {
  if (topK >= classes && topP === 1 && minP === 0) return e;
  const positions = scratchPositions(classes);
  let n = Math.min(topK, classes);
  let whole = sum;
  if (topK < classes) {
    selectTop(positions, row, classes, topK);
    if (topP < 1) {
      whole = 0;
      for (let i = 0; i < n; i++) whole += e[positions[i]!]!;
    }
  } else {
    // topP needs no class below this: together they are less than may be missing.
    const least = topP < 1 ? ((1 - topP) * sum) / classes / 2 : 0;
    n = 0;
    for (let j = 0; j < classes; j++) if (e[j]! >= least) positions[n++] = j;
  }
  if (topP < 1) n = select(positions, row, e, n, topP * whole);
  const left = scratchRow(2, classes);
  fillWith(left, 0, 0, classes);
  for (let i = 0; i < n; i++) {
    const j = positions[i]!;
    if (e[j]! >= minP) left[j] = e[j]!;
  }
  return left;
}

/** Where the running sum of the weights exceeds u of their total; if rounding keeps it below, the last weight above 0. */
function draw(weights: Float64Array, n: number, u: number): number {
  let total = 0;
  for (let j = 0; j < n; j++) total += weights[j]!;
  let last = 0;
  for (let j = 0, sum = 0; j < n && sum <= u * total; j++) {
    if (weights[j]! > 0) last = j;
    sum += weights[j]!;
  }
  return last;
}
