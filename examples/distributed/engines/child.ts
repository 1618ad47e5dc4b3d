// A worker as a process of its own: `index.ts worker`.

import { type ChildProcess, spawn } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const folder = dirname(dirname(fileURLToPath(import.meta.url)));

/** The exit code of a worker whose machine must not take part. */
export const REFUSED = 78;

/** Its channel is there to be closed: a worker of ours ends with us, however we end. */
export function spawnWorker(args: readonly string[], stdin: "pipe" | "ignore"): ChildProcess {
  return spawn(process.execPath, ["--import", "tsx", "index.ts", "worker", ...args], {
    cwd: folder,
    stdio: [stdin, "pipe", "inherit", "ipc"],
  });
}
