// npm run accuracy [-- --exhaustive] [--elements 65536] [--quick] [--write]
//
// The errors of every function against a reference of 30 digits. --exhaustive goes through all 1.1·10^9 f32 inputs of the exponential instead of a
// thousandth; --write keeps the figures in bench/results/accuracy.json and puts the tables into README.md and docs/numerics.md.

import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { backends, peers } from "./contenders.js";
import { INPUTS, sampleExp, sweepExp } from "./exp.js";
import { CLASSES, type Contender, type Figure, measure, measureMean, RANGES } from "./measure.js";
import { listOfMisses, tableByFunction, tableByRange } from "./report.js";
import { Errors, type Type } from "./ulp.js";

const { values: flags } = parseArgs({
  options: {
    exhaustive: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    elements: { type: "string", default: "65536" },
    write: { type: "boolean", default: false },
  },
});
const elements = flags.quick ? 2000 : Number(flags.elements);
const classesList = flags.quick ? CLASSES.filter((c) => c <= 1000) : CLASSES;
const SLICES = 1 << 10;

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

const names = contenders.map(({ name }) => name);
const own = backends.map(({ name }) => name);
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
console.log(`Node ${process.versions.node}; errors in ulp: largest (mean of the worst length and range)\n`);
for (const table of Object.values(tables)) console.log(`${table}\n`);
if (flags.write) {
  const about = { node: process.versions.node, v8: process.versions.v8, exhaustive: flags.exhaustive, elements };
  const lines = figures.map((f) => `    ${JSON.stringify(f)}`).join(",\n");
  const at = (path: string) => new URL(`../../${path}`, import.meta.url);
  writeFileSync(
    at("bench/results/accuracy.json"),
    `{\n  "about": ${JSON.stringify(about)},\n  "figures": [\n${lines}\n  ]\n}\n`,
  );
  for (const path of ["README.md", "docs/numerics.md"]) {
    const text = Object.entries(tables).reduce(
      (text, [name, table]) =>
        text.replace(
          new RegExp(`(<!-- accuracy ${name} -->\\n)[^]*?(\\n<!-- end -->)`),
          (_, before, after) => `${before}\n${table}\n${after}`,
        ),
      readFileSync(at(path), "utf8"),
    );
    writeFileSync(at(path), text);
  }
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
