// A classifier head: softmax regression on features that something else has made. Those here are MNIST's digits behind a fixed random layer
// (randomLayer.ts), 2,048 numbers each; in an application they are embeddings of texts or images. The head is all that learns.
//
//   npm run example:features               60,000 digits, 10 epochs
//   npm run example:features -- --quick     6,000 digits, 2 epochs

import { parseArgs } from "node:util";
import { argmax, linear, linearCrossEntropyGrad, softmax } from "softmargin";
import { createModel, descend } from "./linearModel.js";
import { classes, firstDigits, loadMnist } from "./mnist.js";
import { createRandom, shuffle } from "./random.js";
import { featuresOf, randomLayer } from "./randomLayer.js";

const { quick } = parseArgs({ options: { quick: { type: "boolean", default: false } } }).values;
const epochs = quick ? 2 : 10;
const width = 2048;
const batchSize = 200;
const rate = 8; // of the first step; it falls linearly to 0

const random = createRandom(1);
const { train: all, test } = loadMnist();
const train = quick ? firstDigits(all, 6000) : all;
const start = performance.now();
const seconds = () => ((performance.now() - start) / 1000).toFixed(1);
const layer = randomLayer(width, firstDigits(train, 1000).images, random);
const features = featuresOf(train.images, layer);
const testFeatures = featuresOf(test.images, layer);
console.log(`${train.count + test.count} digits, ${width} features each: ${seconds()} s`);

const head = createModel(width, classes, 0, random);
const { weight, bias } = head;
const gradient = createModel(width, classes, 0, random);
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
    descend(head, gradient, rate * (1 - (epoch * batches.length + step) / (epochs * batches.length)));
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
