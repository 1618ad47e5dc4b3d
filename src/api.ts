// The public functions, bound to the kernels of one backend.

import { argmax } from "./functions/argmax.js";
import { binaryCrossEntropy } from "./functions/binaryCrossEntropy.js";
import { crossEntropy } from "./functions/crossEntropy.js";
import { float16ToFloat32 } from "./functions/float16ToFloat32.js";
import { hinge } from "./functions/hinge.js";
import { initialLoss } from "./functions/initialLoss.js";
import { linear, linearCrossEntropy, linearHinge } from "./functions/linear.js";
import { logSumExp } from "./functions/logSumExp.js";
import type { Reduction } from "./functions/reduction.js";
import { sample } from "./functions/sample.js";
import { sigmoid } from "./functions/sigmoid.js";
import { softmax, softmaxGrad } from "./functions/softmax.js";
import { topK } from "./functions/topK.js";
import type { Kernels } from "./kernels.js";
import type {
  AnyFloat32Array,
  AnyUint16Array,
  BinaryCrossEntropyOptions,
  BinaryTargets,
  ClassIndices,
  ClassProbabilities,
  CrossEntropyOptions,
  Float16ArrayLike,
  Given,
  GradOptions,
  HingeOptions,
  IndicesOptions,
  IntoOptions,
  LayerCrossEntropyOptions,
  LayerGradients,
  LayerGradOptions,
  LayerHingeOptions,
  LinearOptions,
  LogitsLike,
  Loss,
  NewInt32Array,
  OneRowOptions,
  OutOptions,
  Place,
  Result,
  RowsOptions,
  SameKind,
  SampleOptions,
  TemperatureOptions,
  TopKOptions,
} from "./options.js";
import { arraysIn, readWorkspaceBytes, type WorkspaceArrays, type WorkspaceMemory } from "./workspace.js";

/** The functions that a backend, or a workspace, offers. */
export interface Functions {
  /**
   * Softmax over the class axis: y = e^((x − m)/T) / Σ e^((x − m)/T), m = max x. No y is negative; each row sums to 1 and, but for rounding, keeps
   * the order of x.
   *
   * @shape x, result: [rows, C], or any `shape` with C along `axis`.
   * @param x any shape (`shape`, `axis`), by default one row.
   * @param options `shape`, `axis`, `temperature`, `out` (may be `x`).
   * @returns an array like x, or `out`.
   * @special −Infinity gives exactly 0. A row that holds NaN or +Infinity, or nothing but −Infinity, is NaN. One class gives 1.
   * @throws TypeError, RangeError: a wrong argument or option; `out` is untouched then.
   * @example softmax([1, 2, 3]) // [0.09003057317038045, 0.2447284710547976, 0.6652409557748218]
   * @see Blanchard, Higham & Higham, "Accurately computing the log-sum-exp and softmax functions", IMA J. Numer. Anal. 41 (2021)
   */
  softmax<A extends LogitsLike, O extends Place<A> | undefined = undefined>(
    x: A,
    options?: OutOptions<A, O> & TemperatureOptions,
  ): Given<O, Result<A>>;

  /**
   * The vector–Jacobian product of softmax: dx = y ⊙ (dy − ⟨y, dy⟩) in each row.
   *
   * @shape y, dy, result: [rows, C], or any `shape` with C along `axis`.
   * @param y what softmax returned.
   * @param dy upstream gradient, of y's type and length.
   * @param options `shape`, `axis`, `out` (may be `y` or `dy`). With a temperature T, divide the result by T.
   * @special One class gives 0; so does a class with y = 0, as long as dy is finite. NaN in a row makes it NaN.
   * @throws TypeError, RangeError: a wrong argument or option; `out` is untouched then.
   * @example softmaxGrad([0.25, 0.75], [1, 0]) // [0.1875, -0.1875]
   */
  softmaxGrad<A extends LogitsLike, O extends Place<A> | undefined = undefined>(
    y: A,
    dy: SameKind<A>,
    options?: OutOptions<A, O>,
  ): Given<O, Result<A>>;

  /**
   * Log-softmax over the class axis: y = (x − m)/T − ln Σ e^((x − m)/T), accurate also where softmax underflows to 0 or rounds to 1.
   *
   * @shape x, result: [rows, C], or any `shape` with C along `axis`.
   * @param x as for softmax.
   * @param options `shape`, `axis`, `temperature`, `out` (may be `x`).
   * @special −Infinity stays −Infinity. A row that holds NaN or +Infinity, or nothing but −Infinity, is NaN. One class gives 0.
   * @throws TypeError, RangeError: a wrong argument or option; `out` is untouched then.
   * @example logSoftmax([1000, 1]) // [0, -999]
   */
  logSoftmax<A extends LogitsLike, O extends Place<A> | undefined = undefined>(
    x: A,
    options?: OutOptions<A, O> & TemperatureOptions,
  ): Given<O, Result<A>>;

