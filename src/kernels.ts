// What a backend computes, for the public functions: wasm/kernels.ts in linear memory, baseline/kernels.ts in plain loops. Arguments come in the order
// outputs, inputs, sizes, scalars, and were checked before: all that can still go wrong is that memory is short.

import { bytesPerElement, type FloatArray } from "./arguments/typedArrays.js";

export type { FloatArray };

/**
 * Where the classes lie: every array of logits is read as [outer, classes, inner], row-major. A row is the `classes` values
 * at one (outer, inner) position; the outer · inner rows are numbered with inner fastest.
 */
export interface Shape {
  readonly outer: number;
  readonly classes: number;
  readonly inner: number;
}

/** The class index of each row. A negative index marks an ignored row: its loss and gradient are exactly 0. */
export interface ClassIndices {
  at(row: number): number;
  /** Copies the indices of n rows from `first` on. */
  copyTo(to: Int32Array, at: number, first: number, n: number): void;
}

/** What every loss takes. */
export interface LossTerms {
  /** Room for the loss of each row, of the logits' type; absent where only their total is wanted. */
  readonly losses: FloatArray | undefined;
  /** Where the gradient goes; absent where only the loss is wanted. */
  readonly grad: FloatArray | undefined;
  /** For focal loss: room for three numbers per row, q = 1 − p_y and the rounding errors of q and of the loss. With it all results are more exact. */
  readonly complements?: Float64Array;
  readonly logits: FloatArray;
  readonly indices: ClassIndices | undefined;
  /** Without indices: class probabilities, of the logits' type and length. */
  readonly probabilities: FloatArray | undefined;
  readonly shape: Shape;
  /** w, one factor per class, of the logits' type; absent means 1. */
  readonly weight: FloatArray | undefined;
  /** u, one factor per row for loss and gradient; absent means 1. A row with u = 0 gives exactly 0, whatever it holds. */
  readonly sampleWeight: Float64Array | undefined;
  /** Upstream gradient, one factor per row for the gradient only; absent means 1. */
  readonly gradOutput: Float64Array | undefined;
  /** One factor for all gradients: scalar upstream gradient over the denominator of the mean. */
  readonly gradScale: number;
  /** Add to `grad` what would otherwise overwrite it. */
  readonly accumulate: boolean;
  /** Store the zeros of `grad` too: false where gradients accumulate, and where `grad` is a new array. */
  readonly clears: boolean;
}

/** A linear layer: z = x·weightᵀ + bias. x: [rows, features], weight: [classes, features], bias: [classes], z: [rows, classes]; all of one type. */
export interface Layer {
  readonly x: FloatArray;
  readonly weight: FloatArray;
  readonly bias: FloatArray | undefined;
  readonly rows: number;
  readonly features: number;
  readonly classes: number;
}

/** A loss of the logits that a layer makes, and where the gradients of the layer go, if they are wanted. */
export interface LayerTerms extends Omit<LossTerms, "logits" | "grad" | "clears"> {
  readonly layer: Layer;
  readonly gradX: FloatArray | undefined;
  readonly gradWeight: FloatArray | undefined;
  readonly gradBias: FloatArray | undefined;
}

/**
 * The rows of a block of a layer. The gradients of weights and bias add up the sums of blocks. Their bits must depend on the layer alone, and so must this.
 * Whole tiles of 4 rows, and at most 13.5 MiB: linear memory, with the logits of a block and a part of the weights, stays below 16 MiB.
 */
export function rowsPerBlock({ x, features, classes }: Layer): number {
  const row = (classes + 2 * features) * bytesPerElement(x);
  const rows = Math.max(1, Math.min(240, Math.floor((13.5 * 2 ** 20) / row)));
  return rows > 4 ? rows & -4 : rows;
}

