// Every function of every backend against the oracle: containers × shapes × classes of values × random options.
//
// Tolerances are not numbers here but consequences of the formulas (real.ts). With u half an ulp of 1, an e^x and a logarithm are
// granted 2 u, Σ e^x 1 u and every other sum 4 u, whatever its length, every other operation and the store 1 u. A softmax component
// may so be off by 7 u (between 3.5 and 7 ulp), however many classes there are and however far apart the logits; a gradient
// likewise, or by that part of its cancelling terms. The f64 baseline may round x − m before Math.exp and sum serially (backends.ts).
import { describe, it } from "vitest";
import { onEveryBackend } from "../catalogue/backends.js";
import { judge } from "../catalogue/judge.js";
import { ops } from "../catalogue/ops.js";
import { random } from "../inputs/random.js";
import { shapes } from "../inputs/shapes.js";
import { containers, valueClasses } from "../inputs/values.js";

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
