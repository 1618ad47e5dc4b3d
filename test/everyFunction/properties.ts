// What must hold for whatever fast-check comes up with: exactly, without a tolerance, wherever that is promised. The tests try each
// property a hundred times (properties.test.ts), `npm run fuzz` for as long as one likes (scripts/fuzz.ts).
import fc from "fast-check";
import { expect } from "vitest";
import type { Api, Backend } from "../catalogue/backends.js";
import { invoke } from "../catalogue/calls.js";
import { allArguments, type Functions, ops, rowLosses, type Signature, signatures } from "../catalogue/functions.js";
import { judge } from "../catalogue/judge.js";
import { type Batch, batch, batchOf, classCount, container, nothing, problem, seed } from "../inputs/arbitraries.js";
import { random } from "../inputs/random.js";
import { type Container, copyOf, toContainer, type Values, valueClasses } from "../inputs/values.js";
import { expectSameBits } from "../oracle/expectClose.js";
import { flatten } from "../oracle/oracle.js";
import { real, sum } from "../oracle/real.js";

export interface Property {
  readonly name: string;
  /** Where it is promised; everywhere if absent. */
  readonly on?: readonly Backend["name"][];
  of(backend: Backend): fc.IRawProperty<unknown, false>;
}

/** What a row of logits is turned into by one call: as many numbers as the row has, or others. */
type RowFunction = (
  functions: Functions,
  x: Values,
  targets: number[],
  layout: { readonly shape: number[]; readonly axis: number },
) => ArrayLike<number>[];

/** A function without options, or with all that are numbers or names. */
function rowFunction(signature: Signature, isPlain: boolean): RowFunction {
  const { name, options, first } = signature;
  const all = Object.entries(allArguments(signature)).filter(([key]) => options.includes(key) && key !== "accumulate");
  const scalars = Object.fromEntries(
    all.filter(([, value]) => (isPlain ? typeof value === "function" : typeof value !== "object")),
  );
  const reduction = options.includes("reduction") ? { reduction: "none" } : {};
  return (functions, x, targets, layout) => {
    // a product is one with what its function has returned
    const forward = functions[name.replace(/Grad$/, "") as "softmax"];
    // Targets of elements are what their logits say.
    const present = name.startsWith("binary") ? Array.from(x, (value) => Number(value > 0)) : targets;
    const arrays = { x: first === "y" ? forward(x, layout) : x, dy: x, targets: present, k: 1 };
    // a row that cannot be drawn from is an error
    if (name === "sample") {
      for (let i = 0; i < x.length; i++) if (!Number.isFinite(x[i])) x[i] = 0;
    }
    const given = Object.entries({ ...scalars, ...layout, ...reduction, ...arrays });
    const own = given.filter(([key]) => signature.positional.includes(key) || options.includes(key));
    const result = invoke(functions, signature, Object.fromEntries(own));
    const isArray = ArrayBuffer.isView(result) || Array.isArray(result);
    return isArray ? [result as Values] : Object.values(result as Record<string, Values>);
  };
}

/** Those of rows of classes: a layer has other tests (test/functions/linear.test.ts). */
const ofRows = signatures.filter(
  ({ options, positional }) => options.includes("shape") && !positional.includes("weight"),
);

