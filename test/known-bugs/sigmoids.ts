// Bugs of sigmoids, their logarithms and their losses: overflow, capped losses, dead gradients, focal losses at the ends.
import type { KnownBug } from "./bug.js";

const INF = Number.POSITIVE_INFINITY;
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
/** sigmoid(−x) for large x. */
const tail = (x: number) => Math.exp(-x) / (1 + Math.exp(-x));
/** A focal loss of a target that is there, and its gradient, from 1 − p. */
const focal = (c: number, gamma: number) => {
  const log = -Math.log1p(-c);
  return { loss: c ** gamma * log, grad: [-(c ** gamma) * (gamma * (1 - c) * log + c)] };
};

export const sigmoidBugs: readonly KnownBug[] = [
  {
    threads: ["FederatedAI/FATE#65", "clab/dynet#761"],
    wrong: "e^−x overflows in a sigmoid",
    call: ["sigmoid", [-1000, 1000, -INF]],
    want: [0, 1, 0],
    origin: "limits",
  },
  {
    threads: ["jeshraghian/snntorch#427"],
    wrong: "the gradient of a sigmoid is ∞ / ∞",
    call: ["sigmoidGrad", [tail(80), 0, 1], [1, 1, 1]],
    want: [tail(80), 0, 0],
    origin: "p (1 − p)",
  },
  {
    threads: ["pytorch/pytorch#1835"],
    wrong: "−Infinity for the log-sigmoid of −300",
    call: ["logSigmoid", [-300]],
    want: [-300],
    origin: "formula",
  },
  {
    threads: ["mindspore-ai/mindspore#390"],
    wrong: "and of −1e38",
    call: ["logSigmoid", [-1e38]],
    want: [-1e38],
    origin: "formula",
  },
  {
    threads: ["pytorch/pytorch#20972"],
    wrong: "the log-sigmoid of −Infinity is NaN",
    call: ["logSigmoid", [-INF]],
    want: [-INF],
    origin: "limit",
  },
  {
    threads: ["pytorch/pytorch#20972"],
    wrong: "and so is its gradient",
    call: ["logSigmoidGrad", [-INF], [1]],
    want: [1],
    origin: "limit",
  },
  // ---- binary cross-entropy ----
  {
    threads: ["borgwang/tinynn#7"],
    wrong: "log(1 + e^x) overflows",
    call: ["binaryCrossEntropyGrad", [1000], [0]],
    want: { loss: 1000, grad: [1] },
    origin: "limit",
  },
  {
    threads: ["keras-team/keras#377"],
    wrong: "NaN where p rounds to 1",
    call: ["binaryCrossEntropyGrad", [50], [1]],
    want: { loss: tail(50), grad: [-tail(50)] },
    origin: "log(1 + e^−50)",
  },
  {
    threads: ["keras-team/keras#15249", "tensorflow/tensorflow#41595"],
    wrong: "clipping p caps the loss at 15.3",
    call: ["binaryCrossEntropy", [Math.log(9999999)], [0]],
    want: Math.log(1e7),
    origin: "−log(1 − 0.9999999)",
  },
  {
    threads: ["keras-team/keras#9664"],
    wrong: "and takes its gradient away",
    call: ["binaryCrossEntropyGrad", [-100], [1]],
    want: { loss: 100, grad: [-1] },
    origin: "limit",
  },
  {
    threads: ["deepjavalibrary/djl#1316"],
    wrong: "a logarithm is missing: a negative loss",
    call: ["binaryCrossEntropy", [-2, 3], [0, 1], { reduction: "sum" }],
    want: softplus(-2) + softplus(-3),
    origin: "formula",
  },
  // ---- focal ----
  {
    threads: ["google-deepmind/optax#1267"],
    wrong: "γ = 0: the derivative of 0^0 is NaN",
    call: ["binaryCrossEntropyGrad", [1000], [1], { gamma: 0 }],
    want: { loss: 0, grad: [0] },
    origin: "limit",
  },
  {
    threads: ["facebookresearch/sam3#575"],
    wrong: "γ = 0: 0^−1 where the answer is right",
    call: ["binaryCrossEntropyGrad", [18], [1], { gamma: 0, weight: [0.5] }],
    want: { loss: softplus(-18) / 2, grad: [-tail(18) / 2] },
    origin: "the loss without γ",
  },
  {
    threads: ["liuyuisanai/Focal-Loss#11", "clcarwin/focal_loss_pytorch#13"],
    wrong: "γ < 1: NaN where the answer is right",
    call: ["binaryCrossEntropyGrad", [40], [1], { gamma: 0.5 }],
    want: focal(tail(40), 0.5),
    origin: "formula",
  },
  {
    threads: ["google-deepmind/optax#1346"],
    wrong: "γ = 2: NaN for large logits",
    call: ["binaryCrossEntropyGrad", [1000], [1], { gamma: 2 }],
    want: { loss: 0, grad: [0] },
    origin: "limit",
  },
  {
    threads: ["open-mmlab/mmcv#1488"],
    wrong: "γ = 2: NaN, 1 − p is 0 in half floats",
    call: ["binaryCrossEntropyGrad", [9.390625], [1], { gamma: 2 }],
    want: focal(tail(9.390625), 2),
    origin: "formula",
  },
  {
    threads: ["tensorflow/addons#693"],
    wrong: "clipping takes the gradient of a focal loss away",
    call: ["binaryCrossEntropyGrad", [-200], [1], { gamma: 2 }],
    want: { loss: 200, grad: [-1] },
    origin: "limit",
  },
  {
    threads: ["fudannlp16/focal-loss#2"],
    wrong: "times γ in place of to the power of γ",
    call: ["binaryCrossEntropy", [Math.log(4)], [1], { gamma: 2 }],
    want: 0.04 * -Math.log(0.8),
    origin: "(1 − 0.8)² · −log 0.8",
  },
  {
    threads: ["ChiefGodMan/Focal-Loss-implement-on-Tensorflow#15"],
    wrong: "γ = 0: what is absent counts as 0^0 = 1",
    call: ["binaryCrossEntropy", [0, 0], [1, 0], { gamma: 0, reduction: "none" }],
    want: [Math.LN2, Math.LN2],
    origin: "the loss without γ",
  },
];
