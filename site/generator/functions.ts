// What the reference says of a function beside its comment in src/api.ts: its formula for MathML, its equivalent in PyTorch, what it costs, and the names
// under which bench/results has its times and its errors.

import type { JobName } from "../../bench/jobs.js";

export interface About {
  /** TeX. */
  readonly formula: string;
  readonly torch: string;
  readonly cost: string;
  readonly job?: JobName;
  readonly figure?: string;
}

const TORCH = "import torch.nn.functional as F\n";
const MEMORY = "in blocks of rows; linear memory does not grow with the rows";

export const ABOUT: Readonly<Record<string, About>> = {
  softmax: {
    formula: "y_i = \\frac{e^{(x_i - m)/T}}{\\sum_j e^{(x_j - m)/T}}, \\quad m = \\max_j x_j",
    torch: "torch.softmax(x / T, dim=axis)",
    cost: "three passes over the row: its maximum, e^x with its sum, the scaling",
    job: "softmax",
    figure: "softmax",
  },
  softmaxGrad: {
    formula: "\\mathrm{d}x_i = y_i \\Bigl(\\mathrm{d}y_i - \\sum_j y_j\\, \\mathrm{d}y_j\\Bigr)",
    torch: "y.backward(dy)  # x.grad, of y = torch.softmax(x, dim=axis)",
    cost: "two passes over y and dy",
    job: "softmax gradient",
    figure: "softmaxGrad",
  },
  logSoftmax: {
    formula: "y_i = \\frac{x_i - m}{T} - \\ln \\sum_j e^{(x_j - m)/T}",
    torch: "torch.log_softmax(x / T, dim=axis)",
    cost: "three passes over the row, one logarithm",
    job: "log-softmax",
    figure: "logSoftmax",
  },
  logSoftmaxGrad: {
    formula: "\\mathrm{d}x_i = \\mathrm{d}y_i - e^{y_i} \\sum_j \\mathrm{d}y_j",
    torch: "y.backward(dy)  # x.grad, of y = torch.log_softmax(x, dim=axis)",
    cost: "two passes over y and dy",
    job: "log-softmax gradient",
    figure: "logSoftmaxGrad",
  },
  logSumExp: {
    formula: "\\frac{m}{T} + \\ln \\sum_j e^{(x_j - m)/T}",
    torch: "torch.logsumexp(x / T, dim=axis)",
    cost: "two passes over the row, one logarithm",
    job: "log-sum-exp",
    figure: "logSumExp",
  },
  crossEntropy: {
    formula: "\\ell = -\\ln p_y = \\ln \\sum_j e^{x_j - m} - (x_y - m), \\qquad \\ell = -\\sum_j t_j \\ln p_j",
    torch: `${TORCH}F.cross_entropy(logits, targets)`,
    cost: "two passes over the row, one logarithm",
    job: "cross-entropy",
    figure: "crossEntropy",
  },
  crossEntropyGrad: {
    formula: "\\frac{\\partial \\ell}{\\partial x_j} = p_j - [j = y]",
    torch: `${TORCH}loss = F.cross_entropy(logits, targets)\nloss.backward()  # logits.grad`,
    cost: "three passes over the row, one logarithm",
    job: "cross-entropy + gradient",
    figure: "crossEntropyGrad",
  },
  hinge: {
    formula:
      "\\ell = \\sum_{j \\ne y} \\max(0, \\Delta + x_j - x_y)^p, \\qquad \\ell = \\max\\bigl(0, \\Delta + \\max_{j \\ne y} x_j - x_y\\bigr)^p",
    torch: `${TORCH}F.multi_margin_loss(scores, targets)  # hinge(scores, targets, { perClass: true })`,
    cost: "one or two passes over the row, none of them an exponential",
    job: "Weston–Watkins",
    figure: "hinge",
  },
  hingeGrad: {
    formula:
      "\\frac{\\partial \\ell}{\\partial x_j} = p\\, z_j^{p-1}\\, [z_j > 0], \\quad z_j = \\Delta + x_j - x_y, \\qquad \\frac{\\partial \\ell}{\\partial x_y} = -\\sum_{j \\ne y} \\frac{\\partial \\ell}{\\partial x_j}",
    torch: `${TORCH}loss = F.multi_margin_loss(scores, targets)\nloss.backward()  # scores.grad`,
    cost: "one or two passes over the row, none of them an exponential",
    job: "Weston–Watkins + gradient",
    figure: "hingeGrad, p = 2",
  },
  linear: {
    formula: "z_{rc} = b_c + \\sum_d x_{rd}\\, w_{cd}",
    torch: `${TORCH}F.linear(x, weight, bias)`,
    cost: "2 · rows · D · C operations",
  },
  linearCrossEntropy: {
    formula: "\\ell_r = \\mathrm{crossEntropy}(x_r W^\\mathsf{T} + b,\\; y_r)",
    torch: `${TORCH}F.cross_entropy(F.linear(x, weight, bias), targets)`,
    cost: `2 · rows · D · C operations, ${MEMORY}`,
  },
  linearCrossEntropyGrad: {
    formula:
      "\\nabla W = G^\\mathsf{T} X, \\quad \\nabla b = \\sum_r G_r, \\quad \\nabla X = G\\,W, \\qquad G = \\frac{\\partial \\ell}{\\partial Z}",
    torch: `${TORCH}loss = F.cross_entropy(F.linear(x, weight, bias), targets)\nloss.backward()  # weight.grad, bias.grad, x.grad`,
    cost: `4 · rows · D · C operations, 6 with \`gradX\`, ${MEMORY}`,
  },
  linearHinge: {
    formula: "\\ell_r = \\mathrm{hinge}(x_r W^\\mathsf{T} + b,\\; y_r)",
    torch: `${TORCH}F.multi_margin_loss(F.linear(x, weight, bias), targets)  # perClass: true`,
    cost: `2 · rows · D · C operations, ${MEMORY}`,
  },
  linearHingeGrad: {
    formula:
      "\\nabla W = G^\\mathsf{T} X, \\quad \\nabla b = \\sum_r G_r, \\quad \\nabla X = G\\,W, \\qquad G = \\frac{\\partial \\ell}{\\partial Z}",
    torch: `${TORCH}loss = F.multi_margin_loss(F.linear(x, weight, bias), targets)  # perClass: true\nloss.backward()`,
    cost: `4 · rows · D · C operations, 6 with \`gradX\`, ${MEMORY}`,
  },
  argmax: {
    formula: "\\min\\, \\{\\, i : x_i = \\max_j x_j \\,\\}",
    torch: "torch.argmax(x, dim=axis)",
    cost: "two passes over the row, the second until the largest is found",
  },
  topK: {
    formula: "x_{i_1} \\ge x_{i_2} \\ge \\dots \\ge x_{i_k}, \\qquad p_{i} = \\frac{e^{x_i/T}}{\\sum_j e^{x_j/T}}",
    torch: "values, indices = torch.topk(torch.softmax(x, dim=axis), k)",
    cost: "some passes over the row, whatever the logits are, and a sort of k; probabilities take the sum of all e^x besides",
  },
  sample: {
    formula: "i = \\min\\, \\Bigl\\{\\, i : \\sum_{j \\le i} p_j > u \\sum_j p_j \\,\\Bigr\\}",
    torch: "torch.multinomial(torch.softmax(x / T, dim=axis), 1)  # topK, topP, minP: by hand, or from a library",
    cost: "two passes over the row, with `topK` or `topP` some more; nothing is sorted but what is left",
  },
  float16ToFloat32: {
    formula: "(-1)^s\\, 2^{e - 15}\\, \\bigl(1 + \\tfrac{f}{1024}\\bigr)",
    torch: "x.float()",
    cost: "one pass, eight numbers at a time",
  },
  sigmoid: {
    formula: "y_i = \\frac{1}{1 + e^{-x_i}}",
    torch: "torch.sigmoid(x)",
    cost: "one pass",
    job: "sigmoid",
    figure: "sigmoid",
  },
  sigmoidGrad: {
    formula: "\\mathrm{d}x_i = \\mathrm{d}y_i\\; y_i\\, (1 - y_i)",
    torch: "y.backward(dy)  # x.grad, of y = torch.sigmoid(x)",
    cost: "one pass",
    figure: "sigmoidGrad",
  },
  logSigmoid: {
    formula: "y_i = -\\ln(1 + e^{-x_i})",
    torch: `${TORCH}F.logsigmoid(x)`,
    cost: "one pass",
    figure: "logSigmoid",
  },
  logSigmoidGrad: {
    formula: "\\mathrm{d}x_i = \\mathrm{d}y_i\\, (1 - e^{y_i})",
    torch: "y.backward(dy)  # x.grad, of y = F.logsigmoid(x)",
    cost: "one pass",
    figure: "logSigmoidGrad",
  },
  binaryCrossEntropy: {
    formula: "\\ell_i = w^{+} t_i \\ln(1 + e^{-x_i}) + (1 - t_i) \\ln(1 + e^{x_i})",
    torch: `${TORCH}F.binary_cross_entropy_with_logits(logits, targets, pos_weight=posWeight)`,
    cost: "one pass, one e^x and one logarithm per logit",
    figure: "binaryCrossEntropy",
  },
  binaryCrossEntropyGrad: {
    formula:
      "\\frac{\\partial \\ell_i}{\\partial x_i} = (1 - t_i)\\, p_i - w^{+} t_i\\, (1 - p_i), \\quad p_i = \\frac{1}{1 + e^{-x_i}}",
    torch: `${TORCH}loss = F.binary_cross_entropy_with_logits(logits, targets)\nloss.backward()  # logits.grad`,
    cost: "one pass, one e^x and one logarithm per logit",
    job: "binary cross-entropy + gradient",
    figure: "binaryCrossEntropyGrad",
  },
  initialLoss: {
    formula: "\\ln C, \\qquad \\Delta^p\\,(C - 1), \\qquad \\Delta^p, \\qquad \\ln 2",
    torch: "math.log(C)",
    cost: "no arrays at all",
  },
};
