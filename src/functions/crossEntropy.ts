// check → kernel → reduce → return

import { typeError } from "../arguments/errors.js";
import { gammaOption, labelSmoothingOption, type Options, temperatureOption } from "../arguments/options.js";
import type { Kernels } from "../kernels.js";
import { focal } from "./focal.js";
import { type LossKind, lossKind, readLoss, reduce } from "./loss.js";
import type { LossValue } from "./reduction.js";

export const CROSS_ENTROPY: LossKind = /* @__PURE__ */ lossKind(
  "logits",
  false,
  "weights",
  "labelSmoothing",
  "temperature",
  "gamma",
);

/** γ of a focal loss. A smoothed target has no probability of its own. */
export function readGamma(fn: string, options: Options, labelSmoothing: number): number {
  const gamma = gammaOption(fn, options);
  if (gamma !== 0 && labelSmoothing !== 0) throw typeError(fn, "gamma", "absent with labelSmoothing", gamma);
  return gamma;
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
  const labelSmoothing = labelSmoothingOption(fn, call.options);
  const temperature = temperatureOption(fn, call.options);
  const gamma = readGamma(fn, call.options, labelSmoothing);
  if (gamma !== 0 && call.indices === undefined)
    throw typeError(fn, "gamma", "absent for targets that are probabilities", gamma);
  if (call.isEmpty) return reduce(call, 0);
  const total =
    gamma === 0
      ? kernels.crossEntropy(call, labelSmoothing, temperature)
      : focal(kernels, fn, call, call.indices!, gamma, temperature);
  return reduce(call, total);
}
