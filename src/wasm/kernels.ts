// The kernels on linear memory: each call goes through its blocks (blocks.ts).

import type { CrossEntropyTerms, FloatArray, HingeTerms, Kernels, RowTerms, Shape } from "../kernels.js";
import { totalOf } from "../reduction.js";
import { rowStart } from "../shape.js";
import { copy, lengthOf, setFrom } from "../typedArrays.js";
import type { Arena } from "./arena.js";
import { Blocks } from "./blocks.js";
import type { RowGradKernel, RowKernel } from "./exports.js";

export class WasmKernels extends Blocks implements Kernels {
  /** Where calls go that do not fit into an arena that must not grow. */
  private readonly shared: WasmKernels | undefined;

  // Where a loss has its total and class weights, and its rows of the block.
  private total = 0;
  private weight = 0;
  private losses = 0;
  private targets = 0;
  private sampleWeight = 0;
  private gradOutput = 0;

  constructor(arena: Arena, shared?: WasmKernels) {
    super(arena);
    this.shared = shared;
  }

  /** True only of calls that are one block in any case. */
  readsFirst({ outer, classes, inner }: Shape): boolean {
    return inner === 1 && outer * classes <= 1024 && !this.arena.isFixed;
  }

  softmax(y: FloatArray, x: FloatArray, shape: Shape, temperature: number): void {
    const scale = scaleFor(temperature);
    if (scale !== 1) {
      const scaled = scaledCopy(x, scale);
      this.softmax(scaled, scaled, shape, temperature * scale);
      setFrom(y, scaled);
    } else if (!this.map(this.kernelsFor(x).softmax, y, x, shape, temperature))
      this.shared!.softmax(y, x, shape, temperature);
  }

  logSoftmax(y: FloatArray, x: FloatArray, shape: Shape, temperature: number): void {
    const scale = scaleFor(temperature);
    if (scale !== 1) {
      const scaled = scaledCopy(x, scale);
      this.logSoftmax(scaled, scaled, shape, temperature * scale);
      setFrom(y, scaled);
    } else if (!this.map(this.kernelsFor(x).logSoftmax, y, x, shape, temperature))
      this.shared!.logSoftmax(y, x, shape, temperature);
  }

  /** y = f(x). False, as for the functions below, where the arena must not grow as far as that needs. */
  private map(kernel: RowKernel, y: FloatArray, x: FloatArray, shape: Shape, temperature: number): boolean {
    if (!this.open(shape, this.typed.narrowExp, 1, 0, 0)) return false;
    do {
      const xs = this.enter(x);
      const ys = this.place(y, x, xs, false);
      kernel(ys, xs, this.rowOuters, shape.classes, this.rowInners, temperature);
      this.leave(y, ys, false);
    } while (this.next());
    return true;
  }

  softmaxGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void {
    const { softmaxGrad, narrow } = this.kernelsFor(y);
    if (!this.mapGrad(softmaxGrad, narrow, dx, y, dy, shape)) this.shared!.softmaxGrad(dx, y, dy, shape);
  }

  logSoftmaxGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void {
    const { logSoftmaxGrad, narrowExp } = this.kernelsFor(y);
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
    if (!this.open(shape, narrow, 2, 0, 0)) return false;
    do {
      const ys = this.enter(y);
      const dys = this.enter(dy);
      const dxs = this.place(dx, y, ys, false);
      kernel(dxs, ys, dys, this.rowOuters, shape.classes, this.rowInners);
      this.leave(dx, dxs, false);
    } while (this.next());
    return true;
  }

  logSumExp(lse: Float64Array, x: FloatArray, shape: Shape, temperature: number): void {
    const scale = scaleFor(temperature);
    if (scale !== 1) {
      this.logSumExp(lse, scaledCopy(x, scale), shape, temperature * scale);
      return;
    }
    if (!this.open(shape, this.kernelsFor(x).narrowExp, 1, 8, 0)) {
      this.shared!.logSumExp(lse, x, shape, temperature);
      return;
    }
    do {
      const values = this.arena.take(this.rows * 8);
      const xs = this.enter(x);
      this.typed.logSumExp(values, xs, this.rowOuters, shape.classes, this.rowInners, temperature);
      this.leaveRows(lse, values);
    } while (this.next());
  }

