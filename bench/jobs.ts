// What is timed, as calls of softmargin, and what each call must come to, by the oracle of the tests.

import type { Functions } from "../src/api.js";
import { ranking, sampleChoices } from "../test/oracle/decisions.js";
import {
  binaryCrossEntropy,
  crossEntropy,
  crossEntropyOfProbabilities,
  EXACT,
  hinge,
  type LossOptions,
  logSigmoid,
  logSoftmax,
  logSoftmaxGrad,
  logSumExp,
  sigmoid,
  softmax,
  softmaxGrad,
} from "../test/oracle/oracle.js";
import { at, type Data, type FloatArray, toHalf } from "./data.js";

/** What a call returns: a loss, values, or both. */
export type Result = number | ArrayLike<number> | { readonly loss: number; readonly grad: ArrayLike<number> };

export interface Job {
  /**
   * The call on one backend's functions, or a workspace's; its options are made once, as in a training loop. Its result goes to `data.out`, or
   * each time to a `fresh` array.
   */
  prepare(api: Functions, data: Data, fresh?: boolean): () => Result;
  /** Whether some rows are ignored: see `isIgnored`. */
  readonly ignores?: boolean;
  /** Whether the values of a row are its choice, and lie together whatever the class axis. */
  readonly decides?: boolean;
  /** Of a layer, all at once. */
  layer?(data: Data): Layer;
  /** For one distinct row: its loss, its values in the result. */
  expected(x: readonly number[], target: number): { readonly loss?: number; readonly values?: readonly number[] };
}

export type JobName =
  | "softmax"
  | "log-softmax"
  | "log-sum-exp"
  | "softmax gradient"
  | "log-softmax gradient"
  | "argmax"
  | "topK 5" // with logits
  | "topK 50"
  | DrawName
  | "float16ToFloat32"
  | "sigmoid"
  | "log-sigmoid"
  | "binary cross-entropy + gradient"
  | "focal loss + gradient" // binary, γ = 2
  | "linear"
  | "linear cross-entropy + gradient"
  | "soft cross-entropy + gradient" // class probabilities for targets
  | "cross-entropy + gradient, 1/10 ignored"
  | `${"cross-entropy" | "Weston–Watkins" | "Crammer–Singer"}${"" | " + gradient"}`;

/** Draws, all with the random number U. */
export const DRAWS = {
  sample: {},
  "sample, topK 50": { topK: 50 },
  "sample, topP 0.9": { topP: 0.9 },
  "sample, minP 0.05": { minP: 0.05 },
} as const;
type DrawName = keyof typeof DRAWS;
export const U = 0.4 as const;

const numbers = (reals: readonly { readonly hi: number }[]): number[] => reals.map(({ hi }) => hi);

/** For functions: one row is what an array is without a shape. */
const shaped = (d: Data): { shape?: number[]; axis?: number } =>
  d.inner > 1 ? { shape: [d.outer, d.classes, d.inner], axis: 1 } : d.rows > 1 ? { shape: [d.rows, d.classes] } : {};
/** Where a result goes: an option, unless each call is to make a fresh array. */
const into = (out: FloatArray, fresh: boolean): { out?: FloatArray } => (fresh ? {} : { out });
const gradInto = (grad: FloatArray, fresh: boolean): { grad?: FloatArray } => (fresh ? {} : { grad });
/** For losses the targets say how many rows there are. */
const shapedLoss = (d: Data): { shape?: number[] } => (d.inner > 1 ? { shape: [d.outer, d.classes, d.inner] } : {});

/** Of the jobs that ignore rows, every tenth. */
export const isIgnored = ({ distinct }: Data, r: number): boolean => (r % distinct) % 10 === 9;

function crossEntropyJob(withGrad: boolean, ignores = false): Job {
  return {
    ignores,
    prepare({ crossEntropy, crossEntropyGrad }, d, fresh = false) {
      if (!withGrad) return () => crossEntropy(d.x, d.targets, shapedLoss(d));
      const options = { ...shapedLoss(d), ...gradInto(d.out, fresh) };
      const targets = ignores ? d.targets.map((y, r) => (isIgnored(d, r) ? -100 : y)) : d.targets;
      return () => crossEntropyGrad(d.x, targets, options);
    },
    expected: (x, y) => lossOf(crossEntropy([[...x]], [y], {}, EXACT), withGrad),
  };
}

