// What must hold exactly, without a tolerance, for whatever fast-check comes up with. A failure prints its seed and path.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { onEveryBackend } from "./backends.js";
import type { Problem } from "./draw.js";
import { expectSameBits } from "./expectClose.js";
import { type Op, ops } from "./ops.js";
import { flatten, type Layout } from "./oracle.js";
import { random } from "./random.js";
import { real, sum } from "./real.js";
import { type Container, containers, drawRow, toContainer, type Values, valueClasses } from "./values.js";

const RUNS = { numRuns: 100 };

const container = fc.constantFrom(...containers);
const classCount = fc.oneof(
  fc.integer({ min: 1, max: 40 }),
  fc.constantFrom(47, 48, 49, 63, 64, 65, 127, 128, 129, 256, 257, 263, 500),
);
const seed = fc.nat();

/** A batch of rows of any class of values. */
const batch = fc
  .record({
    container,
    classes: classCount,
    rows: fc.integer({ min: 1, max: 20 }),
    seed,
    values: fc.constantFrom(...valueClasses),
  })
  .map((given) => {
    const draw = random(given.seed);
    const rows = Array.from({ length: given.rows }, () => drawRow(draw, given.classes, given.values, given.container));
    return { ...given, rows, x: toContainer(rows.flat(), given.container), shape: [given.rows, given.classes], draw };
  });