  crossEntropy(
    loss: Float64Array | undefined,
    grad: FloatArray | undefined,
    x: FloatArray,
    indices: Int32Array | undefined,
    probabilities: FloatArray | undefined,
    shape: Shape,
    terms: CrossEntropyTerms,
  ): number {
    const { labelSmoothing, temperature, rows } = terms;
    const scale = scaleFor(temperature);
    if (scale !== 1) return this.scaledCrossEntropy(loss, grad, x, indices, probabilities, shape, terms, scale);
    const slots = 1 + (probabilities === undefined ? 0 : 1) + (rows.accumulate ? 1 : 0);
    if (!this.openLoss(shape, this.kernelsFor(x).narrowExp, slots, 0, rows, terms.weight, loss))
      return this.shared!.crossEntropy(loss, grad, x, indices, probabilities, shape, terms);
    do {
      this.enterLoss(indices, rows, loss);
      const xs = this.enter(x);
      const ts = probabilities === undefined ? 0 : this.enter(probabilities);
      const grads = grad === undefined ? 0 : this.place(grad, x, xs, rows.accumulate);
      this.typed.crossEntropy(
        this.total,
        this.losses,
        grads,
        xs,
        this.targets,
        ts,
        this.weight,
        this.sampleWeight,
        this.gradOutput,
        this.rowOuters,
        shape.classes,
        this.rowInners,
        labelSmoothing,
        temperature,
        rows.gradScale,
      );
      if (loss !== undefined) this.leaveRows(loss, this.losses);
      if (grad !== undefined) this.leave(grad, grads, rows.accumulate);
    } while (this.next());
    return this.totalLoss();
  }

  private scaledCrossEntropy(
    loss: Float64Array | undefined,
    grad: FloatArray | undefined,
    x: FloatArray,
    indices: Int32Array | undefined,
    probabilities: FloatArray | undefined,
    shape: Shape,
    terms: CrossEntropyTerms,
    scale: number,
  ): number {
    const { temperature, rows, weight } = terms;
    const gradient = grad && new Float64Array(grad);
    const wide = probabilities && new Float64Array(probabilities);
    const total = this.crossEntropy(loss, gradient, scaledCopy(x, scale), indices, wide, shape, {
      ...terms,
      temperature: temperature * scale,
      rows: { ...rows, gradScale: rows.gradScale * scale },
      weight: weight && new Float64Array(weight),
    });
    if (grad) setFrom(grad, gradient!);
    return total;
  }

  hinge(
    loss: Float64Array | undefined,
    grad: FloatArray | undefined,
    scores: FloatArray,
    indices: Int32Array,
    shape: Shape,
    terms: HingeTerms,
  ): number {
    const { margin, p, scale, rows } = terms;
    const westonWatkins = terms.form === "weston-watkins";
    const kernels = this.kernelsFor(scores);
    const isSparse = grad !== undefined && !westonWatkins && shape.classes > kernels.narrow;
    const slots = 1 + (rows.accumulate && !isSparse ? 1 : 0);
    const perResult = isSparse ? kernels.bytes + 4 : 0;
    if (!this.openLoss(shape, kernels.narrow, slots, perResult, rows, terms.weight, loss))
      return this.shared!.hinge(loss, grad, scores, indices, shape, terms);
    do {
      this.enterLoss(indices, rows, loss);
      const xs = this.enter(scores);
      const tops = isSparse ? this.arena.take(this.rows * 4) : 0;
      let grads = 0;
      if (isSparse) grads = this.arena.take(this.rows * kernels.bytes);
      else if (grad !== undefined) grads = this.place(grad, scores, xs, rows.accumulate);
      kernels.hinge(
        this.total,
        this.losses,
        grads,
        tops,
        xs,
        this.targets,
        this.weight,
        this.sampleWeight,
        this.gradOutput,
        this.rowOuters,
        shape.classes,
        this.rowInners,
        westonWatkins ? 1 : 0,
        margin,
        p - 1,
        scale,
        rows.gradScale,
      );
      if (loss !== undefined) this.leaveRows(loss, this.losses);
      if (isSparse) this.leaveTops(grad, grads, tops, shape, rows);
      else if (grad !== undefined) this.leave(grad, grads, rows.accumulate);
    } while (this.next());
    return this.totalLoss();
  }

