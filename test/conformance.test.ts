// Every function of every backend against the oracle: containers × shapes × classes of values × random options.
//
// Tolerances are not numbers here but consequences of the formulas (real.ts). With u half an ulp of 1, an e^x and a logarithm are
// granted 2 u, Σ e^x 1 u and every other sum 4 u, whatever its length, every other operation and the store 1 u. A softmax component
// may so be off by 7 u (between 3.5 and 7 ulp), however many classes there are and however far apart the logits; a gradient
// likewise, or by that part of its cancelling terms. The f64 baseline may round x − m before Math.exp and sum serially (backends.ts).
import { describe, it } from "vitest";
import { type Backend, onEveryBackend, roundingOf } from "./backends.js";
import type { Problem } from "./draw.js";
import { expectClose } from "./expectClose.js";
import { type Op, ops } from "./ops.js";
import type { Layout } from "./oracle.js";
import { random } from "./random.js";
import { containers, valueClasses } from "./values.js";

const lengths = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** C around every multiple of a vector, an unrolled loop, a block, and where rows are laid out in another way. */
const CLASSES = [
  ...lengths(1, 17),
  24,
  25,
  31,
  32,
  33,
  47,
  48,
  49,
  63,
  64,
  65,
  ...lengths(127, 137),
  ...lengths(255, 264),
  271,
  272,
];
const ROWS = [0, 1, 3, 4, 5, 17];
const INNER = [3, 4, 7];

const shapes: Record<string, Layout[]> = {
  "a row": CLASSES.map((classes) => ({ outer: 1, classes, inner: 1 })),
  "a batch": CLASSES.flatMap((classes) => ROWS.map((outer) => ({ outer, classes, inner: 1 }))),
  "an inner axis": CLASSES.flatMap((classes, i) => [
    { outer: ROWS[i % ROWS.length]!, classes, inner: INNER[i % INNER.length]! },
    { outer: 1, classes, inner: INNER[(i + 1) % INNER.length]! },
  ]),
  "long rows": [
    { outer: 2, classes: 4096, inner: 1 },
    { outer: 1, classes: 2999, inner: 1 },
    { outer: 1, classes: 2999, inner: 3 },
  ],
};

/** In turns, so that neighbouring shapes meet them all; fewer for number[], which is computed as Float64Array. */
const VALUES_PER_LAYOUT = 3;

onEveryBackend((backend) => {
  describe.each(ops.map((op) => [op.name, op] as const))("%s", (_, op) => {
    for (const container of containers) {
      for (const [name, layouts] of Object.entries(shapes)) {
        it(`${container}, ${name}`, () => {
          for (const [seed, layout] of layouts.entries()) {
            const count = container === "number[]" ? 1 : VALUES_PER_LAYOUT;
            for (let i = 0; i < count; i++) {
              const values = valueClasses[(seed * count + i) % valueClasses.length]!;
              judge(backend, op, { layout, container, values, random: random(seed * 100 + i) });
            }
          }
        });
      }
      it(`${container}, a row of 131073`, () => {
        const layout = { outer: 1, classes: 131073, inner: 1 };
        judge(backend, op, { layout, container, values: "normal", random: random(7) });
      });
    }
  });
});

function judge(backend: Backend, op: Op, problem: Problem): void {
  const rounding = roundingOf(backend, problem.container);
  const trial = op.draw(problem);
  const got = trial.run(backend.api);
  for (const [name, want] of Object.entries(trial.expected(rounding))) {
    expectClose(got[name]!, want, rounding, () => `${name} of ${trial.describe()}`, {
      positiveZeros: op.positive.includes(name),
    });
  }
}
