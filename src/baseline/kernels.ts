// The kernels in plain TypeScript: loops over typed arrays, with Math.exp and Math.log1p, in doubles. They run in every
// engine, and are what a faster backend is measured against.

import type { Kernels } from "../kernels.js";
import { argmax } from "./argmax.js";
import { binaryCrossEntropy } from "./binaryCrossEntropy.js";
import { crossEntropy } from "./crossEntropy.js";
import { float16ToFloat32 } from "./float16.js";
import { hinge } from "./hinge.js";
import { decay, layerLoss, linear } from "./linear.js";
import { logSoftmax, logSoftmaxGrad } from "./logSoftmax.js";
import { logSumExp } from "./logSumExp.js";
import { sample } from "./sample.js";
import { logSigmoid, logSigmoidGrad, sigmoid, sigmoidGrad } from "./sigmoid.js";
import { softmax, softmaxGrad } from "./softmax.js";
import { topK } from "./topK.js";

export const baselineKernels: Kernels = {
  readsFirst: () => false,
  widens: false,
  softmax,
  softmaxGrad,
  logSoftmax,
  logSoftmaxGrad,
  logSumExp,
  crossEntropy,
  hinge,
  linear,
  linearCrossEntropy: (terms, labelSmoothing, temperature) =>
    layerLoss(terms, (loss) => crossEntropy(loss, labelSmoothing, temperature)),
  linearHinge: (terms, form, margin, p, divisor) => layerLoss(terms, (loss) => hinge(loss, form, margin, p, divisor)),
  decay,
  argmax,
  topK,
  sample,
  float16ToFloat32,
  sigmoid,
  sigmoidGrad,
  logSigmoid,
  logSigmoidGrad,
  binaryCrossEntropy,
};
