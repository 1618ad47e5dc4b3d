// The catalogue: every function, how to draw arguments and options for it, how to call it, and what the oracle says.
// The conformance, gradient and property tests are generated from it. A new loss is one entry in `losses`.

import type { LossValue } from "../../src/functions/reduction.js";
import {
  defined,
  drawArray,
  drawIgnoreIndex,
  drawLossArguments,
  drawLossOptions,
  type GivenOptions,
  inContainers,
  type Problem,
  presentation,
  show,
  type Targets,
} from "../inputs/draw.js";
import type { Random } from "../inputs/random.js";
import { type Container, containers, copyOf, toContainer, type Values } from "../inputs/values.js";
import { ranking, type SampleOptions, sampleChoices } from "../oracle/decisions.js";
import {
  binaryCrossEntropy,
  crossEntropy,
  crossEntropyOfProbabilities,
  flatten,
  hinge,
  type Layout,
  type Loss,
  type LossOptions,
  logSigmoid,
  logSigmoidGrad,
  logSoftmax,
  logSoftmaxGrad,
  logSumExp,
  type Rounding,
  rowsOf,
  sigmoid,
  sigmoidGrad,
  softmax,
  softmaxGrad,
} from "../oracle/oracle.js";
import { add, multiply, type Real, real, sum } from "../oracle/real.js";
import type { Api } from "./backends.js";

/** One call with everything decided. */
export interface Trial {
  /** The arguments, for messages. */
  describe(): string;
  /** Calls the function on fresh copies; the results by name. */
  run(api: Api): Record<string, ArrayLike<number>>;
  expected(rounding: Rounding): Record<string, Real[]>;
  /** For functions with a gradient: where it is taken, and the scalar that it is the gradient of. */
  readonly x: readonly number[];
  objective?(x: readonly number[]): Real;
  /** What the gradient may be off besides, in u, since it is taken at an x that was rounded. */
  readonly slack?: readonly number[];
}

export interface Op {
  readonly name: string;
  /** The results that are probabilities or losses, and so must never be −0. */
  readonly positive: readonly string[];
  /** The result that is the gradient of the trial's objective. */
  readonly gradient?: string;
  draw(problem: Problem): Trial;
}

/** As good as exact: what the gradients of the oracle itself are taken of. */
const EXACT: Rounding = { u: 2 ** -53, tiny: 0, sumExp: 1, sum: 1, shift: false };

// ---- functions of logits ----

const forward: readonly {
  readonly name: "softmax" | "logSoftmax" | "logSumExp" | "sigmoid" | "logSigmoid";
  readonly row: (x: readonly number[], temperature: number, rounding: Rounding) => Real[];
}[] = [
  { name: "softmax", row: softmax },
  { name: "logSoftmax", row: logSoftmax },
  { name: "logSumExp", row: (...args) => [logSumExp(...args)] },
  { name: "sigmoid", row: (x, _, rounding) => x.map((xj) => sigmoid(xj, rounding)) },
  { name: "logSigmoid", row: (x, _, rounding) => x.map((xj) => logSigmoid(xj, rounding)) },
];

function forwardOp({ name, row }: (typeof forward)[number]): Op {
  return {
    name,
    positive: name === "softmax" || name === "sigmoid" ? ["y"] : [],
    draw(problem) {
      const { layout, container, random } = problem;
      const x = drawArray(problem);
      const temperature = name.endsWith("igmoid") ? undefined : random.pick([undefined, undefined, 1, 0.5, 0.1, 2, 10]);
      const options = { ...presentation(random, layout, "function"), ...defined({ temperature }) };
      const resultLayout = name === "logSumExp" ? { ...layout, classes: 1 } : layout;
      const out = random.pick(name === "logSumExp" ? ["none", "fresh"] : ["none", "fresh", "in place"]);
      return {
        describe: () => `${name}(${show(x)}, ${show(options)}), out: ${out}`,
        run(api) {
          const input = copyOf(x);
          const y = api[name](input, { ...options, ...outOption(out, input, size(resultLayout), container) });
          return { y };
        },
        expected: (rounding) => ({
          y: flatten(
            rowsOf(x, layout).map((xr) => row(xr, temperature ?? 1, rounding)),
            resultLayout,
          ),
        }),
        x: Array.from(x),
      };
    },
  };
}

