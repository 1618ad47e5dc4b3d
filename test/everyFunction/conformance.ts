// Every function of every backend against the oracle: containers × shapes × classes of values × random options.
//
// Tolerances are not numbers here but consequences of the formulas (real.ts). With u half an ulp of 1, an e^x and a logarithm are
// granted 2 u, Σ e^x 1 u and every other sum 4 u, whatever its length, every other operation and the store 1 u. A softmax component
// may so be off by 7 u (between 3.5 and 7 ulp), however many classes there are and however far apart the logits; a gradient
// likewise, or by that part of its cancelling terms. The f64 baseline may round x − m before Math.exp and sum serially (backends.ts).
import { describe, it } from "vitest";
import { type Backend, backends, onEveryBackend } from "../catalogue/backends.js";
import type { Op } from "../catalogue/entries/entry.js";
import { question } from "../catalogue/judge.js";
import type { Problem } from "../inputs/draw.js";
import { random } from "../inputs/random.js";
import { shapes } from "../inputs/shapes.js";
import { type Container, containers, valueClasses } from "../inputs/values.js";
import type { Layout } from "../oracle/oracle.js";

/** In turns, so that neighbouring shapes meet them all; fewer for number[], which is computed as Float64Array. */
const VALUES_PER_LAYOUT = 3;

function problemsOf(container: Container, layouts: readonly Layout[]): Problem[] {
  const count = container === "number[]" ? 1 : VALUES_PER_LAYOUT;
  return layouts.flatMap((layout, seed) =>
    Array.from({ length: count }, (_, i) => {
      const values = valueClasses[(seed * count + i) % valueClasses.length]!;
      return { layout, container, values, random: random(seed * 100 + i) };
    }),
  );
}

/** A problem is drawn when its turn has come: there are many. */
const groups: [name: string, problems: (container: Container) => Problem[]][] = [
  ...Object.entries(shapes).map(([name, layouts]): (typeof groups)[number] => [
    name,
    (container) => problemsOf(container, layouts),
  ]),
  [
    "a row of 131073",
    (container) => [
      { layout: { outer: 1, classes: 131073, inner: 1 }, container, values: "normal", random: random(7) },
    ],
  ],
];

/** The tests of some of the functions: two files, for two workers, call it. */
export function conformance(some: readonly Op[]): void {
  describe.each(some.map((op) => [op.name, op] as const))("%s", (_, op) => {
    describe.each(containers)("%s", (container) => {
      describe.each(groups)("%s", (_, problems) => {
        let faults: Map<Backend, unknown> | undefined;
        onEveryBackend((backend) => {
          it("is what the reference says", () => {
            faults ??= faultsOf(op, problems(container));
            if (faults.has(backend)) throw faults.get(backend);
          });
        });
      });
    });
  });
}

/** The first error of each backend. Every question goes to all of them and is forgotten: kept, the answers of a group would fill the heap. */
function faultsOf(op: Op, problems: readonly Problem[]): Map<Backend, unknown> {
  const faults = new Map<Backend, unknown>();
  for (const problem of problems) {
    const ask = question(op, problem);
    for (const backend of backends.filter(({ runs }) => runs)) {
      try {
        ask(backend);
      } catch (error) {
        if (!faults.has(backend)) faults.set(backend, error);
      }
    }
  }
  return faults;
}