function hingeJob(form: "weston-watkins" | "crammer-singer", withGrad: boolean): Job {
  const oracleOptions: LossOptions = { form };
  return {
    prepare({ hinge, hingeGrad }, d, fresh = false) {
      const options = { ...shapedLoss(d), form };
      if (!withGrad) return () => hinge(d.x, d.targets, options);
      const gradOptions = { ...options, ...gradInto(d.out, fresh) };
      return () => hingeGrad(d.x, d.targets, gradOptions);
    },
    expected: (x, y) => lossOf(hinge([[...x]], [y], oracleOptions, EXACT), withGrad),
  };
}

function lossOf(loss: ReturnType<typeof hinge>, withGrad: boolean): ReturnType<Job["expected"]> {
  return { loss: loss.loss[0]!.hi, ...(withGrad ? { values: numbers(loss.grad[0]!) } : {}) };
}

export const JOBS: Readonly<Record<JobName, Job>> = {
  softmax: {
    prepare({ softmax }, d, fresh = false) {
      const options = { ...shaped(d), ...into(d.out, fresh) };
      return () => softmax(d.x, options);
    },
    expected: (x) => ({ values: numbers(softmax(x, 1, EXACT)) }),
  },
  "log-softmax": {
    prepare({ logSoftmax }, d, fresh = false) {
      const options = { ...shaped(d), ...into(d.out, fresh) };
      return () => logSoftmax(d.x, options);
    },
    expected: (x) => ({ values: numbers(logSoftmax(x, 1, EXACT)) }),
  },
  "log-sum-exp": {
    prepare({ logSumExp }, d, fresh = false) {
      const options = { ...shaped(d), ...into(d.out.subarray(0, d.rows), fresh) };
      return () => logSumExp(d.x, options);
    },
    expected: (x) => ({ values: numbers([logSumExp(x, 1, EXACT)]) }),
  },
  "softmax gradient": {
    prepare({ softmaxGrad }, d, fresh = false) {
      const y = probabilityArray(d);
      const options = { ...shaped(d), ...into(d.out, fresh) };
      return () => softmaxGrad(y, d.x, options);
    },
    expected: (x) => ({ values: numbers(softmaxGrad(probabilities(x), [...x], EXACT)) }),
  },
  "log-softmax gradient": {
    prepare({ logSoftmaxGrad }, d, fresh = false) {
      const y = probabilityArray(d, Math.log);
      const options = { ...shaped(d), ...into(d.out, fresh) };
      return () => logSoftmaxGrad(y, d.x, options);
    },
    expected: (x) => ({ values: numbers(logSoftmaxGrad(probabilities(x).map(Math.log), [...x], EXACT)) }),
  },
  "soft cross-entropy + gradient": {
    prepare({ crossEntropyGrad }, d, fresh = false) {
      const targets = probabilityArray(d);
      const options = { ...shapedRows(d), ...gradInto(d.out, fresh) };
      return () => crossEntropyGrad(d.x, targets, options);
    },
    expected: (x) => lossOf(crossEntropyOfProbabilities([[...x]], [probabilities(x)], {}, EXACT), true),
  },
  "cross-entropy": crossEntropyJob(false),
  "cross-entropy + gradient": crossEntropyJob(true),
  "cross-entropy + gradient, 1/10 ignored": crossEntropyJob(true, true),
  "Weston–Watkins": hingeJob("weston-watkins", false),
  "Weston–Watkins + gradient": hingeJob("weston-watkins", true),
  "Crammer–Singer": hingeJob("crammer-singer", false),
  "Crammer–Singer + gradient": hingeJob("crammer-singer", true),
  argmax: {
    decides: true,
    prepare({ argmax }, d, fresh = false) {
      const options = { ...shapedRows(d), ...(fresh ? {} : { out: d.picks }) };
      return () => argmax(d.x, options);
    },
    expected: (x) => ({ values: ranking(x).slice(0, 1) }),
  },
  "topK 5": topKJob(5),
  "topK 50": topKJob(50),
  sample: drawJob("sample"),
  "sample, topK 50": drawJob("sample, topK 50"),
  "sample, topP 0.9": drawJob("sample, topP 0.9"),
  "sample, minP 0.05": drawJob("sample, minP 0.05"),
  float16ToFloat32: {
    prepare({ float16ToFloat32 }, d, fresh = false) {
      const options = !fresh && d.out instanceof Float32Array ? { out: d.out } : {};
      const bits = halfBits(d);
      return () => float16ToFloat32(bits, options);
    },
    expected: (x) => ({ values: x.map(toHalf) }),
  },
  "log-sigmoid": {
    prepare({ logSigmoid }, d, fresh = false) {
      const options = into(d.out, fresh);
      return () => logSigmoid(d.x, options);
    },
    expected: (x) => ({ values: numbers(logSigmoid(x, 1, EXACT)) }),
  },
  sigmoid: {
    prepare({ sigmoid }, d, fresh = false) {
      const options = into(d.out, fresh);
      return () => sigmoid(d.x, options);
    },
    expected: (x) => ({ values: numbers(sigmoid(x, 1, EXACT)) }),
  },
  linear: {
    prepare({ linear }, d, fresh = false) {
      const shape = [d.rows, d.features!];
      const options = { shape, ...into(d.out.subarray(0, d.rows * d.classes), fresh) };
      return () => linear(d.x, d.weight!, options);
    },
    layer: (d) => ({ all: layerOf(d).logits }),
    expected: () => ({}),
  },
  "linear cross-entropy + gradient": {
    prepare({ linearCrossEntropyGrad }, d, fresh = false) {
      const options = fresh ? {} : { gradWeight: d.out.subarray(0, d.classes * d.features!) };
      return () => {
        const { loss, gradWeight } = linearCrossEntropyGrad(d.x, d.weight!, d.targets, options);
        return { loss, grad: gradWeight };
      };
    },
    layer: (d) => layerOf(d).step,
    expected: () => ({}),
  },
  "binary cross-entropy + gradient": binaryJob(0),
  "focal loss + gradient": binaryJob(2),
};

