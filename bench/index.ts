// npm run bench [-- word …] [--quick] [--elements 1000000] [--json file]
//
// Every line of lines.ts, the bare passes, linear memory and package sizes. Words narrow it to the lines that have all of them in their section,
// job or type. Ordinary arrays, copies in and out counted; one thread.

import { parseArgs } from "node:util";
import * as simd from "softmargin";
import * as baseline from "softmargin/baseline";
import * as relaxed from "softmargin/relaxed";
import { byHand } from "./byHand.js";
import { footprint } from "./footprint.js";
import { allLines, anyShape, type Line } from "./lines.js";
import type { Pace } from "./measure.js";
import { passes } from "./passes.js";
import { figure, heading, row, tally } from "./print.js";
import { machine, versions, write } from "./results.js";
import { type Entrant, inWorkspace, type LineResult, onArrays, runLine } from "./run.js";

const { values: flags, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    elements: { type: "string", default: "1000000" },
    json: { type: "string", default: "bench/results/latest.json" },
  },
});
const pace: Pace = flags.quick ? { rounds: 7, batchMs: 3, warmupMs: 60 } : { rounds: 15, batchMs: 10, warmupMs: 300 };

const asked = (...names: string[]): boolean =>
  words.every((word) => names.join(" ").toLowerCase().includes(word.toLowerCase()));
const chosen = (lines: readonly Line[]): Line[] => lines.filter(({ section, job, type }) => asked(section, job, type));

const entrants: Entrant[] = [onArrays("baseline", baseline)];
if (simd.backend.name === "simd") entrants.push(onArrays("simd", simd), inWorkspace("workspace", simd));
if (relaxed.backend.name === "relaxed") entrants.push(onArrays("relaxed", relaxed));
entrants.push(...byHand);
const names = entrants.map(({ name }) => name);
const handNames = byHand.map(({ name }) => name);

const on = machine();
const of = versions();
console.log(
  `${on.cpu}, ${on.os}\n${Object.entries(of)
    .map(([what, version]) => `${what} ${version}`)
    .join(", ")}`,
);
console.log("median ns per element (per call where there are few), spread, and how many times as fast as the baseline");

const lines: LineResult[] = [];
const asking = chosen(allLines(Number(flags.elements)));
for (const line of asking) {
  const { section } = line;
  const has = (key: "workspace" | "byHand") => asking.some((other) => other.section === section && other[key]);
  const columns = names.filter(
    (name) => (name !== "workspace" || has("workspace")) && (!handNames.includes(name) || has("byHand")),
  );
  if (lines.at(-1)?.section !== section) console.log(heading(section, columns));
  const result = await runLine(line, entrants, pace);
  console.log(row(result, columns));
  lines.push(result);
}

const shapes: LineResult[] = [];
for (const line of chosen(anyShape()))
  shapes.push(await runLine(line, entrants, { ...pace, batchMs: 1, warmupMs: 50 }));
if (shapes.length > 0) {
  const worst = [...shapes].sort((a, b) => a.speedups["simd"]! - b.speedups["simd"]!).slice(0, 10);
  const columns = names.filter((name) => name !== "workspace" && !handNames.includes(name));
  console.log(heading(`slowest of ${shapes.length} small shapes`, columns));
  for (const result of worst) console.log(row(result, columns));
}

const bare = asked("passes", "softmax") ? await passes(pace, simd) : [];
if (bare.length > 0)
  console.log("\nbare passes: ns per element, their sum, and how close to it the kernel and the call come");
for (const { rows, classes, type, times, kernel, call } of bare) {
  const list = Object.entries(times).map(([pass, ns]) => `${pass} ${ns.toFixed(3)}`);
  const close = ({ ns, sum }: typeof kernel): string =>
    `${ns.toFixed(3)} / ${sum.toFixed(3)} = ${figure(ns / sum)} ${ns <= 1.25 * sum ? "✓" : "✗"}`;
  console.log(
    `  softmax, ${rows} × ${classes}, ${type}: ${list.join(", ")}; kernel ${close(kernel)}; call ${close(call)}`,
  );
}

const limits = asked("footprint", "memory", "package", "size") ? await footprint() : [];
if (limits.length > 0) console.log("\nfootprint");
for (const { what, bytes, atMost } of limits) {
  console.log(`  ${what.padEnd(62)}${bytes} bytes, ≤ ${atMost} ${bytes <= atMost ? "✓" : "✗"}`);
}

if (lines.length + shapes.length + bare.length + limits.length === 0) {
  console.error(`nothing has all of these words: ${words.join(", ")}`);
  process.exitCode = 1;
} else {
  console.log(`\n${tally([...lines, ...shapes])}`);
  write(flags.json, {
    machine: on,
    versions: of,
    date: new Date().toISOString(),
    lines,
    shapes,
    passes: bare,
    footprint: limits,
  });
}
