// npm run bench:engines [-- name …] [--quick] [--elements 1000000] [--json file]
//
// The core of the benchmark (core.ts) on each JavaScript engine: Node's versions, Bun, Deno and headless browsers, which are found, installed and
// started as for npm run test:engines. An engine that is not to be had here is reported.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { install, root } from "../scripts/setup.js";
import { chromium, firefox, installBrowsers, visitBy, webKitGtk } from "../test/engines/browsers.js";
import { runtime, type Visit } from "../test/engines/runtimes.js";
import type { Findings } from "./core.js";
import type { EngineResults } from "./figures.js";
import type { Pace } from "./measure.js";
import { heading, row, tally } from "./print.js";
import { machine, versions, write } from "./results.js";
import type { LineResult } from "./run.js";

const { values: flags, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    elements: { type: "string", default: "1000000" },
    json: { type: "string", default: "bench/results/latest-engines.json" },
  },
});
/** The line with the engine's floor, which is not asked where the baseline is bound by memory. */
function withFloor(line: LineResult, atLeast: number): LineResult {
  if (line.shape[1] < 1000 || line.type !== "f32" || /^(Crammer–Singer|argmax)/.test(line.job)) return line;
  const measured = line.speedups["simd"]!;
  return { ...line, targets: [{ contender: "simd", over: "baseline", atLeast, measured, met: measured >= atLeast }] };
}

// Browsers' clocks tick in milliseconds.
const pace: Pace = flags.quick ? { rounds: 3, batchMs: 20, warmupMs: 60 } : { rounds: 11, batchMs: 30, warmupMs: 300 };

const script = "page.js";
interface Engine {
  readonly name: string;
  /** How many times as fast as the baseline softmargin must be at C = 1000: less where the engine makes the baseline faster. */
  readonly floor: number;
  readonly visit: Visit<Findings>;
}
const V8 = 6;
const SPIDER_MONKEY = 6;
const JAVASCRIPT_CORE = 4.5;
const engines: Engine[] = [
  ...[20, 22, 24, 26].map((version) => ({
    name: `Node ${version}`,
    floor: V8,
    visit: runtime<Findings>(`node${version}/bin/node`, [script]),
  })),
  { name: "Bun", floor: JAVASCRIPT_CORE, visit: runtime("@oven/bun-linux-x64/bin/bun", [script]) },
  { name: "Deno", floor: V8, visit: runtime("@deno/linux-x64-glibc/deno", ["run", "--no-prompt", script]) },
  { name: "Chromium", floor: V8, visit: visitBy(chromium) },
  { name: "Firefox", floor: SPIDER_MONKEY, visit: visitBy(firefox) },
  { name: "WebKitGTK", floor: JAVASCRIPT_CORE, visit: visitBy(webKitGtk) },
];
const chosen = engines.filter(
  ({ name }) => words.length === 0 || words.some((word) => name.toLowerCase().includes(word.toLowerCase())),
);

install(join(root, "test/engines/runtimes"));
installBrowsers([chromium, firefox, webKitGtk]);
const folder = mkdtempSync(join(tmpdir(), "softmargin-bench-"));
const results: EngineResults["engines"][number][] = [];
try {
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  await build({
    entryPoints: ["bench/core.ts"],
    outfile: join(folder, script),
    bundle: true,
    format: "esm",
    target: "es2022",
    define: { ELEMENTS: flags.elements, PACE: JSON.stringify(pace) },
    logLevel: "warning",
  });
  for (const { name, floor, visit } of chosen) {
    const visited = await visit(folder).catch((error: Error) => error.message);
    if (typeof visited === "string") {
      console.log(`\n${name}: not run: ${visited}`);
    } else if ("error" in visited.findings) {
      console.log(`\n${name} ${visited.version}: ${visited.findings.error}`);
      process.exitCode = 1;
    } else {
      const lines = visited.findings.lines.map((line) => withFloor(line, floor));
      const names = ["baseline", "simd", "relaxed"].filter((contender) => lines[0]!.times[contender]);
      console.log(heading(`${name} ${visited.version}`, names));
      for (const line of lines) console.log(row(line, names));
      results.push({ name, version: visited.version, lines });
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`\n${tally(results.map(({ lines }) => lines))}`);
write(flags.json, { machine: machine(), versions: versions(), date: new Date().toISOString(), engines: results });
