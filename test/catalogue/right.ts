// Every argument as a right call may have it.
import { random } from "../inputs/random.js";
import { drawRow } from "../inputs/values.js";

export interface Sizes {
  readonly rows: number;
  readonly classes: number;
}
export type Right = Readonly<Record<string, (sizes: Sizes) => unknown>>;

/** Those of a layer, of as many features as there are classes elsewhere. */
export const LAYER_CLASSES = 3;

/** Among the arrays none is longer than the logits. */
export const RIGHT: Right = {
  x: ({ rows, classes }) => draw(1, rows * classes),
  dy: ({ rows, classes }) => draw(2, rows * classes),
  targets: ({ rows, classes }) => Int32Array.from({ length: rows }, (_, r) => [classes - 1, 0, classes >> 1][r % 3]!),
  "targets, BigInt64Array": (sizes) => BigInt64Array.from(RIGHT["targets"]!(sizes) as Int32Array, BigInt),
  "targets, probabilities": ({ rows, classes }) => factors(3, rows * classes).map((value) => value / classes),
  shape: ({ rows, classes }) => [rows, classes],
  axis: () => 1,
  temperature: () => 2,
  k: ({ classes }) => Math.min(3, classes),
  values: () => "logits",
  topK: () => 5,
  topP: () => 0.9,
  minP: () => 0.01,
  random: () => () => 0.5,
  reduction: () => "none",
  weight: ({ classes }) => factors(4, classes),
  sampleWeight: ({ rows }) => factors(5, rows),
  ignoreIndex: () => [-1],
  meanOver: () => "all",
  emptyMean: () => 0,
  labelSmoothing: () => 0.1,
  // Of a class only without smoothing.
  gamma: () => 0,
  posWeight: ({ classes }) => factors(8, classes),
  form: () => "crammer-singer",
  margin: () => 0.5,
  p: () => 2,
  perClass: () => true,
  gradOutput: ({ rows }) => factors(6, rows),
  accumulate: () => true,
  out: ({ rows, classes }) => result(rows * classes),
  grad: ({ rows, classes }) => result(rows * classes),
  bias: () => draw(8, LAYER_CLASSES),
  classWeight: () => factors(9, LAYER_CLASSES),
  l2: () => 0.25,
  gradBias: () => result(LAYER_CLASSES),
  gradX: ({ rows, classes }) => result(rows * classes),
};

export function draw(seed: number, n: number): Float32Array {
  return Float32Array.from(drawRow(random(seed), n, "normal", "Float32Array"));
}

export function factors(seed: number, n: number): Float32Array {
  return draw(seed, n).map((value) => 0.25 + Math.abs(value));
}

/** What is in an array before a result goes there. */
export function result(n: number): Float32Array {
  return new Float32Array(n).map((_, i) => i - 0.5);
}
