// What the three models minimise. s: the scores of one image, y: its digit.
//
//   softmax regression                 −log softmax(s)_y
//   linear SVM, Weston and Watkins     Σ_{j ≠ y} max(0, 1 + s_j − s_y)          every wrong digit has to keep its distance
//   linear SVM, Crammer and Singer     max(0, 1 + max_{j ≠ y} s_j − s_y)        the strongest wrong digit has to

import { crossEntropy, hinge, initialLoss } from "softmargin";
import type { LossAndGrad } from "./duel.js";
import { classes } from "./mnist.js";

export interface Objective {
  readonly name: string;
  readonly loss: string;
  /** The mean loss of a model that prefers no digit, and where that number comes from. */
  readonly theory: number;
  readonly formula: string;
  /** Learning rate of the first step; it falls linearly to 0. */
  readonly rate: number;
  readonly lossAndGrad: LossAndGrad;
  /** One loss per image. */
  readonly losses: (scores: Float32Array, labels: Uint8Array) => ArrayLike<number>;
}

export const objectives: readonly Objective[] = [
  {
    name: "Softmax regression",
    loss: "cross-entropy",
    theory: initialLoss("crossEntropy", classes),
    formula: `log ${classes}`,
    rate: 1,
    lossAndGrad: (gradient, { weight, bias }, images, labels, { linearCrossEntropyGrad }) =>
      linearCrossEntropyGrad(images, weight, labels, { bias, gradWeight: gradient.weight, gradBias: gradient.bias })
        .loss,
    losses: (scores, labels) => crossEntropy(scores, labels, { reduction: "none" }),
  },
  svm("weston-watkins", "Weston–Watkins", `${classes} − 1`, 0.2),
  svm("crammer-singer", "Crammer–Singer", "the margin", 0.4),
];

function svm(form: "weston-watkins" | "crammer-singer", authors: string, formula: string, rate: number): Objective {
  return {
    name: `SVM, ${authors}`,
    loss: `${authors} hinge`,
    theory: initialLoss("hinge", classes, { form }),
    formula,
    rate,
    lossAndGrad: (gradient, { weight, bias }, images, labels, { linearHingeGrad }) => {
      const options = { form, bias, gradWeight: gradient.weight, gradBias: gradient.bias };
      return linearHingeGrad(images, weight, labels, options).loss;
    },
    losses: (scores, labels) => hinge(scores, labels, { form, reduction: "none" }),
  };
}
