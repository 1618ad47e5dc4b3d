// check → kernel → reduce → return

import { numberOption, type Options, temperatureOption } from "../arguments/options.js";
import type { Kernels } from "../kernels.js";
import type { LossValue } from "../options.js";
import { type LossKind, lossKind, readLoss, reduce } from "./loss.js";

export const CROSS_ENTROPY: LossKind = /* @__PURE__ */ lossKind(
  "logits",
  false,
  "weights",
  "labelSmoothing",
  "temperature",
);

export function readLabelSmoothing(fn: string, options: Options): number {
  return numberOption(fn, "labelSmoothing", options.labelSmoothing, 0, "in [0, 1]", (e) => e >= 0 && e <= 1);
}

export function crossEntropy(
  kernels: Kernels,
  logits: unknown,
  targets: unknown,
  given: unknown,
  withGrad: boolean,
): LossValue {
  const fn = withGrad ? "crossEntropyGrad" : "crossEntropy";
  const call = readLoss(kernels, fn, CROSS_ENTROPY, logits, targets, given, withGrad);
  const labelSmoothing = readLabelSmoothing(fn, call.options);
  const temperature = temperatureOption(fn, call.options);
  return reduce(call, call.isEmpty ? 0 : kernels.crossEntropy(call, labelSmoothing, temperature));
}
