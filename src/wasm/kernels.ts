// The kernels on linear memory: blocks of rows are copied into the arena, computed in place, and copied out, each byte once in and once out
// while the block is in the cache. Arrays that lie in the workspace are used where they are.

import type { CrossEntropyTerms, FloatArray, HingeTerms, Kernels, RowTerms, Shape } from "../kernels.js";
import { ARENA_BYTES, type Arena, align } from "./arena.js";
import type { RowGradKernel, RowKernel, TypedExports } from "./exports.js";

// TypedArray.set costs about 50 ns, as much as moving this many elements one by one.
const FEW = 32;

function copy(to: FloatArray | Int32Array, at: number, from: FloatArray | Int32Array, start: number, n: number): void {
  if (n <= FEW) for (let i = 0; i < n; i++) to[at + i] = from[start + i]!;
  else to.set(start === 0 && n === from.length ? from : from.subarray(start, start + n), at);
}

export class WasmKernels implements Kernels {
  private readonly arena: Arena;
  /** Where calls go that do not fit into an arena that must not grow. */
  private readonly shared: WasmKernels | undefined;

  // The call under way …
  private shape: Shape = { outer: 0, classes: 0, inner: 0 };
  private typed: TypedExports;
  private view: FloatArray;
  /** Whether wide rows are transposed on the way in and out, since their classes are not next to each other. */
  private swaps = false;
  private outersPerBlock = 0;
  private innersPerBlock = 0;
  // … and its block: inner positions inner … inner + inners of outer positions outer … outer + outers; one of the two is all there are.
  private outer = 0;
  private outers = 0;
  private inner = 0;
  private inners = 0;
  private spare = 0;
  // Where a loss has its rows of the block.
  private losses = 0;
  private targets = 0;
  private sampleWeight = 0;
  private gradOutput = 0;

  constructor(arena: Arena, shared?: WasmKernels) {
    this.arena = arena;
    this.shared = shared;
    this.typed = arena.exports.f32;
    this.view = arena.f32;
  }

  softmax(y: FloatArray, x: FloatArray, shape: Shape, temperature: number): void {
    const scale = scaleFor(temperature);
    const kernel = this.typedExports(x).softmax;
    if (!this.map(kernel, y, scaled(x, scale), shape, temperature * scale))
      this.shared!.softmax(y, x, shape, temperature);
  }

  logSoftmax(y: FloatArray, x: FloatArray, shape: Shape, temperature: number): void {
    const scale = scaleFor(temperature);
    const kernel = this.typedExports(x).logSoftmax;
    if (!this.map(kernel, y, scaled(x, scale), shape, temperature * scale))
      this.shared!.logSoftmax(y, x, shape, temperature);
  }

  /** y = f(x). False, as for the functions below, where the arena must not grow as far as that needs. */
  private map(kernel: RowKernel, y: FloatArray, x: FloatArray, shape: Shape, temperature: number): boolean {
    if (!this.open(x, shape, this.typedExports(x).narrowExp, 1, 0, 0)) return false;
    while (this.next()) {
      const xs = this.enter(x);
      const ys = this.place(y, x, xs);
      kernel(ys, xs, this.rowOuters, shape.classes, this.rowInners, temperature);
      this.leave(y, ys, false);
    }
    return true;
  }

  softmaxGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void {
    const { softmaxGrad, narrow } = this.typedExports(y);
    if (!this.mapGrad(softmaxGrad, narrow, dx, y, dy, shape)) this.shared!.softmaxGrad(dx, y, dy, shape);
  }

  logSoftmaxGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void {
    const { logSoftmaxGrad, narrowExp } = this.typedExports(y);
    if (!this.mapGrad(logSoftmaxGrad, narrowExp, dx, y, dy, shape)) this.shared!.logSoftmaxGrad(dx, y, dy, shape);
  }

