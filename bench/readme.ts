// README's figures, written from the results that are in the repository: bench.json, and peers.json and engines.json where there are such.

import { existsSync, readFileSync } from "node:fs";
import type { Results } from "./results.js";
import type { LineResult } from "./run.js";

/** The part of README between these is generated. */
const BEGIN = "<!-- speed: npm run bench:report -->";
const END = "<!-- /speed -->";
const CLASSES = [10, 1000, 32000];

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

/** README with its figures as they should be. */
export function withFigures(readme: string): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`README.md has no ${BEGIN} … ${END}`);
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${figures()}\n\n${readme.slice(end)}`;
}

function figures(): string {
  const own = read("bench");
  const peers = read("peers");
  const engines = read<EngineResults>("engines");
  return [own && overBaseline(own), peers && overPeers(peers), engines && onEngines(engines)]
    .filter((part) => part !== undefined)
    .join("\n\n");
}

function overBaseline({ machine, versions, date, lines }: Results): string {
  const jobs = [...new Set(lines.filter(({ shape }) => shape[1] === 1000).map(({ job }) => job))];
  const cell = (job: string, type: string, classes: number): string => {
    // The largest batch: small ones are measured apart.
    const [line] = lines
      .filter((l) => l.job === job && l.type === type && l.shape[1] === classes && l.shape[0] > 1 && l.shape[2] === 1)
      .sort((a, b) => b.shape[0] - a.shape[0]);
    if (!line?.speedups["simd"]) return "–";
    const { simd, relaxed } = line.speedups;
    return relaxed ? `${ratio(simd!)} (${ratio(relaxed)})` : ratio(simd!);
  };
  const columns = (["f32", "f64"] as const).flatMap((type) => CLASSES.map((classes) => ({ type, classes })));
  return [
    `${machine.cpu}, Node ${versions["node"]}, ${date.slice(0, 10)}: how many times as fast as the baseline, and in brackets \`softmargin/relaxed\`.`,
    "",
    ...table(
      ["", ...columns.map(({ type, classes }) => (classes === CLASSES[0] ? `${type}, C = ${classes}` : `${classes}`))],
      jobs.map((job) => [job, ...columns.map(({ type, classes }) => cell(job, type, classes))]),
    ),
  ].join("\n");
}

function overPeers({ machine, versions, date, lines }: Results): string {
  const peers = ["tfjs wasm", "tfjs cpu", "ORT web", "ORT native"].filter((peer) => lines.some((l) => l.times[peer]));
  const shown = lines.filter(({ shape }) => CLASSES.includes(shape[1]));
  const ahead = ({ times, speedups }: LineResult, peer: string): string =>
    times[peer] ? ratio(speedups["simd"]! / speedups[peer]!) : "–";
  const jobs = [...new Set(shown.map(({ job }) => job))];
  return [
    `Beside other libraries on the same arrays, f32, one thread each, data in and out counted: how many times as fast \`softmargin\` is at C = ${CLASSES.join(" / ")}. ` +
      `TensorFlow.js ${versions["@tensorflow/tfjs"]}, ONNX Runtime ${versions["onnxruntime-web"]} (native: with AVX-512 where the processor has it); ` +
      `${machine.cpu}, Node ${versions["node"]}, ${date.slice(0, 10)}.`,
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
    "",
    "![How many times as fast as plain TypeScript a softmax is, by the number of classes, one line per library](bench/results/softmax.svg)",
  ].join("\n");
}

function onEngines({ machine, date, engines }: EngineResults): string {
  const first = engines[0]!.lines;
  const title = ({ job, type, shape }: LineResult): string => `${job}, ${shape[1]}${type === "f64" ? ", f64" : ""}`;
  return [
    `On other engines, over the baseline on the same one; ${machine.cpu}, ${date.slice(0, 10)}.`,
    "",
    ...table(
      ["", ...engines.map(({ name, version }) => `${name} ${version.split(".").slice(0, 2).join(".")}`)],
      first.map((line, i) => [
        title(line),
        ...engines.map(({ lines }) => {
          const { simd, relaxed } = lines[i]!.speedups;
          return relaxed ? `${ratio(simd!)} (${ratio(relaxed)})` : ratio(simd!);
        }),
      ]),
    ),
  ].join("\n");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}

/** Two digits that count, or three from ten on. */
function ratio(x: number): string {
  return x >= 99.5 ? x.toFixed(0) : x.toFixed(1);
}
