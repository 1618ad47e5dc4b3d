// The command line. `npm start -- --help` in this folder, or `npm run distributed` in the root for all of it at once.

import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { SingleBar } from "cli-progress";
import Table from "cli-table3";
import { Command, InvalidArgumentError, Option } from "commander";
import { REFUSED } from "./engines/child.js";
import { inProcess } from "./engines/inProcess.js";
import { processes } from "./engines/processes.js";
import { redis, serve } from "./engines/redis.js";
import { threads } from "./engines/threads.js";
import { evaluation } from "./evaluate.js";
import { evaluateFolder, trainFolder } from "./jobs.js";
import { makeLogits, makeMnist, mnistClasses, shardsIn } from "./makeShards.js";
import { digest } from "./partial.js";
import { type Engine, file, mergeAll, tasksOf } from "./round.js";
import { OBJECTIVES, type Objective } from "./train.js";
import { type Answer, BackendError, checkBackend, type Task, work } from "./worker.js";

const parser = (pattern: RegExp, what: string) => (text: string) => {
  if (!pattern.test(text)) throw new InvalidArgumentError(`must be ${what}`);
  return Number(text);
};
const count = parser(/^[1-9]\d*$/, "a whole number from 1 on");
const seconds = parser(/^\d+(\.\d+)?$/, "a number of seconds");

function some(workers: number): number {
  if (workers === 0) throw new Error("--workers 0 is for --engine redis, whose workers may run elsewhere");
  return workers;
}

interface EngineOptions {
  readonly engine: keyof typeof ENGINES;
  readonly workers: number;
  readonly timeout: number;
  readonly redis: string;
  readonly queue: string;
  readonly lock: number;
}
const ENGINES = {
  "in-process": (_: EngineOptions): Engine => inProcess,
  threads: ({ workers, timeout }: EngineOptions): Engine => threads(some(workers), 1000 * timeout),
  processes: ({ workers, timeout }: EngineOptions): Engine => processes(some(workers), 1000 * timeout),
  redis: ({ redis: url, queue, lock, workers }: EngineOptions): Engine =>
    redis({ url, queue, lock: 1000 * lock }, workers),
};

const redisOption = () => new Option("--redis <url>", "the Redis server").default("redis://127.0.0.1:6379");
const queueOption = () => new Option("--queue <name>", "its queue, one for each run").default("softmargin");
const lockOption = () =>
  new Option("--lock <seconds>", "a worker of the queue that is silent for so long loses its task")
    .argParser(seconds)
    .default(30);

function withEngine(command: Command): Command {
  return command
    .addOption(new Option("--engine <name>", "who works").choices(Object.keys(ENGINES)).default("in-process"))
    .addOption(
      new Option("--workers <n>", "how many; with redis 0 if they run elsewhere")
        .argParser(parser(/^\d+$/, "a whole number"))
        .default(2),
    )
    .addOption(
      new Option("--timeout <seconds>", "a task of threads or processes may take so long")
        .argParser(seconds)
        .default(600),
    )
    .addOption(redisOption())
    .addOption(queueOption())
    .addOption(lockOption());
}

const program = new Command("distributed").description(
  "evaluates and trains over shards, on one core or many machines",
);

withEngine(program.command("evaluate").argument("<folder>", "of shards of logits, 00000.x.npy beside 00000.y.npy"))
  .description("loss, perplexity, accuracy and calibration of logits")
  .option("--run <folder>", "where the journal is; an interrupted run goes on", "run")
  .option("--branch <n>", "shards a task", count, 1)
  .action(async (folder: string, options: EngineOptions & { run: string; branch: number }) => {
    const bar = new SingleBar({ format: "{bar} {value}/{total} tasks, {duration_formatted}", stream: process.stderr });
    const engine = ENGINES[options.engine](options);
    const begun = performance.now();
    let started = false;
    const result = await evaluateFolder(engine, resolve(folder), resolve(options.run), options.branch, (done, all) => {
      if (!started) bar.start(all, done);
      started = true;
      bar.update(done);
    }).finally(async () => {
      bar.stop();
      await engine.close();
    });
    printTable({
      rows: result.rows.toLocaleString("en"),
      loss: result.loss.toFixed(6),
      perplexity: result.perplexity.toFixed(3),
      accuracy: `${(100 * result.accuracy).toFixed(2)} %`,
      "calibration error": result.calibrationError.toFixed(4),
      bits: digest(result.sums),
      seconds: ((performance.now() - begun) / 1000).toFixed(2),
    });
  });

