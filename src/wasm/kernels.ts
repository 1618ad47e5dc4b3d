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
    // True only of calls that are one block whatever belongs to them.
    readsFirst: ({ outer, classes, inner }) => inner === 1 && outer * classes <= FEW_ELEMENTS && !blocks.arena.isFixed,
    widens: true,
    softmax: (y, x, shape, temperature) => softmax(blocks, "softmax", y, x, shape, temperature),
    softmaxGrad: (dx, y, dy, shape) => softmaxGrad(blocks, "softmaxGrad", dx, y, dy, shape),
    logSoftmax: (y, x, shape, temperature) => softmax(blocks, "logSoftmax", y, x, shape, temperature),
    logSoftmaxGrad: (dx, y, dy, shape) => softmaxGrad(blocks, "logSoftmaxGrad", dx, y, dy, shape),
    logSumExp: (lse, x, shape, temperature) => logSumExp(blocks, lse, x, shape, temperature),
    crossEntropy: (terms, labelSmoothing, temperature) => crossEntropy(blocks, terms, labelSmoothing, temperature),
    hinge: (terms, form, margin, p, divisor) => hinge(blocks, terms, form, margin, p, divisor),
    linear: (z, layer) => linear(blocks, z, layer),
    linearCrossEntropy: (terms, labelSmoothing, temperature) =>
      linearCrossEntropy(blocks, terms, labelSmoothing, temperature),
    linearHinge: (terms, form, margin, p, divisor) => linearHinge(blocks, terms, form, margin, p, divisor),
    decay: (gradWeight, layer, l2) => decay(blocks, gradWeight, layer, l2),
    argmax: (indices, x, shape) => argmax(blocks, indices, x, shape),
    topK: (indices, values, x, shape, k, kind, temperature) =>
      topK(blocks, indices, values, x, shape, k, kind, temperature),
    sample: (classes, x, tops, u, shape, temperature, restriction) =>
      sample(blocks, classes, x, tops, u, shape, temperature, restriction),
    float16ToFloat32: (y, x) => float16ToFloat32(blocks, y, x),
    sigmoid: (y, x, shape) => sigmoid(blocks, "sigmoid", y, x, shape),
    sigmoidGrad: (dx, y, dy, shape) => sigmoidGrad(blocks, "sigmoidGrad", dx, y, dy, shape),
    logSigmoid: (y, x, shape) => sigmoid(blocks, "logSigmoid", y, x, shape),
    logSigmoidGrad: (dx, y, dy, shape) => sigmoidGrad(blocks, "logSigmoidGrad", dx, y, dy, shape),
    binaryCrossEntropy: (terms) => binaryCrossEntropy(blocks, terms),
  };
}
