// Layers are held against the loss of their logits, bit by bit (test/functions/linear.test.ts), and measured by accuracy/layer.ts.
import { draw, factors, LAYER_CLASSES, type Right, result } from "../right.js";
import type { Entries, Entry } from "./entry.js";
import { withGradient } from "./loss.js";
import { losses } from "./losses.js";

const LAYER = ["shape", "bias"];
const own: Right = {
  weight: ({ classes }) => draw(7, LAYER_CLASSES * classes),
  targets: ({ rows }) => Int32Array.from({ length: rows }, (_, r) => [2, 0, 1][r % 3]!),
  "targets, BigInt64Array": ({ rows }) => BigInt64Array.from({ length: rows }, (_, r) => [2n, 0n, 1n][r % 3]!),
  "targets, probabilities": ({ rows }) => factors(3, rows * LAYER_CLASSES),
  out: ({ rows }) => result(rows * LAYER_CLASSES),
  gradWeight: ({ classes }) => result(LAYER_CLASSES * classes),
};

/** The loss of a layer's logits. */
function ofLayer({ options, variants = [] }: Entry): Entry {
  const kept = options.filter((name) => !["shape", "axis", "weight", "gamma"].includes(name));
  return {
    positional: ["x", "weight", "targets"],
    options: [...LAYER, "classWeight", "l2", ...kept],
    variants,
    own,
    ops: [],
    measured: [],
  };
}

const linearCrossEntropy = ofLayer(losses.crossEntropy);
const linearHinge = ofLayer(losses.hinge);
const GRADIENTS = ["gradWeight", "gradBias", "gradX"];

export const layers: Entries<
  "linear" | "linearCrossEntropy" | "linearCrossEntropyGrad" | "linearHinge" | "linearHingeGrad"
> = {
  linear: { positional: ["x", "weight"], options: [...LAYER, "out"], own, ops: [], measured: [] },
  linearCrossEntropy,
  linearCrossEntropyGrad: withGradient(linearCrossEntropy, GRADIENTS),
  linearHinge,
  linearHingeGrad: withGradient(linearHinge, GRADIENTS),
};