/** With a shape one row gives an array, too. */
const shapedRows = (d: Data): { shape: number[]; axis: number } =>
  d.inner > 1 ? { shape: [d.outer, d.classes, d.inner], axis: 1 } : { shape: [d.rows, d.classes], axis: 1 };

/** How many are asked for: no more than there are. */
export const largestOf = ({ classes }: Data, k: number): number => Math.min(k, classes);

function topKJob(most: number): Job {
  return {
    decides: true,
    prepare({ topK }, d) {
      const options = { ...shapedRows(d), values: "logits" } as const;
      const k = largestOf(d, most);
      return () => topK(d.x, k, options).indices;
    },
    expected: (x) => ({ values: ranking(x).slice(0, most) }),
  };
}

function drawJob(name: DrawName): Job {
  return {
    decides: true,
    prepare({ sample }, d, fresh = false) {
      const restricted = { ...DRAWS[name], ...(name === "sample, topK 50" ? { topK: largestOf(d, 50) } : {}) };
      const options = { ...shapedRows(d), ...restricted, ...(fresh ? {} : { out: d.picks }), random: () => U };
      return () => sample(d.x, options);
    },
    expected: (x) => ({ values: [...sampleChoices(x, U, DRAWS[name], 0)] }),
  };
}

/** The logits as half floats. */
export function halfBits({ x }: Data): Uint16Array {
  return Uint16Array.from(x, (xi) => {
    const value = Math.abs(toHalf(xi));
    if (value === 0) return 0;
    const exponent = Math.floor(Math.log2(value));
    return (xi < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | ((value / 2 ** exponent - 1) * 1024);
  });
}

/** What a layer must come to. */
interface Layer {
  readonly loss?: number;
  readonly all: ArrayLike<number>;
}

/** Logits, the mean loss and its gradient by the weight, in doubles. */
function layerOf({ x, rows, classes, features = 0, targets, weight }: Data): { logits: Float64Array; step: Layer } {
  const logits = new Float64Array(rows * classes);
  const gradWeight = new Float64Array(classes * features);
  let loss = 0;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < classes; c++) {
      let sum = 0;
      for (let d = 0; d < features; d++) sum += x[r * features + d]! * weight![c * features + d]!;
      logits[r * classes + c] = sum;
    }
    const row = logits.subarray(r * classes, (r + 1) * classes);
    const sum = row.reduce((total, z) => total + Math.exp(z), 0);
    loss += Math.log(sum) - row[targets[r]!]!;
    for (let c = 0; c < classes; c++) {
      const g = (Math.exp(row[c]!) / sum - (c === targets[r] ? 1 : 0)) / rows;
      for (let d = 0; d < features; d++) gradWeight[c * features + d]! += g * x[r * features + d]!;
    }
  }
  return { logits, step: { loss: loss / rows, all: gradWeight } };
}

