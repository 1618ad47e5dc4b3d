// What the main job prints around the training: where it runs, the table, and what the numbers teach.

import { cpus } from "node:os";
import { backend } from "softmargin";
import type { Duel } from "./duel.js";
import { classes, type Digits, pixels } from "./mnist.js";
import type { Objective } from "./objectives.js";
import { batchSize, type Examination } from "./training.js";

export interface Result {
  readonly objective: Objective;
  readonly duel: Duel;
  /** On the training images, before and after; and on the test images, after. */
  readonly initial: Examination;
  readonly final: Examination;
  readonly test: Examination;
}

export function printSetting(train: Digits, test: Digits, epochs: number): void {
  const weights = pixels * classes + classes;
  const passes = epochs === 1 ? "1 epoch" : `${epochs} epochs`;
  console.log(`MNIST: ${count(train.count)} images to learn from, ${count(test.count)} to test on.`);
  console.log(`Model: linear, ${count(weights)} weights, ${passes} in batches of ${batchSize}.`);
  console.log(`Backend: ${backend.name}. Node ${process.version}, ${cpus()[0]?.model ?? "unknown processor"}.`);
  if (backend.reason) console.log(`Why nothing faster: ${backend.reason.message}`);
}

export function printTable(results: readonly Result[]): void {
  const rows = results.map(({ objective, duel, initial, final, test }) => [
    objective.name,
    initial.loss.toFixed(4),
    objective.theory.toFixed(4),
    final.loss.toFixed(4),
    percent(test.accuracy),
    `${duel.wasm.milliseconds.toFixed(1)} ms`,
    `${duel.baseline.milliseconds.toFixed(1)} ms`,
    `${(duel.baseline.milliseconds / duel.wasm.milliseconds).toFixed(2)} ×`,
  ]);
  const header = ["", "initial loss", "theory", "final loss", "test accuracy", backend.name, "baseline", "ratio"];
  const widths = header.map((_, i) => Math.max(...[header, ...rows].map((row) => row[i]!.length)));
  const line = (cells: string[]) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("   ");
  console.log(`\n${line(header)}`);
  for (const row of rows) console.log(line(row));
}

export function printLessons(results: readonly Result[], images: number, seconds: number): void {
  const [softmax, westonWatkins, crammerSinger] = results as [Result, Result, Result];
  const sum = (of: (result: Result) => number) => results.reduce((total, result) => total + of(result), 0);
  const { batches } = softmax.duel;
  const stepTime = sum(({ duel }) => duel.milliseconds);
  const comparison = sum(({ duel }) => duel.baseline.milliseconds);
  const compared = sum(({ duel }) => duel.compared);
  const differing = sum(({ duel }) => duel.differing);
  const { satisfied, smallestLoss } = softmax.final;
  console.log(`
${backend.name}, baseline: time for scores, loss and gradient of the same ${count(compared / results.length)} batches of ${count(batches)}.
Of these batches, ${count(differing)} have gradients that differ by more than rounding.
Everything took ${seconds.toFixed(1)} s: ${(stepTime / 1000).toFixed(2)} s the scores, losses and gradients of all batches on ${backend.name},
${(comparison / 1000).toFixed(2)} s the comparison, those of the baseline, which trains nothing; the rest updates and examinations.

What the numbers teach
- The initial loss is known before anything is learnt: log ${classes}, ${classes - 1} or 1. Where a first loss is far from it, the
  labels, the loss or the initial weights are wrong, and it took a second to find out.
- A hinge is satisfied once the margin holds: ${percent(westonWatkins.final.satisfied)} (Weston–Watkins) and ${percent(crammerSinger.final.satisfied)} (Crammer–Singer)
  of the training images end with a loss of exactly 0 and no longer move the weights.
- Cross-entropy is never satisfied: ${count(satisfied * images)} of ${count(images)} losses are 0, the smallest is ${smallestLoss.toExponential(1)}.`);
}

function count(n: number): string {
  return n.toLocaleString("en");
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
