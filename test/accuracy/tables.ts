// The tables of README.md and docs/numerics.md, from the figures that are kept in bench/results/accuracy.json.
import { readFileSync, writeFileSync } from "node:fs";
import type { Figure } from "./measure.js";
import { listOfMisses, misses, tableByFunction, tableByRange } from "./report.js";

export interface Results {
  readonly about: {
    readonly node: string;
    readonly v8: string;
    readonly exhaustive: boolean;
    readonly elements: number;
    /** Of results from before it was kept: absent. */
    readonly date?: string;
  };
  readonly figures: readonly Figure[];
}

const FILE = new URL("../../bench/results/accuracy.json", import.meta.url);
const FIELDS = ["contender", "figure", "type", "classes", "range", "max", "mean", "subnormal", "at"] as const;

/** The documents with tables in them, between `<!-- accuracy name -->` and `<!-- end -->`. */
export const DOCUMENTS: readonly string[] = ["README.md", "docs/numerics.md"];

export function tablesOf({ figures }: Results): Readonly<Record<string, string>> {
  const names = [...new Set(figures.map((f) => f.contender))];
  const own = names.filter((name) => figures.some((f) => f.contender === name && f.type === "f64"));
  return {
    short: tableByFunction(figures, "f32", names, [
      "softmax",
      "logSoftmax",
      "logSumExp",
      "crossEntropy",
      "crossEntropyGrad",
    ]),
    f32: tableByFunction(figures, "f32", names),
    f64: tableByFunction(figures, "f64", own),
    ranges: tableByRange(figures, "softmax", "f32"),
    misses: listOfMisses(figures),
  };
}

/** A document with its tables as they should be. */
export function withTables(document: string, results: Results): string {
  return Object.entries(tablesOf(results)).reduce((text, [name, table]) => {
    const place = new RegExp(`(<!-- accuracy ${name} -->)[^]*?(<!-- end -->)`);
    return text.replace(place, (_, before, after) => `${before}\n\n${table}\n\n${after}`);
  }, document);
}

export function keptResults(): Results {
  const { about, fields, figures } = JSON.parse(readFileSync(FILE, "utf8"));
  const named = (figure: unknown[]) => Object.fromEntries(figure.map((value, i) => [fields[i], value]));
  return { about, figures: figures.map(named) };
}

export function keepResults({ about, figures }: Results): void {
  // one line each, without the names of its fields: there are thousands
  const lines = figures.map((f) => `    ${JSON.stringify(FIELDS.map((field) => f[field]))}`).join(",\n");
  const head = `  "about": ${JSON.stringify(about)},\n  "fields": ${JSON.stringify(FIELDS)},\n`;
  writeFileSync(FILE, `{\n${head}  "figures": [\n${lines}\n  ]\n}\n`);
}

/** As it is kept: four digits, and where the largest error was only if it is beyond its bound. */
export function short(figure: Figure): Figure {
  const four = (x: number) => Number(x.toPrecision(4));
  const { max, mean, subnormal, at } = figure;
  const kept = misses([figure]).length ? at : "";
  return { ...figure, max: four(max), mean: four(mean), subnormal: four(subnormal), at: kept };
}
