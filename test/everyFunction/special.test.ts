// NaN and infinities, moved over every lane, every position of an unrolled loop and of its tail, in rows and along an inner
// axis, with ordinary rows between: what they do to their own row, and that they do nothing to their neighbours.
import { assert, describe, expect, it } from "vitest";
import { type Api, onEveryBackend } from "../catalogue/backends.js";
import type { Call } from "../catalogue/entries/entry.js";
import { type RowLoss, rowLosses } from "../catalogue/functions.js";
import { defined } from "../inputs/draw.js";
import { random } from "../inputs/random.js";
import { type Container, containers, drawRow, toContainer, type Values } from "../inputs/values.js";
import { expectSameBits } from "../oracle/expectClose.js";
import { flatten, type LossOptions, rowsOf } from "../oracle/oracle.js";

const INF = Number.POSITIVE_INFINITY;
const NAN = Number.NaN;

/** A function as rows to rows: the loss, if it has one, before the row of outputs. */
interface RowFunction {
  readonly name: string;
  readonly form?: "weston-watkins" | "crammer-singer";
  readonly family: "softmax" | "logSoftmax" | "logSumExp" | RowLoss;
  run(api: Api, batch: Batch): number[][];
}

interface Batch {
  readonly rows: number[][];
  readonly targets: number[];
  readonly container: Container;
  /** Whether the classes lie along the first axis, so that neighbouring rows are neighbours in memory. */
  readonly inner: boolean;
  /** A NaN for one class of row 1: its bits, or of f64 the upper half of them. */
  readonly nan?: { readonly bits: number; readonly class: number };
}

function layoutOf({ rows, inner }: Batch) {
  const classes = rows[0]!.length;
  return inner
    ? { outer: 1, classes, inner: rows.length, options: { shape: [classes, rows.length], axis: 0 } }
    : { outer: rows.length, classes, inner: 1, options: { shape: [rows.length, classes], axis: 1 } };
}

function input(batch: Batch) {
  const layout = layoutOf(batch);
  const array = toContainer(flatten(batch.rows, layout), batch.container);
  if (batch.nan !== undefined && ArrayBuffer.isView(array)) {
    const at = (batch.inner ? batch.nan.class * layout.inner + 1 : layout.classes + batch.nan.class) + 1;
    // Little-endian: the upper half is the last.
    new Uint32Array(array.buffer)[(at * array.BYTES_PER_ELEMENT) / 4 - 1] = batch.nan.bits;
  }
  return array;
}

function forward(name: "softmax" | "logSoftmax" | "logSumExp"): RowFunction {
  return {
    name,
    family: name,
    run(api, batch) {
      const layout = layoutOf(batch);
      const resultLayout = name === "logSumExp" ? { ...layout, classes: 1 } : layout;
      return rowsOf(api[name](input(batch), layout.options), resultLayout);
    },
  };
}

function loss(
  family: RowLoss,
  name: string,
  given: LossOptions = {},
  targetsOf: (batch: Batch) => unknown = ({ targets }) => targets,
): RowFunction {
  return {
    name,
    family,
    ...defined({ form: given.form }),
    run(api, batch) {
      const layout = layoutOf(batch);
      const [f, lossAndGrad] = [api[family], api[`${family}Grad`]] as [
        Call<Values>,
        Call<{ loss: Values; grad: Values }>,
      ];
      const options = { ...layout.options, reduction: "none", ...given };
      const { loss, grad } = lossAndGrad(input(batch), targetsOf(batch), options);
      expectSameBits(f(input(batch), targetsOf(batch), options), loss, () => "the loss without a gradient");
      return rowsOf(grad, layout).map((row, r) => [loss[r]!, ...row]);
    },
  };
}

const hinge = (form: "weston-watkins" | "crammer-singer", p: 1 | 2 = 1) =>
  loss("hinge", `hinge ${form}, p = ${p}`, { form, p });

/** The same targets as distributions. */
function oneHot(batch: Batch): Values {
  const layout = layoutOf(batch);
  const rows = batch.targets.map((y) => Array.from({ length: layout.classes }, (_, j) => Number(j === y)));
  return toContainer(flatten(rows, layout), batch.container === "number[]" ? "Float64Array" : batch.container);
}

