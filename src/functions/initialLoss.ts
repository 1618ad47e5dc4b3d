// What a loss must be before anything is learned, when all scores are equal: a check that catches a wrong scale, a wrong sign or a forgotten
// class at the first step.

import { checkedNumber, typeError } from "../arguments/errors.js";
import { gammaOption, labelSmoothingOption, optionSet, readOptions, temperatureOption } from "../arguments/options.js";
import { readGamma } from "./crossEntropy.js";
import { readHingeForm } from "./hinge.js";

export function initialLoss(loss: unknown, count: unknown, given: unknown): number {
  const fn = "initialLoss";
  if (loss === "binaryCrossEntropy") return binary(fn, count, given);
  if (loss !== "crossEntropy" && loss !== "hinge")
    throw typeError(fn, "loss", '"crossEntropy", "hinge" or "binaryCrossEntropy"', loss);
  const classes = checkedClasses(fn, count);
  if (loss === "crossEntropy") {
    // Every class has the probability 1/C, however the target is spread.
    const options = readOptions(fn, given, optionSet("labelSmoothing", "temperature", "gamma"));
    temperatureOption(fn, options);
    return (1 - 1 / classes) ** readGamma(fn, options, labelSmoothingOption(fn, options)) * Math.log(classes);
  }
  const options = readOptions(fn, given, optionSet("form", "margin", "p", "perClass"));
  const { form, margin, p, perClass } = readHingeForm(fn, options);
  const wrong = form === "weston-watkins" ? classes - 1 : Math.min(1, classes - 1);
  return (margin ** p * wrong) / (perClass ? classes : 1);
}

/** Every p is ½. The number of labels does not matter, and may be absent. */
function binary(fn: string, count: unknown, given: unknown): number {
  if (count !== undefined) checkedClasses(fn, count);
  const options = readOptions(fn, given, optionSet("labelSmoothing", "gamma"));
  labelSmoothingOption(fn, options);
  return 0.5 ** gammaOption(fn, options) * Math.LN2;
}

function checkedClasses(fn: string, count: unknown): number {
  return checkedNumber(fn, "classes", count, "a positive integer", (n) => Number.isSafeInteger(n) && n > 0);
}
