// Results as files: what was measured, on what.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { arch, availableParallelism, cpus, release, type } from "node:os";
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
  return { cpu: processor(), cores: availableParallelism(), os: `${type()} ${release()} ${arch()}` };
}

const ZEN: Readonly<Record<string, string>> = { 23: "Zen, Zen+ or Zen 2", 25: "Zen 3 or 4", 26: "Zen 5" };

/** The name that the system gives the processor, which in a virtual machine can be anything, and on Linux what the processor says of itself. */
function processor(): string {
  const info = existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : "";
  const field = (name: string): string | undefined => new RegExp(`^${name}\\s*: (.*)$`, "m").exec(info)?.[1]?.trim();
  const family = field("cpu family");
  const own = [
    field("vendor_id") === "AuthenticAMD" && ZEN[family!],
    family && `family ${family} model ${field("model")}`,
    field("CPU part") && `implementer ${field("CPU implementer")} part ${field("CPU part")}`,
  ].filter((part) => part);
  const name = [cpus()[0]?.model, field("model name"), arch()].find((name) => name && name !== "unknown")!.trim();
  return own.length > 0 ? `${name} (${own.join(", ")})` : name;
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