export const properties: readonly Property[] = [
  // Differential: each backend against the reference, with every option.
  ...ops.map((op) => ({
    name: `${op.name} is what the reference says, to its tolerance`,
    of: (backend: Backend) =>
      fc.property(problem, ({ seed, ...given }) => judge(backend, op, { ...given, random: random(seed) })),
  })),
  ...ops.map((op) => ({
    name: `${op.name} gives the same twice, and a loss is the same with its gradient`,
    of: ({ api }: Backend) =>
      fc.property(problem, ({ seed, ...given }) => {
        const trial = op.draw({ ...given, random: random(seed) });
        const first = trial.run(api);
        const second = trial.run(api);
        for (const [key, values] of Object.entries(first)) {
          expectSameBits(second[key]!, values, () => `${key} of ${trial.describe()}`);
        }
        if ("fusedLoss" in first) expectSameBits(first.fusedLoss!, first.loss!, () => trial.describe());
      }),
  })),
  ...ofRows.map((signature) => ({
    name: `the rows of ${signature.name} do not depend on each other, on their number or their place`,
    of: (backend: Backend) =>
      fc.property(batch, (given) => rowsAreIndependent(backend, rowFunction(signature, given.draw.chance()), given)),
  })),
  ...ofRows.map((signature) => ({
    name: `${signature.name} does not depend on where its arguments lie, in a workspace or not, nor on earlier calls`,
    of: ({ api }: Backend) =>
      fc.property(batch, fc.integer({ min: 0, max: 9 }), ({ rows, x, shape, classes, draw }, offset) => {
        if (Array.isArray(x)) return;
        const targets = rows.map(() => draw.integer(0, classes - 1));
        const options = { shape, axis: 1 };
        const f = rowFunction(signature, draw.chance());
        const [want] = f(api, copyOf(x), targets, options);
        const Kind = x.constructor as Float32ArrayConstructor;
        const shifted = new Kind(x.length + offset).subarray(offset);
        shifted.set(x);
        expectSameBits(f(api, shifted, targets, options)[0]!, want!, () => `at element ${offset} of a buffer`);
        const workspace = api.createWorkspace({ bytes: (x.length + offset + 8) * 8 });
        const take = (n: number) => (x instanceof Float32Array ? workspace.float32(n) : workspace.float64(n));
        take(offset);
        const inside = take(x.length);
        inside.set(x);
        const local = { ...api, ...workspace } as Api;
        expectSameBits(f(local, inside, targets, options)[0]!, want!, () => "in a workspace");
      }),
  })),
  {
    name: "softmax may overwrite its input, and logSoftmax, and the gradients",
    of: ({ api }) =>
      fc.property(batch, ({ rows, x, shape, classes, draw }) => {
        if (Array.isArray(x)) return;
        const targets = rows.map(() => draw.integer(0, classes - 1));
        for (const f of [api.softmax, api.logSoftmax]) {
          const own = copyOf(x);
          expect(f(own, { shape, out: own as never })).toBe(own);
          expectSameBits(own, f(x, { shape }), () => f.name);
        }
        for (const name of rowLosses) {
          const f = api[`${name}Grad`];
          const own = copyOf(x);
          expect(f(own, targets, { shape, grad: own as never }).grad).toBe(own);
          expectSameBits(own, f(x, targets, { shape }).grad, () => name);
        }
      }),
  },
  {
    name: "softmax lies in [0, 1], and keeps the order and the equality of the logits",
    of: ({ api }) =>
      fc.property(batch, ({ rows, x, shape, classes, container }) => {
        const p = api.softmax(x, { shape });
        for (const [r, row] of rows.entries()) {
          if (Number.isNaN(p[r * classes]!)) continue;
          const order = row.map((_, j) => j).sort((a, b) => row[a]! - row[b]!);
          for (const [i, j] of order.entries()) {
            const pj = p[r * classes + j]!;
            if (!(pj >= 0 && pj <= 1) || Object.is(pj, -0)) expect.fail(`a probability of ${pj}`);
            const before = order[i - 1];
            if (before === undefined) continue;
            const pi = p[r * classes + before]!;
            if (row[j] === row[before]) expect(pj).toBe(pi);
            else if (row[j]! - row[before]! > clearly(row[j]!, container)) expect(pj).toBeGreaterThanOrEqual(pi);
          }
        }
      }),
  },
  {
    name: "log-probabilities are not above 0, losses neither below 0 nor −0",
    of: ({ api }) =>
      fc.property(batch, ({ rows, x, shape, classes, draw }) => {
        const targets = rows.map(() => draw.integer(0, classes - 1));
        for (const y of api.logSoftmax(x, { shape })) if (y > 0) expect.fail(`a log-probability of ${y}`);
        for (const name of rowLosses) {
          for (const loss of api[name](x, targets, { shape, reduction: "none" })) {
            if (loss < 0 || Object.is(loss, -0)) expect.fail(`${name}: a loss of ${loss}`);
          }
        }
      }),
  },
  {
    name: "shifting the logits by an exact amount changes no bit",
    on: ["simd", "relaxed"],
    of: ({ api }) =>
      fc.property(container, classCount, seed, fc.integer({ min: -4096, max: 4096 }), (kind, classes, s, shift) => {
        const draw = random(s);
        const row = Array.from({ length: classes }, () => draw.integer(-800, 800) / 16);
        const shifted = row.map((x) => x + shift);
        for (const f of [api.softmax, api.logSoftmax]) {
          expectSameBits(f(toContainer(shifted, kind)), f(toContainer(row, kind)), () => f.name);
        }
        const y = draw.integer(0, classes - 1);
        const loss = (x: number[]) => api.crossEntropyGrad(toContainer(x, kind), [y]);
        expect(loss(shifted)).toEqual(loss(row));
      }),
  },
  {
    name: "a temperature that is a power of two is the same as dividing by it",
    of: ({ api }) =>
      fc.property(batchOf(["normal", "grid", "equal", "sorted"]), fc.integer({ min: -3, max: 3 }), (given, k) => {
        const { x, shape } = given;
        const temperature = 2 ** k;
        const divided = x.map((value) => value / temperature) as Values;
        for (const f of [api.softmax, api.logSoftmax]) {
          expectSameBits(f(x, { shape, temperature }), f(divided, { shape }), () => `${f.name}, T = ${temperature}`);
        }
      }),
  },
  {
    name: "a log-sum-exp is not below the largest logit, nor above it by more than log C",
    of: ({ api }) =>
      fc.property(batch, ({ rows, x, shape, classes, container }) => {
        const u = 4 * roundoff(container);
        const lse = api.logSumExp(x, { shape });
        rows.forEach((row, r) => {
          const max = Math.max(...row);
          if (!Number.isFinite(max)) {
            expect(lse[r]!).toBe(max);
            return;
          }
          expect(lse[r]!).toBeGreaterThanOrEqual(max);
          expect(lse[r]! - max).toBeLessThanOrEqual(Math.log(classes) + u * (Math.abs(max) + Math.log(classes)));
        });
      }),
  },
  {
    name: "options that say nothing change nothing",
    of: ({ api }) =>
      fc.property(batch, ({ rows, x, shape, classes, draw, container }) => {
        const targets = rows.map(() => draw.integer(0, classes - 1));
        const given = { ...nothing(rows.length, classes, container), shape };
        for (const f of [api.softmax, api.logSoftmax, api.logSumExp]) {
          expect(f(x, { shape, temperature: 1 })).toEqual(f(x, { shape }));
        }
        expect(api.crossEntropyGrad(x, targets, { ...given, labelSmoothing: 0, temperature: 1 })).toEqual(
          api.crossEntropyGrad(x, targets),
        );
        expect(api.hingeGrad(x, targets, { ...given, margin: 1, p: 1, perClass: false })).toEqual(
          api.hingeGrad(x, targets),
        );
      }),
  },
  {
    name: "the mean is the sum over the denominator, and a power of two upstream scales the gradient exactly",
    of: ({ api }) =>
      fc.property(batchOf(["normal", "grid", "equal"]), fc.integer({ min: 1, max: 12 }), (given, k) => {
        const { rows, x, shape, classes, draw } = given;
        const targets = rows.map((_, r) => (r > 0 && draw.chance(0.2) ? -100 : draw.integer(0, classes - 1)));
        const count = targets.filter((y) => y >= 0).length;
        for (const name of rowLosses) {
          const f = api[`${name}Grad`];
          const total = f(x, targets, { shape, reduction: "sum" }).loss;
          expect(f(x, targets, { shape, meanOver: "count" }).loss).toBe(total / count);
          expect(f(x, targets, { shape, meanOver: "all" }).loss).toBe(total / rows.length);
          const { grad } = f(x, targets, { shape });
          const scaled = f(x, targets, { shape, gradOutput: 2 ** k }).grad;
          expectSameBits(scaled, grad.map((g: number) => g * 2 ** k) as Values, () => `${name} · 2^${k}`);
        }
      }),
  },
  {
    name: "cross-entropy is linear in what is given as probabilities, of any sign: of −t it is exactly the negative",
    of: ({ api }) =>
      fc.property(batch, ({ x, shape, draw }) => {
        const t = Array.from(x, () => draw.pick([0, -1, 1]) * draw.uniform(0, 1));
        const of = (values: number[]) =>
          toContainer(values, x instanceof Float32Array ? "Float32Array" : "Float64Array") as Float64Array;
        const options = { shape, axis: 1, reduction: "none" } as const;
        const one = api.crossEntropyGrad(x, of(t), options);
        const other = api.crossEntropyGrad(x, of(t.map((q) => -q)), options);
        const negated = (values: ArrayLike<number>) => Array.from(values, (value) => 0 - value);
        const plain = (values: ArrayLike<number>) => Array.from(values, (value) => 0 + value);
        expectSameBits(plain(other.loss), negated(one.loss), () => "loss");
        expectSameBits(plain(other.grad), negated(one.grad), () => "gradient");
      }),
  },
  {
    name: "the gradient of a loss sums to 0 in every row, to 4 u of what is summed",
    of: (backend) =>
      fc.property(batchOf(ordinary()), lossOptions, (given, options) => sumsToZero(backend, given, options)),
  },
  {
    name: "ignored rows are exactly 0, and leave the others as they are without them",
    of: ({ api }) => fc.property(batch, (given) => ignoredRowsAreAbsent(api, given)),
  },
  {
    name: "a hinge loss is +0 exactly where every margin holds, and then its gradient is 0",
    of: ({ api }) =>
      fc.property(container, classCount, seed, fc.constantFrom<1 | 2>(1, 2), (kind, classes, s, p) => {
        const draw = random(s);
        const row = Array.from({ length: classes }, () => draw.integer(-64, 64) / 16);
        const y = draw.integer(0, classes - 1);
        row[y] = draw.integer(16, 120) / 16;
        const margin = draw.integer(0, 32) / 16;
        const holds = row.every((x, j) => j === y || margin + x - row[y]! <= 0);
        for (const form of ["weston-watkins", "crammer-singer"] as const) {
          const { loss, grad } = api.hingeGrad(toContainer(row, kind), [y], { form, margin, p });
          expect(Object.is(loss, 0)).toBe(holds);
          expect(Array.from(grad).every((g) => g === 0)).toBe(holds);
          expect(api.hinge(toContainer(row, kind), [y], { form, margin, p })).toBe(loss);
        }
      }),
  },
  {
    name: "a hinge loss of scores with few bits is exact",
    of: ({ api }) =>
      fc.property(container, classCount, seed, (kind, classes, s) => {
        const draw = random(s);
        const row = Array.from({ length: classes }, () => draw.integer(-256, 256) / 16);
        const y = draw.integer(0, classes - 1);
        const z = row.map((x, j) => (j === y ? 0 : Math.max(0, 1 + x - row[y]!)));
        const total = (values: number[]) => values.reduce((a, b) => a + b, 0);
        expect(api.hinge(toContainer(row, kind), [y])).toBe(total(z));
        expect(api.hinge(toContainer(row, kind), [y], { form: "crammer-singer" })).toBe(Math.max(...z));
        // in f32 the squares of a long row need more bits than it has
        if (kind === "Float32Array" && classes > 70) return;
        expect(api.hinge(toContainer(row, kind), [y], { p: 2 })).toBe(total(z.map((v) => v * v)));
      }),
  },
];

