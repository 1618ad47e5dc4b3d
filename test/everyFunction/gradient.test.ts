// Every gradient against central differences of the oracle's loss (not of the library's), for random options.
//
// The oracle is evaluated in 30 digits, so the step can be small: truncation is below 1e-16 and rounding below 1e-20. The logits
// have few bits, so that x ± h is exact. Where the differences to the left and to the right disagree a hinge has its kink, and
// there is no derivative to compare with;
// a row that does not count may hold NaN, and is left to the conformance tests.
import { expect, it } from "vitest";
import { onEveryBackend, roundingOf } from "../catalogue/backends.js";
import { ops } from "../catalogue/functions.js";
import { random } from "../inputs/random.js";
import { containers } from "../inputs/values.js";
import { expectClose } from "../oracle/expectClose.js";
import { divide, type Real, real, subtract } from "../oracle/real.js";

const STEP = 2 ** -30;
const TRIALS = 60;

/** What 30 digits of the objective are worth in a difference quotient. */
const NOISE = 2 ** -100 / STEP;

/** Times the tolerance of the formula: it is a wrong derivative that is looked for here, and y of a product is rounded. */
const MARGIN = 8;

const layouts = [
  { outer: 3, classes: 2, inner: 1 },
  { outer: 2, classes: 5, inner: 1 },
  { outer: 1, classes: 7, inner: 1 },
  { outer: 1, classes: 3, inner: 3 },
];

onEveryBackend((backend) => {
  for (const op of ops) {
    const gradient = op.gradient;
    if (gradient === undefined) continue;
    it.each(containers)(`${op.name}, %s`, (container) => {
      const rounding = roundingOf(backend, container);
      let judged = 0;
      for (let seed = 0; seed < TRIALS; seed++) {
        const layout = layouts[seed % layouts.length]!;
        const trial = op.draw({ layout, container, values: "grid", random: random(seed) });
        if (trial.objective === undefined || !trial.x.every(Number.isFinite)) continue;
        const derivatives = centralDifferences(trial.x, trial.objective);
        const noise = (NOISE * Math.abs(trial.objective(trial.x).hi)) / rounding.u;
        if (derivatives === undefined) continue;
        const tolerance = trial.expected(rounding)[gradient]!;
        const want = derivatives.map((d, i) => ({
          ...d,
          err: noise + MARGIN * (tolerance[i]!.err + Math.abs(d.hi) + (trial.slack?.[i] ?? 0)),
        }));
        expectClose(trial.run(backend.api)[gradient]!, want, rounding, () => trial.describe());
        judged++;
      }
      expect(judged).toBeGreaterThan(TRIALS / 2);
    });
  }
});

function centralDifferences(x: readonly number[], f: (x: readonly number[]) => Real): Real[] | undefined {
  const here = f(x);
  const derivatives: Real[] = [];
  for (const i of x.keys()) {
    const left = f(x.map((xk, k) => (k === i ? xk - STEP : xk)));
    const right = f(x.map((xk, k) => (k === i ? xk + STEP : xk)));
    const kink = subtract(subtract(right, here), subtract(here, left)).hi / STEP;
    if (Math.abs(kink) > 1e-5) return undefined;
    derivatives.push(divide(subtract(right, left), real(2 * STEP)));
  }
  return derivatives;
}