  /**
   * The vector–Jacobian product of log-softmax: dx = dy − e^y · Σ dy in each row.
   *
   * @shape y, dy, result: [rows, C], or any `shape` with C along `axis`.
   * @param y what logSoftmax returned.
   * @param dy upstream gradient, of y's type and length.
   * @param options `shape`, `axis`, `out` (may be `y` or `dy`). With a temperature T, divide the result by T.
   * @special y = −Infinity gives dy itself. One class gives 0. NaN in a row makes it NaN.
   * @throws TypeError, RangeError: a wrong argument or option; `out` is untouched then.
   * @example logSoftmaxGrad([Math.log(0.25), Math.log(0.75)], [1, 0]) // [0.75, -0.75]
   */
  logSoftmaxGrad<A extends LogitsLike, O extends Place<A> | undefined = undefined>(
    y: A,
    dy: SameKind<A>,
    options?: OutOptions<A, O>,
  ): Given<O, Result<A>>;

  /**
   * ln Σ e^(x/T) of each row, without overflow, and without losing the small classes beside a dominant one: logSumExp([0, −40]) = 4.248e−18. Its
   * gradient is softmax(x/T) / T.
   *
   * @shape x: [rows, C], or any `shape` with C along `axis`; result: [rows].
   * @param x as for softmax.
   * @param options `shape`, `axis`, `temperature`, `out` (one value per row).
   * @returns one value per row, of x's type.
   * @special A row that holds NaN gives NaN, any other that holds +Infinity gives +Infinity. A row of nothing but −Infinity gives −Infinity.
   * @throws TypeError, RangeError: a wrong argument or option; `out` is untouched then.
   * @example logSumExp([0, 0, 0, 0]) // [1.3862943611198906]
   */
  logSumExp<A extends LogitsLike, O extends Place<A> | undefined = undefined>(
    x: A,
    options?: OutOptions<A, O> & TemperatureOptions,
  ): Given<O, Result<A>>;

  /**
   * Cross-entropy of the softmax of logits with a target: −ln p_y for a class index y, Σ_j t_j · (−ln p_j) for class probabilities t.
   *
   * @shape logits: [rows, C]; targets: [rows], or [rows, C] class probabilities; result: a number, or [rows].
   * @param logits [rows, C] by default, rows being targets.length; or `shape` with `axis`.
   * @param targets one class index per row (any integer typed array, or numbers), or as many class probabilities as logits, of their type
   *   (one row by default).
   * @param options `reduction`, `weight`, `sampleWeight`, `ignoreIndex`, `labelSmoothing`, `gamma`, `temperature`, `meanOver`, `emptyMean`,
   *   `shape`, `axis`.
   * @returns a number for `mean` (default) and `sum`, one value per row for `none`, `{ sum, denominator }` for `parts`, whose gradient is that of the
   *   sum. In nats: ln C where all logits are equal.
   * @special A true class at −Infinity costs +Infinity. A row that holds NaN or +Infinity is NaN. A row that is ignored, or of weight 0,
   *   counts exactly 0, whatever it holds. A mean with denominator 0, as of no rows, is NaN, or `emptyMean`.
   * @throws RangeError for a target outside [0, C) that is not ignored, a wrong length or value; TypeError for a wrong kind.
   * @example crossEntropy([0.2, 0.3, 0.5, 0.5, 0.2, 0.3], [2, 1], { weight: [2, 4, 6] }) // 1.0598…
   * @see PyTorch's cross_entropy, whose conventions the defaults follow
   */
  crossEntropy<A extends LogitsLike, R extends Reduction = "mean">(
    logits: A,
    targets: ClassIndices | ClassProbabilities<A>,
    options?: CrossEntropyOptions<R>,
  ): Loss<A, R>;

