// The kernels on linear memory: each call goes through its blocks (blocks.ts).

import { lengthOf, setFrom } from "../arguments/typedArrays.js";
import { binaryCrossEntropy } from "../baseline/binaryCrossEntropy.js";
import { totalOf } from "../functions/reduction.js";
import type { BinaryTerms, FloatArray, Formulation, Kernels, LossTerms, Shape } from "../kernels.js";
import type { Arena } from "./arena.js";
import { Blocks } from "./blocks.js";

const FEW_ELEMENTS = 1024;

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
  private logits = 0;
  private grads = 0;

  constructor(arena: Arena, shared?: WasmKernels) {
    super(arena);
    this.shared = shared;
  }

  /** True only of calls that are one block whatever belongs to them. */
  readsFirst({ outer, classes, inner }: Shape): boolean {
    return inner === 1 && outer * classes <= FEW_ELEMENTS && !this.arena.isFixed;
  }

  softmax(y: FloatArray, x: FloatArray, shape: Shape, temperature: number): void {
    this.map("softmax", y, x, shape, temperature);
  }

  logSoftmax(y: FloatArray, x: FloatArray, shape: Shape, temperature: number): void {
    this.map("logSoftmax", y, x, shape, temperature);
  }

  /** y = f(x) */
  private map(f: "softmax" | "logSoftmax", y: FloatArray, x: FloatArray, shape: Shape, temperature: number): void {
    const scale = scaleFor(temperature);
    if (scale !== 1) {
      const scaled = scaledCopy(x, scale);
      this.map(f, scaled, scaled, shape, temperature * scale);
      setFrom(y, scaled);
      return;
    }
    this.begin(x);
    const { exports } = this.arena;
    const kernel = f === "softmax" ? exports.softmax : exports.logSoftmax;
    if (!this.open(shape, exports.narrowExp[this.type], 1, 0, 0)) {
      this.shared!.map(f, y, x, shape, temperature);
      return;
    }
    do {
      const xs = this.enter(x);
      const ys = this.place(y, x, xs, false);
      kernel(this.bytes, ys, xs, this.rowOuters, shape.classes, this.rowInners, temperature);
      this.leave(y, ys, false);
    } while (this.next());
  }

  softmaxGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void {
    this.mapGrad("softmaxGrad", dx, y, dy, shape);
  }

  logSoftmaxGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void {
    this.mapGrad("logSoftmaxGrad", dx, y, dy, shape);
  }

  /** dx = f(y, dy) */
  private mapGrad(
    f: "softmaxGrad" | "logSoftmaxGrad",
    dx: FloatArray,
    y: FloatArray,
    dy: FloatArray,
    shape: Shape,
  ): void {
    this.begin(y);
    const { exports } = this.arena;
    const kernel = f === "softmaxGrad" ? exports.softmaxGrad : exports.logSoftmaxGrad;
    const narrow = f === "softmaxGrad" ? exports.narrow[this.type] : exports.narrowExp[this.type];
    if (!this.open(shape, narrow, 2, 0, 0)) {
      this.shared!.mapGrad(f, dx, y, dy, shape);
      return;
    }
    do {
      const ys = this.enter(y);
      const dys = this.enter(dy);
      const dxs = this.place(dx, y, ys, false);
      kernel(this.bytes, dxs, ys, dys, this.rowOuters, shape.classes, this.rowInners);
      this.leave(dx, dxs, false);
    } while (this.next());
  }

  logSumExp(lse: FloatArray, x: FloatArray, shape: Shape, temperature: number): void {
    const scale = scaleFor(temperature);
    if (scale !== 1) {
      this.logSumExp(lse, scaledCopy(x, scale), shape, temperature * scale);
      return;
    }
    this.begin(x);
    const { exports } = this.arena;
    if (!this.open(shape, exports.narrowExp[this.type], 1, 8, 0)) {
      this.shared!.logSumExp(lse, x, shape, temperature);
      return;
    }
    do {
      const values = this.arena.take(this.rows * 8);
      const xs = this.enter(x);
      exports.logSumExp(this.bytes, values, xs, this.rowOuters, shape.classes, this.rowInners, temperature);
      this.leaveRows(lse, values);
    } while (this.next());
  }

  crossEntropy(terms: LossTerms, labelSmoothing: number, temperature: number): number {
    const { logits, probabilities, shape, gradScale } = terms;
    const scale = scaleFor(temperature);
    if (scale !== 1) return this.scaledCrossEntropy(terms, labelSmoothing, temperature, scale);
    this.begin(logits);
    const { exports } = this.arena;
    if (!this.openLoss(terms, exports.narrowExp[this.type]))
      return this.shared!.crossEntropy(terms, labelSmoothing, temperature);
    do {
      this.enterLoss(terms);
      const ts = probabilities === undefined ? 0 : this.enter(probabilities);
      exports.crossEntropy(
        this.bytes,
        this.total,
        this.losses,
        this.grads,
        this.logits,
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
        gradScale,
      );
      this.leaveLoss(terms);
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
    const { logits: scores, shape, gradScale } = terms;
    this.begin(scores);
    const { exports } = this.arena;
    if (!this.openLoss(terms, exports.narrow[this.type])) return this.shared!.hinge(terms, form, margin, p, divisor);
    do {
      this.enterLoss(terms);
      exports.hinge(
        this.bytes,
        this.total,
        this.losses,
        this.grads,
        this.logits,
        this.targets,
        this.weight,
        this.sampleWeight,
        this.gradOutput,
        this.rowOuters,
        shape.classes,
        this.rowInners,
        form === "weston-watkins" ? 1 : 0,
        margin,
        p - 1,
        divisor,
        gradScale,
      );
      this.leaveLoss(terms);
    } while (this.next());
    return this.totalLoss();
  }

  sigmoid(y: FloatArray, x: FloatArray, shape: Shape): void {
    this.elementwise("sigmoid", y, x, undefined, shape);
  }

  sigmoidGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void {
    this.elementwise("sigmoidGrad", dx, y, dy, shape);
  }

  logSigmoid(y: FloatArray, x: FloatArray, shape: Shape): void {
    this.elementwise("logSigmoid", y, x, undefined, shape);
  }

  logSigmoidGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void {
    this.elementwise("logSigmoidGrad", dx, y, dy, shape);
  }

  /** y = f(x), or f(x, dy), elementwise */
  private elementwise(
    f: "sigmoid" | "sigmoidGrad" | "logSigmoid" | "logSigmoidGrad",
    y: FloatArray,
    x: FloatArray,
    dy: FloatArray | undefined,
    shape: Shape,
  ): void {
    this.begin(x);
    const { exports } = this.arena;
    if (!this.openElements(shape, dy === undefined ? 1 : 2)) {
      this.shared!.elementwise(f, y, x, dy, shape);
      return;
    }
    do {
      const xs = this.enter(x);
      const dys = dy === undefined ? 0 : this.enter(dy);
      const ys = this.place(y, x, xs, false);
      if (f === "sigmoid" || f === "logSigmoid") exports[f](this.bytes, ys, xs, this.rows);
      else exports[f](this.bytes, ys, xs, dys, this.rows);
      this.leave(y, ys, false);
    } while (this.next());
  }

  binaryCrossEntropy(terms: BinaryTerms): number {
    const { losses, grad, logits, targets, shape, weight, posWeight, sampleWeight, gradOutput } = terms;
    const { gradScale, accumulate, labelSmoothing, gamma } = terms;
    // Powers are loops in plain TypeScript.
    if (gamma !== 0 && gamma !== 1 && gamma !== 2) return binaryCrossEntropy(terms);
    this.begin(logits);
    const { exports } = this.arena;
    const isWeighted = weight !== undefined || sampleWeight !== undefined;
    const more = [losses !== undefined, posWeight !== undefined, gradOutput !== undefined, isWeighted, accumulate];
    if (!this.openElements(shape, 2 + more.filter(Boolean).length)) return this.shared!.binaryCrossEntropy(terms);
    this.takeTotal();
    do {
      const ts = this.enter(targets);
      const ws = isWeighted ? this.spread(shape, weight, sampleWeight) : 0;
      const ps = posWeight === undefined ? 0 : this.spread(shape, posWeight, undefined);
      const gs = gradOutput === undefined ? 0 : this.enter(gradOutput);
      const ls = losses === undefined ? 0 : this.takeElements();
      const xs = this.enter(logits);
      const grads = grad === undefined ? 0 : this.place(grad, logits, xs, accumulate);
      exports.binaryCrossEntropy(
        this.bytes,
        this.total,
        ls,
        grads,
        xs,
        ts,
        ws,
        ps,
        gs,
        this.rows,
        labelSmoothing,
        gamma,
        gradScale,
      );
      if (losses !== undefined) this.leave(losses, ls, false);
      if (grad !== undefined) this.leave(grad, grads, accumulate);
    } while (this.next());
    return this.totalLoss();
  }

  /** Opens the blocks of a loss, with room for what belongs to its rows. */
  private openLoss(terms: LossTerms, narrow: number): boolean {
    const { losses, probabilities, shape, weight, sampleWeight, gradOutput, accumulate } = terms;
    const slots = 1 + (probabilities === undefined ? 0 : 1) + (accumulate ? 1 : 0);
    const factors = (sampleWeight === undefined ? 0 : 8) + (gradOutput === undefined ? 0 : 8);
    const perRow = 4 + factors + (losses === undefined ? 0 : 8);
    if (!this.open(shape, narrow, slots, perRow, weight === undefined ? 0 : shape.classes)) return false;
    this.takeTotal();
    this.weight = weight === undefined ? 0 : this.enterClasses(weight);
    return true;
  }

  /** Room for the total of the losses, which is 0 so far. */
  private takeTotal(): void {
    const { arena } = this;
    this.total = arena.take(16);
    arena.keep();
    arena.f64[this.total >>> 3] = 0;
    arena.f64[(this.total >>> 3) + 1] = 0;
  }

  /** Brings in what a loss needs for the block, and makes room for what comes out. */
  private enterLoss({ losses, grad, logits, indices, sampleWeight, gradOutput, accumulate }: LossTerms): void {
    this.targets = indices === undefined ? 0 : this.enterIndices(indices);
    this.sampleWeight = sampleWeight === undefined ? 0 : this.enterRows(sampleWeight);
    this.gradOutput = gradOutput === undefined ? 0 : this.enterRows(gradOutput);
    this.losses = losses === undefined ? 0 : this.arena.take(this.rows * 8);
    this.logits = this.enter(logits);
    this.grads = grad === undefined ? 0 : this.place(grad, logits, this.logits, accumulate);
  }

  private leaveLoss({ losses, grad, accumulate }: LossTerms): void {
    if (losses !== undefined) this.leaveRows(losses, this.losses);
    if (grad !== undefined) this.leave(grad, this.grads, accumulate);
  }

  /** What the kernels have added up over all blocks. */
  private totalLoss(): number {
    const { f64 } = this.arena;
    const at = this.total >>> 3;
    return totalOf(f64[at]!, f64[at + 1]!);
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
