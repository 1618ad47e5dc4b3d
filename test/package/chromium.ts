// Pages in headless Chromium, without a driver: it prints the document when nothing is left to wait for.

import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { chromium, installBrowsers } from "../engines/browsers.js";
import { scratch } from "./scratch.js";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // time runs as fast as the page allows, and stands still while it loads something
  "--virtual-time-budget=20000",
  "--dump-dom",
];

/** The name of Chromium's program here, installed from Debian's packages if need be; undefined where that cannot be done. */
export function findChromium(): string | undefined {
  const candidates = [process.env["CHROMIUM"], "chromium", "chromium-browser", "google-chrome"].filter(
    (c) => c !== undefined,
  );
  const works = (program: string): boolean => {
    try {
      execFileSync(program, ["--version"], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  };
  const found = candidates.find(works);
  if (found !== undefined) return found;
  installBrowsers([chromium]);
  return candidates.find(works);
}

/**
 * The document at a URL, as it is in the end, which is when it matches `done`. Its time does not stand still while a module is compiled on another
 * thread, and on a busy machine can be over before: then once more.
 */
export async function documentAt(program: string, url: string, done: RegExp): Promise<string> {
  let text = "";
  for (let tries = 0; tries < 3 && !done.test(text); tries++) {
    const profile = mkdtempSync(join(scratch, "chromium-"));
    const { stdout } = await promisify(execFile)(program, [...FLAGS, `--user-data-dir=${profile}`, url], {
      timeout: 90_000,
      maxBuffer: 2 ** 26,
    });
    text = stdout;
  }
  return text;
}

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

/** A server of the files in a folder, which keeps count of the bytes of code that it was asked for. */
export class FileServer {
  bytes = 0;
  gzipped = 0;
  private readonly server: Server;

  constructor(folder: string, csp?: string) {
    this.server = createServer(async ({ url = "/" }, response) => {
      const path = new URL(url, "http://localhost").pathname;
      try {
        const content = await readFile(join(folder, path));
        const type = extname(path);
        if (type === ".js" || type === ".wasm") {
          this.bytes += content.length;
          this.gzipped += gzipSync(content, { level: 9 }).length;
        }
        if (csp !== undefined) response.setHeader("content-security-policy", csp);
        response.setHeader("content-type", TYPES[type] ?? "application/octet-stream");
        response.end(content);
      } catch {
        response.writeHead(404).end();
      }
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** Runs a server of the project's own, until `use` is done with it. */
export async function withServer<T>(command: string, cwd: string, url: string, use: () => Promise<T>): Promise<T> {
  // a process group of its own, so that what npm starts ends with it
  const child = spawn(command, { cwd, shell: true, detached: true, stdio: "ignore" });
  try {
    for (let tries = 0; !(await answers(url)); tries++) {
      if (tries === 300 || child.exitCode !== null) throw new Error(`${command}: no server at ${url}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return await use();
  } finally {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null && child.pid !== undefined) {
      process.kill(-child.pid, "SIGTERM");
      await ended;
    }
  }
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.ok,
    () => false,
  );
}
