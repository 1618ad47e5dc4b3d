// Every function of every contender over batches of many lengths and ranges of logits: largest and mean error.
import type { Functions } from "softmargin";
import type { Batch, Floats, Given } from "../catalogue/entries/entry.js";
import { measured } from "../catalogue/functions.js";
import { type Random, random } from "../inputs/random.js";
import { ONE, real, subtract, sum } from "../oracle/real.js";
import { Row } from "./row.js";
import { Errors, SMALLEST_NORMAL, type Type, ulp } from "./ulp.js";

export interface Contender {
  readonly name: string;
  readonly functions: Functions;
  /** The figures that it has, where it has not all of them, and its types. */
  readonly only?: readonly string[];
  readonly types: readonly Type[];
}

/** One line of the results, errors in ulp. */
export interface Figure {
  readonly contender: string;
  readonly figure: string;
  readonly type: Type;
  readonly classes: number;
  readonly range: string;
  readonly max: number;
  readonly mean: number;
  /** The largest below the normal range, in steps of the smallest number. */
  readonly subnormal: number;
  /** Where the largest error is. */
  readonly at: string;
}

/** Where logits come from. In the last one class is far ahead of the others: p → 1, and losses down to the smallest numbers. */
export const RANGES: readonly { readonly name: string; readonly reach: number; readonly offset: number }[] = [
  { name: "±1", reach: 1, offset: 0 },
  { name: "±20", reach: 20, offset: 0 },
  { name: "±88", reach: 88, offset: 0 },
  { name: "±20 + 1e4", reach: 20, offset: 1e4 },
  { name: "±20 − 1e4", reach: 20, offset: -1e4 },
  { name: "±20 + 1e8", reach: 20, offset: 1e8 },
  { name: "±20 − 1e8", reach: 20, offset: -1e8 },
  { name: "±700", reach: 700, offset: 0 },
  { name: "one ahead", reach: 1, offset: 0 },
];
export const CLASSES: readonly number[] = [2, 3, 10, 100, 1000, 10007, 262144];

const ARRAY = { f32: Float32Array, f64: Float64Array };
const ROUNDOFF = { f32: 2 ** -24, f64: 2 ** -53 };

export async function measure(
  contenders: readonly Contender[],
  type: Type,
  classes: number,
  range: (typeof RANGES)[number],
  elements: number,
): Promise<Figure[]> {
  const batch = makeBatch(type, classes, range, Math.max(1, Math.round(elements / classes)));
  const givenRows = givenOf(batch);
  const rowsOf = new Map<number, Row[]>();
  const figures: Figure[] = [];
  for (const { name: figure, temperature = 1, run, want } of measured) {
    const judged = contenders.filter(({ types, only = [figure] }) => types.includes(type) && only.includes(figure));
    if (judged.length === 0) continue;
    const rows = rowsOf.get(temperature) ?? makeRows(batch, type, temperature);
    rowsOf.set(temperature, rows);
    const wanted = rows.map((row, r) => want(row, givenRows[r]!));
    for (const { name: contender, functions } of judged) {
      const got = await run(functions, batch);
      const record = (figure: string, { max, mean, subnormal, at }: Errors) =>
        figures.push({ contender, figure, type, classes, range: range.name, max, mean, subnormal, at });

      const errors = new Errors();
      let i = 0;
      for (const [r, row] of wanted.entries()) {
        for (const [j, { value, terms }] of row.entries()) {
          errors.see(got[i]!, value, type, () => `${where(rows[r]!, j)}: ${got[i]}, not ${value.hi}`, terms);
          i++;
        }
      }
      record(figure, errors);
      if (figure === "softmax")
        record(
          "|Σ p − 1|",
          sums(got, classes, (row) => [subtract(sum(row.map(real)), ONE).hi, 1]),
        );
      if (figure === "crossEntropyGrad") {
        // what rounding to subnormal numbers leaves is no error of the sum
        const unit = (row: number[]) =>
          row.reduce((a, g) => a + ROUNDOFF[type] * Math.abs(g), classes * SMALLEST_NORMAL[type] * ROUNDOFF[type]);
        record(
          "|Σ grad| / u Σ |grad|",
          sums(got, classes, (row) => [sum(row.map(real)).hi, unit(row)]),
        );
      }
    }
  }
  return figures;
}

