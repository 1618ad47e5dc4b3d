// How it grows: 10^6 shards on 10^3 workers, simulated with costs measured here. `node --import tsx simulate.ts`; docs/scaling.md has a run of it.
//
//   measured    a shard of 64 MiB, read and evaluated; a task on its way through BullMQ and Redis: the processor time of the server and of who asks, and how long
//               a worker waits for the next one
//   simulated   workers that take tasks from a server, which serves one at a time, and answers that are filed one at a time; shards differ in time by up to
//               half; a worker is lost every ten hours, and its task begun anew when its lock has run out

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import { Redis } from "ioredis";
import { createRandom } from "../mnist/random.js";
import { redis } from "./engines/redis.js";
import { makeLogits, shardsIn } from "./makeShards.js";
import { redisServer } from "./redisServer.js";
import { round, tasksOf } from "./round.js";
import { work } from "./worker.js";

/** Seconds. */
interface Costs {
  readonly shard: number;
  /** Of a task: the server's, that of who asks, and the worker's wait. */
  readonly server: number;
  readonly asking: number;
  readonly wait: number;
}

const LOCK = 30;
const LOST_EVERY = 36_000;

/** Workers, and when each is free: a heap of times, the earliest first. */
class Times {
  private readonly times: Float64Array;
  constructor(n: number) {
    this.times = new Float64Array(n);
  }
  get first(): number {
    return this.times[0]!;
  }
  replaceFirst(time: number): void {
    const { times } = this;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= times.length) break;
      if (child + 1 < times.length && times[child + 1]! < times[child]!) child++;
      if (times[child]! >= time) break;
      times[at] = times[child]!;
      at = child;
    }
    times[at] = time;
  }
}

function simulate(shards: number, workers: number, branch: number, { shard, server, asking, wait }: Costs) {
  const random = createRandom(1);
  const free = new Times(workers);
  const tasks = Math.ceil(shards / branch);
  const finished = new Float64Array(tasks);
  let [serverFree, lost, end] = [0, 0, 0];
  for (let i = 0; i < tasks; i++) {
    serverFree = Math.max(free.first, serverFree) + server;
    let time = 0;
    for (let j = 0; j < Math.min(branch, shards - i * branch); j++) time += shard * (0.75 + random() / 2);
    for (const own = time; random() < own / LOST_EVERY; time += random() * own + LOCK) lost++;
    finished[i] = serverFree + wait + time;
    free.replaceFirst(finished[i]!);
  }
  for (const time of finished.sort()) end = Math.max(end, time) + asking;
  const share = (seconds: number) => seconds / end;
  return {
    tasks,
    lost,
    end,
    working: share((shards * shard) / workers),
    server: share(tasks * server),
    asking: share(tasks * asking),
  };
}

async function measured(folder: string): Promise<Costs & { readonly megabytes: number }> {
  const [rows, classes] = [16_384, 1024];
  await makeLogits(folder, 2, rows, classes);
  const tasks = tasksOf(shardsIn(folder), 1);
  for (const task of tasks) await work(task);
  const shard =
    (await seconds(async () => {
      for (const task of tasks) await work(task);
    })) / tasks.length;

  // Shards of one row: all that is left is the way there and back.
  await makeLogits(join(folder, "small"), 1, 1, 2);
  const [path] = shardsIn(join(folder, "small"));
  const few = Array.from({ length: 2000 }, (_, i) => ({ id: `${i}`, shards: [path!] }));
  const server = await redisServer(join(folder, "redis"));
  await server.start();
  const engine = redis({ url: server.url, queue: "costs", lock: 1000 * LOCK }, 1);
  await round(engine, few.slice(0, 200), join(folder, "first.jsonl"));
  const before = [await processorSeconds(server.url), process.cpuUsage()] as const;
  const wait = (await seconds(() => round(engine, few, join(folder, "few.jsonl")))) / few.length;
  const { user, system } = process.cpuUsage(before[1]);
  const costs = { server: (await processorSeconds(server.url)) - before[0], asking: (user + system) / 1e6 };
  await engine.close();
  await server.stop();
  return {
    shard,
    server: costs.server / few.length,
    asking: costs.asking / few.length,
    wait,
    megabytes: (4 * rows * classes) / 1e6,
  };
}

/** What a Redis server has used so far. */
async function processorSeconds(url: string): Promise<number> {
  const connection = new Redis(url);
  const info = await connection.info("cpu");
  connection.disconnect();
  const used = (kind: string) => Number(new RegExp(`used_cpu_${kind}:([\\d.]+)`).exec(info)![1]);
  return used("user") + used("sys");
}

async function seconds(f: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await f();
  return (performance.now() - begun) / 1000;
}

const folder = mkdtempSync(join(tmpdir(), "softmargin-simulate-"));
try {
  const costs = await measured(folder);
  const ms = (s: number) => `${(1000 * s).toPrecision(3)} ms`;
  console.log(`Measured: a shard of ${costs.megabytes.toFixed(0)} MB takes one core ${ms(costs.shard)}.`);
  console.log(
    `A task takes the server ${ms(costs.server)}, who asks ${ms(costs.asking)}; a worker waits ${ms(costs.wait)} for it.`,
  );
  const head = [
    "shards",
    "workers",
    "shards a task",
    "tasks",
    "minutes",
    "workers busy",
    "server busy",
    "who asks busy",
    "tasks lost",
    "GB/s read",
  ];
  const table = new Table({ head, style: { head: [], border: [], compact: true }, colAligns: head.map(() => "right") });
  for (const [shards, workers, branch] of [
    [1e3, 10, 1],
    [1e4, 100, 1],
    [1e6, 100, 1],
    [1e6, 1000, 1],
    [1e6, 1000, 10],
    [1e6, 1000, 100],
    [1e6, 1000, 1000],
  ] as const) {
    const { tasks, lost, end, working, server, asking } = simulate(shards, workers, branch, costs);
    const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
    const rate = (shards * costs.megabytes) / 1000 / end;
    table.push([
      shards,
      workers,
      branch,
      tasks,
      (end / 60).toFixed(1),
      percent(working),
      percent(server),
      percent(asking),
      lost,
      rate.toFixed(1),
    ]);
  }
  console.log(table.toString());
} finally {
  rmSync(folder, { recursive: true, force: true });
}
