// The kernels on linear memory: each call goes through its blocks (blocks.ts).

import type { Kernels } from "../kernels.js";
import { argmax, sample, topK } from "./decisions.js";
import { binaryCrossEntropy, float16ToFloat32, sigmoid, sigmoidGrad } from "./elementwise.js";
import type { LayerBlocks } from "./layer.js";
import { decay, linear, linearCrossEntropy, linearHinge } from "./linear.js";
import { crossEntropy, hinge } from "./losses.js";
import { logSumExp, softmax, softmaxGrad } from "./softmax.js";

const FEW_ELEMENTS = 1024;

export function kernelsOver(blocks: LayerBlocks): Kernels {
  return {
    // Calls that are one block, whatever their arrays.
    readsFirst: ({ outer, classes, inner }) => inner === 1 && outer * classes <= FEW_ELEMENTS && !blocks.arena.isFixed,
    widens: true,
    softmax: softmax.bind(null, blocks, "softmax"),
    softmaxGrad: softmaxGrad.bind(null, blocks, "softmaxGrad"),
    logSoftmax: softmax.bind(null, blocks, "logSoftmax"),
    logSoftmaxGrad: softmaxGrad.bind(null, blocks, "logSoftmaxGrad"),
    logSumExp: logSumExp.bind(null, blocks),
    crossEntropy: crossEntropy.bind(null, blocks),
    hinge: hinge.bind(null, blocks),
    linear: linear.bind(null, blocks),
    linearCrossEntropy: linearCrossEntropy.bind(null, blocks),
    linearHinge: linearHinge.bind(null, blocks),
    decay: decay.bind(null, blocks),
    argmax: argmax.bind(null, blocks),
    topK: topK.bind(null, blocks),
    sample: sample.bind(null, blocks),
    float16ToFloat32: float16ToFloat32.bind(null, blocks),
    sigmoid: sigmoid.bind(null, blocks, "sigmoid"),
    sigmoidGrad: sigmoidGrad.bind(null, blocks, "sigmoidGrad"),
    logSigmoid: sigmoid.bind(null, blocks, "logSigmoid"),
    logSigmoidGrad: sigmoidGrad.bind(null, blocks, "logSigmoidGrad"),
    binaryCrossEntropy: binaryCrossEntropy.bind(null, blocks),
  };
}