  /** dx = f(y, dy) */
  private mapGrad(
    kernel: RowGradKernel,
    narrow: number,
    dx: FloatArray,
    y: FloatArray,
    dy: FloatArray,
    shape: Shape,
  ): boolean {
    if (!this.open(y, shape, narrow, 2, 0, 0)) return false;
    while (this.next()) {
      const ys = this.enter(y);
      const dys = this.enter(dy);
      const dxs = this.place(dx, y, ys);
      kernel(dxs, ys, dys, this.rowOuters, shape.classes, this.rowInners);
      this.leave(dx, dxs, false);
    }
    return true;
  }

  logSumExp(lse: Float64Array, x: FloatArray, shape: Shape, temperature: number): void {
    const scale = scaleFor(temperature);
    const input = scaled(x, scale);
    const { arena } = this;
    if (!this.open(x, shape, this.typedExports(x).narrowExp, 1, 8, 0)) {
      this.shared!.logSumExp(lse, x, shape, temperature);
      return;
    }
    while (this.next()) {
      const values = arena.take(this.rows * 8);
      const xs = this.enter(input);
      this.typed.logSumExp(values, xs, this.rowOuters, shape.classes, this.rowInners, temperature * scale);
      copy(lse, this.firstRow, arena.f64, values / 8, this.rows);
    }
  }

  crossEntropy(
    loss: Float64Array,
    grad: FloatArray | undefined,
    logits: FloatArray,
    targets: Int32Array | FloatArray,
    shape: Shape,
    terms: CrossEntropyTerms,
  ): void {
    const { labelSmoothing, rows } = terms;
    const indices = targets instanceof Int32Array ? targets : undefined;
    const probabilities = targets instanceof Int32Array ? undefined : targets;
    const scale = scaleFor(terms.temperature);
    const temperature = terms.temperature * scale;
    const x = scaled(logits, scale);
    const slots = 1 + (probabilities ? 1 : 0) + (grad && rows.accumulate ? 1 : 0);
    if (!this.openLoss(x, shape, this.typedExports(x).narrowExp, slots, rows, terms.weight)) {
      this.shared!.crossEntropy(loss, grad, logits, targets, shape, terms);
      return;
    }
    const weight = this.enterWeight(terms.weight);
    while (this.next()) {
      this.enterLoss(indices, rows);
      const xs = this.enter(x);
      const ts = probabilities ? this.enter(probabilities) : 0;
      const grads = grad ? this.place(grad, x, xs, rows.accumulate) : 0;
      this.typed.crossEntropy(
        this.losses,
        grads,
        xs,
        this.targets,
        ts,
        weight,
        this.sampleWeight,
        this.gradOutput,
        this.rowOuters,
        shape.classes,
        this.rowInners,
        labelSmoothing,
        temperature,
        rows.gradScale * scale,
      );
      copy(loss, this.firstRow, this.arena.f64, this.losses / 8, this.rows);
      if (grad) this.leave(grad, grads, rows.accumulate);
    }
  }

  hinge(
    loss: Float64Array,
    grad: FloatArray | undefined,
    scores: FloatArray,
    targets: Int32Array,
    shape: Shape,
    terms: HingeTerms,
  ): void {
    const { form, margin, p, scale, rows } = terms;
    if (
      !this.openLoss(
        scores,
        shape,
        this.typedExports(scores).narrow,
        1 + (grad && rows.accumulate ? 1 : 0),
        rows,
        terms.weight,
      )
    ) {
      this.shared!.hinge(loss, grad, scores, targets, shape, terms);
      return;
    }
    const weight = this.enterWeight(terms.weight);
    while (this.next()) {
      this.enterLoss(targets, rows);
      const xs = this.enter(scores);
      const grads = grad ? this.place(grad, scores, xs, rows.accumulate) : 0;
      this.typed.hinge(
        this.losses,
        grads,
        xs,
        this.targets,
        weight,
        this.sampleWeight,
        this.gradOutput,
        this.rowOuters,
        shape.classes,
        this.rowInners,
        form === "weston-watkins",
        margin,
        p === 2,
        scale,
        rows.gradScale,
      );
      copy(loss, this.firstRow, this.arena.f64, this.losses / 8, this.rows);
      if (grad) this.leave(grad, grads, rows.accumulate);
    }
  }