const functions: readonly RowFunction[] = [
  forward("softmax"),
  forward("logSoftmax"),
  forward("logSumExp"),
  loss("crossEntropy", "crossEntropy"),
  loss("crossEntropy", "crossEntropy of probabilities", {}, oneHot),
  hinge("weston-watkins"),
  hinge("crammer-singer"),
];

const isLoss = ({ family }: RowFunction) => (rowLosses as readonly string[]).includes(family);

it("every loss of rows is among them", () => {
  expect(rowLosses.filter((name) => !functions.some(({ family }) => family === name))).toEqual([]);
});

/** What an element of NaN, +Infinity or −Infinity gives, in each of the results. */
interface ElementFunction {
  readonly name: string;
  run(api: Api, x: Float32Array | Float64Array | number[]): number[][];
  readonly want: readonly (readonly [nan: number, plus: number, minus: number])[];
}

/** The gradient, and the loss with it and without. */
const binary = (t: 0 | 1, gamma: number): ElementFunction => ({
  name: `binaryCrossEntropy of ${t}, gamma = ${gamma}`,
  run(api, x) {
    const targets = new Uint8Array(x.length).fill(t);
    const options = { reduction: "none", gamma } as const;
    const { loss, grad } = api.binaryCrossEntropyGrad(x, targets, options);
    return [loss, grad, api.binaryCrossEntropy(x, targets, options)].map((result) => Array.from(result));
  },
  want: [t === 1 ? [NAN, 0, INF] : [NAN, INF, 0], t === 1 ? [NAN, 0, -1] : [NAN, 1, 0]].flatMap((want, i, all) =>
    i === 0 ? [want] : [want, all[0]!],
  ) as [number, number, number][],
});

const elementFunctions: readonly ElementFunction[] = [
  { name: "sigmoid", run: (api, x) => [Array.from(api.sigmoid(x))], want: [[NAN, 1, 0]] },
  { name: "logSigmoid", run: (api, x) => [Array.from(api.logSigmoid(x))], want: [[NAN, 0, -INF]] },
  ...[0, 1, 2, 0.5].flatMap((gamma) => [binary(0, gamma), binary(1, gamma)]),
];

/** NaNs: of f64 the upper halves. */
const NANS = {
  f32: [0x7fc00000, 0xffc00000, 0x7f800001, 0xff800001, 0x7fffffff, 0xffffffff],
  f64: [0x7ff80000, 0xfff80000, 0x7ff00001, 0xfff00001, 0x7fffffff, 0xffffffff],
};

/**
 * Every C up to 40, every tail of a longer loop; rows of more than 128 and 256 classes with every tail and positions at both ends; one long
 * row with positions around the vectors and blocks.
 */
const cases = [...Array.from({ length: 40 }, (_, i) => i + 1), ...Array.from({ length: 19 }, (_, i) => i + 63)].map(
  (classes) => ({ classes, positions: Array.from({ length: classes }, (_, k) => k) }),
);
for (const from of [129, 257]) {
  for (let classes = from; classes < from + 16; classes++) {
    const ends = [0, 1, 15, 16, ...Array.from({ length: 20 }, (_, k) => classes - 20 + k)];
    cases.push({ classes, positions: ends });
  }
}
cases.push({ classes: 1000, positions: [0, 1, 2, 3, 15, 16, 17, 255, 256, 257, 511, 512, 996, 997, 998, 999] });

/** Fewer for number[], which is computed as Float64Array. */
function casesOf(container: Container): typeof cases {
  return container === "number[]" ? cases.filter((_, i) => i % 7 === 0) : cases;
}

/**
 * What a row with a special value at class k must give; y is the target, `without` what the function returns for the row without
 * that class, and `probabilities` the softmax of that shorter row.
 */
type Want = (
  f: RowFunction,
  at: { k: number; y: number; classes: number; without: number[]; probabilities: number[] },
) => number[];

const withNaN: Want = (f, { classes }) => outputs(f, classes, NAN);

