// check → kernel → reduce → return

import { numberOption, type Options, temperatureOption } from "./check.js";
import type { Kernels } from "./kernels.js";
import { readLoss } from "./loss.js";
import type { LossValue } from "./options.js";

export function readLabelSmoothing(fn: string, options: Options): number {
  return numberOption(fn, options, "labelSmoothing", 0, "in [0, 1]", (e) => e >= 0 && e <= 1);
}

export function crossEntropy(
  kernels: Kernels,
  logits: unknown,
  targets: unknown,
  given: unknown,
  withGrad: boolean,
): LossValue {
  const fn = withGrad ? "crossEntropyGrad" : "crossEntropy";
  const defaults = { indicesOnly: false, meanOver: "weights" } as const;
  const call = readLoss(fn, "logits", logits, targets, given, ["labelSmoothing", "temperature"], defaults, withGrad);
  const labelSmoothing = readLabelSmoothing(fn, call.options);
  const temperature = temperatureOption(fn, call.options);
  return call.compute((loss, grad, rows) =>
    kernels.crossEntropy(loss, grad, call.logits, call.targets, call.shape, {
      rows,
      weight: call.weight,
      labelSmoothing,
      temperature,
    }),
  );
}
