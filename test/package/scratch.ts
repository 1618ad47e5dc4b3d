// A project outside this repository with the package in it as a user gets it: packed, installed, nothing linked.

import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const scratch: string = mkdtempSync(join(tmpdir(), "softmargin-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true, maxRetries: 5 }));

/** `npm pack`; the path of the tarball. */
export function pack(): string {
  const args = ["pack", "--json", "--ignore-scripts", "--loglevel=error", "--pack-destination", scratch];
  const [{ filename }] = JSON.parse(execFileSync("npm", args, { encoding: "utf8" }));
  return join(scratch, filename);
}

/** A copy of a folder with its dependencies and the tarball installed. Install scripts do not run: they may download what they like. */
export function project(folder: string, tarball: string): string {
  const copy = join(scratch, folder);
  mkdirSync(copy, { recursive: true });
  cpSync(folder, copy, { recursive: true, filter: (path) => !/[\\/](node_modules|dist|\.next)$/.test(path) });
  run(`npm install --ignore-scripts --no-save --no-audit --no-fund --loglevel=error "${tarball}"`, copy);
  return copy;
}

/** What a command prints; an Error with all of it if it fails. */
export function run(command: string, cwd: string): string {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", PARCEL_WORKERS: "1", FORCE_COLOR: undefined };
  const { status, stdout, stderr } = spawnSync(command, {
    cwd,
    env,
    shell: true,
    encoding: "utf8",
    timeout: 300_000,
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`${command}: exit code ${status}\n${stdout}${stderr}`.trim());
  return stdout;
}
