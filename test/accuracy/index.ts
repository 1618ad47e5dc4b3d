// npm run accuracy [-- --exhaustive] [--elements 65536] [--quick] [--kept] [--write]
//
// The errors of every function against a reference of 30 digits. --exhaustive goes through all 1.1·10^9 f32 inputs of the exponential instead of a
// thousandth; --write keeps the figures in bench/results/accuracy.json and puts the tables into README.md and docs/numerics.md; --kept takes the figures
// that are kept there instead of measuring, but with --exhaustive those of the exponential.

import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { backends, peers } from "./contenders.js";
import { INPUTS, sampleExp, sweepExp } from "./exp.js";
import { measureLayer, SIZES } from "./layer.js";
import { CLASSES, type Contender, type Figure, measure, measureMean, RANGES } from "./measure.js";
import { DOCUMENTS, keepResults, keptResults, type Results, short, tablesOf, withTables } from "./tables.js";
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
const EXP = "exp core";

const results = flags.kept ? resultsAgain() : await measured();

console.log(`Node ${results.about.node}; errors in ulp: largest (mean of the worst length and range)\n`);
for (const table of Object.values(tablesOf(results))) console.log(`${table}\n`);
console.log("products of a linear layer, largest error in n u Σ |x·w|, where 1 is the bound");
for (const { name, functions } of backends) {
  for (const type of ["f32", "f64"] as const) {
    for (const size of SIZES) {
      const errors = Object.entries(measureLayer(functions, type, size)).map(
        ([what, e]) => `${what} ${e.toPrecision(2)}`,
      );
      console.log(`  ${name}, ${type}, ${size.join(" × ")}: ${errors.join(", ")}`);
    }
  }
}

if (flags.write) {
  keepResults(results);
  for (const path of DOCUMENTS) writeFileSync(path, withTables(readFileSync(path, "utf8"), results));
}

async function measured(): Promise<Results> {
  const contenders: Contender[] = [...backends];
  contenders.push(...(await peers((name, why) => console.log(`${name}: not installed (${why})`))));
  const figures = exponentials();
  for (const type of ["f32", "f64"] as const) {
    for (const classes of classesList) {
      for (const range of RANGES) figures.push(...(await measure(contenders, type, classes, range, elements)));
      process.stderr.write(`${type}, ${classes} classes\r`);
    }
  }
  if (!flags.quick) figures.push(...(await measureMean(backends)));
  const { node, v8 } = process.versions;
  // What is printed and kept are the same digits.
  return {
    about: { node, v8, exhaustive: flags.exhaustive, elements, date: new Date().toISOString().slice(0, 10) },
    figures: figures.map(short),
  };
}

function resultsAgain(): Results {
  const { about, figures } = keptResults();
  if (!flags.exhaustive) return { about, figures };
  if (about.node !== process.versions.node) throw new Error(`the figures that are kept are of Node ${about.node}`);
  const others = figures.filter(({ figure }) => figure !== EXP);
  return { about: { ...about, exhaustive: true }, figures: [...exponentials().map(short), ...others] };
}

function exponentials(): Figure[] {
  return backends.flatMap(({ name, functions }) => [
    figureOf(name, "f32", sweep(functions)),
    figureOf(name, "f64", sampleExp(functions, 2 * elements)),
  ]);
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
  return { contender, figure: EXP, type, classes: 0, range: "all", max, mean, subnormal, at };
}
