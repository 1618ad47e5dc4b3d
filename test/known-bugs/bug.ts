// What a row of the table of known bugs is.

/** Class probabilities, in the container of the logits. */
export interface Probabilities {
  readonly t: readonly number[];
}

export interface Options {
  readonly [name: string]: unknown;
}

/** A number is met to a few units in the last place; 0, NaN and the infinities exactly. In f32, `want` is rounded to f32 first. */
export type Want =
  | number
  | readonly number[]
  | { readonly loss: number | readonly number[]; readonly grad: readonly number[] }
  | { readonly throws: "RangeError" | "TypeError"; readonly message: RegExp };

export interface KnownBug {
  /** Where it was reported, owner/repository#number, once or more often. */
  readonly threads: readonly string[];
  readonly wrong: string;
  readonly call: readonly [
    name:
      | "softmax"
      | "softmaxGrad"
      | "logSoftmax"
      | "logSoftmaxGrad"
      | "logSumExp"
      | "crossEntropy"
      | "crossEntropyGrad"
      | "hinge"
      | "hingeGrad"
      | "sigmoid"
      | "sigmoidGrad"
      | "logSigmoid"
      | "logSigmoidGrad"
      | "binaryCrossEntropy"
      | "binaryCrossEntropyGrad",
    x: readonly number[],
    second?: readonly number[] | Probabilities | Options,
    options?: Options,
  ];
  readonly want: Want;
  /** Where `want` comes from. */
  readonly origin: string;
  /** Only in this type; in both where absent. */
  readonly only?: "f32" | "f64";
  /** The result goes over the first argument. */
  readonly inPlace?: "out" | "grad";
}