/** The mean of 2^24 + 1 losses that are all the same: the last number of terms that f32 cannot count to. */
export async function measureMean(contenders: readonly Contender[]): Promise<Figure[]> {
  const rows = 2 ** 24 + 1;
  const x = new Float32Array(2 * rows).map((_, i) => (i % 2 ? 0.1 : 0));
  const targets = new Uint8Array(rows);
  const loss = new Row(x.subarray(0, 2), "f32").logSum.hi - (x[0]! - x[1]!);
  return contenders
    .filter(({ only }) => !only)
    .map(({ name: contender, functions }) => {
      const max = Math.abs(functions.crossEntropy(x, targets) - loss) / ulp(loss, "f32");
      const figure = "mean of 2^24 + 1 losses";
      return { contender, figure, type: "f32", classes: 2, range: "equal", max, mean: max, subnormal: 0, at: "" };
    });
}

/** The largest and mean |figure / unit| of the rows. */
function sums(got: ArrayLike<number>, classes: number, figure: (row: number[]) => [number, number]): Errors {
  const errors = new Errors();
  const values = Array.from(got);
  for (let start = 0; start < values.length; start += classes) {
    const [value, unit] = figure(values.slice(start, start + classes));
    errors.seeFigure(Math.abs(value / unit), () => `row ${start / classes}`);
  }
  return errors;
}

function where({ x, max }: Row, j: number): string {
  const single = x.length === 1 || j >= x.length;
  return single ? `row of ${x.length}` : `x = ${x[j]}, largest ${max.hi}`;
}

function makeBatch(type: Type, classes: number, range: (typeof RANGES)[number], rows: number): Batch {
  const draw = random(rows * 31 + classes);
  const Kind = ARRAY[type];
  const n = rows * classes;
  const x = new Kind(n).map(() => uniform(draw, -range.reach, range.reach) + range.offset);
  const targets = Int32Array.from({ length: rows }, () => draw.integer(0, classes - 1));
  if (range.name === "one ahead") {
    // losses from 1 down to 1e-38, and in f64 to 1e-300
    targets.forEach((y, r) => {
      x[r * classes + y]! += draw.uniform(0, type === "f32" ? 86 : 690);
    });
  }
  const probabilities = new Kind(n).map(() => uniform(draw, 0, 1));
  const shape = [rows, classes] as const;
  const batch = { shape, x, targets, probabilities, y: new Kind(n), logY: new Kind(n), dy: new Kind(n) };
  makeRows(batch, type, 1).forEach((row, r) => {
    row.p.forEach((p, j) => {
      batch.y[r * classes + j] = p.hi;
      batch.logY[r * classes + j] = row.d[j]!.hi - row.logSum.hi;
      batch.dy[r * classes + j] = uniform(draw, -1, 1);
    });
  });
  return batch;
}

/** With all bits of a double. */
function uniform(draw: Random, from: number, to: number): number {
  return draw.uniform(from, to) + draw.uniform(0, (to - from) * 2 ** -32);
}

function makeRows({ x, shape }: Batch, type: Type, temperature: number): Row[] {
  return Array.from({ length: shape[0] }, (_, r) => new Row(rowOf(x, shape, r), type, temperature));
}

function givenOf({ shape, targets, y, logY, dy, probabilities }: Batch): Given[] {
  return Array.from(targets, (target, r) => {
    const part = (values: Floats) => Array.from(rowOf(values, shape, r), real);
    return { y: part(y), logY: part(logY), dy: part(dy), target, probabilities: part(probabilities) };
  });
}

function rowOf(values: Floats, [, classes]: Batch["shape"], r: number): Floats {
  return values.subarray(r * classes, (r + 1) * classes);
}
