// The catalogue: every function, how to draw arguments and options for it, how to call it, and what the oracle says.
// The conformance, gradient and property tests are generated from it. A new loss is one entry in `losses`.
import type { Api } from "./backends.js";
import {
  crossEntropy,
  crossEntropyOfProbabilities,
  flatten,
  hinge,
  type Layout,
  type Loss,
  type LossOptions,
  logSoftmax,
  logSoftmaxGrad,
  logSumExp,
  type Rounding,
  rowsOf,
  softmax,
  softmaxGrad,
} from "./oracle.js";
import type { Random } from "./random.js";
import { add, multiply, type Real, real, sum } from "./real.js";
import { type Container, copyOf, drawRow, rounded, toContainer, type ValueClass, type Values } from "./values.js";

/** What to draw arguments for. */
export interface Problem {
  readonly layout: Layout;
  readonly container: Container;
  readonly values: ValueClass;
  readonly random: Random;
}

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
const EXACT: Rounding = { u: 2 ** -53, tiny: 0, shift: false };

// ---- functions of logits ----

const forward: readonly {
  readonly name: "softmax" | "logSoftmax" | "logSumExp";
  readonly row: (x: readonly number[], temperature: number, rounding: Rounding) => Real[];
}[] = [
  { name: "softmax", row: softmax },
  { name: "logSoftmax", row: logSoftmax },
  { name: "logSumExp", row: (...args) => [logSumExp(...args)] },
];

