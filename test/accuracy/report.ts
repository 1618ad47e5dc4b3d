// The bounds that are promised, and the tables made from the figures.
import type { Measured } from "../catalogue/entries/entry.js";
import { measured } from "../catalogue/functions.js";
import type { Figure } from "./measure.js";
import type { Type } from "./ulp.js";

/** Largest error of the deterministic build in ulp of the result, or of the terms that cancel in it; sums as they are. */
const BOUNDS: { readonly [figure: string]: Measured["bound"] } = {
  "exp core": { f32: 2, f64: 2 },
  ...Object.fromEntries(measured.map(({ name, bound }) => [name, bound])),
  "|Σ p − 1|": { f32: 4e-7, f64: 1e-15 },
  "|Σ grad| / u Σ |grad|": { f32: 4, f64: 4 },
  "mean of 2^24 + 1 losses": { f32: 1, f64: 1 },
};

export function boundOf({ figure, type }: { figure: string; type: Type }): number {
  return BOUNDS[figure]![type];
}

/** The figures of the deterministic build that are beyond their bounds. */
export function misses(figures: readonly Figure[]): Figure[] {
  return figures.filter((f) => f.contender === "simd" && !(f.max <= boundOf(f)));
}

/** The worst of each function, one line each. */
export function listOfMisses(figures: readonly Figure[]): string {
  const worst = new Map<string, Figure>();
  for (const miss of misses(figures)) {
    const key = `${miss.figure}, ${miss.type}`;
    if (miss.max > (worst.get(key)?.max ?? 0)) worst.set(key, miss);
  }
  const lines = Array.from(worst, ([key, f]) => {
    const where = f.figure === "exp core" ? "" : ` (C = ${f.classes}, logits ${f.range})`;
    return `- ${key}: ${f.max.toPrecision(3)} where ${boundOf(f)} is asked${where}: ${f.at}`;
  });
  return lines.length ? `Bounds missed, the worst of each function:\n\n${lines.join("\n")}` : "No bound is missed.";
}

const number = (x: number): string =>
  x === 0 ? "0" : x >= 1e5 || x < 1e-3 ? x.toExponential(0) : x >= 100 ? x.toFixed(0) : x.toFixed(x < 0.1 ? 2 : 1);

const contendersOf = (figures: readonly Figure[]) => [...new Set(figures.map((f) => f.contender))];

/** Largest error over all lengths and ranges, in brackets the largest mean of one of them. */
export function tableByFunction(
  figures: readonly Figure[],
  type: Type,
  contenders: readonly string[],
  names: readonly string[] = Object.keys(BOUNDS),
): string {
  const rows = names.map((figure) => {
    const cells = contenders.map((contender) =>
      summary(figures.filter((f) => f.figure === figure && f.type === type && f.contender === contender)),
    );
    return [figure, number(BOUNDS[figure]![type]), ...cells];
  });
  return markdown(
    [type, "bound", ...contenders],
    rows.filter((row) => row.slice(2).some((cell) => cell !== "")),
  );
}

/** One function in one type: largest errors by range of the logits and by number of classes. */
export function tableByRange(figures: readonly Figure[], figure: string, type: Type): string {
  const own = figures.filter((f) => f.figure === figure && f.type === type);
  const contenders = contendersOf(own);
  const line = (name: string, chosen: (f: Figure) => boolean) => [
    name,
    ...contenders.map((contender) => summary(own.filter((f) => f.contender === contender && chosen(f)))),
  ];
  return markdown(
    [`${figure}, ${type}`, ...contenders],
    [
      ...[...new Set(own.map((f) => f.range))].map((range) => line(range, (f) => f.range === range)),
      ...[...new Set(own.map((f) => f.classes))].map((classes) => line(`C = ${classes}`, (f) => f.classes === classes)),
    ],
  );
}

function summary(figures: readonly Figure[]): string {
  if (figures.length === 0) return "";
  const largest = (key: "max" | "mean") => figures.reduce((a, f) => Math.max(a, f[key]), 0);
  return `${number(largest("max"))} (${number(largest("mean"))})`;
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map((_, i) => (i === 0 ? "---" : "--:")), ...rows];
  const escaped = lines.map((line) => line.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, i) => Math.max(...escaped.map((line) => line[i]!.length)));
  return escaped.map((line) => `| ${line.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`).join("\n");
}
