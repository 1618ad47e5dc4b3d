// The one worker: a task in, the paths of a few shards; a small partial result out. It knows nothing of who calls it, and can be called again for the same
// task: the answer has the same bits.

import { backend } from "softmargin";
import { evaluate } from "./evaluate.js";
import { empty, type Partial, toText } from "./partial.js";
import { type Block, blocks, ShardError } from "./shard.js";
import { gradientJob, type Objective, testJob } from "./train.js";

export interface Task {
  /** What the answer is filed under: the first of the shards. */
  readonly id: string;
  /** Paths that every worker can read. Their sums are added up in this order. */
  readonly shards: readonly string[];
  /** Without it, the shards are logits to evaluate. */
  readonly model?: { readonly path: string; readonly classes: number; readonly objective?: Objective };
}

/** A result, or what is wrong with a shard for good. */
export type Answer = { readonly id: string } & ({ readonly partial: string } | { readonly error: string });

export interface Job {
  /** How many sums its partial results have. */
  readonly size: number;
  /** Adds those of a block; returns that of its losses. */
  add(sums: Partial, block: Block): number;
  /** The loss of each row, to find one that is NaN. */
  losses(block: Block): ArrayLike<number>;
}

export async function work({ id, shards, model }: Task): Promise<Answer> {
  checkBackend();
  try {
    const job = await jobOf(model);
    const sums = empty(job.size);
    for (const path of shards) for await (const block of blocks(path)) addBlock(job, sums, path, block);
    return { id, partial: toText(sums) };
  } catch (error) {
    // Anything else may pass: a file server that is away, memory that is short.
    if (error instanceof ShardError) return { id, error: error.message };
    throw error;
  }
}

/** Other backends round otherwise: one machine without SIMD among a thousand would change the last bits, and nobody would see it. */
export function checkBackend(): void {
  if (backend.name === "simd") return;
  throw new BackendError(
    `this machine computes with the backend "${backend.name}", not "simd", and so to other bits: ${backend.reason?.message}`,
  );
}
export class BackendError extends Error {}

async function jobOf(model: Task["model"]): Promise<Job> {
  if (model === undefined) return evaluate;
  const { objective, path, classes } = model;
  return objective === undefined ? testJob(path, classes) : gradientJob(objective, path, classes);
}

function addBlock(job: Job, sums: Partial, path: string, block: Block): void {
  const last = block.first + block.rows - 1;
  let loss: number;
  try {
    loss = job.add(sums, block);
  } catch (error) {
    // The library names the argument and the index, as of this block.
    throw new ShardError(`${path}: rows ${block.first} to ${last}: ${error instanceof Error ? error.message : error}`);
  }
  if (!Number.isNaN(loss)) return;
  const row = Array.from(job.losses(block)).findIndex(Number.isNaN);
  throw new ShardError(`${path}: the loss of row ${block.first + row} is NaN`);
}
