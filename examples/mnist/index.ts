// The main job: handwritten digits, three times the same linear model, scores = x·Wᵀ + b, trained in the same way; only the loss
// differs (objectives.ts). Losses and gradients come from softmargin, some of them a second time from its plain TypeScript (duel.ts).
//
//   npm start                  60,000 training images, 10 epochs
//   npm start -- --quick        6,000 training images, 1 epoch
//   npm start -- --fashion     two of the models on Fashion-MNIST as well

import { parseArgs } from "node:util";
import cliProgress from "cli-progress";
import { Duel } from "./duel.js";
import { loadFashion } from "./fashion.js";
import { createModel } from "./linearModel.js";
import { classes, DataNotFound, type Digits, firstDigits, loadMnist, pixels } from "./mnist.js";
import { type Objective, objectives } from "./objectives.js";
import { createRandom } from "./random.js";
import { percent, printLessons, printSetting, printTable, type Result } from "./report.js";
import { batchSize, examine, trainEpoch } from "./training.js";

const flag = { type: "boolean", default: false } as const;
const { quick, fashion } = parseArgs({ options: { quick: flag, fashion: flag } }).values;
const epochs = quick ? 1 : 10;

try {
  main();
} catch (error) {
  if (!(error instanceof DataNotFound)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function main(): void {
  const { train, test } = shortened(loadMnist());
  const clothes = fashion ? shortened(loadFashion()) : undefined;
  printSetting(train, test, epochs);
  const start = performance.now();
  const results = objectives.map((objective) => run(objective, train, test));
  const seconds = (performance.now() - start) / 1000;
  const [softmax, svm] = objectives as [Objective, Objective];
  const others = clothes
    ? [softmax, svm].map((objective) =>
        run({ ...objective, name: `Fashion: ${objective.name}` }, clothes.train, clothes.test),
      )
    : [];
  printTable([...results, ...others]);
  printLessons(results, train.count, seconds);
  console.log("\nTo drag points, train on them and check all this in a browser: npm run site");
}

function shortened({ train, test }: { train: Digits; test: Digits }): { train: Digits; test: Digits } {
  return { train: quick ? firstDigits(train, 6000) : train, test };
}

/** One model from its first, random weights to its last. */
function run(objective: Objective, train: Digits, test: Digits): Result {
  console.log(`\n${objective.name}`);
  const random = createRandom(1);
  const model = createModel(pixels, classes, 0.001, random);
  const initial = examine(model, train, objective);
  const { loss: untrained } = initial;
  console.log(
    `  untrained loss ${untrained.toFixed(4)}, in theory ${objective.theory.toFixed(4)} (${objective.formula})`,
  );

  const duel = new Duel(objective.lossAndGrad, batchSize, pixels, classes);
  const batches = train.count / batchSize;
  const steps = epochs * batches;
  const bar = progressBar();
  let loss = untrained;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const done = epoch * batches;
    const rate = (batch: number) => objective.rate * (1 - (done + batch) / steps);
    bar.start(steps, done, { loss: loss.toFixed(4) });
    loss = trainEpoch(model, train, duel, random, rate, (batch, mean) =>
      bar.update(done + batch, { loss: mean.toFixed(4) }),
    );
    bar.stop();
    const { accuracy } = examine(model, test, objective);
    const number = String(epoch + 1).padStart(2);
    console.log(`  epoch ${number}  loss ${loss.toFixed(4)}   test accuracy ${percent(accuracy)}`);
  }
  return { objective, duel, initial, final: examine(model, train, objective), test: examine(model, test, objective) };
}

/** A bar below the lines of the epochs; where the output is no terminal it draws nothing, and the lines remain. */
function progressBar(): cliProgress.SingleBar {
  return new cliProgress.SingleBar({
    format: "  [{bar}] {percentage} %   batch {value} of {total}   loss {loss}",
    stream: process.stdout,
    clearOnComplete: true,
    fps: 20,
    linewrap: true,
  });
}