  /**
   * Cross-entropy and its gradient with respect to the logits, in one pass: p_j − [j = y] for a class index y, over the denominator of the mean.
   *
   * @shape logits, grad: [rows, C]; targets: [rows], or [rows, C] class probabilities; loss: a number, or [rows].
   * @param options those of crossEntropy, and `grad` (may be `logits`), `gradOutput`, `accumulate`.
   * @returns `loss` as from crossEntropy and `grad`, an array like logits. Each row of the gradient sums to 0.
   * @special as crossEntropy. A logit of −Infinity has gradient 0, or −1 if it is that of the true class. Rows that are ignored have
   *   gradient 0; so have all rows if the denominator of the mean is 0.
   * @throws as crossEntropy; `grad` is untouched then.
   * @example crossEntropyGrad([0, 0], [1]) // { loss: 0.6931471805599453, grad: [0.5, -0.5] }
   */
  crossEntropyGrad<A extends LogitsLike, R extends Reduction = "mean", G extends Place<A> | undefined = undefined>(
    logits: A,
    targets: ClassIndices | ClassProbabilities<A>,
    options?: CrossEntropyOptions<R> & GradOptions<A, G>,
  ): { loss: Loss<A, R>; grad: Given<G, Result<A>> };

  /**
   * Multi-class hinge (SVM) loss, with z_j = margin + x_j − x_y: the sum of max(0, z_j)^p over the wrong classes (Weston–Watkins), or only that of
   * the highest-scoring wrong class (Crammer–Singer). Exactly 0 once the true class leads by the margin.
   *
   * @shape scores: [rows, C]; targets: [rows]; result: a number, or [rows].
   * @param scores [rows, C] by default, rows being targets.length; or `shape` with `axis`.
   * @param targets one class index per row.
   * @param options `form`, `margin`, `p`, `perClass`, `reduction`, `weight`, `sampleWeight`, `ignoreIndex`, `meanOver`, `emptyMean`, `shape`,
   *   `axis`.
   * @returns a number for `mean` (default) and `sum`, one value per row for `none`, `{ sum, denominator }` for `parts`.
   * @special NaN in a row makes it NaN. A true class at +Infinity costs 0, a wrong class at +Infinity costs +Infinity, both give NaN. One class
   *   costs 0. A row that is ignored, or of weight 0, counts exactly 0, whatever it holds.
   * @throws as crossEntropy.
   * @example hinge([3.2, 5.1, -1.7], [0]) // 2.8999999999999995
   * @see Weston & Watkins, "Support vector machines for multi-class pattern recognition" (1999); Crammer & Singer (2001)
   */
  hinge<A extends LogitsLike, R extends Reduction = "mean">(
    scores: A,
    targets: ClassIndices,
    options?: HingeOptions<R>,
  ): Loss<A, R>;

  /**
   * Hinge loss and its gradient with respect to the scores, in one pass; 0 is taken as the derivative at the kink.
   *
   * @shape scores, grad: [rows, C]; targets: [rows]; loss: a number, or [rows].
   * @param options those of hinge, and `grad` (may be `scores`), `gradOutput`, `accumulate`.
   * @returns `loss` as from hinge and `grad`, an array like scores. Each row of the gradient sums to 0.
   * @special as hinge. At the kink, where a class is exactly the margin behind, the gradient is 0. Rows that are ignored have gradient 0.
   * @throws as crossEntropy; `grad` is untouched then.
   * @example hingeGrad([3.2, 5.1, -1.7], [0]).grad // [-1, 1, 0]
   */
  hingeGrad<A extends LogitsLike, R extends Reduction = "mean", G extends Place<A> | undefined = undefined>(
    scores: A,
    targets: ClassIndices,
    options?: HingeOptions<R> & GradOptions<A, G>,
  ): { loss: Loss<A, R>; grad: Given<G, Result<A>> };

  /**
   * A linear layer: the logits z = x·weightᵀ + bias of rows of features.
   *
   * @shape x: [rows, D]; weight: [C, D]; bias: [C]; result: [rows, C].
   * @param x [rows, features], all dimensions of `shape` but the last being rows; by default one row.
   * @param weight [C, features], a row for each class, as in PyTorch's nn.Linear; of x's type.
   * @param options `shape` (of x), `bias` (length C), `out`.
   * @returns z: [rows, C], of x's type. Each logit is one sum over the features in their order, begun with the bias.
   * @special NaN and infinite numbers go through the sums as IEEE 754 has it. Those in a row of x do not affect other rows.
   * @throws TypeError, RangeError: a wrong argument or option; `out` is untouched then.
   * @example linear([1, 2], [1, 0, 0, 1, 1, 1], { bias: [0, 0, 10] }) // [1, 2, 13]
   */
  linear<A extends LogitsLike, O extends Place<A> | undefined = undefined>(
    x: A,
    weight: SameKind<A>,
    options?: LinearOptions<A, O>,
  ): Given<O, Result<A>>;