function rowsAreIndependent({ api, name }: Backend, f: RowFunction, { rows, draw, container, classes }: Batch): void {
  const targets = rows.map(() => draw.integer(0, classes - 1));
  const row = { outer: rows.length, classes, inner: 1 };
  const column = { outer: 1, classes, inner: rows.length };
  const whole = f(api, toContainer(flatten(rows, row), container), targets, { shape: [rows.length, classes], axis: 1 });
  const across = f(api, toContainer(flatten(rows, column), container), targets, {
    shape: [classes, rows.length],
    axis: 0,
  });
  const alone = rows.map((x, r) => f(api, toContainer(x, container), [targets[r]!], { shape: [1, classes], axis: 1 }));
  whole.forEach((values, k) => {
    const each = alone.map((outputs) => Array.from(outputs[k]!));
    expectSameBits(values, each.flat(), () => `row by row, C = ${classes}`);
    if (name !== "simd") return;
    const inside = each[0]?.length === classes ? flatten(each, column) : each.flat();
    expectSameBits(across[k]!, inside, () => `along an inner axis, C = ${classes}`);
  });
}

function roundoff(kind: Container): number {
  return kind === "Float32Array" ? 2 ** -24 : 2 ** -53;
}

function ordinary() {
  return valueClasses.filter((values) => values !== "masked" && values !== "special");
}

