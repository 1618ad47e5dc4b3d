// Processes that read tasks from standard input, a line each, and write answers to standard output: what GNU parallel, Slurm or Spark's pipe do, on this machine.

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Engine } from "../round.js";
import { type Answer, BackendError, type Task } from "../worker.js";
import { REFUSED, spawnWorker } from "./child.js";
import { Lost, pull } from "./pull.js";

/** So many milliseconds a process may take to start. */
const START = 30_000;

interface Hand {
  readonly child: ChildProcess;
  readonly answers: AsyncIterator<string>;
}

/** A task that takes longer than `timeout` milliseconds is stopped, with its process, and tried again by a new one. */
export function processes(workers: number, timeout: number): Engine {
  const hands: (Hand | undefined)[] = [];

  function start(): Hand {
    const child = spawnWorker([], "pipe");
    child.stdin!.on("error", () => {}); // It is gone; that its answers end says so.
    return { child, answers: createInterface({ input: child.stdout! })[Symbol.asyncIterator]() };
  }

  async function attempt(task: Task, number: number): Promise<Answer> {
    const isNew = hands[number] === undefined;
    hands[number] ??= start();
    const { child, answers } = hands[number];
    const timer = setTimeout(() => child.kill("SIGKILL"), isNew ? START + timeout : timeout);
    child.stdin!.write(`${JSON.stringify(task)}\n`);
    const { value, done } = await answers.next();
    clearTimeout(timer);
    if (!done) return JSON.parse(value) as Answer;
    hands[number] = undefined;
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    if (child.exitCode === REFUSED) throw new BackendError("a worker has refused: its backend is not simd");
    throw new Lost(`its worker ended (${child.signalCode ?? child.exitCode})`);
  }

  return {
    run: (tasks, answered) => pull(workers, tasks, answered, attempt),
    async close() {
      for (const hand of hands) hand?.child.kill("SIGKILL");
    },
  };
}