// ---- vector–Jacobian products ----

const products: readonly {
  readonly name: "softmaxGrad" | "logSoftmaxGrad" | "sigmoidGrad" | "logSigmoidGrad";
  readonly forward: (x: readonly number[], temperature: number, rounding: Rounding) => Real[];
  readonly row: (y: readonly number[], dy: readonly number[], rounding: Rounding) => Real[];
  /** What rounding y may change, in u, where that is more than what the result itself may be off. */
  readonly sensitivity?: (y: number, dy: number) => number;
}[] = [
  { name: "softmaxGrad", forward: softmax, row: softmaxGrad },
  { name: "logSoftmaxGrad", forward: logSoftmax, row: logSoftmaxGrad },
  {
    name: "sigmoidGrad",
    forward: (x, _, rounding) => x.map((xj) => sigmoid(xj, rounding)),
    row: (y, dy) => y.map((yj, j) => sigmoidGrad(yj, dy[j]!)),
    sensitivity: (y, dy) => Math.abs(y * dy),
  },
  {
    name: "logSigmoidGrad",
    forward: (x, _, rounding) => x.map((xj) => logSigmoid(xj, rounding)),
    row: (y, dy) => y.map((yj, j) => logSigmoidGrad(yj, dy[j]!)),
  },
];

function productOp({ name, forward, row, sensitivity }: (typeof products)[number]): Op {
  return {
    name,
    positive: [],
    gradient: "dx",
    draw(problem) {
      const { layout, container, random } = problem;
      const x = drawArray(problem);
      const forwardFlat = (x: ArrayLike<number>) =>
        flatten(
          rowsOf(x, layout).map((xr) => forward(xr, 1, EXACT)),
          layout,
        );
      const y = toContainer(
        forwardFlat(x).map((value) => value.hi),
        container,
      );
      const dy = drawArray({ ...problem, values: random.pick(["normal", "equal"] as const) });
      const options = presentation(random, layout, "function");
      const out = random.pick(["none", "fresh", "in place", "over dy"]);
      return {
        describe: () => `${name}(${show(y)}, ${show(dy)}, ${show(options)}), out: ${out}`,
        run(api) {
          const [input, upstream] = [copyOf(y), copyOf(dy)];
          const target = out === "over dy" ? { out: upstream } : outOption(out, input, size(layout), container);
          return { dx: api[name](input, upstream, { ...options, ...target }) };
        },
        expected(rounding) {
          const dyRows = rowsOf(dy, layout);
          return {
            dx: flatten(
              rowsOf(y, layout).map((yr, r) => row(yr, dyRows[r]!, rounding)),
              layout,
            ),
          };
        },
        x: Array.from(x),
        slack: Array.from(y, (yi, i) => sensitivity?.(yi, dy[i]!) ?? 0),
        objective: (x) => sum(forwardFlat(x).map((value, i) => multiply(value, real(dy[i]!)))),
      };
    },
  };
}

// ---- losses ----

interface LossEntry {
  readonly name: string;
  readonly title?: string;
  readonly targets: "classes" | "probabilities";
  /** Whether the loss of a target at −Infinity is defined by its formula. */
  readonly maskedTargets: boolean;
  options(random: Random): LossOptions;
  loss(api: Api, x: Values, targets: Targets, options: GivenOptions): LossValue;
  lossAndGrad(api: Api, x: Values, targets: Targets, options: GradOptions): { loss: LossValue; grad: Values };
  oracle(rows: readonly number[][], targets: Targets, options: LossOptions, rounding: Rounding): Loss;
}

type GradOptions = GivenOptions & { readonly grad?: Values; readonly accumulate?: boolean };

