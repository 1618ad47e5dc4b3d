// The whole story, `npm run distributed`: shards are made, evaluated and trained on, in four ways, by one worker and by two; the bits must be the same.

import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { SingleBar } from "cli-progress";
import Table from "cli-table3";
import { Command } from "commander";
import { inProcess } from "./engines/inProcess.js";
import { processes } from "./engines/processes.js";
import { redis } from "./engines/redis.js";
import { threads } from "./engines/threads.js";
import { evaluateFolder, trainFolder } from "./jobs.js";
import { makeLogits, makeMnist, mnistClasses } from "./makeShards.js";
import { digest } from "./partial.js";
import { findRedis, redisServer } from "./redisServer.js";
import type { Engine } from "./round.js";
import { OBJECTIVES, type Objective } from "./train.js";

const { quick } = new Command("distributed")
  .description("evaluates and trains over shards in four ways, and compares times and bits")
  .option("--quick", "a small part of it")
  .parse()
  .opts<{ quick?: true }>();
const size = quick
  ? { shards: 4, rows: 1024, classes: 1000, images: 6000, steps: 3, passes: 2 }
  : { shards: 16, rows: 4096, classes: 1000, images: 60_000, steps: 5, passes: 4 };
const TIMEOUT = 60_000;

const folder = mkdtempSync(join(tmpdir(), "softmargin-distributed-"));
const server = findRedis() ? await redisServer(join(folder, "redis")) : undefined;
const stop = async (signal?: string) => {
  if (signal) console.error(`\n${signal}: stopping`);
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
};
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => stop(signal).finally(() => process.exit(1)));

interface Way {
  readonly name: string;
  readonly workers: number;
  engine(): Engine;
}
const counts = [1, 2];
const ways: Way[] = [
  { name: "in this process", workers: 1, engine: () => inProcess },
  ...counts.map((n) => ({ name: "threads (Piscina)", workers: n, engine: () => threads(n, TIMEOUT) })),
  ...counts.map((n) => ({ name: "processes (stdin, stdout)", workers: n, engine: () => processes(n, TIMEOUT) })),
];
if (server === undefined) {
  console.log(
    "No redis-server here, so the part with BullMQ is left out. It comes with `apt-get install redis-server`",
  );
  console.log(
    "(Debian, Ubuntu) or `brew install redis` (macOS); it would run on the loopback, in a folder of its own.",
  );
} else {
  const options = { url: server.url, queue: "story", lock: 30_000 };
  ways.push(...counts.map((n) => ({ name: "queue (BullMQ, Redis)", workers: n, engine: () => redis(options, n) })));
}

try {
  await server?.start();
  const bar = new SingleBar({ format: "{bar} {what}", hideCursor: true });
  bar.start(1 + 2 * ways.length, 0, { what: "making shards" });
  await makeLogits(join(folder, "logits"), size.shards, size.rows, size.classes);
  await makeMnist(join(folder, "mnist"), size.images, 12);

  const evaluations: string[][] = [];
  const trainings: string[][] = [];
  const bits = new Map<string, Set<string>>();
  const note = (job: string, text: string) => {
    bits.set(job, (bits.get(job) ?? new Set()).add(text));
    return text;
  };
  const firsts = new Map<string, number>();
  const times = (job: string, seconds: number) => {
    if (!firsts.has(job)) firsts.set(job, seconds);
    return [seconds.toFixed(2), (firsts.get(job)! / seconds).toFixed(2)];
  };
  let run = 0;
  const newRun = () => join(folder, `run-${run++}`);

  for (const { name, workers, engine: create } of ways) {
    const engine = create();
    bar.increment(1, { what: `evaluating: ${name}, ${workers}` });
    let best = Number.POSITIVE_INFINITY;
    let evaluated: Awaited<ReturnType<typeof evaluateFolder>> | undefined;
    // In the first pass workers are still starting.
    for (let pass = 0; pass < size.passes; pass++) {
      const begun = performance.now();
      evaluated = await evaluateFolder(engine, join(folder, "logits"), newRun(), 1);
      best = Math.min(best, (performance.now() - begun) / 1000);
    }
    const { loss, perplexity, accuracy, calibrationError, sums } = evaluated!;
    const figures = [loss.toFixed(4), perplexity.toFixed(2), percent(accuracy), calibrationError.toFixed(4)];
    evaluations.push([name, `${workers}`, ...figures, ...times("evaluate", best), note("evaluate", digest(sums))]);

    bar.increment(1, { what: `training: ${name}, ${workers}` });
    for (const objective of Object.keys(OBJECTIVES) as Objective[]) {
      const begun = performance.now();
      const training = { objective, steps: size.steps, classes: mnistClasses, features: 784 };
      const { losses, test, state } = await trainFolder(engine, join(folder, "mnist"), newRun(), training);
      const figures = [losses[0]!.toFixed(4), losses.at(-1)!.toFixed(4), percent(test.accuracy)];
      const seconds = (performance.now() - begun) / 1000;
      trainings.push([
        name,
        `${workers}`,
        objective,
        ...figures,
        ...times(objective, seconds),
        note(objective, digest(state)),
      ]);
    }
    await engine.close();
  }
  bar.increment(1, { what: "done" });
  bar.stop();

  const numbers = (n: number) => n.toLocaleString("en");
  const rows = size.shards * size.rows;
  console.log(
    `\nEvaluation of ${numbers(rows)} rows of ${size.classes} logits in ${size.shards} shards, best of ${size.passes} passes`,
  );
  print(["", "workers", "loss", "perplexity", "accuracy", "calibration", "s", "speed-up", "bits"], evaluations);
  console.log(`\nMNIST, ${numbers(size.images)} images in 12 shards, ${size.steps} full-batch steps`);
  print(["", "workers", "", "first loss", "last loss", "accuracy", "s", "speed-up", "bits"], trainings);
  const isSame = [...bits.values()].every((texts) => texts.size === 1);
  console.log(`\n${isSame ? "The bits are the same in all ways." : "THE BITS DIFFER."}`);
  console.log(`Node ${process.version}, ${availableParallelism()} cores. Speed-up: over this process.`);
  if (!isSame) process.exitCode = 1;
} finally {
  await stop();
}

function print(head: string[], rows: string[][]): void {
  const table = new Table({
    head,
    style: { head: [], border: [], compact: true },
    colAligns: head.map((_, i) => (i ? "right" : "left")),
  });
  table.push(...rows);
  console.log(table.toString());
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
