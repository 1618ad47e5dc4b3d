// npm run bench [-- --help]: see USAGE.

import { parseArgs } from "node:util";
import * as simd from "softmargin";
import * as baseline from "softmargin/baseline";
import * as relaxed from "softmargin/relaxed";
import { asWritten, byHand, ownExp } from "./byHand.js";
import { footprint, importTimes } from "./footprint.js";
import { allLines, anyShape, type Line, screenLines } from "./lines.js";
import type { Pace } from "./measure.js";
import { passes } from "./passes.js";
import { figure, heading, row, tally } from "./print.js";
import { products } from "./products.js";
import { machine, versions, write } from "./results.js";
import { type Entrant, inWorkspace, type LineResult, logSumExp, onArrays, onHalfFloats, runLine } from "./run.js";
import { remarks, screenHeading, screenRow } from "./screen.js";

const USAGE = `npm run bench                       one screen: softmargin beside loops by hand, in about a minute
npm run bench -- --all              every line, the bare passes, memory, sizes, import time: some minutes
npm run bench -- word …             of these the lines that have all words in section, job or type: f64 weston
              -- --aims             every line with what it should reach, and whether it does
              -- --quick            fewer rounds
              -- --elements 1000000 numbers in a large batch
              -- --json file        where results go (all lines: bench/results/latest.json)
Other libraries: npm run bench:peers. Other engines: npm run bench:engines.`;

const { values: flags, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: "boolean", default: false },
    all: { type: "boolean", default: false },
    aims: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    elements: { type: "string", default: "1000000" },
    json: { type: "string" },
  },
});
const { aims } = flags;
const elements = Number(flags.elements);
const pace: Pace = flags.quick ? { rounds: 7, batchMs: 3, warmupMs: 60 } : { rounds: 15, batchMs: 10, warmupMs: 300 };
const on = machine();
const of = versions();

if (flags.help) console.log(USAGE);
else if (flags.all || aims || words.length > 0) await everything();
else await screen();

async function screen(): Promise<void> {
  const { name, reason } = simd.backend;
  console.log(`softmargin (${name}) on ${on.cpu}, ${on.os}, Node ${process.versions.node}`);
  if (reason) console.log(`not faster, because: ${reason}`);
  console.log(
    "f32, one thread, ordinary arrays, copies counted, results checked. baseline is softmargin in plain TypeScript.",
  );
  const fresh = onArrays("new array", simd, true);
  const entrants: Entrant[] = [
    byHand,
    onArrays("baseline", baseline),
    onArrays("softmargin", simd),
    ...(relaxed.backend.name === "relaxed" ? [onArrays("relaxed", relaxed)] : []),
    { ...fresh, prepare: (line, data) => (isFresh(line) ? fresh.prepare(line, data) : undefined) },
  ];
  const lines: LineResult[] = [];
  for (const line of screenLines(elements)) {
    if (lines.at(-1)?.section !== line.section) console.log(screenHeading(line.section));
    const result = await runLine(line, entrants, pace);
    console.log(screenRow(result));
    lines.push(result);
  }
  const [own, plain] = importTimes();
  console.log(`\n${remarks(lines).join("\n")}`);
  console.log(`Importing softmargin takes ${own!.ms} ms, softmargin/baseline ${plain!.ms} ms (fresh processes).`);
  console.log("Every line: npm run bench -- --all. More: --help.");
  if (flags.json) write(flags.json, { machine: on, versions: of, date: new Date().toISOString(), lines });
}

/** The line that is also computed into new arrays. */
function isFresh({ job, type, classes }: Line): boolean {
  return job === "softmax" && type === "f32" && classes === 1000;
}