const withPlusInfinity: Want = (f, { k, y, classes, without }) => {
  if (f.family === "logSumExp") return [INF];
  if (f.family !== "hinge") return outputs(f, classes, NAN);
  if (y === k) return outputs(f, classes, 0);
  // z_k = +Infinity: with p = 1 the gradient is 1 there, whatever the size
  const [, ...others] = without;
  const grad = f.form === "crammer-singer" ? others.fill(0) : others;
  const row = inserted(grad, k, 1);
  row[y]! -= 1;
  return [INF, ...row];
};

const withMinusInfinity: Want = (f, { k, y, classes, without, probabilities }) => {
  if (f.family === "softmax") return inserted(without, k, 0);
  if (f.family === "logSoftmax") return inserted(without, k, -INF);
  if (f.family === "logSumExp") return without;
  const [loss, ...grad] = without;
  if (y !== k) return [loss!, ...inserted(grad, k, 0)];
  if (f.family === "crossEntropy") return [INF, ...inserted(probabilities, k, -1)];
  const largest = probabilities.indexOf(Math.max(...probabilities));
  const active = probabilities.map((_, j) => Number(f.form === "weston-watkins" || j === largest));
  return [INF, ...inserted(active, k, f.form === "weston-watkins" ? 1 - classes : -1)];
};

/** The outputs of a row, all alike. */
function outputs(f: RowFunction, classes: number, value: number): number[] {
  const perRow = isLoss(f) ? 1 : f.family === "logSumExp" ? 1 - classes : 0;
  return Array<number>(classes + perRow).fill(value);
}

function replaced(values: readonly number[], k: number, value: number): number[] {
  return values.map((x, j) => (j === k ? value : x));
}

function inserted(values: readonly number[], k: number, value: number): number[] {
  return [...values.slice(0, k), value, ...values.slice(k)];
}

onEveryBackend(({ api }) => {
  describe.each(containers)("%s", (container) => {
    describe.each(functions.map((f) => [f.name, f] as const))("%s", (_, f) => {
      it("NaN in a row: all NaN", () => {
        moveThroughRows(api, container, f, NAN, withNaN);
      });
      it("+Infinity in a row: NaN, a log-sum-exp of +Infinity, the hinge as its formula evaluates", () => {
        moveThroughRows(api, container, f, INF, withPlusInfinity);
      });
      it("−Infinity in a row: as if the class were not there", () => {
        moveThroughRows(api, container, f, -INF, withMinusInfinity);
      });
    });

    it.each(elementFunctions)("of single elements: $name", ({ run, want }) => {
      for (const { classes: n } of casesOf(container)) {
        const ordinary = drawRow(random(n), n, "normal", container);
        const alone = run(api, toContainer(ordinary, container));
        for (const [value, special] of [NAN, INF, -INF].entries()) {
          // At every place in turns, so that each is once between ordinary ones.
          for (const turn of [0, 1, 2]) {
            const isSpecial = (i: number) => i % 3 === turn;
            const x = ordinary.map((xi, i) => (isSpecial(i) ? special : xi));
            run(api, toContainer(x, container)).forEach((got, k) => {
              const wanted = alone[k]!.map((xi, i) => (isSpecial(i) ? want[k]![value]! : xi));
              const wrong = wanted.findIndex((xi, i) => !(isSpecial(i) ? isSame(got[i]!, xi) : Object.is(got[i], xi)));
              if (wrong >= 0) assert.fail(`of ${n}, [${wrong}]: got ${got[wrong]}, expected ${wanted[wrong]}`);
            });
          }
        }
      }
    });

    if (container !== "number[]") {
      it.each([...functions, hinge("weston-watkins", 2)])(
        "a NaN of either sign, quiet or signaling: all NaN: $name",
        (f) => {
          for (const classes of [2, 5, 50, 130]) {
            const draw = random(classes);
            const rows = [0, 1, 2].map(() => drawRow(draw, classes, "normal", container));
            const batch = { rows, targets: [0, 1, 0], container };
            const want = outputs(f, classes, NAN);
            for (const inner of [false, true]) {
              const ordinary = f.run(api, { ...batch, inner });
              for (let k = 0; k < classes; k++) {
                for (const bits of container === "Float32Array" ? NANS.f32 : NANS.f64) {
                  const got = f.run(api, { ...batch, inner, nan: { bits, class: k } });
                  const where = () => `C = ${classes}, class ${k}, inner ${inner}, NaN ${bits.toString(16)}`;
                  expectSameBits(got[1]!, want, where);
                  expectSameBits([...got[0]!, ...got[2]!], [...ordinary[0]!, ...ordinary[2]!], where);
                }
              }
            }
          }
        },
      );
    }

    it.each(functions.filter((f) => f.family !== "hinge"))("a row of only −Infinity: $name", (f) => {
      for (const { classes } of casesOf(container)) {
        for (const inner of [false, true]) {
          const ordinary = drawRow(random(classes), classes, "normal", container);
          const rows = [ordinary, Array<number>(classes).fill(-INF), ordinary];
          const got = f.run(api, { rows, targets: [0, 0, 0], container, inner });
          const alone = f.run(api, { rows: [ordinary], targets: [0], container, inner });
          const want = outputs(f, classes, f.family === "logSumExp" ? -INF : NAN);
          expectSameBits(got[1]!, want, () => `C = ${classes}, inner ${inner}`);
          expectSameBits(got[0]!, alone[0]!, () => `the row before, C = ${classes}, inner ${inner}`);
          expectSameBits(got[2]!, alone[0]!, () => `the row after, C = ${classes}, inner ${inner}`);
        }
      }
    });
  });
});

