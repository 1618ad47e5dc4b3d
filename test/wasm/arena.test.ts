// What a call takes of linear memory. Memory comes in pages, so a block that was given too little room goes unnoticed until it meets the last
// one's end: here each piece is held against the room that was made for it.
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Arena } from "../../src/wasm/arena.js";
import { create } from "../../src/wasm.js";
import { invoke } from "../catalogue/calls.js";
import { type Arguments, allSignatures, type Signature } from "../catalogue/functions.js";

const bytes = readFileSync("build/simd.wasm");
const api = create(bytes);
const workspace = api.createWorkspace({ bytes: 64 });

/** Where the room ends that the call under way has made, and how many pieces it has taken of it. */
let room = 0;
let taken = 0;
/** The arena that was last made larger, or could have been. */
let opened: Arena;

beforeEach(() => {
  const { open, take } = Arena.prototype;
  vi.spyOn(Arena.prototype, "open").mockImplementation(function (this: Arena, bytes) {
    room = this.start + bytes;
    opened = this;
    return open.call(this, bytes);
  });
  vi.spyOn(Arena.prototype, "take").mockImplementation(function (this: Arena, bytes) {
    const at = take.call(this, bytes);
    expect(at + bytes).toBeLessThanOrEqual(room);
    taken++;
    return at;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Many rows of few classes, where what belongs to a row weighs most; rows that are transposed on their way in; one that fills the arena. */
const SHAPES = [
  [30_000, 1, 1],
  [20_000, 2, 1],
  [3000, 10, 1],
  [20, 3, 700],
  [1, 40, 3000],
  [3, 40_000, 1],
  [1, 9000, 5],
  [9, 7, 1],
];

/** Calls of a layer with few classes and, as is the other way round, few features. */
function argumentsOfLayer(
  { name }: Signature,
  type: typeof Float32Array | typeof Float64Array,
  [outer, features, inner]: number[],
): Arguments[] {
  const rows = outer! * inner!;
  const all = (length: number) => new type(length).fill(0.5);
  const sizes = [
    [features!, 3],
    [2, features!],
  ] as const;
  return sizes.flatMap(([d, c]) => {
    const layer = { x: all(rows * d), weight: all(c * d), shape: [rows, d], bias: all(c) };
    if (name === "linear") return [layer];
    const loss = { ...layer, targets: new Int32Array(rows) };
    const factors = { ...loss, classWeight: all(c), sampleWeight: all(rows), reduction: "none", l2: 1 };
    if (!name.endsWith("Grad")) return [loss, factors];
    const grads = { gradWeight: all(c * d), gradBias: all(c), gradX: all(rows * d), accumulate: true };
    const probabilities = name.includes("Entropy") ? [{ ...factors, targets: all(rows * c) }] : [];
    return [loss, { ...loss, gradX: true }, { ...factors, ...grads, gradOutput: all(rows) }, ...probabilities];
  });
}

function argumentsOf(
  signature: Signature,
  type: typeof Float32Array | typeof Float64Array,
  [outer, classes, inner]: number[],
) {
  const { name, first, positional, second, options, variants = [], output } = signature;
  if (second === "weight") return argumentsOfLayer(signature, type, [outer!, classes!, inner!]);
  const rows = outer! * inner!;
  const n = rows * classes!;
  if (first === "bits") return [{ x: new Uint16Array(n) }];
  const all = (length: number) => new type(length).fill(0.5);
  const shaped: Arguments = { x: all(n), shape: [outer, classes, inner], axis: 1 };
  if (second === "dy") return [{ ...shaped, dy: all(n) }];
  if (positional.includes("k"))
    return [
      { ...shaped, k: classes },
      { ...shaped, k: 1, values: "logits" },
    ];
  if (name === "sample") return [{}, { topK: 5 }, { topP: 0.9, minP: 0.1 }].map((given) => ({ ...shaped, ...given }));
  if (second === undefined) return [shaped];

  if (name.startsWith("binary")) {
    const elements: Arguments = { ...shaped, targets: all(n) };
    const weights = { weight: all(classes!), posWeight: all(classes!), sampleWeight: all(rows), reduction: "none" };
    const gradient = { gradOutput: all(n), grad: all(n), accumulate: true };
    return output === undefined
      ? [elements, { ...elements, ...weights }]
      : [elements, { ...elements, ...weights, ...gradient }];
  }
  const factors = { weight: all(classes!), sampleWeight: all(rows), reduction: "none" };
  const gradients: Arguments[] =
    output === undefined
      ? [{}]
      : [{}, { gradOutput: all(rows) }, { gradOutput: all(rows), grad: all(n), accumulate: true }];
  const own: Arguments[] = [
    {},
    ...(options.includes("form") ? [{ form: "crammer-singer" }] : []),
    ...(options.includes("labelSmoothing") ? [{ labelSmoothing: 0.1 }] : []),
    ...(variants.includes("targets, probabilities") ? [{ targets: all(n) }] : []),
  ];
  const indexed = { ...shaped, targets: new Int32Array(rows) };
  return own.flatMap((kind) => [
    { ...indexed, ...kind },
    ...gradients.map((gradient) => ({ ...indexed, ...factors, ...kind, ...gradient })),
  ]);
}

describe.each(SHAPES)("[%i, %i, %i]", (...shape) => {
  it.each(allSignatures)("$name takes no more of the arena than it has made room for", (signature) => {
    for (const type of [Float32Array, Float64Array]) {
      for (const given of argumentsOf(signature, type, shape)) {
        taken = 0;
        invoke(api, signature, given);
        invoke(workspace, signature, given);
        expect(taken).toBeGreaterThan(0);
      }
    }
  });
});

it("linear memory stays below 16 MiB for any number of rows of a layer, and 32,000 classes", () => {
  const { linearCrossEntropyGrad } = create(bytes);
  for (const [rows, features, classes] of [
    [1000, 784, 10],
    [300, 512, 1000],
    [200, 64, 32_000],
  ] as const) {
    const x = new Float32Array(rows * features).fill(1);
    const weight = new Float32Array(classes * features).fill(0.01);
    linearCrossEntropyGrad(x, weight, new Int32Array(rows), { gradX: true });
    expect(opened.buffer.byteLength).toBeLessThanOrEqual(16 * 2 ** 20);
  }
});

it("linear memory grows to what a long row needs and less than a page beyond", () => {
  const { crossEntropyGrad } = create(bytes);
  for (const classes of [100_000, 262_144]) {
    crossEntropyGrad(new Float32Array(classes), [7], {
      labelSmoothing: 0.1,
      weight: new Float32Array(classes).fill(1),
    });
    expect(opened.buffer.byteLength).toBeGreaterThanOrEqual(room);
    expect(opened.buffer.byteLength).toBeLessThan(room + 65536);
    expect(opened.buffer.byteLength).toBeLessThan(4 * 2 ** 20);
  }
});