const lossOptions = fc.constantFrom<{ entropy: object; hinge: object }>(
  { entropy: {}, hinge: {} },
  { entropy: { labelSmoothing: 0.1 }, hinge: { p: 2 } },
  { entropy: { temperature: 3 }, hinge: { form: "crammer-singer" } },
);

function sumsToZero(
  { api, name }: Backend,
  { rows, x, classes, draw, container }: Batch,
  given: { entropy: object; hinge: object },
): void {
  const targets = rows.map(() => draw.integer(0, classes - 1));
  // a plain f64 loop adds term after term
  const serial = name === "baseline" ? classes : 0;
  // with smoothing a component is a difference p − q that may cancel, and Σ p + Σ q = 2
  const results = [
    {
      ...api.crossEntropyGrad(x, targets, { ...given.entropy, reduction: "none" }),
      terms: "labelSmoothing" in given.entropy ? 2 : 0,
    },
    { ...api.hingeGrad(x, targets, { ...given.hinge, reduction: "none" }), terms: 0 },
  ];
  for (const { grad, terms } of results) {
    rows.forEach((_, r) => {
      const row = Array.from(grad.slice(r * classes, (r + 1) * classes));
      const size = row.reduce((a, g) => a + Math.abs(g), terms);
      const allowed = (4 + serial) * roundoff(container) * size + classes * 2 ** -149;
      expect(Math.abs(sum(row.map(real)).hi)).toBeLessThanOrEqual(allowed);
    });
  }
}

