// Decisions on linear memory: argmax, topK and sample.

import { rowStart } from "../arguments/shape.js";
import { bytesPerElement, copyInt32, isHalf, lengthOf, setFrom } from "../arguments/typedArrays.js";
import type { FloatArray, Restriction, Shape, TopKValues } from "../kernels.js";
import { type Blocks, NONE_NARROW } from "./blocks.js";
import { scaledCopy, scaleFor } from "./temperature.js";

/** The most entries of a list of classes in an arena that must not grow: longer lists are for the shared kernels. */
const SHORT_LIST = 4096;
/** By their numbers in assembly/topK.ts. */
const TOP_K_VALUES: readonly TopKValues[] = ["logits", "probabilities", "logProbabilities"];
/** BLOCK of assembly/sample.ts. */
const SAMPLE_BLOCK = 1024;

export function argmax(b: Blocks, indices: Int32Array, x: FloatArray, shape: Shape): void {
  // Wide rows of half floats are compared as they are, in a quarter of the time (151,936 classes, Node 24).
  const asBits = isHalf(x) && shape.inner === 1 && shape.classes > b.exports.narrow[4];
  if (!b.tryOpen(x, shape, b.exports.narrow, asBits ? 0.5 : slotOf(b, x, shape), 4, 0)) {
    argmax(b.shared!, indices, x, shape);
    return;
  }
  do {
    const results = b.arena.take(b.rows * 4);
    if (asBits) b.exports.argmaxHalf(2, results, b.enterBits(x), b.rows, shape.classes);
    else b.exports.argmax(b.bytes, results, b.enter(x), b.rowOuters, shape.classes, b.rowInners);
    b.leaveIndices(indices, results, 1);
  } while (b.next());
}

export function topK(
  b: Blocks,
  indices: Int32Array,
  values: FloatArray,
  x: FloatArray,
  shape: Shape,
  k: number,
  kind: TopKValues,
  temperature: number,
): void {
  const scale = kind === "logits" ? 1 : scaleFor(temperature);
  if (scale !== 1) {
    const wide = new Float64Array(lengthOf(values));
    topK(b, indices, wide, scaledCopy(x, scale), shape, k, kind, temperature * scale);
    setFrom(values, wide);
    topK(b, indices, wide, x, shape, k, "logits", 1);
    return;
  }
  const { arena } = b;
  const bytes = bytesPerElement(x);
  const capacity = capacityFor(b, shape);
  let fits = b.tryOpen(x, shape, NONE_NARROW, slotOf(b, x, shape), k * (bytes + 4), capacity * (1 + 12 / bytes));
  while (fits) {
    const { rows } = b;
    const at = {
      indices: arena.take(rows * k * 4),
      values: arena.take(rows * k * bytes),
      list: arena.take(capacity * bytes),
      ids: arena.take(capacity * 4),
      order: arena.take(capacity * 4),
      spare: arena.take(capacity * 4),
      x: b.enter(x),
    };
    const pointers = [at.indices, at.values, at.list, at.ids, at.order, at.spare, at.x] as const;
    const number = TOP_K_VALUES.indexOf(kind);
    fits = b.exports.topK(bytes, ...pointers, rows, shape.classes, k, number, temperature, capacity) !== 0;
    if (!fits) break;
    b.leaveIndices(indices, at.indices, k);
    b.leaveValues(values, at.values, k);
    if (!b.next()) return;
  }
  arena.end();
  topK(b.shared!, indices, values, x, shape, k, kind, temperature);
}

export function sample(
  b: Blocks,
  classes: Int32Array,
  x: FloatArray,
  tops: Int32Array,
  u: Float64Array,
  shape: Shape,
  temperature: number,
  restriction: Restriction,
): void {
  const scale = scaleFor(temperature);
  if (scale !== 1) {
    sample(b, classes, scaledRows(x, tops, shape, scale), tops, u, shape, temperature * scale, restriction);
    return;
  }
  const { arena } = b;
  const bytes = bytesPerElement(x);
  const capacity = capacityFor(b, shape);
  const sumBytes = (Math.floor(shape.classes / SAMPLE_BLOCK) + 1) * 8;
  const kept = capacity * (2 + 4 / bytes) + sumBytes / bytes;
  const { topK, topP, minP } = restriction;
  let fits = b.tryOpen(x, shape, NONE_NARROW, slotOf(b, x, shape), 16, kept);
  while (fits) {
    const { rows } = b;
    const at = {
      classes: arena.take(rows * 4),
      sums: arena.take(sumBytes),
      list: arena.take(capacity * bytes),
      ids: arena.take(capacity * 4),
      weights: arena.take(capacity * bytes),
      x: b.enter(x),
      tops: enterTops(b, tops),
      u: b.enterRows(u),
    };
    const pointers = [at.classes, at.sums, at.list, at.ids, at.weights, at.x, at.tops, at.u] as const;
    const k = Math.min(topK, shape.classes);
    fits = b.exports.sample(bytes, ...pointers, rows, shape.classes, temperature, k, topP, minP, capacity) !== 0;
    if (!fits) break;
    b.leaveIndices(classes, at.classes, 1);
    if (!b.next()) return;
  }
  arena.end();
  sample(b.shared!, classes, x, tops, u, shape, temperature, restriction);
}

/** (x − m) · scale, in f64: what is drawn depends on differences alone, and the largest of a row must not overflow. */
function scaledRows(x: FloatArray, tops: Int32Array, shape: Shape, scale: number): Float64Array {
  const copy = new Float64Array(x);
  for (let r = 0; r < shape.outer * shape.inner; r++) {
    const start = rowStart(shape, r);
    const max = copy[start + tops[r]! * shape.inner]!;
    for (let j = 0, i = start; j < shape.classes; j++, i += shape.inner) copy[i] = (copy[i]! - max) * scale;
  }
  return copy;
}

function enterTops(b: Blocks, tops: Int32Array): number {
  const at = b.arena.take(b.rows * 4);
  copyInt32(b.arena.i32, at >>> 2, tops, b.firstRow, b.rows);
  return at;
}

/** How many arrays of logits a block has room for: none if they are used in place. */
function slotOf(b: Blocks, x: FloatArray, { inner }: Shape): number {
  return inner === 1 && b.inWorkspace(x) !== 0 ? 0 : 1;
}

/** The capacity of a list of classes: all, or in an arena that must not grow enough for most rows. */
function capacityFor({ arena }: Blocks, { classes }: Shape): number {
  const whole = Math.ceil(classes / 4) * 4;
  return arena.isFixed ? Math.min(whole, SHORT_LIST) : whole;
}
