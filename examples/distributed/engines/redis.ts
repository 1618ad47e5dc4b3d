// A queue of BullMQ's on Redis: workers on any machine that sees the server and the shards.
//
// The server carries paths and sums. No more than WINDOW tasks are in it at a time, so a run of 10^6 shards needs no more memory there than one of 10^3.
// A worker holds a lock on its task and renews it; when it is killed or stands still, the lock runs out and another worker takes the task. If the first one comes
// back, its answer is not taken.

import { randomUUID } from "node:crypto";
import { Job, Queue, QueueEvents, Worker } from "bullmq";
import { Redis } from "ioredis";
import type { Engine } from "../round.js";
import { type Answer, BackendError, checkBackend, type Task, work } from "../worker.js";
import { REFUSED, spawnWorker } from "./child.js";
import { ATTEMPTS } from "./pull.js";

const WINDOW = 1000;
/** How often, in milliseconds, it is checked that no event was missed and no task lost. */
const CHECK = 2000;

export interface RedisOptions {
  readonly url: string;
  readonly queue: string;
  /** After so many milliseconds without a sign of life, a worker's task goes to another one. */
  readonly lock: number;
}

/** Waits for the server however long it is away. */
function connect(url: string): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: (times) => Math.min(50 * times, 1000) });
  let isDown = false;
  redis.on("error", (error: NodeJS.ErrnoException) => {
    if (!isDown) console.error(`Redis: ${error.code ?? error.message}, waiting`);
    isDown = true;
  });
  redis.on("ready", () => {
    if (isDown) console.error("Redis: there again");
    isDown = false;
  });
  return redis;
}

/** The side of the worker. Returns what stops it: when its task is done. */
export function serve({ url, queue, lock }: RedisOptions, log: (line: string) => void): () => Promise<void> {
  checkBackend();
  const connection = connect(url);
  const worker = new Worker<Task, Answer>(
    queue,
    async ({ data }) => {
      log(`took ${data.id}`);
      const answer = await work(data);
      log(`gives ${data.id}`);
      return answer;
    },
    { connection, lockDuration: lock, stalledInterval: lock, maxStalledCount: ATTEMPTS },
  );
  // The connection says what is wrong with itself.
  worker.on("error", (error) => "code" in error || console.error(`worker: ${error.message}`));
  return async () => {
    await worker.close();
    connection.disconnect();
  };
}

/** The side of who asks, with so many workers of its own; others may come and go. */
export function redis(options: RedisOptions, workers: number): Engine {
  const connection = connect(options.url);
  const eventConnection = connect(options.url);
  const queue = new Queue<Task, Answer>(options.queue, { connection });
  const events = new QueueEvents(options.queue, { connection: eventConnection });
  queue.on("error", () => {}); // The connection has said it.
  events.on("error", () => {});
  const staff = employ(workers, ["--redis", options.url, "--queue", options.queue, "--lock", `${options.lock / 1000}`]);
  // What a run that was interrupted has left is asked for anew.
  const ready = Promise.all([queue.obliterate({ force: true }), events.waitUntilReady()]);

  async function run(tasks: readonly Task[], answered: (answer: Answer) => void): Promise<void> {
    await ready;
    const outstanding = new Map<string, Task>();
    const ids = new Map(tasks.map((task) => [randomUUID(), task]));
    const waiting = ids.entries();
    const add = (entries: readonly (readonly [string, Task])[]) =>
      queue.addBulk(
        entries.map(([jobId, data]) => {
          const backoff = { type: "exponential", delay: 200 } as const;
          return {
            name: "task",
            data,
            opts: { jobId, attempts: ATTEMPTS, backoff, removeOnComplete: { count: WINDOW } },
          };
        }),
      );
    let stop = () => {};
    await new Promise<void>((resolve, reject) => {
      const fill = () => {
        const more: [string, Task][] = [];
        while (outstanding.size < WINDOW) {
          const { value, done } = waiting.next();
          if (done) break;
          outstanding.set(...value);
          more.push(value);
        }
        if (more.length > 0) add(more).catch(reject);
        if (outstanding.size === 0) resolve();
      };
      const settle = (jobId: string, answer: Answer) => {
        if (!outstanding.delete(jobId)) return;
        try {
          answered(answer);
          if (outstanding.size <= WINDOW / 2) fill();
        } catch (error) {
          reject(error);
        }
      };
      const fail = (jobId: string, reason: string) => {
        const task = outstanding.get(jobId);
        if (task !== undefined) reject(new Error(`${task.id}: ${reason}`));
      };
      /** An event is lost where the server was restarted; so is a task, where it had not been written down. */
      const check = async () => {
        const entries = [...outstanding];
        const jobs = await Promise.all(entries.map(([jobId]) => Job.fromId<Task, Answer>(queue, jobId)));
        const lost: [string, Task][] = [];
        for (const [i, job] of jobs.entries()) {
          if (!job) lost.push(entries[i]!);
          else if (job.finishedOn && job.failedReason) fail(job.id!, job.failedReason);
          else if (job.finishedOn) settle(job.id!, job.returnvalue);
        }
        const still = lost.filter(([jobId]) => outstanding.has(jobId));
        if (still.length > 0) await add(still);
      };
      const onCompleted = ({ jobId, returnvalue }: { jobId: string; returnvalue: unknown }) =>
        settle(jobId, returnvalue as Answer);
      const onFailed = ({ jobId, failedReason }: { jobId: string; failedReason: string }) => fail(jobId, failedReason);
      events.on("completed", onCompleted);
      events.on("failed", onFailed);
      let timer = setTimeout(tick, CHECK);
      function tick(): void {
        check().then(() => {
          if (outstanding.size > 0) timer = setTimeout(tick, CHECK);
        }, reject);
      }
      staff.onFailure = reject;
      stop = () => {
        outstanding.clear();
        clearTimeout(timer);
        events.off("completed", onCompleted);
        events.off("failed", onFailed);
        staff.onFailure = () => {};
      };
      fill();
    }).finally(() => stop());
  }

  return {
    run,
    async close() {
      staff.dismiss();
      await queue.obliterate({ force: true }).catch(() => {});
      await Promise.all([queue.close(), events.close()]);
      connection.disconnect();
      eventConnection.disconnect();
    },
  };
}

/** Workers of our own: one that dies is replaced, unless it had refused, or has lost too many before it. */
function employ(workers: number, args: readonly string[]) {
  const children = new Set<ReturnType<typeof spawnWorker>>();
  let isOpen = true;
  let losses = 0;
  const staff = {
    onFailure: (_: Error) => {},
    dismiss() {
      isOpen = false;
      for (const child of children) child.kill("SIGKILL");
    },
  };
  const start = () => {
    const child = spawnWorker(args, "ignore");
    child.stdout!.resume();
    children.add(child);
    child.once("exit", (code, signal) => {
      children.delete(child);
      if (!isOpen) return;
      if (code === REFUSED) staff.onFailure(new BackendError("a worker has refused: its backend is not simd"));
      else if (++losses > ATTEMPTS * workers) staff.onFailure(new Error(`workers keep ending (${signal ?? code})`));
      else start();
    });
  };
  for (let i = 0; i < workers; i++) start();
  return staff;
}
