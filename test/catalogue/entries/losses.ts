import type { Row } from "../../accuracy/row.js";
import { defined } from "../../inputs/draw.js";
import * as oracle from "../../oracle/oracle.js";
import { add, divide, multiply, negate, ONE, power, type Real, real, subtract, sum } from "../../oracle/real.js";
import { type Entries, type Entry, LAYOUT, type Wanted } from "./entry.js";
import { figure, type LossOfRows, lossOp, withGradient } from "./loss.js";

const COMMON = [...LAYOUT, "reduction", "weight", "sampleWeight", "ignoreIndex", "meanOver", "emptyMean"];
const LOSS = { f32: 3, f64: 4 };
const GRAD = { f32: 4, f64: 4 };
const SMOOTHING = 0.1;

const ofClasses: LossOfRows = {
  name: "crossEntropy",
  targets: "classes",
  maskedTargets: true,
  options: (random) =>
    defined({
      temperature: random.pick([undefined, undefined, 1, 0.5, 0.7, 10]),
      labelSmoothing: random.pick([undefined, undefined, 0, 0.1, 0.5, 1]),
    }),
  oracle: (rows, { classes }, ...rest) => oracle.crossEntropy(rows, classes, ...rest),
};
const focal: LossOfRows = {
  ...ofClasses,
  title: "focal crossEntropy",
  options: (random) =>
    defined({
      temperature: random.pick([undefined, undefined, 0.5, 10]),
      gamma: random.pick([1, 2, 0.5, 3.7]),
    }),
};
const ofProbabilities: LossOfRows = {
  ...ofClasses,
  targets: "probabilities",
  oracle: (rows, { probabilities }, ...rest) => oracle.crossEntropyOfProbabilities(rows, probabilities, ...rest),
};

const crossEntropy: Entry = {
  first: "logits",
  positional: ["x", "targets"],
  options: [...COMMON, "temperature", "labelSmoothing", "gamma"],
  variants: ["targets, BigInt64Array", "targets, probabilities"],
  ops: [ofClasses, focal, ofProbabilities].map(lossOp),
  measured: [
    figure("crossEntropy", LOSS, "targets", {}, (row, { target }) => [{ value: subtract(row.logSum, row.d[target]!) }]),
    figure("crossEntropyGrad", GRAD, "targets", {}, (row, { target }) =>
      row.p.map((p, j) => ({ value: j === target ? negate(divide(row.without(j), row.sum)) : p })),
    ),
    figure("crossEntropy, smoothed", LOSS, "targets", { labelSmoothing: SMOOTHING }, (row, { target }) =>
      entropyOf(row, smoothed(row, target)),
    ),
    figure("crossEntropyGrad, smoothed", GRAD, "targets", { labelSmoothing: SMOOTHING }, (row, { target }) =>
      entropyGradOf(row, smoothed(row, target)),
    ),
    figure("crossEntropy, probabilities", LOSS, "probabilities", {}, (row, { probabilities }) =>
      entropyOf(row, probabilities),
    ),
    figure("crossEntropyGrad, probabilities", GRAD, "probabilities", {}, (row, { probabilities }) =>
      entropyGradOf(row, probabilities),
    ),
    figure("crossEntropy, γ = 2", { f32: 3, f64: 3 }, "targets", { gamma: 2 }, (row, { target }) => [
      { value: focalOf(row, target).loss },
    ]),
    figure("crossEntropyGrad, γ = 2", GRAD, "targets", { gamma: 2 }, (row, { target }) => {
      const { factor, rest } = focalOf(row, target);
      return row.p.map((p, j) => ({ value: multiply(factor, j === target ? negate(rest) : p) }));
    }),
  ],
};

const hinge: Entry = {
  first: "scores",
  positional: ["x", "targets"],
  options: [...COMMON, "form", "margin", "p", "perClass"],
  variants: ["targets, BigInt64Array"],
  ops: [
    lossOp({
      name: "hinge",
      targets: "classes",
      maskedTargets: false,
      options: (random) =>
        defined({
          form: random.pick([undefined, "weston-watkins", "crammer-singer"] as const),
          margin: random.pick([undefined, 0, 0.5, 1, 10]),
          p: random.pick([undefined, 1, 2] as const),
          perClass: random.pick([undefined, false, true]),
        }),
      oracle: (rows, { classes }, ...rest) => oracle.hinge(rows, classes, ...rest),
    }),
  ],
  measured: [
    figure("hinge", LOSS, "targets", {}, (row, { target }) => [total(violations(row, target))]),
    figure("hingeGrad, p = 2", GRAD, "targets", { p: 2 }, (row, { target }) => {
      const grad = violations(row, target).map(({ value, terms }) => ({ value: add(value, value), terms: 2 * terms }));
      const { value, terms } = total(grad.filter((_, j) => j !== target));
      grad[target] = { value: negate(value), terms };
      return grad;
    }),
  ],
};

export const losses: Entries<"crossEntropy" | "crossEntropyGrad" | "hinge" | "hingeGrad"> = {
  crossEntropy,
  crossEntropyGrad: withGradient(crossEntropy),
  hinge,
  hingeGrad: withGradient(hinge),
};

/** −Σ q_j log p_j */
function entropyOf(row: Row, q: readonly Real[]): Wanted[] {
  return [{ value: sum(row.d.map((d, j) => multiply(q[j]!, subtract(row.logSum, d)))) }];
}

/** p_j Σ q − q_j; where p_j is near 1, Σ_{k ≠ j} q_k − (1 − p_j) Σ q */
function entropyGradOf(row: Row, q: readonly Real[]): Wanted[] {
  const mass = sum(q);
  return row.p.map((p, j) => {
    const gained = multiply(p, mass);
    if (p.hi < 2 / 3) return { value: subtract(gained, q[j]!), terms: gained.hi };
    const others = sum(q.filter((_, k) => k !== j));
    const lost = multiply(divide(row.without(j), row.sum), mass);
    return { value: subtract(others, lost), terms: Math.max(others.hi, lost.hi) };
  });
}

function smoothed(row: Row, y: number): Real[] {
  return row.d.map((_, j) => {
    const spread = divide(real(SMOOTHING), real(row.d.length));
    return j === y ? add(subtract(ONE, real(SMOOTHING)), spread) : spread;
  });
}

/** q = 1 − p_y, the loss −q² log p_y, and q² (1 − 2 p_y log p_y / q), which the gradient is times that of the cross-entropy. */
function focalOf(row: Row, y: number): { loss: Real; factor: Real; rest: Real } {
  const rest = divide(row.without(y), row.sum);
  const log = subtract(row.logSum, row.d[y]!);
  const loss = multiply(power(rest, 2), log);
  // no term divides by q
  const factor = add(power(rest, 2), multiply(real(2), multiply(row.p[y]!, multiply(rest, log))));
  return { loss, factor, rest };
}

/** max(0, 1 + x_j − x_y) for j ≠ y */
function violations({ x }: Row, y: number): Required<Wanted>[] {
  return Array.from(x, (xj, j) => {
    const z = add(ONE, subtract(real(xj), real(x[y]!)));
    const counts = j !== y && z.hi > 0;
    return { value: counts ? z : real(0), terms: counts ? 1 + Math.abs(xj - x[y]!) : 0 };
  });
}

function total(z: readonly Required<Wanted>[]): Required<Wanted> {
  return { value: sum(z.map(({ value }) => value)), terms: z.reduce((a, { terms }) => a + terms, 0) };
}