const losses: readonly LossEntry[] = [
  {
    name: "crossEntropy",
    targets: "classes",
    maskedTargets: true,
    options: drawCrossEntropyOptions,
    loss: (api, x, { indices }, options) => api.crossEntropy(x, indices, options),
    lossAndGrad: (api, x, { indices }, options) => api.crossEntropyGrad(x, indices, options),
    oracle: (rows, { classes }, ...rest) => crossEntropy(rows, classes, ...rest),
  },
  {
    name: "crossEntropy",
    title: "focal crossEntropy",
    targets: "classes",
    maskedTargets: true,
    options: (random) =>
      defined({
        temperature: random.pick([undefined, undefined, 0.5, 10]),
        gamma: random.pick([1, 2, 0.5, 3.7]),
      }),
    loss: (api, x, { indices }, options) => api.crossEntropy(x, indices, options),
    lossAndGrad: (api, x, { indices }, options) => api.crossEntropyGrad(x, indices, options),
    oracle: (rows, { classes }, ...rest) => crossEntropy(rows, classes, ...rest),
  },
  {
    name: "crossEntropy",
    targets: "probabilities",
    maskedTargets: true,
    options: drawCrossEntropyOptions,
    loss: (api, x, { distribution }, options) => api.crossEntropy(x, distribution, options),
    lossAndGrad: (api, x, { distribution }, options) => api.crossEntropyGrad(x, distribution, options),
    oracle: (rows, { probabilities }, ...rest) => crossEntropyOfProbabilities(rows, probabilities, ...rest),
  },
  {
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
    loss: (api, x, { indices }, options) => api.hinge(x, indices, options),
    lossAndGrad: (api, x, { indices }, options) => api.hingeGrad(x, indices, options),
    oracle: (rows, { classes }, ...rest) => hinge(rows, classes, ...rest),
  },
];

function drawCrossEntropyOptions(random: Random): LossOptions {
  return defined({
    temperature: random.pick([undefined, undefined, 1, 0.5, 0.7, 10]),
    labelSmoothing: random.pick([undefined, undefined, 0, 0.1, 0.5, 1]),
  });
}

function lossOp(entry: LossEntry): Op {
  return {
    name: `${entry.title ?? entry.name} of ${entry.targets}`,
    positive: ["loss", "fusedLoss"],
    gradient: "grad",
    draw(problem) {
      const { layout, random } = problem;
      const options: LossOptions = {
        ...drawLossOptions(random, layout),
        ...entry.options(random),
        ...(entry.targets === "classes" ? defined({ ignoreIndex: drawIgnoreIndex(random, layout.classes) }) : {}),
      };
      const { x, targets } = drawLossArguments(problem, entry.targets, entry.maskedTargets, options);
      const accumulate = random.chance(0.3);
      const grad = accumulate ? random.pick(["fresh", "in place"]) : random.pick(["none", "fresh", "in place"]);
      const previous = grad === "in place" ? x : drawArray({ ...problem, values: "normal" });
      const given = { ...presentation(random, layout, entry.targets), ...inContainers(random, options, containers) };
      const oracle = (rows: number[][], rounding: Rounding) => entry.oracle(rows, targets, options, rounding);

      return {
        describe: () =>
          `${entry.name}(${show(x)}, ${show(entry.targets === "classes" ? targets.indices : targets.distribution)}, ` +
          `${show(given)}), accumulate: ${accumulate}, grad: ${grad}`,
        run(api) {
          const { gradOutput, ...lossOptions } = given;
          const loss = entry.loss(api, copyOf(x), targets, lossOptions);
          const input = copyOf(x);
          const buffer = grad === "none" ? {} : { grad: grad === "fresh" ? copyOf(previous) : input };
          const fused = entry.lossAndGrad(api, input, targets, {
            ...given,
            ...buffer,
            ...(accumulate ? { accumulate } : {}),
          });
          return { loss: asArray(loss), fusedLoss: asArray(fused.loss), grad: fused.grad };
        },
        expected(rounding) {
          const { loss, grad } = oracle(rowsOf(x, layout), rounding);
          const flat = flatten(grad, layout);
          return {
            loss,
            fusedLoss: loss,
            grad: accumulate ? flat.map((g, i) => add(g, real(previous[i]!))) : flat,
          };
        },
        x: Array.from(x),
        objective(at) {
          const { objective } = oracle(rowsOf(at, layout), EXACT);
          if (!accumulate) return objective;
          return add(objective, sum(at.map((xi, i) => multiply(real(xi), real(previous[i]!)))));
        },
      };
    },
  };
}

// ---- losses of elements ----

