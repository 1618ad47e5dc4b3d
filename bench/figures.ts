// The figures in the documents, written from the results that are in the repository: bench.json, and peers.json and engines.json where there are such.

import { existsSync, readFileSync } from "node:fs";
import { bugs, evidence } from "./evidence.js";
import type { Results } from "./results.js";
import type { LineResult } from "./run.js";
import { ratio, table } from "./table.js";

/** The documents with figures in them, between `<!-- bench name -->` and `<!-- end -->`. */
export const FIGURES: readonly string[] = ["README.md", "docs/performance.md", "docs/evidence.md"];
const CLASSES = [10, 1000, 32000];

/** So many numbers make a call a small one. */
const SMALL = 40_000;

/** A ratio of times that spread by more than this part of themselves is marked. */
const WIDE_SPREAD = 0.15;

export interface EngineResults {
  readonly machine: Results["machine"];
  readonly versions: Results["versions"];
  readonly date: string;
  readonly engines: readonly {
    readonly name: string;
    readonly version: string;
    readonly lines: readonly LineResult[];
  }[];
}

export function read<R = Results>(name: string): R | undefined {
  const file = `bench/results/${name}.json`;
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

/** A document with its figures as they should be. */
export function withFigures(document: string): string {
  const bench = read("bench");
  // Decisions have figures of their own.
  const own = bench && { ...bench, lines: bench.lines.filter((line) => !line.section.startsWith("decisions")) };
  const decisions = read("decisions");
  const peers = read("peers");
  const engines = read<EngineResults>("engines");
  const figures: Readonly<Record<string, () => string | undefined>> = {
    short: () => own && peers && fiveRows(own, peers),
    baseline: () => own && overBaseline(own),
    peers: () => peers && overPeers(peers),
    engines: () => engines && onEngines(engines),
    decisions: () => decisions && ofDecisions(decisions),
    small: () => own && smallCalls(own),
    evidence: () => own && evidence(own),
    bugs,
  };
  return document.replace(/(<!-- bench (\w+) -->).*?(<!-- end -->)/gs, (_, begin, name, end) => {
    if (!figures[name]) throw new Error(`there are no figures called ${name}`);
    return `${begin}\n\n${figures[name]() ?? "Not measured."}\n\n${end}`;
  });
}

const where = ({ machine, versions, date }: Pick<Results, "machine" | "versions" | "date">): string =>
  `${machine.cpu}, Node ${versions["node"]}, ${date.slice(0, 10)}`;

/** The line of a job at C classes with the largest batch: small ones are measured apart. */
function lineOf(lines: readonly LineResult[], job: string, type: string, classes: number): LineResult | undefined {
  return lines
    .filter((l) => l.job === job && l.type === type && l.shape[1] === classes && l.shape[0] > 1 && l.shape[2] === 1)
    .sort((a, b) => b.shape[0] - a.shape[0])[0];
}

function fiveRows(own: Results, peers: Results): string {
  const jobs = [
    "softmax",
    "log-softmax",
    "cross-entropy + gradient",
    "Weston–Watkins + gradient",
    "Crammer–Singer + gradient",
  ];
  const libraries = {
    "tfjs wasm": "TensorFlow.js WASM",
    "ORT web": "ONNX Runtime WASM",
    "ORT native": "ONNX Runtime native",
  };
  return [
    ...table(
      ["than", "plain TypeScript, C = 10", "C = 1000", "C = 32000", ...Object.values(libraries)],
      jobs.map((job) => {
        const beside = lineOf(peers.lines, job, "f32", 1000)!;
        return [
          job,
          ...CLASSES.map((classes) => ratio(lineOf(own.lines, job, "f32", classes)!.speedups["simd"]!)),
          ...Object.keys(libraries).map((name) => (beside.times[name] ? ratio(beside.ahead![name]!) : "–")),
        ];
      }),
    ),
    "",
    `${where(own)}. Other libraries at C = 1000.`,
  ].join("\n");
}

function overBaseline(own: Results): string {
  const { lines } = own;
  const jobs = [...new Set(lines.filter(({ shape }) => shape[1] === 1000).map(({ job }) => job))];
  const cell = (job: string, type: string, classes: number): string => {
    const line = lineOf(lines, job, type, classes);
    return line ? ownRatios(line) : "–";
  };
  const columns = (["f32", "f64"] as const).flatMap((type) => CLASSES.map((classes) => ({ type, classes })));
  return [
    `${where(own)}: how many times as fast as the baseline, and in brackets \`softmargin/relaxed\`. ${SPREAD}`,
    "",
    ...table(
      ["", ...columns.map(({ type, classes }) => (classes === CLASSES[0] ? `${type}, C = ${classes}` : `${classes}`))],
      jobs.map((job) => [job, ...columns.map(({ type, classes }) => cell(job, type, classes))]),
    ),
    "",
    besideLoops(lines),
  ].join("\n");
}

/** The same over the loops that one writes by hand, where they were measured. */
function besideLoops(lines: readonly LineResult[]): string {
  const jobs = [...new Set(lines.filter(({ times }) => times["by hand"]).map(({ job }) => job))];
  const cell = (job: string, classes: number): string => {
    const speedups = lineOf(lines, job, "f32", classes)?.speedups ?? {};
    const over = speedups["by hand"];
    return over ? `${ratio(speedups["simd"]! / over)} (${ratio(1 / over)})` : "–";
  };
  const own = lines.flatMap(({ speedups }) => speedups["own exp"] ?? []);
  return [
    "Over the loops that one writes by hand (maximum, exponentials and their sum, quotients; for the hinge `Math.max(0, …)`), and in brackets the baseline over them:",
    "",
    ...table(
      ["f32", ...CLASSES.map((classes) => `C = ${classes}`)],
      jobs.map((job) => [job, ...CLASSES.map((classes) => cell(job, classes))]),
    ),
    "",
    `A softmax by hand with an exponential of its own, from a table and a polynomial, is ${ratio(Math.min(...own))} to ${ratio(Math.max(...own))} times as fast as the ` +
      "baseline. Where JavaScript is interpreted, which is where a fallback is for, it is slower, so the baseline keeps `Math.exp`.",
  ].join("\n");
}

function overPeers(results: Results): string {
  const { versions, lines } = results;
  const peers = ["tfjs wasm", "tfjs cpu", "ORT web", "ORT native"].filter((peer) => lines.some((l) => l.times[peer]));
  const shown = lines.filter(({ shape }) => CLASSES.includes(shape[1]));
  const ahead = (line: LineResult, peer: string): string =>
    line.times[peer] ? ratio(line.ahead![peer]!) + mark(line, "simd", peer) : "–";
  const jobs = [...new Set(shown.map(({ job }) => job))];
  return [
    `Beside other libraries on the same arrays, f32, one thread each, data in and out counted, results in new arrays (in memory that the process has had before): how many times as fast \`softmargin\` is at C = ${CLASSES.join(" / ")}. ` +
      "Where a library has no such function it is put together from its operations, as its users would: TensorFlow.js' cross-entropies (from a one-hot of the classes) " +
      "and hinges, their gradients by its differentiation, and the gradient of ONNX Runtime's cross-entropy. " +
      `TensorFlow.js ${versions["@tensorflow/tfjs"]}, ONNX Runtime ${versions["onnxruntime-web"]} (native: with AVX-512 where the processor has it); ` +
      `${where(results)}.`,
    "",
    ...table(
      ["", ...peers],
      jobs.map((job) => [
        job,
        ...peers.map((peer) =>
          CLASSES.map((classes) => {
            const line = shown.find((l) => l.job === job && l.shape[1] === classes);
            return line ? ahead(line, peer) : "–";
          }).join(" / "),
        ),
      ]),
    ),
  ].join("\n");
}

/** Microseconds for one row of a large vocabulary, and how many times as fast as the other ways. */
function ofDecisions({ lines, ...run }: Results): string {
  const classes = 151_936;
  const shown = lines.filter(({ section, shape }) => section === "decisions, a token" && shape[1] === classes);
  const hard = lines.filter(({ section, job }) => section.startsWith("decisions, what") && job.includes("topP"));
  const time = ({ times }: LineResult, name: string): string =>
    times[name] ? `${Number((times[name].median / 1000).toPrecision(3))}` : "–";
  const over = (line: LineResult, name: string): string =>
    line.speedups[name] ? ratio(line.speedups["simd"]! / line.speedups[name]) : "–";
  const cells = (line: LineResult): string[] => [
    ...["simd", "workspace"].map((name) => time(line, name)),
    ...["baseline", "by hand", "as written", "log-sum-exp"].map((name) => over(line, name)),
  ];
  const head = ["µs", "in a workspace", "× baseline", "× by hand", "× by a sort", "× log-sum-exp"];
  return [
    `One row of ${classes.toLocaleString("en")} logits, f32; ${where(run)}. By hand: the best loop that one writes; by a sort: an object per class, all of them sorted. ` +
      "The last column: how many times as fast as the log-sum-exp of the same row.",
    "",
    ...table(
      ["", ...head],
      [
        ...shown.map((line) => [line.job, ...cells(line)]),
        ...hard.map((line) => [`${line.job}: ${line.logits}`, ...cells(line)]),
      ],
    ),
  ].join("\n");
}

function onEngines({ machine, date, engines }: EngineResults): string {
  const first = engines[0]!.lines;
  const title = ({ job, type, shape, features }: LineResult): string =>
    `${job}, ${features ? `${features} × ` : ""}${shape[1]}${type === "f64" ? ", f64" : ""}`;
  return [
    `On other engines, over the baseline on the same one; ${machine.cpu}, ${date.slice(0, 10)}.`,
    "",
    ...table(
      ["", ...engines.map(({ name, version }) => `${name} ${version.split(".").slice(0, 2).join(".")}`)],
      first.map((line, i) => [title(line), ...engines.map(({ lines }) => ownRatios(lines[i]!))]),
    ),
  ].join("\n");
}

/** What is slower than the baseline. */
function smallCalls({ lines, shapes }: Results): string {
  const numbers = ({ shape: [outer, classes, inner] }: LineResult): number => outer * classes * inner;
  const measured = [...lines, ...(shapes ?? [])].filter((line) => numbers(line) <= SMALL);
  const rows = Math.max(...measured.map(({ shape }) => shape[0]));
  const slower = measured.filter(({ speedups }) => speedups["simd"]! < 1);
  const worst = slower.reduce((a, b) => (a.speedups["simd"]! < b.speedups["simd"]! ? a : b));
  const lost = Math.max(...slower.map(({ times }) => times["simd"]!.median - times["baseline"]!.median));
  const largest = [...new Set(measured.map(({ job }) => job))].map((job) => {
    const sizes = slower.filter((line) => line.job === job).map(numbers);
    return sizes.length > 0 ? `${job} ${Math.max(...sizes)}` : `${job} none`;
  });
  return (
    `Small calls can take longer than the baseline's: ${slower.length} of ${measured.length} shapes of 1 to ${rows} rows do, by ${(lost / 1000).toFixed(1)} µs at most, ` +
    `and at worst ${(1 / worst.speedups["simd"]!).toFixed(1)} times as long (${worst.job}, ${worst.type}, ${worst.shape[0]} × ${worst.shape[1]}). ` +
    `The most numbers, rows times classes, with which a call was slower: ${largest.join(", ")}. Use \`softmargin/baseline\` where that is all there is.`
  );
}

const SPREAD = `A ~ marks ratios of times whose median deviation is more than ${100 * WIDE_SPREAD} %.`;

function mark({ times }: LineResult, ...contenders: readonly string[]): string {
  return contenders.some((name) => times[name]!.mad > WIDE_SPREAD * times[name]!.median) ? "~" : "";
}

/** How many times as fast as the baseline the one build is, and the other, where it runs. */
function ownRatios(line: LineResult): string {
  const { simd, relaxed } = line.speedups;
  const own = `${ratio(simd!)}${mark(line, "simd", "baseline")}`;
  return relaxed ? `${own} (${ratio(relaxed)}${mark(line, "relaxed", "baseline")})` : own;
}
