// Places that are browsers: a page posts what it found to the server that it came from, so none needs a driver.

import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import type { Visit } from "./runtimes.js";

const run = promisify(execFile);

export interface Browser {
  /** Debian's packages. */
  readonly packages: readonly string[];
  program(): string | undefined;
  /** The command that prints its version. */
  version(program: string): readonly [string, ...string[]];
  /** The command that shows a page; `profile` is an empty folder. */
  command(program: string, url: string, profile: string): readonly [string, ...string[]];
}

export interface Page {
  /** The content security policy that the page is served with. */
  readonly csp?: string;
  /** A script of visits/ that runs before anything else. */
  readonly before?: string;
}

const firstThere = (...paths: string[]): string | undefined => paths.find((path) => existsSync(path));

export const chromium: Browser = {
  packages: ["chromium"],
  program: () => firstThere("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"),
  version: (program) => [program, "--version"],
  command: (program, url, profile) => [
    program,
    ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
    ...["--disable-background-networking", "--disable-component-update", `--user-data-dir=${profile}`],
    url,
  ],
};

export const firefox: Browser = {
  packages: ["firefox-esr"],
  program: () => firstThere("/usr/bin/firefox-esr", "/usr/bin/firefox"),
  version: (program) => [program, "--version"],
  command: (program, url, profile) => {
    // Nothing from the network, and no page but ours.
    const preferences = {
      "app.normandy.enabled": false,
      "browser.aboutwelcome.enabled": false,
      "browser.shell.checkDefaultBrowser": false,
      "datareporting.policy.dataSubmissionEnabled": false,
      "network.captive-portal-service.enabled": false,
      "network.connectivity-service.enabled": false,
      "services.settings.server": "data:,",
      "toolkit.telemetry.enabled": false,
    };
    const lines = Object.entries(preferences).map(
      (preference) => `user_pref(${JSON.stringify(preference).slice(1, -1)});`,
    );
    writeFileSync(join(profile, "user.js"), lines.join("\n"));
    return [program, "--headless", "--no-remote", "--profile", profile, url];
  },
};

/** The engine of Safari, in the small browser that comes with its driver; it wants a display. */
export const webKitGtk: Browser = {
  packages: ["webkit2gtk-driver", "xvfb", "xauth"],
  program: () => {
    const folder = "/usr/lib/x86_64-linux-gnu";
    const versions = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith("webkit2gtk-4")) : [];
    return existsSync("/usr/bin/xvfb-run")
      ? firstThere(...versions.map((version) => join(folder, version, "MiniBrowser")))
      : undefined;
  },
  version: (program) => [...onDisplay(), program, "--version"],
  command: (program, url) => [...onDisplay(), program, url],
};

let displays = 99;
/** Its search for a free display is not safe from another that begins at the same number. */
function onDisplay(): [string, ...string[]] {
  displays += 10;
  return ["xvfb-run", "--auto-servernum", `--server-num=${displays}`];
}

/** Installs from Debian's packages which of the browsers are missing, where that is possible. */
export function installBrowsers(browsers: readonly Browser[]): void {
  const missing = browsers.filter((browser) => browser.program() === undefined).flatMap(({ packages }) => packages);
  if (missing.length === 0 || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return;
  console.log(`installing ${missing.join(", ")} …`);
  const apt = (...args: string[]) =>
    execFileSync("apt-get", ["-qq", "-o", "DPkg::Lock::Timeout=600", ...args], {
      stdio: "pipe",
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
  try {
    apt("update");
    apt("install", "-y", "--no-install-recommends", ...missing);
  } catch (error) {
    console.log(`${error}`);
  }
}

export function visitBy<Findings>(browser: Browser, page: Page = {}): Visit<Findings> {
  return async (folder) => {
    const program = browser.program();
    if (program === undefined) return `not installed (Debian: ${browser.packages.join(", ")})`;
    const [versionCommand, ...versionArgs] = browser.version(program);
    const { stdout } = await run(versionCommand, versionArgs);
    const version = /\d[\d.]*\d/.exec(stdout)![0];

    const { server, answer } = serve(folder, page);
    const profile = mkdtempSync(join(tmpdir(), "softmargin-browser-"));
    const [command, ...args] = browser.command(program, await urlOf(server), profile);
    // A home and a process group of its own, so that it finds nothing and leaves nothing.
    const env = { ...process.env, HOME: profile, TMPDIR: profile };
    const child = spawn(command, args, { detached: true, stdio: "ignore", env });
    const exit = once(child, "exit");
    try {
      const noAnswer = exit.then(([code]) =>
        Promise.reject(new Error(`${command} ended with ${code}, no answer from the page`)),
      );
      return { version, findings: JSON.parse(await Promise.race([answer, noAnswer, timeout(120_000)])) };
    } finally {
      server.close();
      server.closeAllConnections();
      await endAll(child.pid!);
      rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    }
  };
}

/** Serves the folder, at / a page that runs page.js, and waits for what it posts. */
function serve(folder: string, { csp, before }: Page): { server: Server; answer: Promise<string> } {
  const types: { [extension: string]: string } = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".wasm": "application/wasm",
  };
  const scripts = `${before ? `<script src="/${before}"></script>` : ""}<script type="module" src="/page.js"></script>`;
  const server = createServer();
  const answer = new Promise<string>((resolve) => {
    server.on("request", async (request, response) => {
      if (request.method === "POST") {
        let body = "";
        for await (const chunk of request) body += chunk;
        response.end();
        resolve(body);
        return;
      }
      const { pathname } = new URL(request.url!, "http://localhost");
      if (pathname === "/") {
        response.setHeader("content-type", "text/html");
        if (csp) response.setHeader("content-security-policy", csp);
        response.end(`<!doctype html><title>softmargin</title>${scripts}`);
      } else {
        const path = join(folder, pathname);
        response.setHeader("content-type", types[extname(path)] ?? "text/plain");
        if (existsSync(path)) response.end(readFileSync(path));
        else response.writeHead(404).end();
      }
    });
  });
  return { server, answer };
}

async function urlOf(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function timeout(ms: number): Promise<never> {
  await setTimeout(ms, undefined, { ref: false });
  throw new Error(`nothing within ${ms / 1000} s`);
}

/** Ends a group of processes: asks them first, so that an X server takes its lock away. */
async function endAll(group: number): Promise<void> {
  for (let i = 0; i < 50 && signal(group, "SIGTERM"); i++) await setTimeout(100);
  signal(group, "SIGKILL");
}

/** Whether there was anyone to receive it. */
function signal(group: number, name: "SIGTERM" | "SIGKILL"): boolean {
  try {
    return process.kill(-group, name);
  } catch {
    return false;
  }
}
