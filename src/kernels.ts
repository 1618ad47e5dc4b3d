// What a backend computes. The public functions check their arguments, fill in defaults and call one of these; the two
// implementations are src/wasm/kernels.ts (linear memory, AssemblyScript) and src/baseline/ (plain loops).
//
// Arguments come in the order outputs, inputs, sizes, scalars, and were checked before. What can still go wrong here is that memory is short.

/** An array of logits, scores, probabilities or gradients. Its element type decides the precision of the computation. */
export type FloatArray = Float32Array | Float64Array;

/**
 * Where the classes lie: every array of logits is read as [outer, classes, inner], row-major. A row is the `classes` values
 * at one (outer, inner) position; the rows are numbered outer · inner of them, inner fastest.
 */
export interface Shape {
  readonly outer: number;
  readonly classes: number;
  readonly inner: number;
}

/** What every loss does with a row, besides computing it. */
export interface RowTerms {
  /** u, one factor per row for loss and gradient; absent means 1. A row with u = 0 gives exactly 0, whatever it holds. */
  readonly sampleWeight: Float64Array | undefined;
  /** Upstream gradient, one factor per row for the gradient only; absent means 1. */
  readonly gradOutput: Float64Array | undefined;
  /** One factor for all gradients: scalar upstream gradient over the denominator of the mean. */
  readonly gradScale: number;
  /** Add to `grad` what would otherwise overwrite it. */
  readonly accumulate: boolean;
  /** Set to 0 what nothing else is written to: not what is accumulated, nor in a new array. */
  readonly clears: boolean;
}

export interface CrossEntropyTerms {
  readonly rows: RowTerms;
  /** w, one factor per class, of the logits' type. */
  readonly weight: FloatArray | undefined;
  /** ε in [0, 1]. */
  readonly labelSmoothing: number;
  /** T > 0. */
  readonly temperature: number;
}

export interface HingeTerms {
  readonly rows: RowTerms;
  /** w, one factor per class, of the scores' type. */
  readonly weight: FloatArray | undefined;
  readonly form: "weston-watkins" | "crammer-singer";
  readonly margin: number;
  readonly p: 1 | 2;
  /** One factor for loss and gradient: 1, or 1/C for `perClass`. */
  readonly scale: number;
}

/**
 * The kernels of one backend. Arrays of logits have length outer · classes · inner and one element type per call; an output may be
 * the very same array as an input. Per-row arrays have at least outer · inner elements. There is at least one row.
 *
 * `indices` are the class indices of the rows, −1 for one that is ignored (its loss and gradient are exactly 0); without them there are
 * class probabilities, of the logits' type and length. A loss returns the sum of the losses of all rows, times u, in their order (reduction.ts), and
 * leaves each in `loss` where that is wanted; in f64 whatever the type of the logits. `grad` is absent where only the loss is wanted.
 */
export interface Kernels {
  /** Whether a call of this shape has read all its arrays before it writes one: then it does not matter how they overlap. */
  readsFirst(shape: Shape): boolean;
  softmax(y: FloatArray, x: FloatArray, shape: Shape, temperature: number): void;
  softmaxGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void;
  logSoftmax(y: FloatArray, x: FloatArray, shape: Shape, temperature: number): void;
  logSoftmaxGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void;
  logSumExp(lse: Float64Array, x: FloatArray, shape: Shape, temperature: number): void;
  crossEntropy(
    loss: Float64Array | undefined,
    grad: FloatArray | undefined,
    logits: FloatArray,
    indices: Int32Array | undefined,
    probabilities: FloatArray | undefined,
    shape: Shape,
    terms: CrossEntropyTerms,
  ): number;
  hinge(
    loss: Float64Array | undefined,
    grad: FloatArray | undefined,
    scores: FloatArray,
    indices: Int32Array,
    shape: Shape,
    terms: HingeTerms,
  ): number;
}
