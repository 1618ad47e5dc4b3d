// The sums over shards come to what the library says of all rows at once; a step to the gradient of the whole batch.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { argmax, crossEntropy, linearHingeGrad } from "softmargin";
import { afterAll, expect, it } from "vitest";
import { inProcess } from "../engines/inProcess.js";
import { evaluateFolder, trainFolder } from "../jobs.js";
import { makeLogits, shardsIn } from "../makeShards.js";
import { blocks, readDoubles } from "../shard.js";
import { OBJECTIVES } from "../train.js";

const folder = mkdtempSync(join(tmpdir(), "softmargin-jobs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const [rows, columns] = [1500, 800];

/** All rows of the shards in a folder. */
async function all(shards: string) {
  const x: number[] = [];
  const targets: number[] = [];
  for (const path of shardsIn(shards)) {
    for await (const block of blocks(path)) {
      for (const value of block.x) x.push(value);
      targets.push(...block.targets);
    }
  }
  return { x: Float32Array.from(x), targets: Int32Array.from(targets) };
}

it.each([1, 2])("evaluation, %i shards a task", async (branch) => {
  const shards = join(folder, "logits");
  await makeLogits(shards, 3, rows, columns);
  const { x, targets } = await all(shards);
  expect(targets.length).toBe(3 * rows);
  const got = await evaluateFolder(inProcess, shards, join(folder, `run-${branch}`), branch);
  const counted = targets.filter((y) => y >= 0).length;
  const right = argmax(x, { shape: [3 * rows, columns] }).filter((y, r) => y === targets[r]).length;
  expect(got.rows).toBe(counted);
  expect(got.accuracy).toBe(right / counted);
  expect(got.loss / crossEntropy(x, targets)).toBeCloseTo(1, 14);
  expect(got.perplexity).toBe(Math.exp(got.loss));
  expect(got.calibrationError).toBeGreaterThan(0);
  expect(got.calibrationError).toBeLessThan(1);
});

it("a step of an SVM", async () => {
  await makeLogits(join(folder, "svm", "train"), 3, 200, 10);
  await makeLogits(join(folder, "svm", "test"), 1, 200, 10);
  const { x, targets } = await all(join(folder, "svm", "train"));
  const [classes, features] = [10, 10];
  const training = { objective: "svm", steps: 1, classes, features } as const;
  const { losses, state } = await trainFolder(inProcess, join(folder, "svm"), join(folder, "run-svm"), training);
  const zeros = new Float32Array(classes * features);
  const want = linearHingeGrad(x, zeros, targets, { bias: new Float32Array(classes) });
  expect(losses).toEqual([want.loss]);
  expect(state).toEqual(await readDoubles(join(folder, "run-svm", "svm-1.npy")));
  const gradient = [...want.gradWeight, ...want.gradBias!];
  // Sums in f32, in another order.
  gradient.forEach((g, i) => {
    expect(Math.abs(state[i]! + OBJECTIVES.svm.rate * g)).toBeLessThan(1e-6 * OBJECTIVES.svm.rate * (1 + Math.abs(g)));
  });
});
