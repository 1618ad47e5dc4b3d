// Stochastic gradient descent on mini-batches, and the examination of a model on a whole set of digits.

import { argmax, linear } from "softmargin";
import type { Duel } from "./duel.js";
import { descend, type LinearModel } from "./linearModel.js";
import { classes, type Digits, pixels } from "./mnist.js";
import type { Objective } from "./objectives.js";
import { shuffle } from "./random.js";

export const batchSize: number = 200;

/**
 * Learns from every digit once and returns the mean loss met on the way. The digits of the files are mixed already: neighbours make a
 * batch, where they lie, and only the order of the batches is new each time. `rate` is the learning rate of each batch; `progress` is
 * told how many batches are done, and their mean loss.
 */
export function trainEpoch(
  model: LinearModel,
  digits: Digits,
  duel: Duel,
  random: () => number,
  rate: (batch: number) => number,
  progress: (batches: number, loss: number) => void,
): number {
  const batches = digits.count / batchSize;
  const order = Int32Array.from({ length: batches }, (_, i) => i);
  shuffle(order, random);
  let sum = 0;
  for (let batch = 0; batch < batches; batch++) {
    const first = order[batch]! * batchSize;
    const images = digits.images.subarray(first * pixels, (first + batchSize) * pixels);
    const labels = digits.labels.subarray(first, first + batchSize);

    const { loss, gradient } = duel.run(model, images, labels);
    descend(model, gradient, rate(batch));

    sum += loss;
    progress(batch + 1, sum / (batch + 1));
  }
  return sum / batches;
}

export interface Examination {
  readonly loss: number;
  /** Share of the images whose own digit has the highest score. */
  readonly accuracy: number;
  /** Share of the images whose loss is exactly 0. */
  readonly satisfied: number;
  readonly smallestLoss: number;
}

export function examine(model: LinearModel, digits: Digits, objective: Objective): Examination {
  const { count, images, labels } = digits;
  const scores = linear(images, model.weight, { shape: [count, pixels], bias: model.bias });
  const guesses = argmax(scores, { shape: [count, classes] });
  const losses = objective.losses(scores, labels);
  let sum = 0;
  let correct = 0;
  let satisfied = 0;
  let smallestLoss = Number.POSITIVE_INFINITY;
  for (let r = 0; r < count; r++) {
    const loss = losses[r]!;
    sum += loss;
    smallestLoss = Math.min(smallestLoss, loss);
    if (loss === 0) satisfied++;
    if (guesses[r] === labels[r]) correct++;
  }
  return { loss: sum / count, accuracy: correct / count, satisfied: satisfied / count, smallestLoss };
}