function ignoredRowsAreAbsent(api: Api, { rows, x, classes, draw, container }: Batch): void {
  const targets = rows.map(() => (draw.chance() ? -100 : draw.integer(0, classes - 1)));
  const kept = rows.map((_, r) => r).filter((r) => targets[r] !== -100);
  const rest = toContainer(
    kept.flatMap((r) => rows[r]!),
    container,
  );
  for (const name of rowLosses) {
    const f = api[`${name}Grad`];
    const { loss, grad } = f(x, targets);
    const without = f(
      rest,
      kept.map((r) => targets[r]!),
      { shape: [kept.length, classes] },
    );
    expect(loss).toBe(without.loss);
    rows.forEach((_, r) => {
      const k = kept.indexOf(r);
      const own = grad.slice(r * classes, (r + 1) * classes);
      const want = k < 0 ? Array<number>(classes).fill(0) : without.grad.slice(k * classes, (k + 1) * classes);
      expectSameBits(k < 0 ? own.map(Math.abs) : own, want, () => `row ${r}`);
    });
  }
}

/** Beyond what a rounding of e^x can turn round. */
function clearly(x: number, container: Container): number {
  return (container === "Float32Array" ? 2 ** -20 : 2 ** -48) * Math.max(1, Math.abs(x));
}