const binaryOp: Op = {
  name: "binaryCrossEntropy",
  positive: ["loss", "fusedLoss"],
  gradient: "grad",
  draw(problem) {
    const { layout, container, random } = problem;
    const { outer, classes, inner } = layout;
    const [rows, n] = [outer * inner, outer * classes * inner];
    const weights = (length: number) => Array.from({ length }, () => random.integer(random.integer(0, 1), 12) / 8);
    const reduction = random.pick([undefined, "none", "sum", "mean", "parts"] as const);
    const options: LossOptions = defined({
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
    const kind = isInteger ? random.pick(["Int8Array", "BigInt64Array", "list", "float"]) : "float";
    const floats = container === "Float32Array" ? Float32Array.from(t) : Float64Array.from(t);
    const targets =
      kind === "Int8Array"
        ? Int8Array.from(t)
        : kind === "BigInt64Array"
          ? BigInt64Array.from(t.map(BigInt))
          : kind === "list"
            ? t
            : floats;
    const accumulate = random.chance(0.3);
    const grad = accumulate ? random.pick(["fresh", "in place"]) : random.pick(["none", "fresh", "in place"]);
    const previous = grad === "in place" ? x : drawArray({ ...problem, values: "normal" });
    const { weight, posWeight, sampleWeight, gradOutput, ignoreIndex: _, ...rest } = options;
    const given = {
      ...presentation(random, layout, "probabilities"),
      ...rest,
      ...defined({
        weight: weight && toContainer(weight, random.pick(containers)),
        posWeight: posWeight && toContainer(posWeight, random.pick(containers)),
        sampleWeight: sampleWeight && toContainer(sampleWeight, random.pick(containers)),
        gradOutput:
          typeof gradOutput === "object"
            ? toContainer(inMemory(gradOutput, layout), random.pick(containers))
            : gradOutput,
      }),
    };
    const oracle = (at: ArrayLike<number>, rounding: Rounding) =>
      binaryCrossEntropy(rowsOf(at, layout), rowsOf(floats, layout), options, rounding);
    return {
      describe: () =>
        `binaryCrossEntropy(${show(x)}, ${show(targets)}, ${show(given)}), accumulate: ${accumulate}, grad: ${grad}`,
      run(api) {
        const { gradOutput, ...lossOptions } = given;
        const loss = api.binaryCrossEntropy(copyOf(x), targets as Float64Array, lossOptions);
        const input = copyOf(x);
        const buffer = grad === "none" ? {} : { grad: grad === "fresh" ? copyOf(previous) : input };
        const fused = api.binaryCrossEntropyGrad(input, targets as Float64Array, {
          ...given,
          ...buffer,
          ...(accumulate ? { accumulate } : {}),
        });
        return { loss: asArray(loss), fusedLoss: asArray(fused.loss), grad: fused.grad };
      },
      expected(rounding) {
        const { loss, grad } = oracle(x, rounding);
        const losses = reduction === "none" ? inMemory(loss, layout) : loss;
        const flat = flatten(grad, layout);
        return {
          loss: losses,
          fusedLoss: losses,
          grad: accumulate ? flat.map((g, i) => add(g, real(previous[i]!))) : flat,
        };
      },
      x: Array.from(x),
      objective(at) {
        const { objective } = oracle(at, EXACT);
        if (!accumulate) return objective;
        return add(objective, sum(at.map((xi, i) => multiply(real(xi), real(previous[i]!)))));
      },
    };
  },
};

/** Values that go row by row, as the elements lie. */
function inMemory<T>(values: ArrayLike<T>, layout: Layout): T[] {
  const { classes } = layout;
  const rows = Array.from({ length: layout.outer * layout.inner }, (_, r) =>
    Array.from({ length: classes }, (_, j) => values[r * classes + j]!),
  );
  return flatten(rows, layout);
}

function outOption(out: string, input: Values, length: number, container: Container): { out?: Values } {
  if (out === "none") return {};
  return { out: out === "fresh" ? toContainer(new Array<number>(length).fill(-99), container) : input };
}

function size({ outer, classes, inner }: Layout): number {
  return outer * classes * inner;
}

function asArray(loss: LossValue): ArrayLike<number> {
  if (typeof loss === "number") return [loss];
  return "sum" in loss ? [loss.sum, loss.denominator] : loss;
}

// ---- decisions ----

/** Logits whose rows can be drawn from. */
function drawable(problem: Problem): Values {
  const x = drawArray(problem);
  const { classes, inner } = problem.layout;
  for (let i = 0; i < x.length; i++) {
    const isFirst = Math.floor(i / inner) % classes === 0;
    if (Number.isNaN(x[i]) || x[i] === Infinity || (isFirst && x[i] === -Infinity)) x[i] = 0;
  }
  return x;
}

const indicesOf = (result: unknown): ArrayLike<number> =>
  typeof result === "number" ? [result] : (result as Int32Array);

const argmaxOp: Op = {
  name: "argmax",
  positive: [],
  draw(problem) {
    const { layout, random } = problem;
    const x = drawArray(problem);
    const options = presentation(random, layout, "function");
    return {
      describe: () => `argmax(${show(x)}, ${show(options)})`,
      run: (api) => ({ indices: indicesOf((api.argmax as (...args: unknown[]) => unknown)(copyOf(x), options)) }),
      expected: () => ({ indices: rowsOf(x, layout).map((row) => real(ranking(row)[0]!)) }),
      x: Array.from(x),
    };
  },
};

const topKOp: Op = {
  name: "topK",
  positive: [],
  draw(problem) {
    const { layout, random } = problem;
    const x = drawArray(problem);
    const k = random.integer(1, layout.classes);
    const temperature = random.pick([undefined, 1, 0.5, 10]);
    const values = random.pick([undefined, "probabilities", "logProbabilities", "logits"] as const);
    const options = { ...presentation(random, layout, "function"), ...defined({ temperature, values }) };
    return {
      describe: () => `topK(${show(x)}, ${k}, ${show(options)})`,
      run: (api) => ({ ...api.topK(copyOf(x), k, options) }),
      expected(rounding) {
        const rows = rowsOf(x, layout).map((row) => {
          const order = ranking(row).slice(0, k);
          const f = { logits: () => row.map(real), probabilities: softmax, logProbabilities: logSoftmax };
          const all = f[values ?? "probabilities"](row, temperature ?? 1, rounding);
          return order.map((j) => [real(j), all[j]!] as const);
        });
        return { indices: rows.flat().map(([j]) => j), values: rows.flat().map(([, value]) => value) };
      },
      x: Array.from(x),
    };
  },
};

/** Nearer to a boundary than this share of the sum, either side of it is right. */
const boundary = (container: Container): number => (container === "Float32Array" ? 1e-6 : 1e-12);

const sampleOp: Op = {
  name: "sample",
  positive: [],
  draw(problem) {
    const { layout, container, random } = problem;
    const x = drawable(problem);
    const drawn: SampleOptions = defined({
      temperature: random.pick([undefined, 1, 0.5, 10, 0]),
      topK: random.pick([undefined, undefined, 1, 2, layout.classes, random.integer(1, layout.classes)]),
      topP: random.pick([undefined, undefined, 1, 0.9, 0.5, 0.1]),
      minP: random.pick([undefined, undefined, 0, 0.05, 0.5, 1]),
    });
    // A number for each row that is not on a boundary, if there is one; the largest logit is never on one.
    const decided = (row: readonly number[], restriction: SampleOptions) => {
      for (let i = 0; i < 9; i++) {
        const u = random.uniform();
        const choices = [...sampleChoices(row, u, restriction, boundary(container))];
        if (choices.length === 1) return { u, choice: choices[0]! };
      }
      return undefined;
    };
    const rows = rowsOf(x, layout);
    const tried = rows.map((row) => decided(row, drawn));
    const restriction: SampleOptions = tried.includes(undefined) ? { temperature: 0 } : drawn;
    const draws = rows.map((row, r) => tried[r] ?? decided(row, restriction)!);
    if (restriction !== drawn) for (const [r, row] of rows.entries()) draws[r] = decided(row, restriction)!;
    const options = { ...presentation(random, layout, "function"), ...restriction };
    return {
      describe: () => `sample(${show(x)}, ${show(options)}), u: ${draws.map(({ u }) => u)}`,
      run(api) {
        const us = draws.map(({ u }) => u).values();
        const given = { ...options, random: () => us.next().value as number };
        return { classes: indicesOf((api.sample as (...args: unknown[]) => unknown)(copyOf(x), given)) };
      },
      expected: () => ({ classes: draws.map(({ choice }) => real(choice)) }),
      x: Array.from(x),
    };
  },
};

export const ops: readonly Op[] = [
  argmaxOp,
  topKOp,
  sampleOp,
  ...forward.map(forwardOp),
  ...products.map(productOp),
  ...losses.map(lossOp),
  binaryOp,
];
