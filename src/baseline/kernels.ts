// The kernels in plain TypeScript: typed-array loops, with Math.exp and Math.log1p in doubles. They need nothing that a JavaScript
// engine might lack, and are what every faster backend has to agree with and is measured against.

import type { Kernels } from "../kernels.js";
import { crossEntropy } from "./crossEntropy.js";
import { hinge } from "./hinge.js";
import { logSoftmax, logSoftmaxGrad } from "./logSoftmax.js";
import { logSumExp } from "./logSumExp.js";
import { softmax, softmaxGrad } from "./softmax.js";

export const baselineKernels: Kernels = {
  softmax,
  softmaxGrad,
  logSoftmax,
  logSoftmaxGrad,
  logSumExp,
  crossEntropy,
  hinge,
};
