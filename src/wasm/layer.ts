// A linear layer on linear memory. Its rows come in blocks (kernels.ts: rowsPerBlock), each with its features and logits. Weights and their gradient
// stay for the whole call if there is room. Otherwise they are copied for every block, a part of the classes at a time: memory stays small whatever the
// number of classes.

import { copy, fillWith } from "../arguments/typedArrays.js";
import { type FloatArray, type Layer, type LayerTerms, rowsPerBlock } from "../kernels.js";
import { Blocks } from "./blocks.js";

/** The most bytes of a call that keeps all weights; and otherwise of a part of them. */
const ROOM = 15 * 2 ** 20;
const PART = 2 ** 20;
/** Room to round each piece up to a whole vector. */
const ROUNDED = 16 * 20;

export class LayerBlocks extends Blocks {
  private features = 0;
  private bias = 0;
  private gradBias = 0;
  /** The classes of a part. */
  private part = 0;
  private weights = 0;
  private gradWeights = 0;

  /** Opens the blocks of a layer, with room for its gradients if there are `terms`; the rest as for `open`. */
  openLayer(layer: Layer, terms: LayerTerms | undefined, slots: number, perRow: number, kept: number): this {
    const fits = this.tryOpenLayer(layer, terms, slots, perRow, kept);
    return fits ? this : this.shared!.openLayer(layer, terms, slots, perRow, kept);
  }

  private tryOpenLayer(
    layer: Layer,
    terms: LayerTerms | undefined,
    slots: number,
    perRow: number,
    kept: number,
  ): boolean {
    const { x, weight, bias, rows: allRows, features, classes } = layer;
    this.begin(x);
    const { bytes } = this;
    const isAway = (array: FloatArray | undefined) => array !== undefined && this.inWorkspace(array) === 0;
    // Features that lie in the workspace are copied too, if rows are left out.
    const matrices = (isAway(x) || terms?.gradWeight ? 1 : 0) + (terms?.gradX ? 1 : 0);
    const rows = Math.min(allRows, rowsPerBlock(layer));
    const perBlock = rows * (perRow + (slots * classes + matrices * features) * bytes);
    const room = ROUNDED + (kept + 2 * classes) * bytes + perBlock;
    const perClass = ((isAway(weight) ? 1 : 0) + (isAway(terms?.gradWeight) ? 1 : 0)) * features * bytes;
    const fits = room + classes * perClass <= ROOM || perClass === 0;
    this.part = fits ? classes : Math.min(classes, Math.max(8, Math.floor(PART / perClass) & -8));
    if (!this.openBlocks({ outer: allRows, classes, inner: 1 }, rows, room + this.part * perClass, false)) return false;
    this.features = features;
    this.bias = bias === undefined ? 0 : this.enterClasses(bias);
    this.gradBias = this.arena.take(classes * bytes);
    this.weights = this.arena.take(isAway(weight) ? this.part * features * bytes : 0);
    this.gradWeights = this.arena.take(isAway(terms?.gradWeight) ? this.part * features * bytes : 0);
    this.arena.keep();
    if (fits && isAway(weight)) this.bring(this.weights, weight, 0, classes * features);
    return true;
  }

  /** The block of an array of [rows, features]: where it lies, or a copy. */
  enterFeatures(x: FloatArray): number {
    const there = this.inWorkspace(x);
    const start = this.firstRow * this.features;
    if (there !== 0) return there + start * this.bytes;
    const n = this.rows * this.features;
    const at = this.arena.take(n * this.bytes);
    this.bring(at, x, start, n);
    return at;
  }

  /** The logits of the block whose features are at `xs`. */
  blockLogits(zs: number, xs: number, { weight, features, classes }: Layer): void {
    const { arena, bytes, rows, bias, part } = this;
    for (let c = 0; c < classes; c += part) {
      const n = Math.min(part, classes - c);
      const ws = this.enterWeights(weight, c, n);
      const biases = bias === 0 ? 0 : bias + c * bytes;
      arena.exports.linear(bytes, zs + c * bytes, xs, ws, biases, rows, features, n, classes);
    }
  }

  /** Adds the block's part of the gradients of the layer. Overwrites `gs`, the gradient of its logits. */
  blockGrads(gs: number, xs: number, terms: LayerTerms): void {
    const { arena, bytes, rows, part } = this;
    const { layer, gradX, gradWeight, gradBias, accumulate } = terms;
    const { x, features, classes } = layer;
    if (gradX !== undefined) this.blockGradX(gradX, gs, layer, accumulate);
    const room = this.inWorkspace(x) === 0 ? xs : arena.take(rows * features * bytes);
    const left = arena.exports.keepRows(bytes, gs, room, xs, rows, features, classes);
    const from = left === rows ? xs : room;
    for (let c = 0; c < classes; c += part) {
      const n = Math.min(part, classes - c);
      const dws = this.enterSums(gradWeight!, this.gradWeights, features, c, n, accumulate);
      arena.exports.linearGradWeight(bytes, dws, gs + c * bytes, from, left, features, n, classes);
      this.leaveSums(gradWeight!, dws, features, c, n);
    }
    if (gradBias === undefined) return;
    const dbs = this.enterSums(gradBias, this.gradBias, 1, 0, classes, accumulate);
    arena.exports.linearGradBias(bytes, dbs, gs, left, classes, classes);
    this.leaveSums(gradBias, dbs, 1, 0, classes);
  }

  private blockGradX(gradX: FloatArray, gs: number, { weight, features, classes }: Layer, accumulate: boolean): void {
    const { arena, bytes, rows, firstRow, part } = this;
    const isThere = this.inWorkspace(gradX) !== 0;
    const dxs = isThere || accumulate ? this.enterFeatures(gradX) : arena.take(rows * features * bytes);
    for (let c = 0; c < classes; c += part) {
      const n = Math.min(part, classes - c);
      const ws = this.enterWeights(weight, c, n);
      const add = accumulate || c > 0 ? 1 : 0;
      arena.exports.linearGradX(bytes, dxs, gs + c * bytes, ws, rows, features, n, classes, add);
    }
    if (!isThere) copy(gradX, firstRow * features, this.view, this.index(dxs), rows * features);
  }

  /** The weights of n classes from c on: where they lie, or in the arena, where they are already if they stay. */
  private enterWeights(weight: FloatArray, c: number, n: number): number {
    const { features, bytes, part, classes, weights } = this;
    const there = this.inWorkspace(weight);
    if (there !== 0) return there + c * features * bytes;
    if (part < classes) this.bring(weights, weight, c * features, n * features);
    return weights;
  }

  /** Sums over blocks, `width` for each of n classes from c on: where they lie, or at `at`. They begin with 0, or with what `accumulate` adds to. */
  private enterSums(sums: FloatArray, at: number, width: number, c: number, n: number, accumulate: boolean): number {
    const { view, firstRow, part, classes } = this;
    const there = this.inWorkspace(sums);
    const to = there === 0 ? at : there + c * width * this.bytes;
    const isNew = firstRow === 0;
    if (isNew && !accumulate) fillWith(view, 0, this.index(to), this.index(to) + n * width);
    else if (there === 0 && (isNew || part < classes)) copy(view, this.index(to), sums, c * width, n * width);
    return to;
  }

  private leaveSums(sums: FloatArray, at: number, width: number, c: number, n: number): void {
    if (this.inWorkspace(sums) !== 0) return;
    const isLast = this.firstRow + this.rows === this.allRows;
    if (isLast || this.part < this.classes) copy(sums, c * width, this.view, this.index(at), n * width);
  }
}
