// A classifier head: softmax regression on features that something else has made. Those here are MNIST's digits behind a fixed random layer,
// max(0, x·Rᵀ + r), 2,048 numbers each; in an application they are embeddings of texts or images. The head is all that learns.
//
//   npm run example:features               60,000 digits, 10 epochs
//   npm run example:features -- --quick     6,000 digits, 2 epochs

import { parseArgs } from "node:util";
import { argmax, linear, linearCrossEntropyGrad, softmax } from "softmargin";
import { createModel } from "./linearModel.js";
import { classes, type Digits, firstDigits, loadMnist, pixels } from "./mnist.js";
import { createRandom, shuffle } from "./random.js";

const { quick } = parseArgs({ options: { quick: { type: "boolean", default: false } } }).values;
const epochs = quick ? 2 : 10;
const width = 2048;
const batchSize = 200;
const rate = 0.05; // of the first step; it falls linearly to 0
const momentum = 0.9;

const random = createRandom(1);
const layer = createModel(pixels, width, 0.2, random);
for (let i = 0; i < width; i++) layer.bias[i] = 2 * random() - 1;

const { train: all, test } = loadMnist();
const train = quick ? firstDigits(all, 6000) : all;
const start = performance.now();
const seconds = () => ((performance.now() - start) / 1000).toFixed(1);
const features = featuresOf(train);
const testFeatures = featuresOf(test);
console.log(`${train.count + test.count} digits, ${width} features each: ${seconds()} s`);

const { weight, bias } = createModel(width, classes, 0, random);
const gradient = createModel(width, classes, 0, random);
const velocity = createModel(width, classes, 0, random);
const batches = Int32Array.from({ length: train.count / batchSize }, (_, i) => i);
for (let epoch = 0; epoch < epochs; epoch++) {
  shuffle(batches, random);
  let sum = 0;
  batches.forEach((batch, step) => {
    const first = batch * batchSize;
    const x = features.subarray(first * width, (first + batchSize) * width);
    const labels = train.labels.subarray(first, first + batchSize);
    const gradients = { gradWeight: gradient.weight, gradBias: gradient.bias };
    sum += linearCrossEntropyGrad(x, weight, labels, { bias, ...gradients }).loss;
    const now = rate * (1 - (epoch * batches.length + step) / (epochs * batches.length));
    descend(weight, velocity.weight, gradient.weight, now);
    descend(bias, velocity.bias, gradient.bias, now);
  });
  console.log(`epoch ${epoch + 1}  loss ${(sum / batches.length).toFixed(4)}   ${seconds()} s`);
}

// What the head says, and how sure it is.
const shape = [test.count, classes];
const logits = linear(testFeatures, weight, { shape: [test.count, width], bias });
const guesses = argmax(logits, { shape });
const confidence = softmax(logits, { shape });
const isRight = (r: number) => guesses[r] === test.labels[r];
const rows = Array.from(guesses.keys());
const sure = rows.filter((r) => confidence[r * classes + guesses[r]!]! >= 0.9);
const share = (right: number, of: number) => `${((100 * right) / of).toFixed(2)} %`;
console.log(`test accuracy ${share(rows.filter(isRight).length, test.count)}`);
console.log(
  `of the ${share(sure.length, test.count)} it is 90 % sure of: ${share(sure.filter(isRight).length, sure.length)}`,
);

function featuresOf({ count, images }: Digits): Float32Array {
  const made = linear(images, layer.weight, { shape: [count, pixels], bias: layer.bias });
  for (let i = 0; i < made.length; i++) made[i] = Math.max(0, made[i]!);
  return made;
}

/** A step of gradient descent that keeps some of its velocity. */
function descend(weight: Float32Array, velocity: Float32Array, gradient: Float32Array, rate: number): void {
  for (let i = 0; i < weight.length; i++) {
    velocity[i] = momentum * velocity[i]! + gradient[i]!;
    weight[i]! -= rate * velocity[i]!;
  }
}