  /**
   * Brings the Crammer–Singer gradients of the block, one class a row, to where they belong, and their negatives to the true classes. Of a new array
   * nothing else is touched: to make the zeros and to copy them took a quarter longer (f32, C = 1000, Node 24). Where there are few classes it is
   * the other way round.
   */
  private leaveTops(grad: FloatArray, grads: number, tops: number, shape: Shape, rows: RowTerms): void {
    if (rows.clears) this.clear(grad);
    const { classes, inner } = shape;
    const { view, firstRow, rows: n } = this;
    const { i32 } = this.arena;
    const values = grads >>> this.log2Bytes;
    const top = tops >>> 2;
    const own = this.targets >>> 2;
    for (let i = 0; i < n; i++) {
      const value = view[values + i]!;
      const k = i32[top + i]!;
      const start = rowStart(shape, firstRow + i);
      const y = i32[own + i]!;
      if (k < 0) for (let j = 0; j < classes; j++) grad[start + j * inner] = Number.NaN;
      else if (y >= 0) {
        grad[start + k * inner]! += value;
        grad[start + y * inner]! -= value;
      }
    }
  }

  private openLoss(
    shape: Shape,
    narrow: number,
    slots: number,
    perResult: number,
    rows: RowTerms,
    weight: FloatArray | undefined,
    loss: Float64Array | undefined,
  ): boolean {
    // One target and perhaps a loss and two factors a row.
    const factors = (rows.sampleWeight === undefined ? 0 : 8) + (rows.gradOutput === undefined ? 0 : 8);
    const perRow = 4 + perResult + factors + (loss === undefined ? 0 : 8);
    if (!this.open(shape, narrow, slots, perRow, weight === undefined ? 0 : shape.classes)) return false;
    const { arena } = this;
    this.total = arena.take(16);
    arena.keep();
    const at = this.total >>> 3;
    arena.f64[at] = 0;
    arena.f64[at + 1] = 0;
    this.weight = weight === undefined ? 0 : this.enterWeight(weight, shape.classes);
    return true;
  }

  /** What the kernels have added up over all blocks. */
  private totalLoss(): number {
    const { f64 } = this.arena;
    const at = this.total >>> 3;
    return totalOf(f64[at]!, f64[at + 1]!);
  }

  /** The class weights, which stay for the whole call. */
  private enterWeight(weight: FloatArray, classes: number): number {
    const at = this.arena.take(classes * this.typed.bytes);
    copy(this.view, at >>> this.log2Bytes, weight, 0, classes);
    this.arena.keep();
    return at;
  }

  /** What a loss needs per row of the block, and room for its results where they are wanted. */
  private enterLoss(
    indices: Int32Array | undefined,
    { sampleWeight, gradOutput }: RowTerms,
    loss: Float64Array | undefined,
  ): void {
    this.targets = indices === undefined ? 0 : this.enterTargets(indices);
    this.sampleWeight = sampleWeight === undefined ? 0 : this.enterFactors(sampleWeight);
    this.gradOutput = gradOutput === undefined ? 0 : this.enterFactors(gradOutput);
    this.losses = loss === undefined ? 0 : this.arena.take(this.rows * 8);
  }
}

/**
 * The kernels take a temperature between 2^−20 and 2^20, where nothing that they make of it leaves the normal range of an f32. Beyond that x and T
 * are multiplied by the same power of two first, which brings T to about 1; and as x may be of any size then, the call is computed in f64. (An
 * x / T that overflows even there is +Infinity, and its row NaN.)
 */
function scaleFor(temperature: number): number {
  if (temperature >= 2 ** -20 && temperature <= 2 ** 20) return 1;
  return 2 ** Math.max(-1022, Math.min(1022, -Math.ceil(Math.log2(temperature))));
}

/** x · scale, in f64. */
function scaledCopy(x: FloatArray, scale: number): Float64Array {
  const copy = new Float64Array(x);
  for (let i = 0; i < lengthOf(copy); i++) copy[i]! *= scale;
  return copy;
}
