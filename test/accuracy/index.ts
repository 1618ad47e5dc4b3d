// npm run accuracy [-- --exhaustive] [--elements 65536] [--quick] [--kept] [--write]
//
// The errors of every function against a reference of 30 digits. --exhaustive goes through all 1.1·10^9 f32 inputs of the exponential instead of a
// thousandth; --write keeps the figures in bench/results/accuracy.json and puts the tables into README.md and docs/numerics.md; --kept takes the figures
// that are kept there instead of measuring.

import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { backends, peers } from "./contenders.js";
import { INPUTS, sampleExp, sweepExp } from "./exp.js";
import { CLASSES, type Contender, type Figure, measure, measureMean, RANGES } from "./measure.js";
import { listOfMisses, misses, tableByFunction, tableByRange } from "./report.js";
import { Errors, type Type } from "./ulp.js";

const { values: flags } = parseArgs({
  options: {
    exhaustive: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    elements: { type: "string", default: "65536" },
    write: { type: "boolean", default: false },
    kept: { type: "boolean", default: false },
  },
});
const elements = flags.quick ? 2000 : Number(flags.elements);
const classesList = flags.quick ? CLASSES.filter((c) => c <= 1000) : CLASSES;
/** Of all inputs of the exponential. */
const SLICES = 1 << 10;

interface Results {
  readonly about: {
    readonly node: string;
    readonly v8: string;
    readonly exhaustive: boolean;
    readonly elements: number;
  };
  readonly figures: readonly Figure[];
}
const FIELDS = ["contender", "figure", "type", "classes", "range", "max", "mean", "subnormal", "at"] as const;
const at = (path: string): URL => new URL(`../../${path}`, import.meta.url);
const file = at("bench/results/accuracy.json");
const { about, figures }: Results = flags.kept ? kept() : await measured();

const names = [...new Set(figures.map((f) => f.contender))];
const own = names.filter((name) => figures.some((f) => f.contender === name && f.type === "f64"));
const tables = {
  short: tableByFunction(figures, "f32", names, [
    "softmax",
    "logSoftmax",
    "logSumExp",
    "crossEntropy",
    "crossEntropyGrad",
    "|Σ p − 1|",
  ]),
  f32: tableByFunction(figures, "f32", names),
  f64: tableByFunction(figures, "f64", own),
  ranges: tableByRange(figures, "softmax", "f32"),
  misses: listOfMisses(figures),
};
console.log(`Node ${about.node}; errors in ulp: largest (mean of the worst length and range)\n`);
for (const table of Object.values(tables)) console.log(`${table}\n`);

if (flags.write) {
  // one line each, without the names of its fields: there are thousands
  const lines = figures.map((f) => `    ${JSON.stringify(FIELDS.map((field) => short(f)[field]))}`).join(",\n");
  const head = `  "about": ${JSON.stringify(about)},\n  "fields": ${JSON.stringify(FIELDS)},\n`;
  writeFileSync(file, `{\n${head}  "figures": [\n${lines}\n  ]\n}\n`);
  for (const path of ["README.md", "docs/numerics.md"]) {
    let text = readFileSync(at(path), "utf8");
    for (const [name, table] of Object.entries(tables)) {
      const place = new RegExp(`(<!-- accuracy ${name} -->)[^]*?(<!-- end -->)`);
      text = text.replace(place, (_, before, after) => `${before}\n\n${table}\n\n${after}`);
    }
    writeFileSync(at(path), text);
  }
}

function kept(): Results {
  const { about, fields, figures } = JSON.parse(readFileSync(file, "utf8"));
  const named = (figure: unknown[]) => Object.fromEntries(figure.map((value, i) => [fields[i], value]));
  return { about, figures: figures.map(named) };
}

async function measured(): Promise<Results> {
  const contenders: Contender[] = [...backends];
  contenders.push(...(await peers((name, why) => console.log(`${name}: not installed (${why})`))));
  const figures: Figure[] = [];
  for (const { name, functions } of backends) {
    figures.push(figureOf(name, "f32", sweep(functions)));
    figures.push(figureOf(name, "f64", sampleExp(functions, 2 * elements)));
  }
  for (const type of ["f32", "f64"] as const) {
    for (const classes of classesList) {
      for (const range of RANGES) figures.push(...(await measure(contenders, type, classes, range, elements)));
      process.stderr.write(`${type}, ${classes} classes\r`);
    }
  }
  if (!flags.quick) figures.push(...(await measureMean(backends)));
  const { node, v8 } = process.versions;
  return { about: { node, v8, exhaustive: flags.exhaustive, elements }, figures };
}

/** As it is kept: four digits, and where the largest error was only if it is beyond its bound. */
function short(figure: Figure): Figure {
  const four = (x: number) => Number(x.toPrecision(4));
  const { max, mean, subnormal, at } = figure;
  const kept = misses([figure]).length ? at : "";
  return { ...figure, max: four(max), mean: four(mean), subnormal: four(subnormal), at: kept };
}

/** In slices that are taken wholly, or from each its first thousandth. */
function sweep(functions: Contender["functions"]): Errors {
  const total = new Errors();
  for (let i = 0; i < SLICES; i++) {
    const [from, to] = [Math.floor((INPUTS * i) / SLICES), Math.floor((INPUTS * (i + 1)) / SLICES)];
    total.join(sweepExp(functions, from, flags.exhaustive ? to : from + Math.ceil((to - from) / 1000)));
  }
  return total;
}

function figureOf(contender: string, type: Type, { max, mean, subnormal, at }: Errors): Figure {
  return { contender, figure: "exp core", type, classes: 0, range: "all", max, mean, subnormal, at };
}
