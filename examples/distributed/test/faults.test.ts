// What goes wrong: workers and servers that are killed, stand still or lose what they knew; shards that are not what they should be. The bits must be those of a
// run in one process to which nothing happens, or an error must name the shard; nothing is counted twice.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { REFUSED, spawnWorker } from "../engines/child.js";
import { inProcess } from "../engines/inProcess.js";
import { processes } from "../engines/processes.js";
import { redis } from "../engines/redis.js";
import { threads } from "../engines/threads.js";
import { evaluateFolder } from "../jobs.js";
import { makeLogits } from "../makeShards.js";
import { digest } from "../partial.js";
import { findRedis, type RedisServer, redisServer } from "../redisServer.js";
import { type Engine, file } from "../round.js";

const folder = mkdtempSync(join(tmpdir(), "softmargin-faults-"));
const logits = join(folder, "logits");
const SHARDS = 5;
const LOCK = 1000;
/** More than all of it should take. */
const TIMEOUT = 30_000;

let server: RedisServer;
let want: string;
let runs = 0;
const newRun = () => join(folder, `run-${runs++}`);
const evaluate = async (engine: Engine, run = newRun(), shards = logits, progress?: (done: number) => void) => {
  const { sums } = await evaluateFolder(engine, shards, run, 1, progress);
  const answers = readFileSync(join(run, "evaluate.jsonl"), "utf8").trim().split("\n").slice(1);
  expect(new Set(answers.map((line) => JSON.parse(line).id)).size).toBe(answers.length);
  return digest(sums);
};

