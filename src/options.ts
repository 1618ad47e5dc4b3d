// The types of the public functions: what goes in, what comes out, and every option with its default.

import type { LossParts, MeanOver, Reduction } from "./functions/reduction.js";

/** A typed array that is only read. It has little more than the tag that tells it apart, so that a type error is about the tag. */
interface TypedArray<Tag extends string, N> {
  readonly [Symbol.toStringTag]: Tag;
  readonly length: number;
  readonly [index: number]: N;
}
/** A Float16Array. TypeScript before 5.8 has no name for it, Node before 24 no such array. */
export interface Float16ArrayLike extends TypedArray<"Float16Array", number> {}

// Typed arrays as arguments, each over any buffer. The property that tells them apart comes first, so that a type error names the two kinds instead of
// taking seven lines about their methods.
export interface AnyFloat32Array extends Float32Array {
  readonly [Symbol.toStringTag]: "Float32Array";
}
export interface AnyFloat64Array extends Float64Array {
  readonly [Symbol.toStringTag]: "Float64Array";
}
export interface AnyInt32Array extends Int32Array {
  readonly [Symbol.toStringTag]: "Int32Array";
}
export interface AnyUint16Array extends Uint16Array {
  readonly [Symbol.toStringTag]: "Uint16Array";
}

/** Arrays that are computed in f32, with results in a Float32Array. */
type Single = AnyFloat32Array | Float16ArrayLike;

/** Logits, scores, probabilities or gradients: Float32Array and Float16Array compute in f32; Float64Array and arrays of numbers in f64. */
export type LogitsLike = Single | AnyFloat64Array | readonly number[];
/** Weights and other factors. */
export type Factors = Exclude<LogitsLike, Float16ArrayLike>;

/** New arrays: their memory is not shared, so they can be sent, stored and made a Blob of. (TypeScript before 5.7 cannot tell.) */
type NewFloat32Array = ReturnType<Float32ArrayConstructor["of"]>;
type NewFloat64Array = ReturnType<Float64ArrayConstructor["of"]>;
export type NewInt32Array = ReturnType<Int32ArrayConstructor["of"]>;

/** The result for an input of this type: a new array of the same kind. */
export type Result<A extends LogitsLike> = A extends Single
  ? NewFloat32Array
  : A extends Float64Array
    ? NewFloat64Array
    : number[];

/** Where the result for an input of this type can go. */
export type Out<A extends LogitsLike> = A extends Single
  ? Float32Array
  : A extends Float64Array
    ? Float64Array
    : number[];

/** The same, as what an argument must be. */
export type Place<A extends LogitsLike> = A extends Single
  ? AnyFloat32Array
  : A extends Float64Array
    ? AnyFloat64Array
    : number[];

/** The array that was given for a result, or else a new one. (Written so that O is inferred from the options alone.) */
export type Given<O, N> = { given: Extract<O, object>; new: N }[O extends object ? "given" : "new"];

/** A second input, of the kind of the first. */
export type SameKind<A extends LogitsLike> =
  | Place<A>
  | (A extends readonly number[] ? AnyFloat64Array : A extends Single ? Single : never);

type Integers = `${"Int" | "Uint"}${8 | 16 | 32}Array` | "Uint8ClampedArray";
type BigIntegers = `Big${"Int" | "Uint"}64Array`;

/** One class index per row; a number for one row. */
export type ClassIndices = number | readonly number[] | TypedArray<Integers | BigIntegers, number | bigint>;

/** A few numbers. */
export type NumberList = readonly number[] | TypedArray<Integers | `Float${32 | 64}Array`, number>;

/** Class probabilities: as many as logits, and of their type (Float64Array for an array of numbers). `shape` must be given with them. */
export type ClassProbabilities<A extends LogitsLike = LogitsLike> = A extends Single ? Single : AnyFloat64Array;

/** One target per logit, in [0, 1]: of the logits' type, or integers, or numbers. */
export type BinaryTargets<A extends LogitsLike = LogitsLike> = Exclude<ClassIndices, number> | ClassProbabilities<A>;

/** A loss: one number for `mean` and `sum`, both parts of the mean for `parts`, one value per row for `none`. */
export type Loss<A extends LogitsLike, R extends Reduction> = {
  none: Result<A>;
  sum: number;
  mean: number;
  parts: LossParts;
}[R];

