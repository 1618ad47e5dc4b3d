// check → kernel → reduce → return

import { EXPECTED_FACTOR, isFactor } from "../arguments/arrays.js";
import { rangeError } from "../arguments/errors.js";
import { booleanOption, choiceOption, numberOption, type Options } from "../arguments/options.js";
import type { Kernels } from "../kernels.js";
import { type LossKind, lossKind, readLoss, reduce } from "./loss.js";
import type { LossValue } from "./reduction.js";

export const HINGE: LossKind = /* @__PURE__ */ lossKind("scores", true, "count", "form", "margin", "p", "perClass");

const FORMS = ["weston-watkins", "crammer-singer"] as const;
const POWERS = [1, 2] as const;

/** The options that make the loss what it is; initialLoss reads them too. */
export function readHingeForm(
  fn: string,
  options: Options,
): { form: (typeof FORMS)[number]; margin: number; p: 1 | 2; perClass: boolean } {
  return {
    form: choiceOption(fn, "form", options.form, "weston-watkins", FORMS),
    margin: numberOption(fn, "margin", options.margin, 1, EXPECTED_FACTOR, (m) => m >= 0 && m < Infinity),
    p: choiceOption(fn, "p", options.p, 1, POWERS),
    perClass: booleanOption(fn, "perClass", options.perClass),
  };
}

export function hinge(
  kernels: Kernels,
  scores: unknown,
  targets: unknown,
  given: unknown,
  withGrad: boolean,
): LossValue {
  const fn = withGrad ? "hingeGrad" : "hinge";
  const call = readLoss(kernels, fn, HINGE, scores, targets, given, withGrad);
  const { form, margin, p, perClass } = readHingeForm(fn, call.options);
  if (!isFactor(margin, call.logits)) throw rangeError(fn, "margin", EXPECTED_FACTOR, margin);
  const divisor = perClass ? call.shape.classes : 1;
  return reduce(call, call.isEmpty ? 0 : kernels.hinge(call, form, margin, p, divisor));
}
