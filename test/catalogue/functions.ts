// The functions, an entry each: the arguments, the options, where results go, what a right call has in it. What is tested of every function goes
// through this list: errors, hostile arrays and lists, options, overlaps, faults, workspaces, the arena, soak, properties.
import { random } from "../inputs/random.js";
import { drawRow } from "../inputs/values.js";
import type { Api } from "./backends.js";

export type FunctionName = Exclude<keyof Api, "backend" | "initialLoss" | "createWorkspace" | "ready">;
/** What is common to the plain functions and those of a workspace. */
export type Functions = Pick<Api, FunctionName>;

/** Arguments by name, positional ones and options. */
export type Arguments = Readonly<Record<string, unknown>>;

export interface Sizes {
  readonly rows: number;
  readonly classes: number;
}
export type Right = Readonly<Record<string, (sizes: Sizes) => unknown>>;

interface Entry {
  /** The arguments before the options. The first array is `x` here. */
  readonly positional: readonly string[];
  /** What messages call the first, if not `x`. */
  readonly first?: string;
  readonly options: readonly string[];
  /** What else an argument may be: names of RIGHT after a comma. */
  readonly variants?: readonly string[];
  /** Arguments that are right for this function and not what RIGHT has. */
  readonly own?: Right;
}

/** The options that say where a result goes: `out` is the result itself, the others are properties of it. */
const OUTPUTS = ["out", "grad", "gradWeight", "gradBias", "gradX"];

const LAYOUT = ["shape", "axis"];
const FORWARD = [...LAYOUT, "temperature", "out"];
const LOSS = [...LAYOUT, "reduction", "weight", "sampleWeight", "ignoreIndex", "meanOver", "emptyMean"];
const GRADIENT = ["gradOutput", "accumulate", "grad"];
const ENTROPY = [...LOSS, "temperature", "labelSmoothing", "gamma"];
const HINGE = [...LOSS, "form", "margin", "p", "perClass"];

const product: Entry = { first: "y", positional: ["x", "dy"], options: [...LAYOUT, "out"] };
const entropy: Entry = {
  first: "logits",
  positional: ["x", "targets"],
  options: ENTROPY,
  variants: ["targets, BigInt64Array", "targets, probabilities"],
};
const hinge: Entry = {
  first: "scores",
  positional: ["x", "targets"],
  options: HINGE,
  variants: ["targets, BigInt64Array"],
};

/** Those of a layer of three classes, of as many features as there are classes elsewhere. */
export const LAYER_CLASSES = 3;
const LAYER = ["shape", "bias"];
const LAYER_GRADIENT = ["gradOutput", "accumulate", "gradWeight", "gradBias", "gradX"];
const ofLayer = (options: readonly string[]) => [
  ...LAYER,
  "classWeight",
  "l2",
  ...options.filter((name) => !["shape", "axis", "weight", "gamma"].includes(name)),
];
const ownOfLayer: Right = {
  weight: ({ classes }) => draw(7, LAYER_CLASSES * classes),
  targets: ({ rows }) => Int32Array.from({ length: rows }, (_, r) => [2, 0, 1][r % 3]!),
  "targets, BigInt64Array": ({ rows }) => BigInt64Array.from({ length: rows }, (_, r) => [2n, 0n, 1n][r % 3]!),
  "targets, probabilities": ({ rows }) => factors(3, rows * LAYER_CLASSES),
  out: ({ rows }) => result(rows * LAYER_CLASSES),
  gradWeight: ({ classes }) => result(LAYER_CLASSES * classes),
};
const layerEntropy: Entry = {
  positional: ["x", "weight", "targets"],
  options: ofLayer(ENTROPY),
  variants: ["targets, BigInt64Array", "targets, probabilities"],
  own: ownOfLayer,
};
const layerHinge: Entry = {
  positional: ["x", "weight", "targets"],
  options: ofLayer(HINGE),
  variants: ["targets, BigInt64Array"],
  own: ownOfLayer,
};
const indices = ({ rows }: Sizes) => new Int32Array(rows).fill(-5);
/** Bits of half floats, no infinities nor NaN. */
const halfFloats = ({ rows, classes }: Sizes) =>
  Uint16Array.from({ length: rows * classes }, (_, i) => (i * 40_503) & 0xbfff);
const binary: Entry = {
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
};

