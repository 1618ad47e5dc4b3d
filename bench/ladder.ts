// npm run ladder [-- --write] [--quick]
//
// One function, softmax in f32, in five steps from the formula to the library: what each step gains in accuracy and in time. `--write` puts the
// table into docs/kernel.md.

import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { createWorkspace } from "softmargin";
import { Row } from "../test/accuracy/row.js";
import { ulp } from "../test/accuracy/ulp.js";
import { compile, instantiate } from "./compile.js";
import { makeData } from "./data.js";

import { measure } from "./measure.js";
import { machine } from "./results.js";
import { table } from "./table.js";

/** softmax of all rows of x, which stays as it is. */
type Softmax = (x: Float32Array, y: Float32Array, classes: number) => void;

const formula: Softmax = (x, y, classes) => {
  for (let start = 0; start < x.length; start += classes) {
    let sum = 0;
    for (let i = start; i < start + classes; i++) sum += Math.exp(x[i]!);
    for (let i = start; i < start + classes; i++) y[i] = Math.exp(x[i]!) / sum;
  }
};

const maximumSubtracted: Softmax = (x, y, classes) => {
  for (let start = 0; start < x.length; start += classes) {
    let max = x[start]!;
    for (let i = start + 1; i < start + classes; i++) if (x[i]! > max) max = x[i]!;
    let sum = 0;
    for (let i = start; i < start + classes; i++) sum += y[i] = Math.exp(x[i]! - max);
    for (let i = start; i < start + classes; i++) y[i]! /= sum;
  }
};

/** Numbers in a block that stays in the cache. */
const ELEMENTS = 8000;
const SHAPES = [10, 1000].map((classes) => ({ classes, outer: ELEMENTS / classes, inner: 1 }));
const BYTES = 4 * ELEMENTS;

// The kernels' memory holds their x and y: what a call copies is the same for all of them, and not counted.
const module = instantiate(compile("ladder"), 2 * BYTES);
const own = (name: string): Softmax => {
  const kernel = module.exports[name] as (y: number, x: number, rows: number, cols: number) => void;
  return (x, y, classes) => kernel(y.byteOffset, x.byteOffset, x.length / classes, classes);
};
const workspace = createWorkspace({ bytes: 2 * BYTES });
type Arrays = readonly [x: Float32Array, y: Float32Array];
const ordinary: Arrays = [new Float32Array(ELEMENTS), new Float32Array(ELEMENTS)];
const inModule: Arrays = [
  new Float32Array(module.memory, module.start, ELEMENTS),
  new Float32Array(module.memory, module.start + BYTES, ELEMENTS),
];
const inWorkspace: Arrays = [workspace.float32(ELEMENTS), workspace.float32(ELEMENTS)];
const library: Softmax = (x, out, classes) => workspace.softmax(x, { out, shape: [x.length / classes, classes] });

const steps: readonly (readonly [name: string, softmax: Softmax, arrays: Arrays])[] = [
  ["1. the formula", formula, ordinary],
  ["2. the maximum subtracted", maximumSubtracted, ordinary],
  ["3. in SIMD, a row at a time", own("rounded"), inModule],
  ["4. x − m exact", own("exact"), inModule],
  ["5. panels: the library", library, inWorkspace],
];

/** The largest error of each step in ulp, of logits with a standard deviation of 8 that are all moved by `offset`; NaN where a result is. */
function errors(offset: number): number[] {
  const worst = steps.map(() => 0);
  for (const shape of SHAPES) {
    const { classes } = shape;
    const logits = makeData("f32", shape).x.map((value) => 2 * value + offset);
    const rows = Array.from({ length: shape.outer }, (_, r) => logits.subarray(r * classes, (r + 1) * classes));
    const wanted = rows.flatMap((row) => new Row(row, "f32").p);
    steps.forEach(([, softmax, [x, y]], step) => {
      x.set(logits);
      softmax(x, y, classes);
      for (const [i, { hi, lo }] of wanted.entries())
        worst[step] = Math.max(worst[step]!, Math.abs(y[i]! - hi - lo) / ulp(hi, "f32"));
    });
  }
  return worst;
}

/** Nanoseconds per number of each step: the fastest round. */
async function times(shape: (typeof SHAPES)[number], rounds: number): Promise<number[]> {
  const data = makeData("f32", shape).x;
  const contenders = steps.map(([name, softmax, [x, y]]) => ({ name, run: () => softmax(x, y, shape.classes) }));
  for (const [, , [x]] of steps) x.set(data);
  const measured = await measure(contenders, { rounds, batchMs: 2, warmupMs: 5 * rounds });
  return steps.map(([name]) => Math.min(...measured[name]!) / ELEMENTS);
}

const { values: flags } = parseArgs({ options: { quick: { type: "boolean" }, write: { type: "boolean" } } });
const rounds = flags.quick ? 1 : 100;
const [narrow, wide] = [await times(SHAPES[0]!, rounds), await times(SHAPES[1]!, rounds)];
const off = [errors(0), errors(10_000)];
const printed = [
  ...table(
    ["softmax, f32", "largest error, ulp", "the same, logits + 10,000", "C = 10, ns", "C = 1000, ns"],
    steps.map(([name], i) => [
      name,
      ...off.map((errors) => errors[i]!.toFixed(1)),
      narrow[i]!.toFixed(2),
      wide[i]!.toFixed(2),
    ]),
  ),
  "",
  `ns per number, ${machine().cpu}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}.`,
].join("\n");
console.log(printed);
if (flags.write) {
  const document = readFileSync("docs/kernel.md", "utf8");
  writeFileSync("docs/kernel.md", document.replace(/(<!-- ladder -->).*?(<!-- end -->)/s, `$1\n\n${printed}\n\n$2`));
}