function forwardOp({ name, row }: (typeof forward)[number]): Op {
  return {
    name,
    positive: name === "softmax" ? ["y"] : [],
    draw({ layout, container, values, random }) {
      const x = drawArray(random, layout, values, container);
      const temperature = random.pick([undefined, undefined, 1, 0.5, 0.1, 2, 10]);
      const options = { ...presentation(random, layout, "function"), ...defined({ temperature }) };
      const resultLayout = name === "logSumExp" ? { ...layout, classes: 1 } : layout;
      const out = random.pick(name === "logSumExp" ? ["none", "fresh"] : ["none", "fresh", "in place"]);
      return {
        describe: () => `${name}(${show(container, x)}, ${show(options)}), out: ${out}`,
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
  readonly name: "softmaxGrad" | "logSoftmaxGrad";
  readonly forward: (x: readonly number[], temperature: number, rounding: Rounding) => Real[];
  readonly row: (y: readonly number[], dy: readonly number[]) => Real[];
}[] = [
  { name: "softmaxGrad", forward: softmax, row: softmaxGrad },
  { name: "logSoftmaxGrad", forward: logSoftmax, row: logSoftmaxGrad },
];

function productOp({ name, forward, row }: (typeof products)[number]): Op {
  return {
    name,
    positive: [],
    gradient: "dx",
    draw({ layout, container, values, random }) {
      const x = drawArray(random, layout, values, container);
      const forwardFlat = (x: ArrayLike<number>) =>
        flatten(
          rowsOf(x, layout).map((xr) => forward(xr, 1, EXACT)),
          layout,
        );
      const y = toContainer(
        forwardFlat(x).map((value) => value.hi),
        container,
      );
      const dy = drawArray(random, layout, random.pick(["normal", "equal"]), container);
      const options = presentation(random, layout, "function");
      const out = random.pick(["none", "fresh", "in place", "over dy"]);
      return {
        describe: () => `${name}(${show(container, y)}, ${show(container, dy)}, ${show(options)}), out: ${out}`,
        run(api) {
          const [input, upstream] = [copyOf(y), copyOf(dy)];
          const target = out === "over dy" ? { out: upstream } : outOption(out, input, size(layout), container);
          return { dx: api[name](input, upstream, { ...options, ...target }) };
        },
        expected() {
          const dyRows = rowsOf(dy, layout);
          return {
            dx: flatten(
              rowsOf(y, layout).map((yr, r) => row(yr, dyRows[r]!)),
              layout,
            ),
          };
        },
        x: Array.from(x),
        objective: (x) => sum(forwardFlat(x).map((value, i) => multiply(value, real(dy[i]!)))),
      };
    },
  };
}

// ---- losses ----

interface LossEntry {
  readonly name: string;
  readonly targets: "classes" | "probabilities";
  options(random: Random): LossOptions;
  loss(api: Api, x: Values, targets: Targets, options: GivenOptions): number | Values;
  lossAndGrad(api: Api, x: Values, targets: Targets, options: GivenOptions): { loss: number | Values; grad: Values };
  oracle(rows: readonly number[][], targets: Targets, options: LossOptions, rounding: Rounding): Loss;
}

/** The same targets in both forms, each as the API takes it and for the oracle. */
interface Targets {
  readonly indices: number[] | Int8Array | Int32Array | BigInt64Array;
  readonly classes: readonly number[];
  readonly distribution: Float32Array | Float64Array;
  readonly probabilities: readonly number[][];
}

const losses: readonly LossEntry[] = [
  {
    name: "crossEntropy",
    targets: "classes",
    options: drawCrossEntropyOptions,
    loss: (api, x, { indices }, options) => api.crossEntropy(x, indices, options),
    lossAndGrad: (api, x, { indices }, options) => api.crossEntropyGrad(x, indices, options),
    oracle: (rows, { classes }, ...rest) => crossEntropy(rows, classes, ...rest),
  },
  {
    name: "crossEntropy",
    targets: "probabilities",
    options: drawCrossEntropyOptions,
    loss: (api, x, { distribution }, options) => api.crossEntropy(x, distribution, options),
    lossAndGrad: (api, x, { distribution }, options) => api.crossEntropyGrad(x, distribution, options),
    oracle: (rows, { probabilities }, ...rest) => crossEntropyOfProbabilities(rows, probabilities, ...rest),
  },
  {
    name: "hinge",
    targets: "classes",
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

/** Options that every loss has. The weights are held exactly by f32, and some are 0. */
function drawLossOptions(random: Random, { outer, classes, inner }: Layout): LossOptions {
  const rows = outer * inner;
  const weights = (length: number) => Array.from({ length }, () => random.integer(random.integer(0, 1), 12) / 8);
  const reduction = random.pick([undefined, "none", "sum", "mean"] as const);
  return defined({
    reduction,
    weight: random.chance() ? weights(classes) : undefined,
    sampleWeight: random.chance(0.3) ? weights(rows) : undefined,
    meanOver: random.pick([undefined, "weights", "count", "all"] as const),
    emptyMean: random.pick([undefined, 0, 7]),
    gradOutput: random.pick([undefined, 1, -2.5, reduction === "none" ? weights(rows) : 0.125]),
  });
}

/** −100 (ignored unless said otherwise), a class, or something outside the classes. */
function drawIgnoreIndex(random: Random, classes: number): number | number[] | undefined {
  const someClass = random.integer(0, classes - 1);
  return random.pick<number | number[] | undefined>([undefined, undefined, someClass, -1, [], [someClass, -1]]);
}

function lossOp(entry: LossEntry): Op {
  return {
    name: `${entry.name} of ${entry.targets}`,
    positive: ["loss", "fusedLoss"],
    gradient: "grad",
    draw(problem) {
      const { layout, container, random } = problem;
      const options: LossOptions = {
        ...drawLossOptions(random, layout),
        ...entry.options(random),
        ...(entry.targets === "classes" ? defined({ ignoreIndex: drawIgnoreIndex(random, layout.classes) }) : {}),
      };
      const { x, targets } = drawLossArguments(problem, entry, options);
      const accumulate = random.chance(0.3);
      const grad = accumulate ? random.pick(["fresh", "in place"]) : random.pick(["none", "fresh", "in place"]);
      const previous = grad === "in place" ? x : drawArray(random, layout, "normal", container);
      const shape = presentation(random, layout, entry.targets === "classes" ? "loss" : "loss of probabilities");
      const container2 = random.pick([container, "number[]"] as const);
      const given = inContainers(options, container, container2);
      const oracle = (rows: number[][], rounding: Rounding) => entry.oracle(rows, targets, options, rounding);

      return {
        describe: () =>
          `${entry.name}(${show(container, x)}, ${show(entry.targets === "classes" ? targets.indices : targets.distribution)}, ${show({ ...shape, ...options })}), ` +
          `accumulate: ${accumulate}, grad: ${grad}`,
        run(api) {
          const { gradOutput, ...lossOptions } = given;
          const loss = entry.loss(api, copyOf(x), targets, { ...shape, ...lossOptions });
          const input = copyOf(x);
          const buffer = grad === "none" ? {} : { grad: grad === "fresh" ? copyOf(previous) : input };
          const fused = entry.lossAndGrad(api, input, targets, {
            ...shape,
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

/** Logits, and targets that fit them. A row that is ignored may hold anything, NaN included. */
function drawLossArguments({ layout, container, values, random }: Problem, entry: LossEntry, options: LossOptions) {
  const rowCount = layout.outer * layout.inner;
  const rows = Array.from({ length: rowCount }, () => drawRow(random, layout.classes, values, container));
  const ignore = [options.ignoreIndex ?? -100].flat();
  const classes = rows.map((row) => {
    const target = random.chance(0.2) ? random.pick([...ignore, 0]) : random.integer(0, layout.classes - 1);
    if (ignore.includes(target)) {
      if (entry.targets === "classes" && random.chance()) row.fill(Number.NaN);
      return target;
    }
    // the hinge loss of −Infinity against −Infinity is nobody's formula
    return entry.name === "hinge" && row[target] === Number.NEGATIVE_INFINITY ? row.findIndex(Number.isFinite) : target;
  });
  rows.forEach((row, r) => {
    if (options.sampleWeight?.[r] === 0 && random.chance()) row.fill(Number.POSITIVE_INFINITY);
  });
  const probabilities = rows.map((row) => drawProbabilities(random, row, container));
  const given =
    entry.targets === "probabilities"
      ? toContainer(flatten(probabilities, layout), container === "number[]" ? "Float64Array" : container)
      : inIntegerContainer(random, classes);
  return { x: toContainer(flatten(rows, layout), container), targets: { given, classes, probabilities } };
}

/** Non-negative, some of them 0, and 0 where the logit is masked; not always summing to 1. */
function drawProbabilities(random: Random, row: readonly number[], container: Container): number[] {
  const oneHot = random.chance(0.2) ? random.integer(0, row.length - 1) : -1;
  const raw = row.map((_, j) => (oneHot >= 0 ? Number(j === oneHot) : random.chance(0.8) ? random.uniform() : 0));
  const total = random.chance() ? raw.reduce((a, b) => a + b, 0) || 1 : 1;
  return raw.map((t, j) => (row[j] === Number.NEGATIVE_INFINITY ? 0 : rounded(t / total, container)));
}

function inIntegerContainer(random: Random, classes: readonly number[]): Targets["given"] {
  const choices: Targets["given"][] = [
    Array.from(classes),
    Int32Array.from(classes),
    BigInt64Array.from(classes.map(BigInt)),
  ];
  if (classes.every((y) => y < 128)) choices.push(Int8Array.from(classes));
  return random.pick(choices);
}

// ---- containers, shapes, options ----

type ArrayOption = "weight" | "sampleWeight" | "gradOutput";

/** Arrays among the options in the containers that the API takes: class weights like the logits or number[], per row any. */
function inContainers(options: LossOptions, container: Container, choice: Container): GivenOptions {
  const { weight, sampleWeight, gradOutput, ignoreIndex, ...rest } = options;
  return {
    ...rest,
    ...defined({
      weight: weight && toContainer(weight, choice),
      sampleWeight: sampleWeight && toContainer(sampleWeight, container),
      gradOutput: typeof gradOutput === "object" ? toContainer(gradOutput, choice) : gradOutput,
      ignoreIndex: typeof ignoreIndex === "object" ? Array.from(ignoreIndex) : ignoreIndex,
    }),
  };
}

type GivenOptions = Omit<LossOptions, ArrayOption | "ignoreIndex"> & {
  readonly weight?: Values;
  readonly sampleWeight?: Values;
  readonly gradOutput?: number | Values;
  readonly ignoreIndex?: number | number[];
};

function drawArray(random: Random, layout: Layout, values: ValueClass, container: Container): Values {
  const rows = Array.from({ length: layout.outer * layout.inner }, () =>
    drawRow(random, layout.classes, values, container),
  );
  return toContainer(flatten(rows, layout), container);
}

/** One of the ways to tell the API about a layout; sometimes by its defaults. */
function presentation(
  random: Random,
  { outer, classes, inner }: Layout,
  kind: "function" | "loss" | "loss of probabilities",
): { shape?: number[]; axis?: number } {
  if (inner > 1) {
    const tail = inner % 2 === 0 ? [inner / 2, 2] : [inner];
    const shapes = [
      { shape: [outer, classes, ...tail], axis: 1 },
      { shape: [outer, classes, ...tail], axis: -1 - tail.length },
    ];
    if (kind !== "function") shapes.push({ shape: [outer, classes, ...tail] } as (typeof shapes)[number]);
    if (outer === 1) shapes.push({ shape: [classes, ...tail], axis: 0 });
    return random.pick(shapes);
  }
  const shapes: { shape?: number[]; axis?: number }[] = [
    { shape: [outer, classes] },
    { shape: [outer, classes], axis: 1 },
    { shape: [1, outer, classes], axis: -1 },
  ];
  if (kind === "loss" ? outer > 0 : outer === 1) shapes.push({});
  if (kind !== "function") shapes.push({ shape: [outer, classes, 1] });
  return random.pick(shapes);
}

function outOption(out: string, input: Values, length: number, container: Container): { out?: Values } {
  if (out === "none") return {};
  return { out: out === "fresh" ? toContainer(new Array<number>(length).fill(-99), container) : input };
}

function size({ outer, classes, inner }: Layout): number {
  return outer * classes * inner;
}

function asArray(loss: number | Values): ArrayLike<number> {
  return typeof loss === "number" ? [loss] : loss;
}

/** Without the options that are undefined, so that defaults are tested as absent. */
function defined<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function show(...values: unknown[]): string {
  return values
    .map((value) => {
      if (ArrayBuffer.isView(value)) return `${value.constructor.name} ${show(Array.from(value as Float64Array))}`;
      if (Array.isArray(value)) return `[${value.slice(0, 40).join(", ")}${value.length > 40 ? ", …" : ""}]`;
      if (typeof value !== "object" || value === null) return String(value);
      return `{ ${Object.entries(value)
        .map(([key, entry]) => `${key}: ${show(entry)}`)
        .join(", ")} }`;
    })
    .join(" ");
}

export const ops: readonly Op[] = [...forward.map(forwardOp), ...products.map(productOp), ...losses.map(lossOp)];