withEngine(program.command("train").argument("<folder>", "with shards of features in train/ and test/"))
  .description("a linear classifier by full-batch steps")
  .addOption(new Option("--objective <name>", "").choices(Object.keys(OBJECTIVES)).default("softmax"))
  .option("--steps <n>", "full-batch steps", count, 20)
  .option("--classes <n>", "how many there are", count, mnistClasses)
  .option("--features <n>", "columns of the shards", count, 784)
  .option("--run <folder>", "where weights and journals are, seen by all workers; an interrupted run goes on", "run")
  .action(
    async (
      folder: string,
      options: EngineOptions & { objective: Objective; steps: number; classes: number; features: number; run: string },
    ) => {
      const bar = new SingleBar({ format: "{bar} step {value}/{total}, loss {loss}", stream: process.stderr });
      const engine = ENGINES[options.engine](options);
      const begun = performance.now();
      bar.start(options.steps, 0, { loss: "" });
      const trained = await trainFolder(engine, resolve(folder), resolve(options.run), options, (step, loss) =>
        bar.update(step, { loss: loss.toFixed(4) }),
      ).finally(async () => {
        bar.stop();
        await engine.close();
      });
      printTable({
        "first loss": trained.losses[0]!.toFixed(4),
        "last loss": trained.losses.at(-1)!.toFixed(4),
        "test accuracy": `${(100 * trained.test.accuracy).toFixed(2)} %`,
        bits: digest(trained.state),
        seconds: ((performance.now() - begun) / 1000).toFixed(2),
      });
    },
  );

program
  .command("worker")
  .description("answers tasks of standard input, paths of shards or JSON, or of the queue at --redis")
  .option("--redis <url>", "the Redis server")
  .addOption(queueOption())
  .addOption(lockOption())
  .action(async ({ redis: url, queue, lock }: { redis?: string; queue: string; lock: number }) => {
    checkBackend();
    if (url === undefined) return answerLines();
    const stop = serve({ url, queue, lock: 1000 * lock }, console.log);
    // Where a run employs it, it ends with that; which may have been while it was starting.
    if (process.connected === false) process.exit();
    process.once("disconnect", () => process.exit());
    await Promise.race(["SIGINT", "SIGTERM"].map((signal) => once(process, signal)));
    await stop();
  });

async function answerLines(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === "") continue;
    const task: Task = line.startsWith("{") ? JSON.parse(line) : { id: line, shards: [line] };
    const answer = await work(task);
    if ("error" in answer) process.exitCode = 1;
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

program
  .command("merge")
  .description("the evaluation that answers of workers, on standard input, come to")
  .argument("<folder>", "of the shards that were evaluated, as their paths were given to the workers")
  .action(async (folder: string) => {
    const answers = new Map<string, string>();
    for await (const line of createInterface({ input: process.stdin }))
      if (line !== "") file(answers, JSON.parse(line) as Answer);
    const sums = mergeAll(tasksOf(shardsIn(folder), 1), answers);
    console.log(JSON.stringify({ ...evaluation(sums), bits: digest(sums) }));
  });

const make = program.command("make").description("shards to try it with");
make
  .command("logits")
  .argument("<folder>")
  .option("--shards <n>", "", count, 8)
  .option("--rows <n>", "of each", count, 4096)
  .option("--classes <n>", "", count, 1000)
  .action((folder: string, { shards, rows, classes }: { shards: number; rows: number; classes: number }) =>
    makeLogits(folder, shards, rows, classes),
  );
make
  .command("mnist")
  .argument("<folder>")
  .option("--images <n>", "to learn from", count, 60_000)
  .option("--shards <n>", "", count, 12)
  .action((folder: string, { images, shards }: { images: number; shards: number }) =>
    makeMnist(folder, images, shards),
  );

function printTable(values: Readonly<Record<string, string>>): void {
  const table = new Table({ style: { head: [], border: [] } });
  for (const [name, value] of Object.entries(values)) table.push({ [name]: value });
  console.log(table.toString());
}

program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(error instanceof BackendError ? REFUSED : 1);
});