async function everything(): Promise<void> {
  const asked = (...names: string[]): boolean =>
    words.every((word) => names.join(" ").toLowerCase().includes(word.toLowerCase()));
  const chosen = (lines: readonly Line[]): Line[] =>
    lines.filter(({ section, job, type }) => asked(section, job, type));

  const entrants: Entrant[] = [onArrays("baseline", baseline)];
  if (simd.backend.name === "simd") entrants.push(onArrays("simd", simd), inWorkspace("workspace", simd));
  if (relaxed.backend.name === "relaxed") entrants.push(onArrays("relaxed", relaxed));
  entrants.push(byHand, ownExp, asWritten, logSumExp(simd), onHalfFloats("half floats", simd));
  const names = entrants.map(({ name }) => name);
  const columnsOf = (section: string): string[] => {
    const decides = section.startsWith("decisions");
    const some: Record<string, boolean> = {
      workspace: decides || section.startsWith("hinge"),
      "own exp": section === "softmax, f32",
      "as written": decides,
      "log-sum-exp": decides,
      "half floats": section.endsWith("half floats"),
    };
    return names.filter((name) => some[name] ?? true);
  };

  console.log(
    `${on.cpu}, ${on.os}\n${Object.entries(of)
      .map(([what, version]) => `${what} ${version}`)
      .join(", ")}`,
  );
  console.log(
    "ns per number (per call where there are few): median (fastest) ±spread, page faults per call, times as fast as the baseline",
  );

  const lines: LineResult[] = [];
  for (const line of chosen(allLines(elements))) {
    const { section } = line;
    const columns = columnsOf(section);
    if (lines.at(-1)?.section !== section) console.log(heading(section, columns, aims));
    const taking = entrants.filter(({ name }) => columns.includes(name));
    const result = await runLine(line, taking, pace);
    console.log(row(result, columns, aims));
    lines.push(result);
  }

  const shapes: LineResult[] = [];
  const plain = columnsOf("");
  for (const line of chosen(anyShape())) {
    const taking = entrants.filter(({ name }) => plain.includes(name));
    shapes.push(await runLine(line, taking, { ...pace, batchMs: 1, warmupMs: 50 }));
  }
  if (shapes.length > 0) {
    const worst = [...shapes].sort((a, b) => a.speedups["simd"]! - b.speedups["simd"]!).slice(0, 10);
    console.log(heading(`slowest of ${shapes.length} small shapes`, plain, aims));
    for (const result of worst) console.log(row(result, plain, aims));
  }

  const mark = (met: boolean): string => (aims ? (met ? " ✓" : " ✗") : "");
  const bare = asked("passes", "softmax") ? await passes(pace, simd) : [];
  if (bare.length > 0)
    console.log("\nbare passes: ns per number, their sum, and how close to it the kernel and the call come");
  for (const { rows, classes, type, times, kernel, call } of bare) {
    const list = Object.entries(times).map(([pass, ns]) => `${pass} ${ns.toFixed(3)}`);
    const close = ({ ns, sum }: typeof kernel): string =>
      `${ns.toFixed(3)} / ${sum.toFixed(3)} = ${figure(ns / sum)}${mark(ns <= 1.25 * sum)}`;
    console.log(
      `  softmax, ${rows} × ${classes}, ${type}: ${list.join(", ")}; kernel ${close(kernel)}; call ${close(call)}`,
    );
  }

  const layers = asked("products", "linear layer") ? await products(pace, simd) : [];
  if (layers.length > 0) console.log("\nproducts of a linear layer: GFLOP/s, share of the bare loop");
  for (const { size, type, bare, products, atLeast, step } of layers) {
    const list = Object.entries(products).map(
      ([name, rate]) =>
        `${name} ${rate.toFixed(1)}, ${((100 * rate) / bare).toFixed(0)} %${mark(rate >= atLeast * bare)}`,
    );
    const whole = step === undefined ? "" : `; a step takes ${figure(step)} times its products${mark(step <= 1.1)}`;
    console.log(`  ${size.join(" × ")}, ${type}: bare ${bare.toFixed(1)}; ${list.join("; ")}${whole}`);
  }

  const limits = asked("footprint", "memory", "package", "size", "import") ? await footprint() : [];
  if (limits.length > 0) console.log("\nfootprint");
  for (const { what, bytes, ms, atMost = Number.POSITIVE_INFINITY } of limits) {
    const value = bytes ?? ms!;
    const aim = aims && Number.isFinite(atMost) ? `, ≤ ${atMost}${mark(value <= atMost)}` : "";
    console.log(`  ${what.padEnd(62)}${value} ${bytes === undefined ? "ms" : "bytes"}${aim}`);
  }

  if (lines.length + shapes.length + bare.length + layers.length + limits.length === 0) {
    console.error(`nothing has all of these words: ${words.join(", ")}`);
    process.exitCode = 1;
    return;
  }
  console.log(`\n${tally([[...lines, ...shapes]], aims)}`);
  const date = new Date().toISOString();
  const results = { machine: on, versions: of, date, lines, shapes, passes: bare, products: layers, footprint: limits };
  write(flags.json ?? "bench/results/latest.json", results);
}