beforeAll(async () => {
  if (!findRedis()) throw new Error("these tests need redis-server (Debian: apt-get install redis-server)");
  server = await redisServer(join(folder, "redis"));
  await server.start();
  await makeLogits(logits, SHARDS, 4096, 800);
  want = await evaluate(inProcess);
}, 600_000);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});
afterAll(async () => {
  await server?.stop("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function opened(engine: Engine): Engine {
  cleanups.push(() => engine.close());
  return engine;
}

let queues = 0;
/** A queue without workers, and what starts one: its process and the lines that it prints. */
function queue() {
  const name = `faults-${queues++}`;
  const engine = opened(redis({ url: server.url, queue: name, lock: LOCK }, 0));
  const startWorker = () => {
    const child = spawnWorker(["--redis", server.url, "--queue", name, "--lock", `${LOCK / 1000}`], "ignore");
    cleanups.push(() => child.kill("SIGKILL"));
    const lines: string[] = [];
    const reader = createInterface({ input: child.stdout! }).on("line", (line) => lines.push(line));
    /** Its first task, as soon as it has begun with it. */
    const took = once(reader, "line").then(([line]) => String(line).replace("took ", ""));
    return { child, lines, took };
  };
  return { engine, startWorker };
}

describe("a queue", () => {
  it(
    "gives the task of a worker that was killed in the middle of it to another",
    async () => {
      const { engine, startWorker } = queue();
      const result = evaluate(engine);
      const first = startWorker();
      const shard = await first.took;
      first.child.kill("SIGKILL");
      await once(first.child, "exit");
      expect(first.lines).toEqual([`took ${shard}`]);
      const second = startWorker();
      expect(await result).toBe(want);
      expect(second.lines).toContain(`gives ${shard}`);
      expect(second.lines.filter((line) => line.startsWith("gives"))).toHaveLength(SHARDS);
    },
    TIMEOUT,
  );

  it(
    "does not wait for a worker that stands still, nor takes its answer when it moves again",
    async () => {
      const { engine, startWorker } = queue();
      const result = evaluate(engine);
      const first = startWorker();
      const shard = await first.took;
      first.child.kill("SIGSTOP");
      const second = startWorker();
      expect(await result).toBe(want);
      expect(second.lines).toContain(`gives ${shard}`);
      const again = evaluate(engine);
      first.child.kill("SIGCONT");
      expect(await again).toBe(want);
      while (!first.lines.includes(`gives ${shard}`)) await wait(20);
    },
    TIMEOUT,
  );

  it.each<[string, () => Promise<unknown>]>([
    [
      "is killed and started again",
      async () => {
        await server.stop("SIGKILL");
        await wait(300);
        await server.start();
      },
    ],
    [
      "forgets everything",
      async () => {
        const connection = new Redis(server.url);
        await connection.flushall();
        connection.disconnect();
      },
    ],
  ])(
    "goes on where its server %s",
    async (_, happens) => {
      const { engine, startWorker } = queue();
      let happening: Promise<unknown> | undefined;
      const result = evaluate(engine, newRun(), logits, (done) => {
        if (done === 2) happening = happens();
      });
      startWorker();
      expect(await result).toBe(want);
      expect(happening).toBeDefined();
      await happening;
    },
    TIMEOUT,
  );

  it(
    "replaces its own workers",
    async () => {
      const engine = opened(redis({ url: server.url, queue: `faults-${queues++}`, lock: LOCK }, 1));
      const [child] = await childrenOf(process.pid, "--redis");
      const result = evaluate(engine);
      process.kill(child!, "SIGKILL");
      expect(await result).toBe(want);
    },
    TIMEOUT,
  );
});

it(
  "workers end with the run that employs them, also where it is killed",
  async () => {
    const args = [
      "--engine",
      "redis",
      "--redis",
      server.url,
      "--queue",
      "orphans",
      "--workers",
      "1",
      "--run",
      newRun(),
    ];
    const child = spawn(process.execPath, ["--import", "tsx", "index.ts", "evaluate", logits, ...args]);
    const [worker] = await childrenOf(child.pid!, "worker");
    child.kill("SIGKILL");
    while (commandOf(worker!) !== "") await wait(20);
  },
  TIMEOUT,
);

describe("processes", () => {
  it.each(["SIGKILL", "SIGSTOP"] as const)(
    "that get %s are replaced",
    async (signal) => {
      const engine = opened(processes(2, 3000));
      await evaluate(engine);
      const children = await childrenOf(process.pid, "worker");
      expect(children.length).toBe(2);
      const result = evaluate(engine);
      await wait(20);
      process.kill(children[0]!, signal);
      expect(await result).toBe(want);
      expect(await childrenOf(process.pid, "worker")).not.toEqual(children);
    },
    TIMEOUT,
  );
});

describe("threads", () => {
  it(
    "come to the same bits",
    async () => {
      expect(await evaluate(opened(threads(2, TIMEOUT)))).toBe(want);
    },
    TIMEOUT,
  );

  it(
    "that take too long give up with the name of the shard",
    async () => {
      await expect(evaluate(opened(threads(1, 1)))).rejects.toThrow(/00000\.x\.npy: .*5 times/);
    },
    TIMEOUT,
  );
});

describe("a run", () => {
  it(
    "that was killed goes on where it was",
    async () => {
      const run = newRun();
      const child = spawn(process.execPath, ["--import", "tsx", "index.ts", "evaluate", logits, "--run", run]);
      const journal = join(run, "evaluate.jsonl");
      const lines = () => {
        try {
          return readFileSync(journal, "utf8").split("\n").length - 1;
        } catch {
          return 0;
        }
      };
      while (lines() < 3) await wait(2);
      child.kill("SIGKILL");
      await once(child, "exit");
      const before = lines();
      expect(before).toBeLessThan(SHARDS + 1);
      appendFileSync(journal, '{"id":"half a li');
      const asked: string[] = [];
      const counting: Engine = {
        ...inProcess,
        run(tasks, answered) {
          asked.push(...tasks.map(({ id }) => id));
          return inProcess.run(tasks, answered);
        },
      };
      expect(await evaluate(counting, run)).toBe(want);
      expect(asked).toHaveLength(SHARDS + 1 - before);
    },
    TIMEOUT,
  );

  it("refuses a journal of other shards, and two answers that differ", async () => {
    const run = newRun();
    await evaluate(inProcess, run);
    const other = join(folder, "other");
    await makeLogits(other, 1, 10, 10);
    await expect(evaluate(inProcess, run, other)).rejects.toThrow(/evaluate\.jsonl: belongs to other tasks/);
    const answers = new Map<string, string>();
    expect(file(answers, { id: "a", partial: "AAAA" })).toBe(true);
    expect(file(answers, { id: "a", partial: "AAAA" })).toBe(false);
    expect(() => file(answers, { id: "a", partial: "AAAB" })).toThrow("a: two workers came to other bits");
  });
});

describe("a shard", () => {
  const x = (shards: string) => join(shards, "00002.x.npy");
  const y = (shards: string) => join(shards, "00002.y.npy");
  const write = (path: string, at: number, bytes: Uint8Array) => {
    const content = readFileSync(path);
    content.set(bytes, at);
    writeFileSync(path, content);
  };
  const headerOf = 128;
  const float = (value: number) => new Uint8Array(Float32Array.of(value).buffer);

  it.each<[string, (shards: string) => void, RegExp]>([
    ["is cut off", (s) => truncateSync(x(s), 1e6), /00002\.x\.npy: has 1000000 bytes, its header says 13107328/],
    [
      "has a NaN",
      (s) => write(x(s), headerOf + 4 * (3000 * 800 + 5), float(Number.NaN)),
      /00002\.x\.npy: the loss of row 3000 is NaN/,
    ],
    [
      "has a target beyond the classes",
      (s) => write(y(s), headerOf + 4 * 7, Uint8Array.of(32, 3, 0, 0)),
      /00002\.x\.npy: rows 0 to .*targets\[7\].*800/,
    ],
    ["has no targets", (s) => rmSync(y(s)), /00002\.y\.npy: there is no such file/],
    ["has targets of another type", (s) => copyFileSync(x(s), y(s)), /00002\.y\.npy: must hold <i4/],
    ["is no array", (s) => writeFileSync(x(s), "x".repeat(1000)), /00002\.x\.npy: is not in \.npy format/],
  ])("that %s is named, and the run goes on when it is mended", async (_, spoil, message) => {
    const shards = join(folder, `spoilt-${runs}`);
    cpSync(logits, shards, { recursive: true });
    cleanups.push(() => rmSync(shards, { recursive: true }));
    const run = newRun();
    spoil(shards);
    await expect(evaluate(inProcess, run, shards)).rejects.toThrow(message);
    for (const name of ["00002.x.npy", "00002.y.npy"]) copyFileSync(join(logits, name), join(shards, name));
    expect(await evaluate(inProcess, run, shards)).toBe(want);
  });

  it("may hold anything in a row without a target", async () => {
    const shards = join(folder, `spoilt-${runs}`);
    cpSync(logits, shards, { recursive: true });
    write(x(shards), headerOf + 4 * (3001 * 800 + 5), float(Number.NaN));
    expect(await evaluate(inProcess, newRun(), shards)).toBe(want);
  });

  it(
    "that is wrong is named by every engine",
    async () => {
      const shards = join(folder, "wrong");
      await makeLogits(shards, 3, 10, 10);
      truncateSync(x(shards), 200);
      const engines = [
        threads(2, TIMEOUT),
        processes(2, TIMEOUT),
        redis({ url: server.url, queue: "wrong", lock: LOCK }, 1),
      ];
      for (const engine of engines)
        await expect(evaluate(opened(engine), newRun(), shards)).rejects.toThrow(/00002\.x\.npy: has 200 bytes/);
    },
    TIMEOUT,
  );
});

describe("a machine without SIMD", () => {
  const env = { ...process.env, NODE_OPTIONS: "--jitless" };
  const exitOf = async (...args: string[]) => {
    const child: ChildProcess = spawn(process.execPath, ["--import", "tsx", "index.ts", ...args], {
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let text = "";
    child.stderr!.on("data", (data) => {
      text += data;
    });
    const [code] = await once(child, "close");
    return [code, text] as const;
  };

  it.each([
    ["worker of a queue", () => ["worker", "--redis", server.url, "--queue", "none"]],
    ["worker of lines", () => ["worker"]],
    ["run in one process", () => ["evaluate", logits, "--run", newRun()]],
  ])(
    "is refused as a %s",
    async (_, args) => {
      const [code, text] = await exitOf(...args());
      expect(code).toBe(REFUSED);
      expect(text).toMatch(/backend "baseline", not "simd"/);
    },
    TIMEOUT,
  );
});

/** The children of a process whose command holds a word, oldest first. */
async function childrenOf(pid: number, word: string): Promise<number[]> {
  for (;;) {
    const all = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim().split(" ").map(Number);
    const found = all.filter((child) => commandOf(child).includes(word));
    if (found.length > 0) return found;
    await wait(20);
  }
}

/** Empty where the process has ended. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}
