// npm run bench:peers [-- word …] [--quick] [--elements 1000000] [--json file]
//
// softmargin beside other libraries, each given the same ordinary arrays and asked for the same result as a new ordinary array: what a user pays to
// get data in and out is part of its time, and so is what it takes to collect its own garbage; that of the one before it is collected before it
// begins. One thread each. The libraries are those of peers/package.json.
//
// The process keeps memory that was freed (glibc's two thresholds): whether a new array of some megabytes gets such memory or new pages, which take
// 0.6 to 1.3 ns an element, would else be a matter of what was freed before, by whom. It made one line of a library twice as slow as the next.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as simd from "softmargin";
import * as baseline from "softmargin/baseline";
import * as relaxed from "softmargin/relaxed";
import { install, root } from "../scripts/setup.js";
import { peerLines } from "./lines.js";
import { heading, row, tally } from "./print.js";
import { machine, versions, write } from "./results.js";
import { type Entrant, type LineResult, onArrays, runLine } from "./run.js";

const KEEPING = { MALLOC_TRIM_THRESHOLD_: "2000000000", MALLOC_MMAP_THRESHOLD_: "1000000000" };
if (!process.env["MALLOC_TRIM_THRESHOLD_"]) {
  const own = spawnSync(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    env: { ...process.env, ...KEEPING },
    stdio: "inherit",
  });
  process.exit(own.status ?? 1);
}

const { values: flags, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    elements: { type: "string", default: "1000000" },
    json: { type: "string", default: "bench/results/latest-peers.json" },
  },
});
setFlagsFromString("--expose-gc");
const prepare: () => void = runInNewContext("gc");
const pace = flags.quick
  ? { rounds: 5, batchMs: 3, warmupMs: 60, prepare }
  : { rounds: 15, batchMs: 10, warmupMs: 400, prepare };

install(join(root, "bench/peers"));

const entrants: Entrant[] = [onArrays("baseline", baseline, true), onArrays("simd", simd, true)];
if (relaxed.backend.name === "relaxed") entrants.push(onArrays("relaxed", relaxed, true));
const of: Record<string, string> = versions();
const missing: Record<string, string> = {};
// Loaded where they are asked for, so that one that does not start here is a line in the report.
const peers: readonly (readonly [library: string, file: string, load: string])[] = [
  ["@tensorflow/tfjs-backend-wasm", "tfjs", "tfjsWasm"],
  ["@tensorflow/tfjs", "tfjs", "tfjsCpu"],
  ["onnxruntime-web", "onnxruntime", "onnxruntimeWeb"],
  ["onnxruntime-node", "onnxruntime", "onnxruntimeNode"],
];
for (const [library, file, load] of peers) {
  try {
    const loaders: Record<string, () => Promise<Entrant>> = await import(`./peers/${file}.js`);
    entrants.push(await loaders[load]!());
    of[library] = JSON.parse(readFileSync(`bench/peers/node_modules/${library}/package.json`, "utf8")).version;
  } catch (error) {
    missing[library] = error instanceof Error ? error.message : String(error);
    console.log(`not measured: ${library}: ${missing[library]}`);
  }
}

const names = entrants.map(({ name }) => name);
const on = machine();
console.log(`${on.cpu}, ${on.os}`);
for (const [what, version] of Object.entries(of)) console.log(`${what} ${version}`);
const lines: LineResult[] = [];
for (const line of peerLines(Number(flags.elements))) {
  const about = `${line.section} ${line.job}`.toLowerCase();
  if (!words.every((word) => about.includes(word.toLowerCase()))) continue;
  if (lines.at(-1)?.section !== line.section) console.log(heading(line.section, names));
  const result = await runLine(line, entrants, pace, "simd");
  console.log(row(result, names));
  lines.push(result);
}
console.log(`\n${tally([lines])}`);
write(flags.json, { machine: on, versions: of, missing, date: new Date().toISOString(), lines });
// onnxruntime-web keeps the process alive.
process.exit();