export interface ShapeOptions {
  /** The dimensions, row-major. Their product must be the array's length. Default: one row; for a loss with class indices [targets.length, C]. With
   * class probabilities it must be given. */
  shape?: NumberList | undefined;
  /** The class axis; negative counts from the end. Default: −1; for a loss with more than two dimensions 1. */
  axis?: number | undefined;
}

export interface OutOptions<A extends LogitsLike = LogitsLike, O = Out<A>> extends ShapeOptions {
  /** Where the result goes: same type and length as the input, which it may be. Default: a new array. */
  out?: O | undefined;
}

export interface TemperatureOptions {
  /** T > 0, finite: the input is divided by it first. Default: 1. */
  temperature?: number | undefined;
}

export interface LossOptions<R extends Reduction = Reduction> extends ShapeOptions {
  /**
   * `"none"`: one loss per row; `"sum"`; `"mean"`: their sum over the denominator of `meanOver`; `"parts"`: `{ sum, denominator }`, for a mean over several
   * calls, with the gradient of the sum. Default: `"mean"`.
   */
  reduction?: R | undefined;
  /** Class weights, length C, ≥ 0 and finite in the type of the logits. Default: 1 each. */
  weight?: Factors | undefined;
  /** Weights of the rows, finite and ≥ 0. A row of weight 0 gives exactly 0, whatever it holds. Default: 1 each. */
  sampleWeight?: Factors | undefined;
  /** Class indices only: the value or values that mark an ignored row; in [0, C) or not. Default: −100. */
  ignoreIndex?: number | NumberList | undefined;
  /**
   * What the mean divides by. `"weights"`: Σ u·w_y over the rows that are not ignored (probabilities: Σ u·Σ_j w_j t_j); `"count"`: their
   * number; `"all"`: the number of rows. Default: `"weights"` for cross-entropy with class indices, `"all"` with probabilities,
   * `"count"` for hinge.
   */
  meanOver?: MeanOver | undefined;
  /** The mean where its denominator is 0. The gradient is 0 then. Default: NaN. */
  emptyMean?: number | undefined;
}

export interface GradOptions<A extends LogitsLike = LogitsLike, G = Out<A>> {
  /** Where the gradient goes: same type and length as the logits, which it may be. Default: a new array. */
  grad?: G | undefined;
  /** The upstream gradient: a number, or one per row for reduction `"none"`. Default: 1. */
  gradOutput?: number | Factors | undefined;
  /** Add to `grad`, which must be given, instead of overwriting it. Default: false. */
  accumulate?: boolean | undefined;
}

export interface CrossEntropyOptions<R extends Reduction = Reduction> extends LossOptions<R>, TemperatureOptions {
  /** ε in [0, 1]: the target distribution becomes 1 − ε of itself plus ε of the uniform one. Default: 0. */
  labelSmoothing?: number | undefined;
  /** γ ≥ 0 of a focal loss: the loss of a row times (1 − p_y)^γ. For class indices without `labelSmoothing`. Default: 0. */
  gamma?: number | undefined;
}

export interface BinaryCrossEntropyOptions<R extends Reduction = Reduction> extends ShapeOptions {
  /**
   * `"none"`: one loss per element; `"sum"`; `"mean"`: their sum over the number of elements; `"parts"`: `{ sum, denominator }`, with the gradient of the
   * sum. Default: `"mean"`.
   */
  reduction?: R | undefined;
  /** Weights of the labels, length C, ≥ 0 and finite in the type of the logits. Default: 1 each. */
  weight?: Factors | undefined;
  /** Weights of present labels: they multiply the term with t, not that with 1 − t. Length C, as `weight`. Default: 1 each. */
  posWeight?: Factors | undefined;
  /** Weights of the rows, as `weight`. Default: 1 each. */
  sampleWeight?: Factors | undefined;
  /** ε in [0, 1]: t becomes t·(1 − ε) + ε/2. Default: 0. */
  labelSmoothing?: number | undefined;
  /** γ ≥ 0 of a focal loss: the term with t times (1 − p)^γ, that with 1 − t times p^γ, p = sigmoid(x). Default: 0. */
  gamma?: number | undefined;
  /** The mean of no elements. Default: NaN. */
  emptyMean?: number | undefined;
}

export interface HingeOptions<R extends Reduction = Reduction> extends LossOptions<R> {
  /** Sum over all wrong classes, or only the one with the highest score. Default: `"weston-watkins"`. */
  form?: "weston-watkins" | "crammer-singer" | undefined;
  /** By how much the true class must lead: ≥ 0 and finite in the type of the scores. Default: 1. */
  margin?: number | undefined;
  /** The power of each violation. Default: 1. */
  p?: 1 | 2 | undefined;
  /** Divide each row's loss by C, as PyTorch's multi_margin_loss does. Default: false. */
  perClass?: boolean | undefined;
}