onEveryBackend(({ api, name }) => {
  const { softmax, logSoftmax, logSumExp, crossEntropy, crossEntropyGrad, hinge, hingeGrad } = api;

  describe("softmax", () => {
    it("lies in [0, 1], and keeps the order and the equality of the logits", () => {
      fc.assert(
        fc.property(batch, ({ rows, x, shape, classes, container }) => {
          const p = softmax(x, { shape });
          for (const [r, row] of rows.entries()) {
            const order = row.map((_, j) => j).sort((a, b) => row[a]! - row[b]!);
            let last = 0;
            for (const [i, j] of order.entries()) {
              const pj = p[r * classes + j]!;
              if (!(pj >= 0 && pj <= 1) || Object.is(pj, -0)) expect(pj).toBeNaN();
              const before = order[i - 1];
              if (before === undefined) continue;
              const pi = p[r * classes + before]!;
              if (row[j] === row[before]) expect(pj).toBe(pi);
              else if (row[j]! - row[before]! > clearly(row[j]!, container)) expect(pj).toBeGreaterThanOrEqual(pi);
              last = pj;
            }
            expect(last).toBeLessThanOrEqual(1);
          }
        }),
        RUNS,
      );
    });

    it("is the same for equal logits at every position of every length", () => {
      for (let classes = 1; classes <= 200; classes++) {
        for (const kind of containers) {
          const p = softmax(toContainer(Array<number>(classes).fill(0.3), kind));
          expectSameBits(p, Array<number>(classes).fill(p[0]!), () => `${kind}, C = ${classes}`);
        }
      }
    });

    it.skipIf(name === "baseline")("does not change by a bit when the logits are shifted by an exact amount", () => {
      fc.assert(
        fc.property(container, classCount, seed, fc.integer({ min: -4096, max: 4096 }), (kind, classes, s, shift) => {
          const draw = random(s);
          const row = Array.from({ length: classes }, () => draw.integer(-800, 800) / 16);
          const shifted = row.map((x) => x + shift);
          for (const f of [softmax, logSoftmax]) {
            expectSameBits(f(toContainer(shifted, kind)), f(toContainer(row, kind)), () => f.name);
          }
          const y = draw.integer(0, classes - 1);
          const loss = (x: number[]) => crossEntropyGrad(toContainer(x, kind), [y]);
          expect(loss(shifted)).toEqual(loss(row));
        }),
        RUNS,
      );
    });
  });

  describe("a log-sum-exp", () => {
    it("is not below the largest logit, nor above it by more than log C", () => {
      fc.assert(
        fc.property(batch, ({ rows, x, shape, classes, container }) => {
          const u = container === "Float32Array" ? 2 ** -22 : 2 ** -51;
          const lse = logSumExp(x, { shape });
          rows.forEach((row, r) => {
            const max = Math.max(...row);
            expect(lse[r]!).toBeGreaterThanOrEqual(max);
            expect(lse[r]! - max).toBeLessThanOrEqual(Math.log(classes) + u * (Math.abs(max) + Math.log(classes)));
          });
        }),
        RUNS,
      );
    });
  });

  // Every function of the catalogue: its rows are independent, wherever they are and whatever surrounds them.
  describe.each(ops.map((op) => [op.name, op] as const))("%s", (_, op) => {
    const problem = fc
      .record({
        container,
        classes: classCount,
        outer: fc.integer({ min: 1, max: 9 }),
        inner: fc.integer({ min: 1, max: 9 }),
        seed,
        values: fc.constantFrom(...valueClasses),
      })
      .map(({ outer, classes, inner, seed, ...rest }) => ({ ...rest, layout: { outer, classes, inner }, seed }));

    it("gives the same twice, and the loss with its gradient is the loss", () => {
      fc.assert(
        fc.property(problem, (given) => {
          const trial = draw(op, given);
          const first = trial.run(api);
          const second = trial.run(api);
          for (const [key, values] of Object.entries(first)) {
            expectSameBits(second[key]!, values, () => `${key} of ${trial.describe()}`);
          }
          if ("fusedLoss" in first) expectSameBits(first.fusedLoss!, first.loss!, () => trial.describe());
        }),
        RUNS,
      );
    });
  });

  describe("rows", () => {
    const functions: [
      string,
      (x: Values, targets: number[], options: { shape: number[]; axis: number }) => ArrayLike<number>[],
    ][] = [
      ["softmax", (x, _, options) => [softmax(x, options)]],
      ["logSoftmax", (x, _, options) => [logSoftmax(x, options)]],
      ["softmaxGrad", (x, _, options) => [api.softmaxGrad(softmax(x, options), x, options)]],
      ["logSoftmaxGrad", (x, _, options) => [api.logSoftmaxGrad(logSoftmax(x, options), x, options)]],
      [
        "crossEntropyGrad",
        (x, y, options) => [crossEntropyGrad(x, y, { ...options, reduction: "none", labelSmoothing: 0.1 }).grad],
      ],
      ["hingeGrad", (x, y, options) => [hingeGrad(x, y, { ...options, reduction: "none" }).grad]],
    ];

    it.each(functions)("of %s do not depend on each other, on their number or their place", (_, f) => {
      fc.assert(
        fc.property(batch, ({ rows, draw, container, classes }) => {
          const targets = rows.map(() => draw.integer(0, classes - 1));
          const row = { outer: rows.length, classes, inner: 1 };
          const column = { outer: 1, classes, inner: rows.length };
          const whole = f(toContainer(flatten(rows, row), container), targets, {
            shape: [rows.length, classes],
            axis: 1,
          });
          const across = f(toContainer(flatten(rows, column), container), targets, {
            shape: [classes, rows.length],
            axis: 0,
          });
          const alone = rows.map((x, r) =>
            f(toContainer(x, container), [targets[r]!], { shape: [1, classes], axis: 1 }),
          );
          whole.forEach((values, k) => {
            const each = alone.map((outputs) => Array.from(outputs[k]!));
            expectSameBits(values, flatten(each, row), () => `row by row, C = ${classes}`);
            if (name === "simd")
              expectSameBits(across[k]!, flatten(each, column), () => `along an inner axis, C = ${classes}`);
          });
        }),
        RUNS,
      );
    });
  });

  describe("options that say nothing", () => {
    it("change nothing", () => {
      fc.assert(
        fc.property(batch, ({ rows, x, shape, classes, draw, container }) => {
          const targets = rows.map(() => draw.integer(0, classes - 1));
          const ones = (n: number) => toContainer(Array<number>(n).fill(1), container);
          const nothing = {
            weight: ones(classes),
            sampleWeight: ones(rows.length),
            ignoreIndex: -100,
            axis: 1,
            reduction: "mean",
          } as const;
          const gradNothing = { ...nothing, gradOutput: 1, accumulate: false };
          expect(softmax(x, { shape, temperature: 1 })).toEqual(softmax(x, { shape }));
          expect(logSoftmax(x, { shape, temperature: 1 })).toEqual(logSoftmax(x, { shape }));
          expect(logSumExp(x, { shape, temperature: 1 })).toEqual(logSumExp(x, { shape }));
          expect(crossEntropyGrad(x, targets, { ...gradNothing, shape, labelSmoothing: 0, temperature: 1 })).toEqual(
            crossEntropyGrad(x, targets),
          );
          expect(hingeGrad(x, targets, { ...gradNothing, shape, margin: 1, p: 1, perClass: false })).toEqual(
            hingeGrad(x, targets),
          );
          expect(crossEntropy(x, targets, { sampleWeight: ones(rows.length) })).toBe(crossEntropy(x, targets));
        }),
        RUNS,
      );
    });
  });

  describe("the gradient of a loss", () => {
    it("sums to 0 in every row, to 4 u of what is summed", () => {
      const options = fc.constantFrom<{ entropy: object; hinge: object }>(
        { entropy: {}, hinge: {} },
        { entropy: { labelSmoothing: 0.1 }, hinge: { p: 2 } },
        { entropy: { temperature: 3 }, hinge: { form: "crammer-singer" } },
      );
      fc.assert(
        fc.property(batch, options, ({ rows, x, classes, draw, container, values }, given) => {
          if (values === "masked") return;
          const targets = rows.map(() => draw.integer(0, classes - 1));
          // a plain f64 loop adds term after term
          const serial = name === "baseline" ? classes : 0;
          const u = container === "Float32Array" ? 2 ** -24 : 2 ** -53;
          // with smoothing a component is a difference p − q that may cancel, and Σ p + Σ q = 2
          const results = [
            {
              ...crossEntropyGrad(x, targets, { ...given.entropy, reduction: "none" }),
              terms: "labelSmoothing" in given.entropy ? 2 : 0,
            },
            { ...hingeGrad(x, targets, { ...given.hinge, reduction: "none" }), terms: 0 },
          ];
          for (const { grad, terms } of results) {
            rows.forEach((_, r) => {
              const row = Array.from(grad.slice(r * classes, (r + 1) * classes));
              const size = row.reduce((a, g) => a + Math.abs(g), terms);
              expect(Math.abs(sum(row.map(real)).hi)).toBeLessThanOrEqual(
                (4 + serial) * u * size + classes * 2 ** -149,
              );
            });
          }
        }),
        RUNS,
      );
    });
  });

  describe("ignored rows", () => {
    it("are exactly 0, and leave the others as they are without them", () => {
      fc.assert(
        fc.property(batch, ({ rows, x, classes, draw, container }) => {
          const targets = rows.map(() => (draw.chance() ? -100 : draw.integer(0, classes - 1)));
          const kept = rows.map((_, r) => r).filter((r) => targets[r] !== -100);
          const rest = toContainer(
            kept.flatMap((r) => rows[r]!),
            container,
          );
          for (const f of [crossEntropyGrad, hingeGrad]) {
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
        }),
        RUNS,
      );
    });
  });

  describe("hinge", () => {
    it("is +0 exactly where every margin holds, and then its gradient is 0", () => {
      fc.assert(
        fc.property(
          container,
          fc.integer({ min: 2, max: 70 }),
          seed,
          fc.constantFrom(1, 2) as fc.Arbitrary<1 | 2>,
          (kind, classes, s, p) => {
            const draw = random(s);
            const row = Array.from({ length: classes }, () => draw.integer(-64, 64) / 16);
            const y = draw.integer(0, classes - 1);
            row[y] = draw.integer(16, 120) / 16;
            const margin = draw.integer(0, 32) / 16;
            const holds = row.every((x, j) => j === y || margin + x - row[y]! <= 0);
            for (const form of ["weston-watkins", "crammer-singer"] as const) {
              const { loss, grad } = hingeGrad(toContainer(row, kind), [y], { form, margin, p });
              expect(Object.is(loss, 0)).toBe(holds);
              expect(Array.from(grad).every((g) => g === 0)).toBe(holds);
              expect(hinge(toContainer(row, kind), [y], { form, margin, p })).toBe(loss);
            }
          },
        ),
        RUNS,
      );
    });

    it("is exact on scores with few bits", () => {
      fc.assert(
        fc.property(container, fc.integer({ min: 1, max: 70 }), seed, (kind, classes, s) => {
          const draw = random(s);
          const row = Array.from({ length: classes }, () => draw.integer(-256, 256) / 16);
          const y = draw.integer(0, classes - 1);
          const z = row.map((x, j) => (j === y ? 0 : Math.max(0, 1 + x - row[y]!)));
          const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
          expect(hinge(toContainer(row, kind), [y])).toBe(sum(z));
          expect(hinge(toContainer(row, kind), [y], { p: 2 })).toBe(sum(z.map((v) => v * v)));
          expect(hinge(toContainer(row, kind), [y], { form: "crammer-singer" })).toBe(Math.max(...z));
        }),
        RUNS,
      );
    });
  });
});

/** Beyond what a rounding of e^x can turn round. */
function clearly(x: number, container: Container): number {
  return (container === "Float32Array" ? 2 ** -20 : 2 ** -48) * Math.max(1, Math.abs(x));
}

function draw(op: Op, { seed, ...problem }: Omit<Problem, "random"> & { seed: number; layout: Layout }) {
  return op.draw({ ...problem, random: random(seed) });
}
