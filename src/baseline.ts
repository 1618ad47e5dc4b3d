// softmargin/baseline: plain TypeScript. The fallback of the other entry points and their opponent in the benchmarks.

import { createApi, type Softmargin } from "./api.js";
import { createBaseline } from "./createBaseline.js";

const api: Softmargin = /* @__PURE__ */ createApi(/* @__PURE__ */ createBaseline());

export type * from "./public.js";
export const softmax: Softmargin["softmax"] = api.softmax;
export const softmaxGrad: Softmargin["softmaxGrad"] = api.softmaxGrad;
export const logSoftmax: Softmargin["logSoftmax"] = api.logSoftmax;
export const logSoftmaxGrad: Softmargin["logSoftmaxGrad"] = api.logSoftmaxGrad;
export const logSumExp: Softmargin["logSumExp"] = api.logSumExp;
export const crossEntropy: Softmargin["crossEntropy"] = api.crossEntropy;
export const crossEntropyGrad: Softmargin["crossEntropyGrad"] = api.crossEntropyGrad;
export const hinge: Softmargin["hinge"] = api.hinge;
export const hingeGrad: Softmargin["hingeGrad"] = api.hingeGrad;
export const sigmoid: Softmargin["sigmoid"] = api.sigmoid;
export const sigmoidGrad: Softmargin["sigmoidGrad"] = api.sigmoidGrad;
export const logSigmoid: Softmargin["logSigmoid"] = api.logSigmoid;
export const logSigmoidGrad: Softmargin["logSigmoidGrad"] = api.logSigmoidGrad;
export const binaryCrossEntropy: Softmargin["binaryCrossEntropy"] = api.binaryCrossEntropy;
export const binaryCrossEntropyGrad: Softmargin["binaryCrossEntropyGrad"] = api.binaryCrossEntropyGrad;
export const initialLoss: Softmargin["initialLoss"] = api.initialLoss;
export const createWorkspace: Softmargin["createWorkspace"] = api.createWorkspace;
export const backend: Softmargin["backend"] = api.backend;
export const ready: Softmargin["ready"] = api.ready;
