// What a loss must be before anything is learned, when all scores are equal: a check that catches a wrong scale, a wrong sign or a forgotten
// class at the first step.

import { typeError } from "../arguments/errors.js";
import { checkedNumber, optionSet, readOptions, temperatureOption } from "../arguments/options.js";
import { readLabelSmoothing } from "./crossEntropy.js";
import { readHingeForm } from "./hinge.js";

export function initialLoss(loss: unknown, count: unknown, given: unknown): number {
  const fn = "initialLoss";
  if (loss !== "crossEntropy" && loss !== "hinge") throw typeError(fn, "loss", '"crossEntropy" or "hinge"', loss);
  const classes = checkedNumber(fn, "classes", count, "a positive integer", (n) => Number.isSafeInteger(n) && n > 0);
  if (loss === "crossEntropy") {
    // Neither option changes it: every class has the probability 1/C, however the target is spread.
    const options = readOptions(fn, given, optionSet("labelSmoothing", "temperature"));
    readLabelSmoothing(fn, options);
    temperatureOption(fn, options);
    return Math.log(classes);
  }
  const options = readOptions(fn, given, optionSet("form", "margin", "p", "perClass"));
  const { form, margin, p, perClass } = readHingeForm(fn, options);
  const wrong = form === "weston-watkins" ? classes - 1 : Math.min(1, classes - 1);
  return (margin ** p * wrong) / (perClass ? classes : 1);
}