  private openLoss(
    x: FloatArray,
    shape: Shape,
    narrow: number,
    slots: number,
    rows: RowTerms,
    weight: FloatArray | undefined,
  ): boolean {
    // One loss, one target and perhaps two factors a row.
    const perRow = 8 + 4 + (rows.sampleWeight ? 8 : 0) + (rows.gradOutput ? 8 : 0);
    return this.open(x, shape, narrow, slots, perRow, weight ? shape.classes : 0);
  }

  private typedExports(x: FloatArray): TypedExports {
    return x.BYTES_PER_ELEMENT === 4 ? this.arena.exports.f32 : this.arena.exports.f64;
  }

  /**
   * Begins a call: makes room for blocks of `slots` arrays of [rows, C] (x and the result share one), `perRow` further bytes a row and
   * `kept` elements once; `narrow` is the largest number of classes that the kernel takes with inner > 1. False where the arena would
   * have to grow but must not; throws before anything has happened where it cannot.
   */
  private open(x: FloatArray, shape: Shape, narrow: number, slots: number, perRow: number, kept: number): boolean {
    const { arena } = this;
    const { outer, classes, inner } = shape;
    const size = x.BYTES_PER_ELEMENT;
    const swaps = inner > 1 && classes > narrow;
    const row = (slots + (swaps ? 1 : 0)) * classes * size + perRow;
    // Every piece is rounded up to a whole vector.
    const fixed = align(kept * size) + 16 * 8;
    const rows = Math.min(outer * inner, Math.max(1, Math.floor((ARENA_BYTES - fixed) / row)));
    if (arena.isFixed && !arena.holds(fixed + rows * row)) return false;
    arena.open(fixed + rows * row);

    this.shape = shape;
    this.typed = this.typedExports(x);
    this.view = size === 4 ? arena.f32 : arena.f64;
    this.swaps = swaps;
    this.outersPerBlock = swaps ? 1 : Math.max(1, Math.floor(rows / inner));
    this.innersPerBlock = Math.min(rows, inner);
    this.outer = 0;
    this.outers = 0;
    this.inner = inner;
    this.inners = 0;
    return true;
  }

  /** The class weights, which stay for the whole call. */
  private enterWeight(weight: FloatArray | undefined): number {
    if (weight === undefined) return 0;
    const at = this.arena.take(weight.byteLength);
    copy(this.view, at / this.typed.bytes, weight, 0, weight.length);
    this.arena.keep();
    return at;
  }

  /** Goes on to the next block, if there is one; the arena is empty then but for what stays. */
  private next(): boolean {
    const { outer, classes, inner } = this.shape;
    this.inner += this.inners;
    if (this.inner >= inner) {
      this.outer += this.outers;
      this.inner = 0;
    }
    if (this.outer >= outer || inner === 0) return false;
    this.outers = Math.min(this.outersPerBlock, outer - this.outer);
    this.inners = Math.min(this.innersPerBlock, inner - this.inner);
    this.arena.release();
    if (this.swaps) this.spare = this.arena.take(this.rows * classes * this.typed.bytes);
    return true;
  }

  /** Rows of the block. */
  private get rows(): number {
    return this.outers * this.inners;
  }

  private get firstRow(): number {
    return this.outer * this.shape.inner + this.inner;
  }

  /** The block's outer and inner size as the kernel sees it. */
  private get rowOuters(): number {
    return this.swaps ? this.inners : this.outers;
  }

  private get rowInners(): number {
    return this.swaps ? 1 : this.inners;
  }

  /** Where the block of an array lies in the workspace; 0 if it does not, or not as the kernel takes it. */
  private inPlace(array: FloatArray): number {
    const { buffer, reserved, start } = this.arena;
    // To ask a small array for its buffer makes V8 move it out of its heap: not without need.
    if (start === reserved || this.swaps || this.inners < this.shape.inner || array.buffer !== buffer) return 0;
    const { byteOffset, byteLength } = array;
    if (byteOffset < reserved || byteOffset + byteLength > start) return 0;
    return byteOffset + this.outer * this.shape.classes * this.shape.inner * this.typed.bytes;
  }