  /**
   * crossEntropy(linear(x, weight, { bias }), targets, options) without the logits ever being in memory as a whole.
   *
   * @shape x: [rows, D]; weight: [C, D]; bias: [C]; targets: [rows], or [rows, C] class probabilities; result: a number, or [rows].
   * @param x [rows, features], rows being targets.length by default; with class probabilities `shape` must be given.
   * @param weight [C, features], of x's type.
   * @param targets as for crossEntropy: class indices, or [rows, C] class probabilities of x's type.
   * @param options those of crossEntropy, but for `axis` and with `classWeight` for `weight`; `bias`; `shape` of x; `l2` adds ½·l2·Σ weight²
   *   (not to parts).
   * @special as crossEntropy of these logits. A row that is ignored, or of weight 0, counts exactly 0, whatever its features hold.
   * @throws as crossEntropy.
   * @example linearCrossEntropy([1, 2], [0, 0, 0, 0], [1]) // 0.6931471805599453
   */
  linearCrossEntropy<A extends LogitsLike, R extends Reduction = "mean">(
    x: A,
    weight: SameKind<A>,
    targets: ClassIndices | ClassProbabilities<A>,
    options?: LayerCrossEntropyOptions<A, R>,
  ): Loss<A, R>;

  /**
   * A training step of softmax regression but for the update: the loss and its gradients with respect to weights, bias and features. Nothing is computed
   * twice, and its memory does not grow with the number of rows.
   *
   * @shape x, gradX: [rows, D]; weight, gradWeight: [C, D]; bias, gradBias: [C]; targets: [rows], or [rows, C] class probabilities.
   * @param options those of linearCrossEntropy; `gradWeight`, `gradBias`, `gradX` (or true) say where gradients go; `accumulate` adds to them;
   *   `gradOutput`.
   * @returns `loss` and, g being the gradient of the logits, `gradWeight` = gᵀ·x; with a bias, or a place for it, `gradBias` = Σ g over the rows; and
   *   `gradX` = g·weight if it is asked for.
   * @special as crossEntropyGrad of these logits. Rows that are ignored, or of weight 0, add exactly 0 to every gradient, whatever their
   *   features hold.
   * @throws as crossEntropy; no gradient is touched then.
   * @example linearCrossEntropyGrad([1, 2], [0, 0, 0, 0], [1]).gradWeight // [0.5, 1, -0.5, -1]
   */
  linearCrossEntropyGrad<
    A extends LogitsLike,
    R extends Reduction = "mean",
    W extends Place<A> | undefined = undefined,
    B extends Place<A> | undefined = undefined,
    X extends Place<A> | boolean | undefined = undefined,
  >(
    x: A,
    weight: SameKind<A>,
    targets: ClassIndices | ClassProbabilities<A>,
    options?: LayerCrossEntropyOptions<A, R> & LayerGradOptions<A, W, B, X>,
  ): { loss: Loss<A, R> } & LayerGradients<A, Given<W, Result<A>>, Given<B, Result<A>>, Given<X, Result<A>>>;

  /**
   * hinge(linear(x, weight, { bias }), targets, options) without the scores ever being in memory as a whole.
   *
   * @shape x: [rows, D]; weight: [C, D]; bias: [C]; targets: [rows]; result: a number, or [rows].
   * @param options those of hinge, but for `axis` and with `classWeight` for `weight`; `bias`; `shape` of x; `l2`. The rest as for linearCrossEntropy.
   * @special as hinge of these scores. A row that is ignored, or of weight 0, counts exactly 0, whatever its features hold.
   * @throws as crossEntropy.
   * @example linearHinge([1, 2], [0, 0, 0, 0], [1]) // 1
   */
  linearHinge<A extends LogitsLike, R extends Reduction = "mean">(
    x: A,
    weight: SameKind<A>,
    targets: ClassIndices,
    options?: LayerHingeOptions<A, R>,
  ): Loss<A, R>;

  /**
   * A training step of a multi-class SVM but for the update, as linearCrossEntropyGrad. Rows that satisfy their margins take about half the time.
   *
   * @shape x, gradX: [rows, D]; weight, gradWeight: [C, D]; bias, gradBias: [C]; targets: [rows].
   * @param options those of linearHinge, and those of linearCrossEntropyGrad that say where gradients go.
   * @special as hingeGrad of these scores. Rows that are ignored, of weight 0, or satisfied, add exactly 0 to every gradient.
   * @throws as crossEntropy; no gradient is touched then.
   * @example linearHingeGrad([1, 2], [0, 0, 0, 0], [1]).gradWeight // [1, 2, -1, -2]
   */
  linearHingeGrad<
    A extends LogitsLike,
    R extends Reduction = "mean",
    W extends Place<A> | undefined = undefined,
    B extends Place<A> | undefined = undefined,
    X extends Place<A> | boolean | undefined = undefined,
  >(
    x: A,
    weight: SameKind<A>,
    targets: ClassIndices,
    options?: LayerHingeOptions<A, R> & LayerGradOptions<A, W, B, X>,
  ): { loss: Loss<A, R> } & LayerGradients<A, Given<W, Result<A>>, Given<B, Result<A>>, Given<X, Result<A>>>;

