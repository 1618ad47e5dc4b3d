// Piscina's worker threads: all cores of one machine.

import { Piscina } from "piscina";
import type { Engine } from "../round.js";
import type { Answer } from "../worker.js";
import { asLost, pull } from "./pull.js";

/** A task that takes longer than `timeout` milliseconds is stopped, with its thread, and tried again. */
export function threads(workers: number, timeout: number): Engine {
  const pool = new Piscina<unknown, Answer>({
    filename: new URL("../worker.ts", import.meta.url).href,
    name: "work",
    minThreads: workers,
    maxThreads: workers,
    execArgv: ["--import", "tsx"],
  });
  return {
    run: (tasks, answered) =>
      pull(workers, tasks, answered, (task) =>
        pool.run(task, { signal: AbortSignal.timeout(timeout) }).catch((error: unknown) => {
          throw asLost(error);
        }),
      ),
    close: () => pool.destroy(),
  };
}
