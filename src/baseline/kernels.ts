// The kernels in plain TypeScript: loops over typed arrays, with Math.exp and Math.log1p, in doubles. They run in every
// engine, and are what a faster backend is measured against.

import type { Kernels } from "../kernels.js";
import { binaryCrossEntropy } from "./binaryCrossEntropy.js";
import { crossEntropy } from "./crossEntropy.js";
import { hinge } from "./hinge.js";
import { logSoftmax, logSoftmaxGrad } from "./logSoftmax.js";
import { logSumExp } from "./logSumExp.js";
import { logSigmoid, logSigmoidGrad, sigmoid, sigmoidGrad } from "./sigmoid.js";
import { softmax, softmaxGrad } from "./softmax.js";

export const baselineKernels: Kernels = {
  readsFirst: () => false,
  softmax,
  softmaxGrad,
  logSoftmax,
  logSoftmaxGrad,
  logSumExp,
  crossEntropy,
  hinge,
  sigmoid,
  sigmoidGrad,
  logSigmoid,
  logSigmoidGrad,
  binaryCrossEntropy,
};