  /**
   * The class with the largest logit in each row; of equal logits the first. NaN counts as the largest, as in NumPy and PyTorch.
   *
   * @shape x: [rows, C], or any `shape` with C along `axis`; result: a number, or [rows].
   * @param x any shape (`shape`, `axis`), by default one row.
   * @param options `shape`, `axis`, `out`: an Int32Array with one element for each row.
   * @returns without `shape` a number; with it an Int32Array, one class for each row (the shape without the class axis), or `out`.
   * @special NaN counts as the largest, the first of several. Of equal logits the first: −0 equals 0, and a row of nothing but −Infinity gives 0.
   * @throws TypeError, RangeError: a wrong argument or option, or no class at all.
   * @example argmax([1, 5, 5, 2]) // 1
   */
  argmax(x: LogitsLike, options?: OneRowOptions): number;
  argmax(x: LogitsLike, options: RowsOptions): NewInt32Array;
  argmax(x: LogitsLike, options: IntoOptions): Int32Array;
  argmax(x: LogitsLike, options: IndicesOptions): number | Int32Array;

  /**
   * The k classes with the largest logits in each row, largest first; and their probabilities among all classes of the row.
   *
   * @shape x: [rows, C], or any `shape` with C along `axis`; indices, values: [rows, k].
   * @param x any shape (`shape`, `axis`), by default one row of C logits.
   * @param k from 1 to C.
   * @param options `shape`, `axis`, `temperature`, `values`: `"probabilities"`, `"logProbabilities"` or `"logits"`.
   * @returns `indices`, an Int32Array, and `values`, an array of x's kind: [rows, k].
   * @special NaN comes first, equal logits by index. A row that holds NaN or +Infinity, or nothing but −Infinity, has probabilities NaN;
   *   `"logits"` gives them as they are.
   * @throws RangeError for a k that is no integer from 1 to C; TypeError, RangeError: another wrong argument or option.
   * @example topK([1, 2, 3], 2) // { indices: [2, 1], values: [0.6652409557748218, 0.2447284710547976] }
   */
  topK<A extends LogitsLike>(x: A, k: number, options?: TopKOptions): { indices: NewInt32Array; values: Result<A> };

  /**
   * A class drawn from softmax(x/T) for each row: the first at which the running sum of the probabilities, in the order of the classes, exceeds a
   * random number. Of all classes, or of those that `topK`, then `topP`, then `minP` leave. The same logits and the same random numbers give the same
   * classes on every engine.
   *
   * @shape x: [rows, C], or any `shape` with C along `axis`; result: a number, or [rows].
   * @param x any shape (`shape`, `axis`), by default one row.
   * @param options `temperature` (0 takes the largest), `topK`, `topP`, `minP`, `random`, `shape`, `axis`, `out`: an Int32Array.
   * @returns without `shape` a number; with it an Int32Array, one class for each row, or `out`.
   * @special A class at −Infinity is never drawn. A temperature of 0 takes the largest, the first of equal ones.
   * @throws RangeError for a row with NaN or +Infinity, or of nothing but −Infinity, and for a `random()` outside [0, 1); `out` is untouched then.
   * @example sample([1, 2, 3], { topP: 0.5 }) // 2
   * @see Holtzman et al., "The curious case of neural text degeneration" (2020), for topP; Nguyen et al., "Min-p sampling" (2024)
   */
  sample(x: LogitsLike, options?: SampleOptions & OneRowOptions): number;
  sample(x: LogitsLike, options: SampleOptions & RowsOptions): NewInt32Array;
  sample(x: LogitsLike, options: SampleOptions & IntoOptions): Int32Array;
  sample(x: LogitsLike, options: SampleOptions & IndicesOptions): number | Int32Array;

  /**
   * Half floats to single, exactly; subnormal numbers, infinities and NaN included. For bits in a Uint16Array, as ONNX Runtime gives them where there
   * is no Float16Array; all functions take a Float16Array as it is.
   *
   * @shape bits, result: any, the same length.
   * @param bits a Uint16Array with the bits of half floats.
   * @param options `out`: a Float32Array of the same length.
   * @special Subnormal numbers, −0, infinities and NaN come out as they are.
   * @throws TypeError for anything but a Uint16Array or a Float16Array, or a wrong `out`; RangeError for its length.
   * @example float16ToFloat32(Uint16Array.of(0x3c00, 0xc000, 0x0001)) // [1, -2, 5.960464477539063e-8]
   */
  float16ToFloat32<O extends AnyFloat32Array | undefined = undefined>(
    bits: AnyUint16Array | Float16ArrayLike,
    options?: { out?: O },
  ): Given<O, Result<Float32Array>>;