/** What binary cross-entropy takes. Everything is elementwise but `weight` and `posWeight`, one factor per class, and `sampleWeight`, one per row. */
export interface BinaryTerms {
  /** Room for the loss of each element; absent where only their total is wanted. */
  readonly losses: FloatArray | undefined;
  readonly grad: FloatArray | undefined;
  readonly logits: FloatArray;
  /** In [0, 1], of the logits' type. */
  readonly targets: FloatArray;
  readonly shape: Shape;
  /** Absent means 1. An element whose `weight` times `sampleWeight` is 0 gives exactly 0, whatever it holds. */
  readonly weight: FloatArray | undefined;
  readonly posWeight: FloatArray | undefined;
  readonly sampleWeight: Float64Array | undefined;
  /** Upstream gradient of each element; absent means 1. */
  readonly gradOutput: FloatArray | undefined;
  readonly gradScale: number;
  readonly accumulate: boolean;
  /** ε in [0, 1] */
  readonly labelSmoothing: number;
  /** γ ≥ 0 */
  readonly gamma: number;
}

export type Formulation = "weston-watkins" | "crammer-singer";

/** The values that `topK` gives. */
export type TopKValues = "probabilities" | "logProbabilities" | "logits";

/** What `sample` may draw: the topK largest; of these the fewest that have topP of their sum; of these the classes with at least minP of the largest. */
export interface Restriction {
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
}

/**
 * The kernels of one backend. Arrays of logits have length outer · classes · inner and one element type per call; an output may be
 * the very same array as an input. Per-row arrays have outer · inner elements. There is at least one row.
 *
 * A loss returns the sum of the losses of all rows, times u, in their order (reduction.ts).
 */
export interface Kernels {
  /** Whether a call of this shape reads all its arrays before it writes one: then they may overlap in any way. */
  readsFirst(shape: Shape): boolean;
  /** Whether an input of f32 may be a Float16Array, widened as it is read. Outputs are Float32Arrays. */
  readonly widens: boolean;
  softmax(y: FloatArray, x: FloatArray, shape: Shape, temperature: number): void;
  softmaxGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void;
  logSoftmax(y: FloatArray, x: FloatArray, shape: Shape, temperature: number): void;
  logSoftmaxGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void;
  logSumExp(lse: FloatArray, x: FloatArray, shape: Shape, temperature: number): void;
  /** labelSmoothing: ε in [0, 1]; temperature: T > 0. */
  crossEntropy(terms: LossTerms, labelSmoothing: number, temperature: number): number;
  /** divisor: of loss and gradient; C for `perClass`, else 1. */
  hinge(terms: LossTerms, form: Formulation, margin: number, p: 1 | 2, divisor: number): number;
  linear(z: FloatArray, layer: Layer): void;
  linearCrossEntropy(terms: LayerTerms, labelSmoothing: number, temperature: number): number;
  linearHinge(terms: LayerTerms, form: Formulation, margin: number, p: 1 | 2, divisor: number): number;
  /** gradWeight, if given, += l2 · weight; returns Σ weight². */
  decay(gradWeight: FloatArray | undefined, layer: Layer, l2: number): number;
  argmax(indices: Int32Array, x: FloatArray, shape: Shape): void;
  /** indices, values: [outer · inner, k]. */
  topK(
    indices: Int32Array,
    values: FloatArray,
    x: FloatArray,
    shape: Shape,
    k: number,
    kind: TopKValues,
    temperature: number,
  ): void;
  /** tops: the class of each row's maximum, which is finite; u: a number in [0, 1) for each row. */
  sample(
    classes: Int32Array,
    x: FloatArray,
    tops: Int32Array,
    u: Float64Array,
    shape: Shape,
    temperature: number,
    restriction: Restriction,
  ): void;
  /** y may be longer than x. */
  float16ToFloat32(y: Float32Array, x: Uint16Array): void;
  // Elementwise: of the shape only the size matters.
  sigmoid(y: FloatArray, x: FloatArray, shape: Shape): void;
  sigmoidGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void;
  logSigmoid(y: FloatArray, x: FloatArray, shape: Shape): void;
  logSigmoidGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void;
  /** Returns the sum of the losses of all elements. */
  binaryCrossEntropy(terms: BinaryTerms): number;
}