  /** The block of an array for the kernel: where it lies, or a copy in the arena. */
  private enter(array: FloatArray): number {
    const there = this.inPlace(array);
    if (there !== 0) return there;
    const { classes } = this.shape;
    const at = this.arena.take(this.rows * classes * this.typed.bytes);
    this.copyIn(this.swaps ? this.spare : at, array);
    if (this.swaps) this.typed.swapAxes(at, this.spare, classes, this.inners, classes, this.inners);
    return at;
  }

  /** What a loss needs per row of the block, and room for its results. */
  private enterLoss(targets: Int32Array | undefined, { sampleWeight, gradOutput }: RowTerms): void {
    const { arena } = this;
    this.targets = this.enterRows(arena.i32, targets);
    this.sampleWeight = this.enterRows(arena.f64, sampleWeight);
    this.gradOutput = this.enterRows(arena.f64, gradOutput);
    this.losses = arena.take(this.rows * 8);
  }

  private enterRows(view: Float64Array | Int32Array, values: Float64Array | Int32Array | undefined): number {
    if (values === undefined) return 0;
    const at = this.arena.take(this.rows * view.BYTES_PER_ELEMENT);
    copy(view, at / view.BYTES_PER_ELEMENT, values, this.firstRow, this.rows);
    return at;
  }

  /** Where the kernel writes the block of `out`: there, over the copy of x, or in the arena beside it. */
  private place(out: FloatArray, x: FloatArray, xs: number, accumulate = false): number {
    const there = accumulate ? 0 : this.inPlace(out);
    if (there !== 0) return there;
    return this.inPlace(x) === 0 ? xs : this.arena.take(this.rows * this.shape.classes * this.typed.bytes);
  }

  /** Brings a result from where `place` put it to where it belongs. */
  private leave(out: FloatArray, results: number, accumulate: boolean): void {
    const there = this.inPlace(out);
    if (results === there) return;
    const { classes } = this.shape;
    if (this.swaps) {
      this.typed.swapAxes(this.spare, results, this.inners, classes, this.inners, classes);
      results = this.spare;
    }
    const n = this.rows * classes;
    if (accumulate && there !== 0) {
      this.typed.add(there, results, n);
      return;
    }
    if (accumulate) {
      const old = this.arena.take(n * this.typed.bytes);
      this.copyIn(old, out);
      this.typed.add(results, old, n);
    }
    this.copyOut(out, results);
  }

  /** Copies the block of an array, [outers, C, inners], to `at`. */
  private copyIn(at: number, array: FloatArray): void {
    const { view, outer, outers, inner, inners } = this;
    const { classes, inner: allInners } = this.shape;
    const to = at / this.typed.bytes;
    if (inners === allInners) copy(view, to, array, outer * classes * inners, outers * classes * inners);
    else
      for (let j = 0; j < classes; j++)
        copy(view, to + j * inners, array, (outer * classes + j) * allInners + inner, inners);
  }

  private copyOut(array: FloatArray, at: number): void {
    const { view, outer, outers, inner, inners } = this;
    const { classes, inner: allInners } = this.shape;
    const from = at / this.typed.bytes;
    if (inners === allInners) copy(array, outer * classes * inners, view, from, outers * classes * inners);
    else
      for (let j = 0; j < classes; j++)
        copy(array, (outer * classes + j) * allInners + inner, view, from + j * inners, inners);
  }
}

/**
 * The kernels divide the temperature into the coefficients of a polynomial, up to its 11th power, and take it between 2^−20 and 2^20. Beyond
 * that x and T are multiplied by the same power of two first.
 */
function scaleFor(temperature: number): number {
  if (temperature >= 2 ** -20 && temperature <= 2 ** 20) return 1;
  return 2 ** Math.max(-1022, Math.min(1022, -Math.floor(Math.log2(temperature))));
}

function scaled(x: FloatArray, scale: number): FloatArray {
  return scale === 1 ? x : (x.map((value) => value * scale) as FloatArray);
}
