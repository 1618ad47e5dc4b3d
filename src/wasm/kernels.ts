// The kernels on linear memory: each call goes through its blocks (blocks.ts).

import { rowStart } from "../arguments/shape.js";
import { bufferOf, byteOffsetOf, copy, lengthOf, setFrom } from "../arguments/typedArrays.js";
import { binaryCrossEntropy } from "../baseline/binaryCrossEntropy.js";
import { totalOf } from "../functions/reduction.js";
import type {
  BinaryTerms,
  FloatArray,
  Formulation,
  Kernels,
  Layer,
  LayerTerms,
  LossTerms,
  Restriction,
  Shape,
  TopKValues,
} from "../kernels.js";
import { ARENA_BYTES, type Arena } from "./arena.js";
import { LayerBlocks } from "./layer.js";

const FEW_ELEMENTS = 1024;
/** The most entries of a list of classes in an arena that must not grow: longer ones are for the shared kernels. */
const SHORT_LIST = 4096;
/** By their number in assembly/topK.ts. */
const TOP_K_VALUES: readonly TopKValues[] = ["logits", "probabilities", "logProbabilities"];
/** Classes whose exponentials `sample` adds up in one. */
const SAMPLE_BLOCK = 1024;

export class WasmKernels extends LayerBlocks implements Kernels {
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
  private probabilities = 0;
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
    const scale = scaleFor(temperature);
    if (scale !== 1) return this.scaledCrossEntropy(terms, labelSmoothing, temperature, scale);
    this.begin(terms.logits);
    if (!this.openLoss(terms, this.arena.exports.narrowExp[this.type]))
      return this.shared!.crossEntropy(terms, labelSmoothing, temperature);
    do {
      this.enterLoss(terms);
      this.blockCrossEntropy(terms, labelSmoothing, temperature);
      this.leaveLoss(terms);
    } while (this.next());
    return this.totalLoss();
  }

  /** Of the logits of the block. */
  private blockCrossEntropy(
    { shape, gradScale }: LayerTerms | LossTerms,
    smoothing: number,
    temperature: number,
  ): void {
    this.arena.exports.crossEntropy(
      this.bytes,
      this.total,
      this.losses,
      this.grads,
      this.logits,
      this.targets,
      this.probabilities,
      this.weight,
      this.sampleWeight,
      this.gradOutput,
      this.rowOuters,
      shape.classes,
      this.rowInners,
      smoothing,
      temperature,
      gradScale,
    );
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
    this.begin(terms.logits);
    if (!this.openLoss(terms, this.arena.exports.narrow[this.type]))
      return this.shared!.hinge(terms, form, margin, p, divisor);
    do {
      this.enterLoss(terms);
      this.blockHinge(terms, form, margin, p, divisor);
      this.leaveLoss(terms);
    } while (this.next());
    return this.totalLoss();
  }

  /** Of the scores of the block. */
  private blockHinge(
    { shape, gradScale }: LayerTerms | LossTerms,
    form: Formulation,
    margin: number,
    p: 1 | 2,
    divisor: number,
  ): void {
    this.arena.exports.hinge(
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
  }

  linear(z: FloatArray, layer: Layer): void {
    this.begin(layer.x);
    if (!this.openLayer(layer, undefined, 1, 0, 0)) {
      this.shared!.linear(z, layer);
      return;
    }
    do {
      const there = this.inPlace(z);
      const zs = there !== 0 ? there : this.arena.take(this.elements * this.bytes);
      this.blockLogits(zs, this.enterFeatures(layer.x), layer);
      this.leave(z, zs, false);
    } while (this.next());
  }

  linearCrossEntropy(terms: LayerTerms, labelSmoothing: number, temperature: number): number {
    if (scaleFor(temperature) !== 1)
      return this.throughLogits(terms, (loss) => this.crossEntropy(loss, labelSmoothing, temperature));
    if (!this.openLayerLoss(terms)) return this.shared!.linearCrossEntropy(terms, labelSmoothing, temperature);
    return this.layerLoss(terms, () => this.blockCrossEntropy(terms, labelSmoothing, temperature));
  }

  linearHinge(terms: LayerTerms, form: Formulation, margin: number, p: 1 | 2, divisor: number): number {
    if (!this.openLayerLoss(terms)) return this.shared!.linearHinge(terms, form, margin, p, divisor);
    return this.layerLoss(terms, () => this.blockHinge(terms, form, margin, p, divisor));
  }

  decay(gradWeight: FloatArray | undefined, { weight, classes, features }: Layer, l2: number): number {
    this.begin(weight);
    if (!this.open({ outer: classes, classes: features, inner: 1 }, 0, 2, 0, 0))
      return this.shared!.decay(gradWeight, { weight, classes, features } as Layer, l2);
    let sum = 0;
    do {
      const ws = this.enter(weight);
      const grads = gradWeight === undefined ? 0 : this.enter(gradWeight);
      sum += this.arena.exports.decay(this.bytes, grads, ws, this.elements, l2);
      if (gradWeight !== undefined) this.leave(gradWeight, grads, false);
    } while (this.next());
    return sum;
  }

  private openLayerLoss(terms: LayerTerms): boolean {
    const { layer, probabilities, weight } = terms;
    this.begin(layer.x);
    const slots = probabilities === undefined ? 1 : 2;
    const kept = weight === undefined ? 0 : layer.classes;
    if (!this.openLayer(layer, terms, slots, perRowBytes(terms), kept)) return false;
    this.startLoss(weight);
    return true;
  }

  /** The loss of a layer block by block, computed by `blockLoss` from logits that become their gradient, and the gradients of the layer. */
  private layerLoss(terms: LayerTerms, blockLoss: () => void): number {
    const { layer, losses, probabilities, gradWeight } = terms;
    do {
      this.enterTerms(terms);
      const xs = this.enterFeatures(layer.x);
      this.logits = this.arena.take(this.elements * this.bytes);
      this.grads = gradWeight === undefined ? 0 : this.logits;
      this.probabilities = probabilities === undefined ? 0 : this.enter(probabilities);
      this.blockLogits(this.logits, xs, layer);
      blockLoss();
      if (losses !== undefined) this.leaveRows(losses, this.losses);
      if (gradWeight !== undefined) this.blockGrads(this.logits, xs, terms);
    } while (this.next());
    return this.totalLoss();
  }

  /** The same by way of logits that exist as a whole: for what the kernels cannot compute as it is. */
  private throughLogits(terms: LayerTerms, lossOf: (terms: LossTerms) => number): number {
    const { layer, gradWeight } = terms;
    const length = layer.rows * layer.classes;
    const logits = layer.x instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
    const grad = gradWeight && logits;
    this.linear(logits, layer);
    const total = lossOf({ ...terms, logits, grad, accumulate: false, clears: true });
    if (grad === undefined) return total;
    this.begin(layer.x);
    if (!this.openLayer(layer, terms, 1, 0, 0)) return this.shared!.throughLogits(terms, lossOf);
    do this.blockGrads(this.enter(grad), this.enterFeatures(layer.x), terms);
    while (this.next());
    return total;
  }

  argmax(indices: Int32Array, x: FloatArray, shape: Shape): void {
    this.begin(x);
    const { exports } = this.arena;
    if (!this.open(shape, exports.narrow[this.type], this.slotOf(x, shape), 4, 0)) {
      this.shared!.argmax(indices, x, shape);
      return;
    }
    do {
      const results = this.arena.take(this.rows * 4);
      const xs = this.enter(x);
      exports.argmax(this.bytes, results, xs, this.rowOuters, shape.classes, this.rowInners);
      this.leaveIndices(indices, results, 1);
    } while (this.next());
  }

  topK(
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
      this.topK(indices, wide, scaledCopy(x, scale), shape, k, kind, temperature * scale);
      setFrom(values, wide);
      this.topK(indices, wide, x, shape, k, "logits", 1);
      return;
    }
    this.begin(x);
    const { bytes } = this;
    const { exports } = this.arena;
    const capacity = this.capacityFor(shape);
    const { arena } = this;
    let fits = this.open(shape, 0, this.slotOf(x, shape), k * (bytes + 4), capacity * (1 + 12 / bytes));
    while (fits) {
      const { rows } = this;
      const at = {
        indices: arena.take(rows * k * 4),
        values: arena.take(rows * k * bytes),
        list: arena.take(capacity * bytes),
        ids: arena.take(capacity * 4),
        order: arena.take(capacity * 4),
        spare: arena.take(capacity * 4),
        x: this.enter(x),
      };
      const pointers = [at.indices, at.values, at.list, at.ids, at.order, at.spare, at.x] as const;
      fits =
        exports.topK(bytes, ...pointers, rows, shape.classes, k, TOP_K_VALUES.indexOf(kind), temperature, capacity) !==
        0;
      if (!fits) break;
      this.leaveIndices(indices, at.indices, k);
      this.leaveValues(values, at.values, k);
      if (!this.next()) return;
    }
    this.arena.end();
    this.shared!.topK(indices, values, x, shape, k, kind, temperature);
  }

  sample(
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
      this.sample(classes, scaledRows(x, tops, shape, scale), tops, u, shape, temperature * scale, restriction);
      return;
    }
    this.begin(x);
    const { bytes } = this;
    const { exports } = this.arena;
    const capacity = this.capacityFor(shape);
    const sumBytes = (Math.floor(shape.classes / SAMPLE_BLOCK) + 1) * 8;
    const kept = capacity * (2 + 4 / bytes) + sumBytes / bytes;
    const { topK, topP, minP } = restriction;
    const { arena } = this;
    let fits = this.open(shape, 0, this.slotOf(x, shape), 16, kept);
    while (fits) {
      const { rows } = this;
      const at = {
        classes: arena.take(rows * 4),
        sums: arena.take(sumBytes),
        list: arena.take(capacity * bytes),
        ids: arena.take(capacity * 4),
        weights: arena.take(capacity * bytes),
        x: this.enter(x),
        tops: this.enterTops(tops),
        u: this.enterRows(u),
      };
      const pointers = [at.classes, at.sums, at.list, at.ids, at.weights, at.x, at.tops, at.u] as const;
      const k = Math.min(topK, shape.classes);
      fits = exports.sample(bytes, ...pointers, rows, shape.classes, temperature, k, topP, minP, capacity) !== 0;
      if (!fits) break;
      this.leaveIndices(classes, at.classes, 1);
      if (!this.next()) return;
    }
    this.arena.end();
    this.shared!.sample(classes, x, tops, u, shape, temperature, restriction);
  }

  private enterTops(tops: Int32Array): number {
    const at = this.arena.take(this.rows * 4);
    const { i32 } = this.arena;
    for (let r = 0; r < this.rows; r++) i32[(at >>> 2) + r] = tops[this.firstRow + r]!;
    return at;
  }

  /** How many arrays of logits a block must have room for: none where they are used as they lie. */
  private slotOf(x: FloatArray, { inner }: Shape): number {
    return inner === 1 && this.inWorkspace(x) !== 0 ? 0 : 1;
  }

  /** The length of a list of classes: all, or in an arena that must not grow what is enough for most rows. */
  private capacityFor({ classes }: Shape): number {
    const whole = Math.ceil(classes / 4) * 4;
    return this.arena.isFixed ? Math.min(whole, SHORT_LIST) : whole;
  }

  float16ToFloat32(y: Float32Array, x: Uint16Array): void {
    const { arena } = this;
    const length = lengthOf(x);
    const perBlock = ARENA_BYTES / 8;
    this.begin(y);
    arena.open(ARENA_BYTES);
    const to = arena.take(perBlock * 4);
    const bits = arena.take(perBlock * 2);
    for (let i = 0; i < length; i += perBlock) {
      const n = Math.min(perBlock, length - i);
      setFrom(new Uint16Array(arena.buffer, bits, n), new Uint16Array(bufferOf(x), byteOffsetOf(x) + 2 * i, n));
      arena.exports.float16ToFloat32(4, to, bits, n);
      copy(y, i, arena.f32, to >>> 2, n);
    }
    arena.end();
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
    const { probabilities, shape, weight, accumulate } = terms;
    const slots = 1 + (probabilities === undefined ? 0 : 1) + (accumulate ? 1 : 0);
    const kept = weight === undefined ? 0 : shape.classes;
    if (!this.open(shape, narrow, slots, perRowBytes(terms), kept)) return false;
    this.startLoss(weight);
    return true;
  }

  private startLoss(weight: FloatArray | undefined): void {
    this.takeTotal();
    this.weight = weight === undefined ? 0 : this.enterClasses(weight);
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
  private enterLoss(terms: LossTerms): void {
    const { grad, logits, probabilities, accumulate } = terms;
    this.enterTerms(terms);
    this.logits = this.enter(logits);
    this.probabilities = probabilities === undefined ? 0 : this.enter(probabilities);
    this.grads = grad === undefined ? 0 : this.place(grad, logits, this.logits, accumulate);
  }

  /** What belongs to rows. */
  private enterTerms({ losses, indices, sampleWeight, gradOutput }: LayerTerms | LossTerms): void {
    this.targets = indices === undefined ? 0 : this.enterIndices(indices);
    this.sampleWeight = sampleWeight === undefined ? 0 : this.enterRows(sampleWeight);
    this.gradOutput = gradOutput === undefined ? 0 : this.enterRows(gradOutput);
    this.losses = losses === undefined ? 0 : this.arena.take(this.rows * 8);
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

/** What a loss needs for each row beside its classes: one target and perhaps a loss and two factors. */
function perRowBytes({ losses, sampleWeight, gradOutput }: LayerTerms | LossTerms): number {
  return 4 + (losses === undefined ? 0 : 8) + (sampleWeight === undefined ? 0 : 8) + (gradOutput === undefined ? 0 : 8);
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