const entries = {
  softmax: { positional: ["x"], options: FORWARD },
  logSoftmax: { positional: ["x"], options: FORWARD },
  logSumExp: { positional: ["x"], options: FORWARD, own: { out: ({ rows }) => result(rows) } },
  softmaxGrad: product,
  logSoftmaxGrad: product,
  crossEntropy: entropy,
  crossEntropyGrad: { ...entropy, options: [...ENTROPY, ...GRADIENT] },
  hinge,
  hingeGrad: { ...hinge, options: [...HINGE, ...GRADIENT] },
  linear: { positional: ["x", "weight"], options: [...LAYER, "out"], own: ownOfLayer },
  linearCrossEntropy: layerEntropy,
  linearCrossEntropyGrad: { ...layerEntropy, options: [...ofLayer(ENTROPY), ...LAYER_GRADIENT] },
  linearHinge: layerHinge,
  linearHingeGrad: { ...layerHinge, options: [...ofLayer(HINGE), ...LAYER_GRADIENT] },
  argmax: { positional: ["x"], options: [...LAYOUT, "out"], own: { out: indices } },
  topK: { positional: ["x", "k"], options: [...LAYOUT, "temperature", "values"] },
  sample: {
    positional: ["x"],
    options: [...LAYOUT, "temperature", "topK", "topP", "minP", "random", "out"],
    own: { out: indices },
  },
  float16ToFloat32: { first: "bits", positional: ["x"], options: ["out"], own: { x: halfFloats } },
  sigmoid: { positional: ["x"], options: [...LAYOUT, "out"] },
  sigmoidGrad: product,
  logSigmoid: { positional: ["x"], options: [...LAYOUT, "out"] },
  logSigmoidGrad: product,
  binaryCrossEntropy: binary,
  binaryCrossEntropyGrad: { ...binary, options: [...binary.options, ...GRADIENT] },
} satisfies Record<FunctionName, Entry>;

/** Every argument in a right call. Among the arrays none is longer than the logits. */
const RIGHT: Right = {
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

const draw = (seed: number, n: number) => Float32Array.from(drawRow(random(seed), n, "normal", "Float32Array"));
const factors = (seed: number, n: number) => draw(seed, n).map((value) => 0.25 + Math.abs(value));
/** What is in an array before a result goes there. */
const result = (n: number) => new Float32Array(n).map((_, i) => i - 0.5);

export interface Signature extends Entry {
  readonly name: FunctionName;
  readonly first: string;
  /** The second positional argument. */
  readonly second: string | undefined;
  readonly outputs: readonly string[];
  /** The first of them. */
  readonly output: string | undefined;
}

export const allSignatures: readonly Signature[] = Object.entries(entries as Record<FunctionName, Entry>).map(
  ([name, entry]) => {
    const outputs = entry.options.filter((option) => OUTPUTS.includes(option));
    const [, second] = entry.positional;
    return { first: "x", ...entry, name: name as FunctionName, second, outputs, output: outputs[0] };
  },
);

/** Those of rows of numbers: all but what widens bits. */
export const signatures: readonly Signature[] = allSignatures.filter(({ options }) => options.includes("shape"));

/** Rows too long to lie side by side in vectors, and longer than what is copied element by element. */
export const USUAL: Sizes = { rows: 3, classes: 70 };

/** All arguments of a right call, or those that are positional; `what` names a variant that is meant. */
export function allArguments(
  { positional, options, own = {} }: Signature,
  sizes: Sizes = USUAL,
  what = "",
  names: readonly string[] = [...positional, ...options],
): Arguments {
  const variant = what.includes(",") ? what : "";
  return Object.fromEntries(
    names.map((name) => {
      const of = variant.startsWith(`${name},`) ? variant : name;
      return [name, (own[of] ?? RIGHT[of]!)(sizes)];
    }),
  );
}

/** Those of some options that are right beside each other and such a variant of an argument. */
export function together(options: readonly string[], what: string): string[] {
  const needs: Readonly<Record<string, boolean>> = {
    gradOutput: options.includes("reduction"),
    // All that there is must be given then.
    accumulate:
      options.includes("grad") ||
      (options.includes("gradWeight") && options.includes("gradBias") === options.includes("bias")),
    ignoreIndex: what !== "targets, probabilities",
  };
  return options.filter((name) => needs[name] ?? true);
}

/** A right call with fresh arrays wherever there can be one, and otherwise only with what these need. */
export function rightArguments(signature: Signature, what = "", sizes: Sizes = USUAL): Arguments {
  const all = Object.entries(allArguments(signature, sizes, what));
  const isNeeded = (name: string) => ["shape", "reduction", ...signature.positional].includes(name);
  const isCode = (value: unknown) => typeof value === "function";
  return Object.fromEntries(
    all.filter(([name, value]) => isNeeded(name) || ArrayBuffer.isView(value) || isCode(value)),
  );
}

/** The array arguments: their names, and after a comma what else one can be. */
export function arraysOf(signature: Signature): string[] {
  const arrays = Object.entries(rightArguments(signature)).filter(([, value]) => ArrayBuffer.isView(value));
  return [...arrays.map(([name]) => name), ...(signature.variants ?? [])];
}

/** The array that was given for an output, in what a function has returned. */
export function returned(output: string, value: unknown): unknown {
  return output === "out" ? value : (value as Arguments)[output];
}
