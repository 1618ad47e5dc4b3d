// A Redis server of our own, on the loopback, in a folder of its own. It writes down what it knows once a second; what it loses when it is killed is asked for
// again.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { Redis } from "ioredis";

export interface RedisServer {
  readonly url: string;
  start(): Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Whether redis-server is here, after it was installed from Debian's packages if need be and we may. */
export function findRedis(): boolean {
  if (!hasRedis() && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    console.log("installing redis-server …");
    const apt = (...args: string[]) => execFileSync("apt-get", ["-qq", "-o", "DPkg::Lock::Timeout=600", ...args]);
    try {
      apt("update");
      apt("install", "-y", "--no-install-recommends", "redis-server");
    } catch (error) {
      console.log(`${error}`);
    }
  }
  return hasRedis();
}

function hasRedis(): boolean {
  try {
    return execFileSync("redis-server", ["--version"], { encoding: "utf8" }).includes("Redis");
  } catch {
    return false;
  }
}

export async function redisServer(folder: string): Promise<RedisServer> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const settings = { bind: "127.0.0.1", port, dir: folder, save: "", appendonly: "yes", appendfsync: "everysec" };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  let server: ChildProcess | undefined;
  return {
    url,
    async start() {
      server = spawn("redis-server", args, { stdio: "ignore" });
      for (let tries = 0; !(await answers(url)); tries++) {
        if (server.exitCode !== null || tries > 100) throw new Error(`redis-server does not start in ${folder}`);
        await wait(50);
      }
    },
    async stop(signal = "SIGTERM") {
      if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
      server.kill(signal);
      await once(server, "exit");
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => {});
  try {
    await redis.connect();
    return (await redis.ping()) === "PONG";
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