  /**
   * y = 1 / (1 + e^−x) of each element, to full relative accuracy also where it is tiny.
   *
   * @shape x, result: any.
   * @param x any numbers.
   * @param options `out` (may be `x`); `shape` and `axis` are checked, and change nothing.
   * @special −Infinity gives exactly 0, +Infinity 1, NaN itself.
   * @throws TypeError, RangeError: a wrong argument or option; `out` is untouched then.
   * @example sigmoid([-100, 0, 20]) // [3.720075976020836e-44, 0.5, 0.9999999979388463]
   */
  sigmoid<A extends LogitsLike, O extends Place<A> | undefined = undefined>(
    x: A,
    options?: OutOptions<A, O>,
  ): Given<O, Result<A>>;

  /**
   * The vector–Jacobian product of sigmoid: dx = dy · y · (1 − y).
   *
   * @shape y, dy, result: any, the same length.
   * @param y what sigmoid returned.
   * @param dy upstream gradient, of y's type and length.
   * @param options `out` (may be `y` or `dy`), `shape`, `axis`.
   * @special y = 0 and y = 1 give 0, as long as dy is finite. NaN stays NaN.
   * @throws TypeError, RangeError: a wrong argument or option; `out` is untouched then.
   * @example sigmoidGrad([0.25], [1]) // [0.1875]
   */
  sigmoidGrad<A extends LogitsLike, O extends Place<A> | undefined = undefined>(
    y: A,
    dy: SameKind<A>,
    options?: OutOptions<A, O>,
  ): Given<O, Result<A>>;

  /**
   * y = −ln(1 + e^−x), the logarithm of sigmoid, accurate also where that is 0 or rounds to 1: for x ≪ 0 it is x.
   *
   * @shape x, result: any.
   * @param x any numbers.
   * @param options `out` (may be `x`), `shape`, `axis`.
   * @special −Infinity stays −Infinity, +Infinity gives 0, NaN itself.
   * @throws TypeError, RangeError: a wrong argument or option; `out` is untouched then.
   * @example logSigmoid([-1000, 40]) // [-1000, -4.248354255291589e-18]
   */
  logSigmoid<A extends LogitsLike, O extends Place<A> | undefined = undefined>(
    x: A,
    options?: OutOptions<A, O>,
  ): Given<O, Result<A>>;

  /**
   * The vector–Jacobian product of logSigmoid: dx = dy · (1 − e^y), without cancellation.
   *
   * @shape y, dy, result: any, the same length.
   * @param y what logSigmoid returned: not positive.
   * @param dy upstream gradient, of y's type and length.
   * @param options `out` (may be `y` or `dy`), `shape`, `axis`.
   * @special y = 0 gives 0, as long as dy is finite; y = −Infinity dy. NaN stays NaN.
   * @throws TypeError, RangeError: a wrong argument or option; `out` is untouched then.
   * @example logSigmoidGrad([Math.log(0.25)], [1]) // [0.75]
   */
  logSigmoidGrad<A extends LogitsLike, O extends Place<A> | undefined = undefined>(
    y: A,
    dy: SameKind<A>,
    options?: OutOptions<A, O>,
  ): Given<O, Result<A>>;

  /**
   * Cross-entropy of sigmoids of logits with a target t each, for labels that do not exclude each other:
   * posWeight · t · ln(1 + e^−x) + (1 − t) · ln(1 + e^x), never capped.
   *
   * @shape logits, targets: any, the same length, C labels along `axis`; result: a number, or one per logit.
   * @param logits any shape; C labels lie along `axis` (−1, or 1 where there are more than two dimensions), by default one row of them.
   * @param targets as many numbers in [0, 1]: a float array of the logits' type, any integer typed array, or numbers.
   * @param options `reduction`, `weight`, `posWeight`, `sampleWeight`, `labelSmoothing`, `gamma` (focal loss), `emptyMean`, `shape`, `axis`.
   * @returns a number for `mean` (default: over all elements) and `sum`, one value per element for `none`, `{ sum, denominator }` for `parts`. log 2
   *   where all logits are 0.
   * @special A logit of ±Infinity costs 0 if the target agrees, else +Infinity. NaN costs NaN. An element whose weights multiply to 0 counts
   *   exactly 0, whatever it holds.
   * @throws RangeError for a target outside [0, 1], a wrong length or value; TypeError for a wrong kind.
   * @example binaryCrossEntropy([0, 100], [1, 0], { reduction: "none" }) // [0.6931471805599453, 100]
   * @see PyTorch's binary_cross_entropy_with_logits; Lin et al., "Focal loss for dense object detection" (2017)
   */
  binaryCrossEntropy<A extends LogitsLike, R extends Reduction = "mean">(
    logits: A,
    targets: BinaryTargets<A>,
    options?: BinaryCrossEntropyOptions<R>,
  ): Loss<A, R>;