/** Of the mean over all elements; the targets are 0 and 1 by turns. */
function binaryJob(gamma: number): Job {
  return {
    prepare({ binaryCrossEntropyGrad }, d, fresh = false) {
      const options = { ...shaped(d), ...gradInto(d.out, fresh), gamma };
      const targets = binaryTargets(d);
      return () => binaryCrossEntropyGrad(d.x, targets, options);
    },
    expected(x) {
      const { loss, grad } = binaryCrossEntropy([[...x]], [x.map((_, j) => j % 2)], { gamma }, EXACT);
      return { loss: loss[0]!.hi, values: numbers(grad[0]!) };
    },
  };
}

/** The class of every logit modulo 2. */
export function binaryTargets({ x, classes, inner }: Data): FloatArray {
  return x.map((_, i) => (Math.floor(i / inner) % classes) % 2) as FloatArray;
}

/** Probabilities that a row of logits comes with, for the jobs that need some: any will do. */
function probabilities(x: readonly number[]): number[] {
  const sum = x.reduce((total, value) => total + Math.abs(value) + 1, 0);
  return x.map((value) => (Math.abs(value) + 1) / sum);
}

/** The same for all rows, through `f`. */
export function probabilityArray(data: Data, f: (p: number) => number = (p) => p): FloatArray {
  const array = data.x.slice();
  for (let r = 0; r < data.rows; r++) {
    const row = probabilities(Array.from({ length: data.classes }, (_, j) => data.x[at(data, r, j)]!));
    for (let j = 0; j < data.classes; j++) array[at(data, r, j)] = f(row[j]!);
  }
  return array;
}

/** What a job on some data must come to: a row's values for each distinct row, and the mean loss. */
export interface Expected {
  readonly loss?: number;
  readonly values?: readonly (readonly number[])[];
  readonly decides?: boolean;
  /** Of a layer. */
  readonly all?: ArrayLike<number>;
}

/** By the oracle. Losses and their gradients are means over the rows that count; those that are ignored are 0. */
export function expectedOf(job: JobName, data: Data): Expected {
  const { rows, distinct, classes } = data;
  const { layer } = JOBS[job];
  if (layer) return layer(data);
  const counts = (r: number): number => (JOBS[job].ignores && isIgnored(data, r) ? 0 : 1);
  const results = Array.from({ length: distinct }, (_, r) => {
    const x = Array.from({ length: classes }, (_, j) => data.x[at(data, r, j)]!);
    return JOBS[job].expected(x, data.targets[r]!);
  });
  const times = (r: number): number => counts(r) * Math.ceil((rows - r) / distinct);
  const { decides = false } = JOBS[job];
  const isLoss = results[0]!.loss !== undefined;
  const counted = results.reduce((sum, _, r) => sum + times(r), 0);
  return {
    decides,
    ...(isLoss ? { loss: results.reduce((sum, { loss }, r) => sum + loss! * times(r), 0) / counted } : {}),
    ...(results[0]!.values
      ? { values: results.map(({ values }, r) => values!.map((v) => (isLoss ? (v * counts(r)) / counted : v))) }
      : {}),
  };
}

/** The largest difference between a result and what it should be, relative to the largest value there is. */
export function errorOf(result: Result, { loss, values, decides = false, all }: Expected, data: Data): number {
  const { rows, distinct } = data;
  const off = (got: number, wanted: number, largest: number): number => {
    const error = Math.abs(got - wanted) / (largest || 1);
    return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  };
  let worst = 0;
  const gotLoss = typeof result === "number" ? result : "loss" in result ? result.loss : undefined;
  if (loss !== undefined) worst = off(gotLoss ?? Number.NaN, loss, Math.abs(loss));
  const got = typeof result === "object" && "grad" in result ? result.grad : (result as ArrayLike<number>);
  if (all !== undefined) {
    const largest = Array.from(all).reduce((max, v) => Math.max(max, Math.abs(v)), 0);
    return Array.from(all).reduce((error, v, i) => Math.max(error, off(got[i] ?? Number.NaN, v, largest)), worst);
  }
  if (values === undefined) return worst;
  const largest = values.reduce((max, row) => row.reduce((m, v) => Math.max(m, Math.abs(v)), max), 0);
  const perRow = values[0]!.length;
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < perRow; j++) {
      const i = perRow === data.classes && !decides ? at(data, r, j) : r * perRow + j;
      worst = Math.max(worst, off(got[i] ?? Number.NaN, values[r % distinct]![j]!, largest));
    }
  }
  return worst;
}