/** For every C and every position: ordinary rows and rows with the special value in turns. */
function moveThroughRows(api: Api, container: Container, f: RowFunction, special: number, want: Want): void {
  for (const { classes, positions } of casesOf(container)) {
    if (classes === 1 && special === -INF) continue; // nothing is left without the class
    const draw = random(classes);
    const ordinary = drawRow(draw, classes, "normal", container);
    const others = positions.map(() => drawRow(draw, classes, "normal", container));
    for (const step of isLoss(f) ? [0, 1] : [0]) {
      if (step >= classes) continue;
      const targets = positions.map((k) => (k + step) % classes);
      const shorter = others.map((row, i) => row.filter((_, j) => j !== positions[i]));
      const shorterTargets = targets.map((y, i) => Math.min(y > positions[i]! ? y - 1 : y, Math.max(classes - 2, 0)));
      const inTurns = {
        rows: others.flatMap((row, i) => [replaced(row, positions[i]!, special), ordinary]),
        targets: targets.flatMap((y) => [y, 0]),
      };
      const alone = f.run(api, { rows: [ordinary], targets: [0], container, inner: false });
      const batch = { rows: shorter, targets: shorterTargets, container, inner: false };
      const without = classes === 1 ? shorter : f.run(api, batch);
      const probabilities = classes === 1 ? shorter : functions[0]!.run(api, batch);
      for (const inner of [false, true]) {
        const got = f.run(api, { ...inTurns, container, inner });
        positions.forEach((k, i) => {
          const at = { k, y: targets[i]!, classes, without: without[i]!, probabilities: probabilities[i]! };
          const where = () => `C = ${classes}, position ${k}, target ${at.y}, inner ${inner}`;
          expectAbout(got[2 * i]!, want(f, at), container, where);
          expectSameBits(got[2 * i + 1]!, alone[0]!, () => `the neighbour of ${where()}`);
        });
      }
    }
  }
}

/** Specials and zeros exactly, everything else within a few dozen ulps: how accurate it is, is another test's business. */
function expectAbout(got: number[], want: number[], container: Container, what: () => string): void {
  const tolerance = container === "Float32Array" ? 2 ** -18 : 2 ** -47;
  const wrong = want.findIndex((x, i) =>
    Number.isFinite(x) && x !== 0
      ? !(Math.abs(got[i]! - x) <= tolerance * Math.max(1, Math.abs(x)))
      : !isSame(got[i]!, x),
  );
  if (wrong >= 0 || got.length !== want.length)
    assert.fail(`${what()}\n  [${wrong}]: got ${got[wrong]}, expected ${want[wrong]}`);
}

/** Either zero, the same infinity, or both NaN. */
function isSame(a: number, b: number): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}