  /**
   * Binary cross-entropy and its gradient with respect to the logits, in one pass: (1 − t) · p − posWeight · t · (1 − p), over the number of
   * elements for the mean.
   *
   * @shape logits, targets, grad: any, the same length; loss: a number, or one per logit.
   * @param options those of binaryCrossEntropy, and `grad` (may be `logits`), `gradOutput` (one per element for `none`), `accumulate`.
   * @returns `loss` as from binaryCrossEntropy and `grad`, an array like logits.
   * @special as binaryCrossEntropy. The gradient of a logit at ±Infinity is that of the limit: 0 where the target agrees.
   * @throws as binaryCrossEntropy; `grad` is untouched then.
   * @example binaryCrossEntropyGrad([0], [1]) // { loss: 0.6931471805599453, grad: [-0.5] }
   */
  binaryCrossEntropyGrad<
    A extends LogitsLike,
    R extends Reduction = "mean",
    G extends Place<A> | undefined = undefined,
  >(
    logits: A,
    targets: BinaryTargets<A>,
    options?: BinaryCrossEntropyOptions<R> & GradOptions<A, G>,
  ): { loss: Loss<A, R>; grad: Given<G, Result<A>> };
}

export interface HingeForm extends Pick<HingeOptions, "form" | "margin" | "p" | "perClass"> {}
export interface CrossEntropyForm extends Pick<CrossEntropyOptions, "labelSmoothing" | "temperature" | "gamma"> {}
export interface BinaryCrossEntropyForm extends Pick<BinaryCrossEntropyOptions, "labelSmoothing" | "gamma"> {}

/** What runs, and why nothing faster does. It stays the same object: after an upgrade by `ready` it says what runs from then on. */
export interface Backend {
  readonly name: "simd" | "relaxed" | "baseline";
  readonly reason?: Error;
}

export interface WorkspaceOptions {
  /** Room for arrays, in bytes; each array starts at a multiple of 16. */
  bytes: number;
}

/** Arrays inside the kernels' own memory, and functions that compute on them without a copy. */
export interface Workspace extends Functions, WorkspaceArrays {}

export interface Softmargin extends Functions {
  /**
   * What a loss must be before any learning, when all scores are equal: ln C for cross-entropy; margin^p · (C − 1) for Weston–Watkins and
   * margin^p for Crammer–Singer hinge, over C with `perClass`; ln 2 for binary cross-entropy.
   *
   * @shape classes, result: numbers.
   * @special One class costs 0.
   * @throws TypeError, RangeError for an unknown loss, a number of classes that is no positive integer, a wrong option.
   * @example initialLoss("crossEntropy", 10) // 2.302585092994046
   */
  initialLoss(loss: "crossEntropy", classes: number, options?: CrossEntropyForm): number;
  initialLoss(loss: "hinge", classes: number, options?: HingeForm): number;
  initialLoss(loss: "binaryCrossEntropy", classes?: number, options?: BinaryCrossEntropyForm): number;
  readonly backend: Backend;
  /**
   * Compiles asynchronously what could not be compiled synchronously at import: Chrome up to 114 refuses modules of more than 4 kB on its main
   * thread. From then on the functions of this import, wherever they are held, run on the faster backend; a workspace keeps the backend that it was
   * made with. Everything works without it, and elsewhere it is done at once.
   *
   * @returns `backend`; never rejects.
   * @example await ready();
   */
  ready(): Promise<Backend>;
  /**
   * Memory for arrays that the kernels use in place, where calls on ordinary arrays copy them in and out.
   *
   * @example
   * const workspace = createWorkspace({ bytes: 1 << 20 });
   * const logits = workspace.float32(1000);
   * workspace.softmax(logits, { out: logits });
   */
  createWorkspace(options: WorkspaceOptions): Workspace;
}

/** A backend at work. */
export interface Engine {
  readonly kernels: Kernels;
  readonly backend: Backend;
  reserve(bytes: number): WorkspaceMemory;
}

