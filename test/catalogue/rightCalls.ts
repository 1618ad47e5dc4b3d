// One right call of every function with every array argument that it can have, so that each can be replaced by something hostile. Rows of 70
// classes are too long to lie side by side in vectors, and longer than what is copied element by element.

import { random } from "../inputs/random.js";
import { drawRow } from "../inputs/values.js";
import type { Arguments, Signature } from "./calls.js";

const draw = (seed: number, n: number) => Float32Array.from(drawRow(random(seed), n, "normal", "Float32Array"));
const factors = (seed: number, n: number) => draw(seed, n).map((value) => 0.25 + Math.abs(value));

export interface Right {
  readonly rows: number;
  readonly classes: number;
  readonly shape: number[];
  x(): Float32Array;
  dy(): Float32Array;
  targets(): Int32Array;
  probabilities(): Float32Array;
  weight(): Float32Array;
  sampleWeight(): Float32Array;
  gradOutput(): Float32Array;
}

const n = 3 * 70;
export const right: Right = {
  rows: 3,
  classes: 70,
  shape: [3, 70],
  x: () => draw(1, n),
  dy: () => draw(2, n),
  targets: () => Int32Array.of(69, 0, 31),
  probabilities: () => factors(3, n).map((value) => value / 70),
  weight: () => factors(4, 70),
  sampleWeight: () => factors(5, 3),
  gradOutput: () => factors(6, 3),
};

/** The array arguments of a function: their names, and after a comma what else one can be. */
export function argumentsOf({ name, second, output }: Signature): string[] {
  const targets = ["targets", "targets, BigInt64Array", "weight", "sampleWeight"];
  return [
    "x",
    ...(second === "dy" ? ["dy"] : []),
    ...(second === "targets" ? targets : []),
    ...(name.startsWith("crossEntropy") ? ["targets, probabilities"] : []),
    ...(output === "grad" ? ["gradOutput"] : []),
    ...(output === undefined ? [] : [output]),
  ];
}

/** A right call with fresh arrays, among them the one that `what` names. */
export function rightArguments({ name, second, output }: Signature, what = ""): Arguments {
  const { rows, classes, shape } = right;
  const length = name === "logSumExp" ? rows : rows * classes;
  const result = new Float32Array(length).map((_, i) => i - 0.5);
  const targets = what.endsWith("probabilities")
    ? right.probabilities()
    : what.endsWith("BigInt64Array")
      ? BigInt64Array.from(right.targets(), BigInt)
      : right.targets();
  return {
    x: right.x(),
    shape,
    ...(second === "dy" ? { dy: right.dy() } : {}),
    ...(second === "targets"
      ? { targets, reduction: "none", weight: right.weight(), sampleWeight: right.sampleWeight() }
      : {}),
    ...(output === "grad" ? { gradOutput: right.gradOutput() } : {}),
    ...(output === undefined ? {} : { [output]: result }),
  };
}
