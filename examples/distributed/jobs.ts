// The two jobs, over any engine.

import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Evaluation, evaluation } from "./evaluate.js";
import { shardsIn } from "./makeShards.js";
import type { Partial } from "./partial.js";
import { type Engine, type Progress, round, tasksOf } from "./round.js";
import { readDoubles, writeNpy } from "./shard.js";
import { meanLoss, OBJECTIVES, type Objective, step } from "./train.js";

export interface Evaluated extends Evaluation {
  readonly sums: Partial;
}

/** Evaluates the logits in a folder. `run`: the folder of the journal; one of an interrupted run goes on. */
export async function evaluateFolder(
  engine: Engine,
  folder: string,
  run: string,
  branch: number,
  progress?: (done: number, all: number) => void,
): Promise<Evaluated> {
  mkdirSync(run, { recursive: true });
  const tasks = tasksOf(shardsIn(folder), branch);
  const counted: Progress = (done) => progress?.(done, tasks.length);
  const sums = await round(engine, tasks, join(run, "evaluate.jsonl"), counted);
  return { ...evaluation(sums), sums };
}

export interface Training {
  readonly objective: Objective;
  readonly steps: number;
  readonly classes: number;
  readonly features: number;
}

export interface Trained {
  readonly losses: readonly number[];
  readonly test: Evaluation;
  /** Weights and bias, then their velocities, after the last step. */
  readonly state: Partial;
}

/**
 * Trains on the shards in `folder`/train and tests on those in `folder`/test. After each step the weights are in a file of their own in `run`, which must be
 * where all workers see it; a run that was interrupted goes on with the step it was at.
 */
export async function trainFolder(
  engine: Engine,
  folder: string,
  run: string,
  { objective, steps, classes, features }: Training,
  progress?: (step: number, loss: number) => void,
): Promise<Trained> {
  mkdirSync(run, { recursive: true });
  const shards = shardsIn(join(folder, "train"));
  const fileOf = (step: number) => join(run, `${objective}-${step}.npy`);
  const journal = (step: number) => join(run, `${objective}-${step}.jsonl`);
  const size = classes * (features + 1);
  if (!existsSync(fileOf(0))) await writeNpy(fileOf(0), new Float64Array(2 * size), [2, size]);
  const losses: number[] = [];
  for (let at = 0; at < steps; at++) {
    const tasks = tasksOf(shards, 1, { objective, path: fileOf(at), classes });
    const sums = await round(engine, tasks, journal(at));
    losses.push(meanLoss(sums));
    if (!existsSync(fileOf(at + 1))) {
      const next = step(await readDoubles(fileOf(at)), sums, OBJECTIVES[objective].rate);
      await writeNpy(fileOf(at + 1), next, [2, size]);
    }
    progress?.(at + 1, losses[at]!);
  }
  const tests = tasksOf(shardsIn(join(folder, "test")), 1, { path: fileOf(steps), classes });
  const test = evaluation(await round(engine, tests, journal(steps)));
  return { losses, test, state: await readDoubles(fileOf(steps)) };
}

/** Forgets a run. */
export const forget = (run: string): void => rmSync(run, { recursive: true, force: true });
