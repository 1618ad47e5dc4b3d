// npm run bench [-- job …] [--classes 10,1000,32000] [--elements 1000000] [--quick]
//
// Every job on the baseline and on the WASM builds, arrays outside linear memory, copies counted. Contenders take turns in short rounds, so that
// a drift of the machine meets all of them; a figure is the median over rounds of each round's median. Before anything is timed, the
// results are compared.

import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import type { Softmargin } from "softmargin";
import * as simd from "softmargin";
import * as baseline from "softmargin/baseline";
import * as relaxed from "softmargin/relaxed";
import { Bench } from "tinybench";
import { type Data, JOBS, type Job, makeData } from "./jobs.js";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    classes: { type: "string", default: "10,1000,32000" },
    elements: { type: "string", default: "1000000" },
    quick: { type: "boolean", default: false },
  },
});
const jobs = Object.entries(JOBS).filter(
  ([name]) => positionals.length === 0 || positionals.some((p) => name.split(",")[0] === p),
);
if (jobs.length === 0) {
  console.error(
    `no such job: ${positionals.join(", ")}. There are: ${[...new Set(Object.keys(JOBS).map((n) => n.split(",")[0]))].join(", ")}`,
  );
  process.exit(1);
}
const rounds = flags.quick ? 3 : 9;
const time = flags.quick ? 30 : 60;
const warmup = flags.quick ? 100 : 300;

const contenders: Record<string, Softmargin> = { baseline };
if (simd.backend.name === "simd") contenders["simd"] = simd;
if (relaxed.backend.name === "relaxed") contenders["relaxed"] = relaxed;

/** The largest difference, relative to the largest value: a job that went wrong must not be timed. */
function difference(job: Job, api: Softmargin, data: Data): number {
  const copy = (result: number | ArrayLike<number>): number[] =>
    typeof result === "number" ? [result] : Array.from(result);
  const expected = copy(job(baseline, data));
  const got = copy(job(api, data));
  const size = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  return expected.reduce((worst, value, i) => Math.max(worst, Math.abs(value - got[i]!) / size), 0);
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

/** Nanoseconds per element of each contender. */
function measure(job: Job, data: Data): Record<string, number> {
  const times: Record<string, number[]> = {};
  for (let round = 0; round < rounds; round++) {
    const bench = new Bench({
      time,
      iterations: 3,
      warmup: true,
      warmupTime: round === 0 ? warmup : 1,
      warmupIterations: 1,
    });
    for (const [name, api] of Object.entries(contenders)) bench.add(name, () => void job(api, data));
    bench.runSync();
    for (const { name, result } of bench.tasks) {
      if (!("latency" in result)) throw new Error(`${name}: ${result.state}`);
      times[name] ??= [];
      times[name].push((result.latency.p50 * 1e6) / (data.rows * data.classes));
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)]));
}

const machine = `${cpus()[0]?.model.trim() ?? "unknown processor"}, Node ${process.versions.node}, V8 ${process.versions.v8}`;
console.log(`${machine}\nns per element; in brackets how many times as fast as the baseline\n`);
const names = Object.keys(contenders);
const columns = (cells: string[]): string =>
  `${cells[0]!.padEnd(33)}${cells
    .slice(1)
    .map((c) => c.padStart(16))
    .join("")}`;
const results: object[] = [];

for (const type of ["f32", "f64"] as const) {
  for (const classes of flags.classes.split(",").map(Number)) {
    const rows = Math.max(1, Math.round(Number(flags.elements) / classes));
    const data = makeData(type, rows, classes);
    console.log(columns([`${type}, ${rows} × ${classes}`, ...names]));
    for (const [name, job] of jobs) {
      for (const api of Object.values(contenders)) {
        const error = difference(job, api, data);
        if (!(error < (type === "f32" ? 1e-5 : 1e-12)))
          throw new Error(`${name}, ${api.backend.name}: off by ${error}`);
      }
      const ns = measure(job, data);
      const ratio = (contender: string): number => ns["baseline"]! / ns[contender]!;
      const cell = (c: string): string => `${ns[c]!.toFixed(3)}${c === "baseline" ? "" : ` (${ratio(c).toFixed(1)}×)`}`;
      console.log(columns([`  ${name}`, ...names.map(cell)]));
      results.push({ job: name, type, rows, classes, nsPerElement: ns });
    }
    console.log();
  }
}

mkdirSync("bench/results", { recursive: true });
writeFileSync(
  "bench/results/latest.json",
  `${JSON.stringify({ machine, date: new Date().toISOString(), results }, null, 2)}\n`,
);
console.log("bench/results/latest.json");
