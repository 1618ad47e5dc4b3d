// softmargin; and, built with another engine in the place of this one, softmargin/relaxed and softmargin/baseline.

import type { Softmargin } from "./api.js";
import { api } from "./engines/simd.js";

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
export const linear: Softmargin["linear"] = api.linear;
export const linearCrossEntropy: Softmargin["linearCrossEntropy"] = api.linearCrossEntropy;
export const linearCrossEntropyGrad: Softmargin["linearCrossEntropyGrad"] = api.linearCrossEntropyGrad;
export const linearHinge: Softmargin["linearHinge"] = api.linearHinge;
export const linearHingeGrad: Softmargin["linearHingeGrad"] = api.linearHingeGrad;
export const argmax: Softmargin["argmax"] = api.argmax;
export const topK: Softmargin["topK"] = api.topK;
export const sample: Softmargin["sample"] = api.sample;
export const float16ToFloat32: Softmargin["float16ToFloat32"] = api.float16ToFloat32;
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
