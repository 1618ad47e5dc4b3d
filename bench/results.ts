// Results as files: what was measured, on what.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, release, type } from "node:os";
import { dirname } from "node:path";
import type { LineResult } from "./run.js";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly os: string;
}

export interface Results {
  readonly machine: Machine;
  /** Of the runtime, and of everything that took part. */
  readonly versions: Readonly<Record<string, string>>;
  readonly date: string;
  readonly lines: readonly LineResult[];
  /** The small shapes between those of the lines. */
  readonly shapes?: readonly LineResult[];
}

export function machine(): Machine {
  return { cpu: cpus()[0]?.model.trim() ?? "unknown", cores: cpus().length, os: `${type()} ${release()} ${arch()}` };
}

/** The runtime's version and ours: the first digits of the SHA-256 of the kernels (the build prints it), the wrapper and the baseline. */
export function versions(): Record<string, string> {
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  const files = ["simd.wasm", "wasm.js", "baseline.js"].map((file) => {
    const sha = createHash("sha256")
      .update(readFileSync(`dist/${file}`))
      .digest("hex");
    return `${file} ${sha.slice(0, 12)}`;
  });
  return { node: process.versions.node, v8: process.versions.v8, softmargin: [version, ...files].join(", ") };
}

/** A line of text for everything that was measured. */
export function write(file: string, results: object): void {
  mkdirSync(dirname(file), { recursive: true });
  const text = (value: unknown): string => JSON.stringify(value, rounded);
  const entries = Object.entries(results).map(([name, value]) => {
    return `${text(name)}: ${Array.isArray(value) ? `[\n${value.map(text).join(",\n")}\n]` : text(value)}`;
  });
  writeFileSync(file, `{\n${entries.join(",\n")}\n}\n`);
  console.log(`\n${file}`);
}

/** Six digits are more than any measurement has. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}
