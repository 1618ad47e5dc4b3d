// Random arguments and options: logits with targets that fit them, every way to name a shape, every option a loss may have.
import type { Layout, LossOptions } from "../oracle/oracle.js";
import { flatten } from "../oracle/oracle.js";
import type { Random } from "./random.js";
import { type Container, containers, drawRow, rounded, toContainer, type ValueClass, type Values } from "./values.js";

/** What to draw arguments for. */
export interface Problem {
  readonly layout: Layout;
  readonly container: Container;
  readonly values: ValueClass;
  readonly random: Random;
}

export function drawArray({ layout, container, values, random }: Problem): Values {
  return toContainer(flatten(drawRows({ layout, container, values, random }), layout), container);
}

function drawRows({ layout, container, values, random }: Problem): number[][] {
  return Array.from({ length: layout.outer * layout.inner }, () => drawRow(random, layout.classes, values, container));
}

/** The same targets in both forms, each as the API takes it and for the oracle. */
export interface Targets {
  readonly indices: number[] | Int8Array | Int32Array | BigInt64Array;
  readonly classes: readonly number[];
  readonly distribution: Float32Array | Float64Array;
  readonly probabilities: readonly number[][];
}

/**
 * Logits, and targets that fit them; a target at −Infinity only where `maskedTargets`. A row that does not count may hold anything,
 * NaN included.
 */
export function drawLossArguments(
  problem: Problem,
  form: "classes" | "probabilities",
  maskedTargets: boolean,
  options: LossOptions,
): { x: Values; targets: Targets } {
  const { layout, container, random } = problem;
  const rows = drawRows(problem);
  const ignore = [options.ignoreIndex ?? -100].flat();
  const classes = rows.map((row) => {
    const target = random.chance(0.2) ? random.pick([...ignore, 0]) : random.integer(0, layout.classes - 1);
    if (!ignore.includes(target)) {
      if (maskedTargets || Number.isFinite(row[target])) return target;
      if (!row.some(Number.isFinite)) row[target] = 0;
      return row.findIndex(Number.isFinite);
    }
    if (form === "classes" && random.chance()) row.fill(Number.NaN);
    return target;
  });
  rows.forEach((row, r) => {
    if (options.sampleWeight?.[r] === 0 && random.chance()) row.fill(Number.POSITIVE_INFINITY);
  });
  const probabilities = rows.map((row) => drawProbabilities(random, row, container));
  const flat = flatten(probabilities, layout);
  return {
    x: toContainer(flatten(rows, layout), container),
    targets: {
      indices: inIntegerContainer(random, classes),
      classes,
      distribution: container === "Float32Array" ? Float32Array.from(flat) : Float64Array.from(flat),
      probabilities,
    },
  };
}

/** Non-negative, some of them 0, and 0 where the logit is masked; not always summing to 1. */
function drawProbabilities(random: Random, row: readonly number[], container: Container): number[] {
  const oneHot = random.chance(0.2) ? random.integer(0, row.length - 1) : -1;
  const raw = row.map((_, j) => (oneHot >= 0 ? Number(j === oneHot) : random.chance(0.8) ? random.uniform() : 0));
  const total = random.chance() ? raw.reduce((a, b) => a + b, 0) || 1 : 1;
  return raw.map((t, j) => (row[j] === Number.NEGATIVE_INFINITY ? 0 : rounded(t / total, container)));
}

function inIntegerContainer(random: Random, classes: readonly number[]): Targets["indices"] {
  const choices: Targets["indices"][] = [
    Array.from(classes),
    Int32Array.from(classes),
    BigInt64Array.from(classes.map(BigInt)),
  ];
  if (classes.every((y) => y < 128)) choices.push(Int8Array.from(classes));
  return random.pick(choices);
}

/** Options that every loss has. The weights are held exactly by f32, and some are 0. */
export function drawLossOptions(random: Random, { outer, classes, inner }: Layout): LossOptions {
  const rows = outer * inner;
  const weights = (length: number) => Array.from({ length }, () => random.integer(random.integer(0, 1), 12) / 8);
  const reduction = random.pick([undefined, "none", "sum", "mean", "parts"] as const);
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
export function drawIgnoreIndex(random: Random, classes: number): number | number[] | undefined {
  const someClass = random.integer(0, classes - 1);
  return random.pick<number | number[] | undefined>([undefined, undefined, someClass, -1, [], [someClass, -1]]);
}

type ArrayOption = "weight" | "posWeight" | "sampleWeight" | "gradOutput";

/** Loss options as the API takes them. */
export type GivenOptions = Omit<LossOptions, ArrayOption | "ignoreIndex"> & {
  readonly [K in ArrayOption]?: Values | (K extends "gradOutput" ? number : never);
} & { readonly ignoreIndex?: number | number[]; readonly shape?: number[]; readonly axis?: number };

/** The arrays among the options in a container of their own; what they hold is exact in each. */
export function inContainers(random: Random, options: LossOptions): GivenOptions {
  const { weight, posWeight, sampleWeight, gradOutput, ignoreIndex, ...rest } = options;
  return {
    ...rest,
    ...defined({
      weight: weight && toContainer(weight, random.pick(containers)),
      posWeight: posWeight && toContainer(posWeight, random.pick(containers)),
      sampleWeight: sampleWeight && toContainer(sampleWeight, random.pick(containers)),
      gradOutput: typeof gradOutput === "object" ? toContainer(gradOutput, random.pick(containers)) : gradOutput,
      ignoreIndex: typeof ignoreIndex === "object" ? Array.from(ignoreIndex) : ignoreIndex,
    }),
  };
}

/** One of the ways to tell the API about a layout; sometimes by its defaults. */
export function presentation(
  random: Random,
  { outer, classes, inner }: Layout,
  kind: "function" | "classes" | "probabilities",
): { shape?: number[]; axis?: number } {
  if (inner > 1) {
    const tail = inner % 2 === 0 ? [inner / 2, 2] : [inner];
    const shape = [outer, classes, ...tail];
    const choices: { shape: number[]; axis?: number }[] = [
      { shape, axis: 1 },
      { shape, axis: -1 - tail.length },
    ];
    if (kind !== "function") choices.push({ shape });
    if (outer === 1) choices.push({ shape: [classes, ...tail], axis: 0 });
    return random.pick(choices);
  }
  const choices: { shape?: number[]; axis?: number }[] = [
    { shape: [outer, classes] },
    { shape: [outer, classes], axis: 1 },
    { shape: [1, outer, classes], axis: -1 },
  ];
  if (kind === "classes" ? outer > 0 : outer === 1) choices.push(kind === "probabilities" ? { shape: [classes] } : {});
  if (kind !== "function") choices.push({ shape: [outer, classes, 1] });
  return random.pick(choices);
}

/** Without the options that are undefined, so that defaults are tested as absent. */
export function defined<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** Arguments for a message. */
export function show(value: unknown): string {
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} ${show(Array.from(value as Float64Array))}`;
  if (Array.isArray(value)) return `[${value.slice(0, 40).join(", ")}${value.length > 40 ? ", …" : ""}]`;
  if (typeof value !== "object" || value === null) return String(value);
  return `{ ${Object.entries(value)
    .map(([key, entry]) => `${key}: ${show(entry)}`)
    .join(", ")} }`;
}
