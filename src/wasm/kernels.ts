// The kernels on linear memory: each call goes through its blocks (blocks.ts).

import { rowStart } from "../arguments/shape.js";
import { copy, lengthOf, setFrom } from "../arguments/typedArrays.js";
import { totalOf } from "../functions/reduction.js";
import type { FloatArray, Formulation, Kernels, LossTerms, Shape } from "../kernels.js";
import { type Arena, FEW_ELEMENTS } from "./arena.js";
import { Blocks } from "./blocks.js";

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

  /** True only of calls that are one block whatever belongs to them. */
  readsFirst({ outer, classes, inner }: Shape): boolean {
    return inner === 1 && outer * classes <= FEW_ELEMENTS && !this.arena.isFixed;
  }

  /**
   * In linear memory, so that they need not be copied once more: a hinge loss of 64 rows of 10 takes 4 % less (Node 24). Should the instance be
   * replaced before the kernel runs, they are.
   */
  get indices(): Int32Array {
    return this.arena.indices;
  }

  softmax(y: FloatArray, x: FloatArray, shape: Shape, temperature: number): void {
    this.map(false, y, x, shape, temperature);
  }

  logSoftmax(y: FloatArray, x: FloatArray, shape: Shape, temperature: number): void {
    this.map(true, y, x, shape, temperature);
  }

  /** y = f(x) */
  private map(isLog: boolean, y: FloatArray, x: FloatArray, shape: Shape, temperature: number): void {
    const scale = scaleFor(temperature);
    if (scale !== 1) {
      const scaled = scaledCopy(x, scale);
      this.map(isLog, scaled, scaled, shape, temperature * scale);
      setFrom(y, scaled);
      return;
    }
    const { softmax, logSoftmax, narrowExp } = this.kernelsFor(x);
    const kernel = isLog ? logSoftmax : softmax;
    if (!this.open(shape, narrowExp, 1, 0, 0)) {
      this.shared!.map(isLog, y, x, shape, temperature);
      return;
    }
    do {
      const xs = this.enter(x);
      const ys = this.place(y, x, xs, false);
      kernel(ys, xs, this.rowOuters, shape.classes, this.rowInners, temperature);
      this.leave(y, ys, false);
    } while (this.next());
  }

  softmaxGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void {
    this.mapGrad(false, dx, y, dy, shape);
  }

  logSoftmaxGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void {
    this.mapGrad(true, dx, y, dy, shape);
  }

  /** dx = f(y, dy) */
  private mapGrad(isLog: boolean, dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void {
    const { softmaxGrad, logSoftmaxGrad, narrow, narrowExp } = this.kernelsFor(y);
    const kernel = isLog ? logSoftmaxGrad : softmaxGrad;
    if (!this.open(shape, isLog ? narrowExp : narrow, 2, 0, 0)) {
      this.shared!.mapGrad(isLog, dx, y, dy, shape);
      return;
    }
    do {
      const ys = this.enter(y);
      const dys = this.enter(dy);
      const dxs = this.place(dx, y, ys, false);
      kernel(dxs, ys, dys, this.rowOuters, shape.classes, this.rowInners);
      this.leave(dx, dxs, false);
    } while (this.next());
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

  crossEntropy(terms: LossTerms, labelSmoothing: number, temperature: number): number {
    const { losses, grad, logits, probabilities, shape, accumulate } = terms;
    const scale = scaleFor(temperature);
    if (scale !== 1) return this.scaledCrossEntropy(terms, labelSmoothing, temperature, scale);
    const slots = (probabilities === undefined ? 1 : 2) + (accumulate ? 1 : 0);
    if (!this.openLoss(terms, this.kernelsFor(logits).narrowExp, slots, 0))
      return this.shared!.crossEntropy(terms, labelSmoothing, temperature);
    do {
      this.enterLoss(terms);
      const xs = this.enter(logits);
      const ts = probabilities === undefined ? 0 : this.enter(probabilities);
      const grads = grad === undefined ? 0 : this.place(grad, logits, xs, accumulate);
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
        terms.gradScale,
      );
      if (losses !== undefined) this.leaveRows(losses, this.losses);
      if (grad !== undefined) this.leave(grad, grads, accumulate);
    } while (this.next());
    return this.totalLoss();
  }

  private scaledCrossEntropy(terms: LossTerms, labelSmoothing: number, temperature: number, scale: number): number {
    const { grad, logits, probabilities, weight, gradScale } = terms;
    const wide = (array: FloatArray | undefined) => array && new Float64Array(array);
    const gradient = wide(grad);
    const scaled: LossTerms = {
      ...terms,
      grad: gradient,
      logits: scaledCopy(logits, scale),
      probabilities: wide(probabilities),
      weight: wide(weight),
      gradScale: gradScale * scale,
    };
    const total = this.crossEntropy(scaled, labelSmoothing, temperature * scale);
    if (grad) setFrom(grad, gradient!);
    return total;
  }

  hinge(terms: LossTerms, form: Formulation, margin: number, p: 1 | 2, divisor: number): number {
    const { losses, grad, logits: scores, shape, accumulate } = terms;
    const westonWatkins = form === "weston-watkins";
    const kernels = this.kernelsFor(scores);
    // Accumulated, each 0 is added: −0 + 0 is 0.
    const isSparse = grad !== undefined && !westonWatkins && !accumulate && shape.classes > kernels.narrow;
    const slots = accumulate ? 2 : 1;
    const perResult = isSparse ? kernels.bytes + 4 : 0;
    if (!this.openLoss(terms, kernels.narrow, slots, perResult))
      return this.shared!.hinge(terms, form, margin, p, divisor);
    do {
      this.enterLoss(terms);
      const xs = this.enter(scores);
      const tops = isSparse ? this.arena.take(this.rows * 4) : 0;
      let grads = 0;
      if (isSparse) grads = this.arena.take(this.rows * kernels.bytes);
      else if (grad !== undefined) grads = this.place(grad, scores, xs, accumulate);
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
        divisor,
        terms.gradScale,
      );
      if (losses !== undefined) this.leaveRows(losses, this.losses);
      if (isSparse) this.leaveTops(grad, grads, tops, shape, terms.clears);
      else if (grad !== undefined) this.leave(grad, grads, accumulate);
    } while (this.next());
    return this.totalLoss();
  }

  /**
   * Brings the Crammer–Singer gradients of the block, one class a row, to where they belong, and their negatives to the true classes. Of a new array
   * nothing else is touched: to make the zeros and to copy them took a quarter longer (f32, C = 1000, Node 24). Where there are few classes it is
   * the other way round.
   */
  private leaveTops(grad: FloatArray, grads: number, tops: number, shape: Shape, clears: boolean): void {
    if (clears) this.clear(grad);
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

  private openLoss(terms: LossTerms, narrow: number, slots: number, perResult: number): boolean {
    const { losses, shape, weight, sampleWeight, gradOutput } = terms;
    // One target and perhaps a loss and two factors a row.
    const factors = (sampleWeight === undefined ? 0 : 8) + (gradOutput === undefined ? 0 : 8);
    const perRow = 4 + perResult + factors + (losses === undefined ? 0 : 8);
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
  private enterLoss({ losses, indices, sampleWeight, gradOutput }: LossTerms): void {
    if (indices === this.arena.indices) this.targets = this.arena.indicesAt;
    else this.targets = indices === undefined ? 0 : this.enterIndices(indices);
    this.sampleWeight = sampleWeight === undefined ? 0 : this.enterFactors(sampleWeight);
    this.gradOutput = gradOutput === undefined ? 0 : this.enterFactors(gradOutput);
    this.losses = losses === undefined ? 0 : this.arena.take(this.rows * 8);
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