export interface LayerOptions<A extends LogitsLike = LogitsLike> {
  /** The dimensions of x; all but the last are rows. Default: one row; for a loss with class indices as many rows as targets. */
  shape?: NumberList | undefined;
  /** One number per class, of x's type. Default: none. */
  bias?: SameKind<A> | undefined;
}

export interface LinearOptions<A extends LogitsLike = LogitsLike, O = Out<A>> extends LayerOptions<A> {
  /** Where the logits go: of x's type, rows × C. Default: a new array. */
  out?: O | undefined;
}

/** The options of a layer's loss beside those of the loss itself. */
export interface LayerLossOptions<A extends LogitsLike = LogitsLike> extends LayerOptions<A> {
  /** Class weights, as `weight` of the loss of logits. */
  classWeight?: Factors | undefined;
  /**
   * λ ≥ 0: ½·λ·Σ weight² is added to the loss, and λ·weight to its gradient. With reduction `"none"` to the gradient
   * only; not with `"parts"`, since every call would add it. Default: 0.
   */
  l2?: number | undefined;
}

export interface LayerCrossEntropyOptions<A extends LogitsLike = LogitsLike, R extends Reduction = Reduction>
  extends Omit<CrossEntropyOptions<R>, "shape" | "axis" | "weight" | "gamma">,
    LayerLossOptions<A> {}

export interface LayerHingeOptions<A extends LogitsLike = LogitsLike, R extends Reduction = Reduction>
  extends Omit<HingeOptions<R>, "shape" | "axis" | "weight">,
    LayerLossOptions<A> {}

export interface LayerGradOptions<A extends LogitsLike = LogitsLike, W = Out<A>, B = Out<A>, X = Out<A> | boolean> {
  /** Where the gradient of the weights goes: of their type and length. Default: a new array. */
  gradWeight?: W | undefined;
  /** Where the gradient of the bias goes; without a bias, that of a bias of 0. Default: a new array if there is a bias. */
  gradBias?: B | undefined;
  /** Whether the gradient of x is wanted, or where it goes: of x's type and length. Default: false. */
  gradX?: X | undefined;
  /** The upstream gradient: a number, or one per row for reduction `"none"`. Default: 1. */
  gradOutput?: number | Factors | undefined;
  /** Add to these arrays instead of overwriting them. Default: false. */
  accumulate?: boolean | undefined;
}

export interface LayerGradients<A extends LogitsLike = LogitsLike, W = Out<A>, B = Out<A>, X = Out<A>> {
  gradWeight: W;
  /** Present where there is a bias, or a place for it. */
  gradBias?: B;
  /** Present where it was asked for. */
  gradX?: X;
}

export interface IndicesOptions extends ShapeOptions {
  /** Where the indices go, one for each row. Default: a new array; without `shape`, a number. */
  out?: AnyInt32Array | undefined;
}
/** One row: what comes back is a number. */
export interface OneRowOptions extends IndicesOptions {
  shape?: undefined;
  out?: undefined;
}
/** Rows: what comes back is a new array. */
export interface RowsOptions extends IndicesOptions {
  shape: NumberList;
  out?: undefined;
}
/** With `out`: what comes back is that array. */
export interface IntoOptions extends IndicesOptions {
  out: AnyInt32Array;
}

export interface TopKOptions extends ShapeOptions, TemperatureOptions {
  /** The value of each class: its probability among all classes of the row, the logarithm of that, or its logit. Default: `"probabilities"`. */
  values?: "probabilities" | "logProbabilities" | "logits" | undefined;
}

export interface SampleOptions {
  /** T ≥ 0, finite: the logits are divided by it first; 0 takes the largest. Default: 1. */
  temperature?: number | undefined;
  /** How many classes stay, an integer ≥ 1: the largest, equal ones by index. Default: all. */
  topK?: number | undefined;
  /** In (0, 1]: of the classes that topK leaves the fewest stay, most probable first, that have at least this share of their probability. Default: 1. */
  topP?: number | undefined;
  /** In [0, 1]: of the classes that topP leaves, those stay that have at least minP times the largest probability. Default: 0. */
  minP?: number | undefined;
  /** Returns a number in [0, 1). Called once for each row, in the order of the rows, after everything else has been checked. Default: Math.random. */
  random?: (() => number) | undefined;
}
