// What engines without a queue of their own share: so many hands take the next task until there is none. What fails, but not by its shard, is tried again.

import { setTimeout as wait } from "node:timers/promises";
import { type Answer, BackendError, type Task } from "../worker.js";

export const ATTEMPTS = 5;

export async function pull(
  hands: number,
  tasks: readonly Task[],
  answered: (answer: Answer) => void,
  attempt: (task: Task, hand: number) => Promise<Answer>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const hand = async (_: unknown, number: number) => {
    while (next < tasks.length && !failed) {
      const task = tasks[next++]!;
      for (let tries = 1; ; tries++) {
        try {
          answered(await attempt(task, number));
          break;
        } catch (error) {
          const isOver: boolean = !(error instanceof Lost) || tries === ATTEMPTS || failed;
          failed ||= isOver;
          if (isOver) throw error instanceof Lost ? new Error(`${task.id}: ${error.message}, ${tries} times`) : error;
          console.error(`${task.id}: ${(error as Error).message}, once more`);
          await wait(100 * tries);
        }
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(hands, tasks.length) }, hand));
}

/** A worker that was lost, or too slow, with what it was working on. */
export class Lost extends Error {}

/** The error of a worker: another machine, or another time, may do better, but not than one without SIMD. */
export const asLost = (error: unknown): Error =>
  error instanceof BackendError ? error : new Lost(error instanceof Error ? error.message : String(error));