/** The functions on the kernels that `engine` has at the time of the call. */
export function createFunctions(engine: Pick<Engine, "kernels">): Functions {
  const functions = {
    softmax: (x: LogitsLike, options?: unknown) => softmax(engine.kernels, "softmax", x, options),
    softmaxGrad: (y: LogitsLike, dy: unknown, options?: unknown) =>
      softmaxGrad(engine.kernels, "softmaxGrad", y, dy, options),
    logSoftmax: (x: LogitsLike, options?: unknown) => softmax(engine.kernels, "logSoftmax", x, options),
    logSoftmaxGrad: (y: LogitsLike, dy: unknown, options?: unknown) =>
      softmaxGrad(engine.kernels, "logSoftmaxGrad", y, dy, options),
    logSumExp: (x: LogitsLike, options?: unknown) => logSumExp(engine.kernels, x, options),
    crossEntropy: (x: unknown, y: unknown, options?: unknown) => crossEntropy(engine.kernels, x, y, options, false),
    crossEntropyGrad: (x: unknown, y: unknown, options?: unknown) => crossEntropy(engine.kernels, x, y, options, true),
    hinge: (x: unknown, y: unknown, options?: unknown) => hinge(engine.kernels, x, y, options, false),
    hingeGrad: (x: unknown, y: unknown, options?: unknown) => hinge(engine.kernels, x, y, options, true),
    linear: (x: unknown, w: unknown, options?: unknown) => linear(engine.kernels, x, w, options),
    linearCrossEntropy: (x: unknown, w: unknown, y: unknown, options?: unknown) =>
      linearCrossEntropy(engine.kernels, x, w, y, options, false),
    linearCrossEntropyGrad: (x: unknown, w: unknown, y: unknown, options?: unknown) =>
      linearCrossEntropy(engine.kernels, x, w, y, options, true),
    linearHinge: (x: unknown, w: unknown, y: unknown, options?: unknown) =>
      linearHinge(engine.kernels, x, w, y, options, false),
    linearHingeGrad: (x: unknown, w: unknown, y: unknown, options?: unknown) =>
      linearHinge(engine.kernels, x, w, y, options, true),
    argmax: (x: unknown, options?: unknown) => argmax(engine.kernels, x, options),
    topK: (x: LogitsLike, k: unknown, options?: unknown) => topK(engine.kernels, x, k, options),
    sample: (x: unknown, options?: unknown) => sample(engine.kernels, x, options),
    float16ToFloat32: (bits: unknown, options?: unknown) => float16ToFloat32(engine.kernels, bits, options),
    sigmoid: (x: LogitsLike, options?: unknown) => sigmoid(engine.kernels, "sigmoid", x, options),
    sigmoidGrad: (y: LogitsLike, dy: unknown, options?: unknown) =>
      softmaxGrad(engine.kernels, "sigmoidGrad", y, dy, options),
    logSigmoid: (x: LogitsLike, options?: unknown) => sigmoid(engine.kernels, "logSigmoid", x, options),
    logSigmoidGrad: (y: LogitsLike, dy: unknown, options?: unknown) =>
      softmaxGrad(engine.kernels, "logSigmoidGrad", y, dy, options),
    binaryCrossEntropy: (x: unknown, y: unknown, options?: unknown) =>
      binaryCrossEntropy(engine.kernels, x, y, options, false),
    binaryCrossEntropyGrad: (x: unknown, y: unknown, options?: unknown) =>
      binaryCrossEntropy(engine.kernels, x, y, options, true),
  } satisfies Record<keyof Functions, unknown>;
  // The signatures are for users. The functions rely on none of them: everything is checked at run time.
  return functions as unknown as Functions;
}

/** What users see of an engine. A caller that exchanges the engine later replaces `ready`, and calls `show`. */
export function createApi(engine: Engine): Softmargin {
  const backend = {} as Backend;
  show(backend, engine.backend);
  return {
    ...createFunctions(engine),
    initialLoss: initialLoss as Softmargin["initialLoss"],
    backend,
    ready: async () => backend,
    createWorkspace(options) {
      const bytes = readWorkspaceBytes(options);
      const memory = engine.reserve(bytes);
      return { ...createFunctions(memory), ...arraysIn(memory, bytes) };
    },
  };
}

/** Makes `shown` say what `backend` says, in properties that users cannot write but see when they print it. */
export function show(shown: Backend, backend: Backend): void {
  for (const key of ["name", "reason"] as const) {
    const value = backend[key];
    // `writable` is false by default.
    const property = { __proto__: null, value, enumerable: value !== undefined, configurable: true };
    Object.defineProperty(shown, key, property);
  }
}
