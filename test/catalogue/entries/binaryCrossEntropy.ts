// Losses of single elements.
import { defined, drawArray, inContainers, presentation } from "../../inputs/draw.js";
import * as oracle from "../../oracle/oracle.js";
import { add, multiply, ONE, power, type Real, real, subtract } from "../../oracle/real.js";
import { factors } from "../right.js";
import { type Entries, type Entry, LAYOUT, type Measured, type Op, type Wanted } from "./entry.js";
import { drawLoss, figure, withGradient } from "./loss.js";
import { sigmoids } from "./sigmoid.js";

const op: Op = {
  name: "binaryCrossEntropy",
  positive: ["loss", "fusedLoss"],
  gradient: "grad",
  draw(problem) {
    const { layout, container, random } = problem;
    const { outer, classes, inner } = layout;
    const [rows, n] = [outer * inner, outer * classes * inner];
    const weights = (length: number) => Array.from({ length }, () => random.integer(random.integer(0, 1), 12) / 8);
    const reduction = random.pick([undefined, "none", "sum", "mean", "parts"] as const);
    const options: oracle.LossOptions = defined({
      reduction,
      weight: random.chance(0.3) ? weights(classes) : undefined,
      posWeight: random.chance(0.3) ? weights(classes) : undefined,
      sampleWeight: random.chance(0.3) ? weights(rows) : undefined,
      labelSmoothing: random.pick([undefined, undefined, 0, 0.1, 0.5, 1]),
      gamma: random.pick([undefined, undefined, 0, 1, 2, 0.5, 3.7]),
      gradOutput: random.pick([undefined, 1, -2.5, reduction === "none" ? weights(n) : 0.125]),
      emptyMean: random.pick([undefined, 0, 7]),
    });
    const x = drawArray(problem);
    const isInteger = random.chance();
    const t = Array.from({ length: n }, () => (isInteger || random.chance() ? random.integer(0, 1) : random.uniform()));
    const kind = isInteger ? random.pick(["Int8Array", "BigInt64Array", "list", "float"] as const) : "float";
    const floats = container === "Float32Array" ? Float32Array.from(t) : Float64Array.from(t);
    const targets = {
      Int8Array: () => Int8Array.from(t),
      BigInt64Array: () => BigInt64Array.from(t.map(BigInt)),
      list: () => t,
      float: () => floats,
    }[kind]();
    const { gradOutput } = options;
    const asItLies = typeof gradOutput === "object" ? { gradOutput: inMemory(gradOutput, layout) } : {};
    return drawLoss("binaryCrossEntropy", problem, {
      x,
      targets,
      given: () => ({
        ...presentation(random, layout, "probabilities"),
        ...inContainers(random, { ...options, ...asItLies }),
      }),
      oracle(at, rounding) {
        const all = oracle.binaryCrossEntropy(
          oracle.rowsOf(at, layout),
          oracle.rowsOf(floats, layout),
          options,
          rounding,
        );
        return reduction === "none" ? { ...all, loss: inMemory(all.loss, layout) } : all;
      },
    });
  },
};

/** Values that go row by row, as the elements lie. */
function inMemory<T>(values: ArrayLike<T>, layout: oracle.Layout): T[] {
  return oracle.flatten(oracle.rowsOf(values, { ...layout, outer: layout.outer * layout.inner, inner: 1 }), layout);
}

const binaryCrossEntropy: Entry = {
  first: "logits",
  positional: ["x", "targets"],
  options: [...LAYOUT, "reduction", "weight", "posWeight", "sampleWeight", "emptyMean", "labelSmoothing", "gamma"],
  variants: ["targets, BigInt64Array"],
  own: {
    targets: ({ rows, classes }) => factors(7, rows * classes).map((value) => value % 1),
    "targets, BigInt64Array": ({ rows, classes }) =>
      BigInt64Array.from({ length: rows * classes }, (_, i) => BigInt(i & 1)),
    gradOutput: ({ rows, classes }) => factors(6, rows * classes),
    gamma: () => 2,
  },
  ops: [op],
  measured: [
    figureOf("binaryCrossEntropy", { f32: 3, f64: 3 }, {}, (t, { logP, logC }) => ({
      value: add(multiply(t, logP), multiply(subtract(ONE, t), logC)),
    })),
    figureOf("binaryCrossEntropyGrad", { f32: 4, f64: 4 }, {}, (t, { p, c }) =>
      difference(multiply(subtract(ONE, t), p), multiply(t, c)),
    ),
    figureOf("binaryCrossEntropy, γ = 2", { f32: 1, f64: 3 }, { gamma: 2 }, (t, { p, c, logP, logC }) => {
      const present = multiply(t, multiply(power(c, 2), logP));
      return { value: add(present, multiply(subtract(ONE, t), multiply(power(p, 2), logC))) };
    }),
    figureOf("binaryCrossEntropyGrad, γ = 2", { f32: 1, f64: 4 }, { gamma: 2 }, (t, { p, c, logP, logC }) => {
      const slope = (q: Real, other: Real, log: Real) =>
        multiply(power(q, 2), add(q, multiply(real(2), multiply(other, log))));
      return difference(multiply(subtract(ONE, t), slope(p, c, logC)), multiply(t, slope(c, p, logP)));
    }),
  ],
};

/** A figure of which every element is made of its target and its sigmoids. */
function figureOf(
  name: string,
  bound: Measured["bound"],
  options: oracle.LossOptions,
  want: (t: Real, s: ReturnType<typeof sigmoids>) => Wanted,
): Measured {
  return figure(name, bound, "probabilities", options, ({ x }, { probabilities }) =>
    probabilities.map((t, j) => want(t, sigmoids(x[j]!))),
  );
}

/** up − down, and what cancels in it. */
function difference(up: Real, down: Real): Wanted {
  return { value: subtract(up, down), terms: Math.max(up.hi, down.hi) };
}

export const binaryLosses: Entries<"binaryCrossEntropy" | "binaryCrossEntropyGrad"> = {
  binaryCrossEntropy,
  binaryCrossEntropyGrad: withGradient(binaryCrossEntropy),
};
