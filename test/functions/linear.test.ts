// The linear layer and its losses: equal to the loss of the logits of `linear`, and to gradients added up in the order that is promised (test/oracle/
// product.ts), bit by bit; in blocks, in a workspace, accumulated.
import { describe, expect, it } from "vitest";
import { type Backend, onEveryBackend } from "../catalogue/backends.js";
import { random } from "../inputs/random.js";
import { type Matrix, product, productOfBlocks } from "../oracle/product.js";

type Floats = Float32Array | Float64Array;
type Type = Float32ArrayConstructor | Float64ArrayConstructor;

/** Rows, features, classes: one of each; more rows than a block has; blocks of a few rows, with the weights brought in by parts. */
const SHAPES = [
  [1, 1, 1],
  [5, 3, 2],
  [200, 31, 10],
  [241, 7, 5],
  [500, 33, 17],
  [60, 20, 60_000],
  [2, 60_000, 40],
] as const;

/** So many rows make a block, for these sizes (src/kernels.ts). */
const rowsOfBlock = (features: number, classes: number, bytes: number) =>
  Math.max(1, Math.min(240, Math.floor((13.5 * 2 ** 20) / ((classes + 2 * features) * bytes) / 4) * 4));

function draw(T: Type, [rows, features, classes]: readonly [number, number, number]) {
  const { uniform } = random(rows + features + classes);
  const array = (n: number, scale = 1) => new T(n).map(() => scale * uniform(-1, 1)) as Float32Array;
  return {
    x: array(rows * features),
    weight: array(classes * features, 2 / Math.sqrt(features)),
    bias: array(classes),
    targets: Int32Array.from({ length: rows }, (_, r) => (r % 7 === 3 ? -100 : (r * 31) % classes)),
    classWeight: array(classes).map(Math.abs),
    sampleWeight: Float64Array.from({ length: rows }, (_, r) => (r % 5 === 1 ? 0 : uniform(0.5, 2))),
  };
}

function expectBits(got: Floats | undefined, want: Floats, what: string) {
  const bytes = ({ buffer, byteOffset, byteLength }: Floats) =>
    Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
  expect(got!.length, what).toBe(want.length);
  expect(Buffer.compare(bytes(got!), bytes(want)), what).toBe(0);
}

/** Gradients of a layer from that of its logits; a row of zeros, which may belong to features that are NaN, adds nothing. */
function gradients(
  { name }: Backend,
  T: Type,
  [rows, features, classes]: readonly [number, number, number],
  grad: Floats,
  x: Floats,
  weight: Floats,
) {
  const toType = T === Float32Array ? Math.fround : (value: number) => value;
  // The baseline adds up in doubles.
  const round = name === "baseline" ? (value: number) => value : toType;
  const step = rowsOfBlock(features, classes, T.BYTES_PER_ELEMENT);
  const isLeft = (r: number) => grad.subarray(r * classes, (r + 1) * classes).some((g) => g !== 0);
  const left = Array.from({ length: rows }, (_, r) => r).filter(isLeft);
  const sums = (cols: number, b: (r: number, j: number) => number) => {
    let sum = new T(classes * cols);
    for (let first = 0; first < rows; first += step) {
      const block = left.filter((r) => r >= first && r < first + step);
      const a: Matrix = (c, k) => grad[block[k]! * classes + c]!;
      const old = sum;
      const values = productOfBlocks(
        round,
        classes,
        cols,
        block.length,
        a,
        (k, j) => b(block[k]!, j),
        () => 0,
        256,
      );
      sum = new T(classes * cols).map((_, i) => old[i]! + values[i]!) as typeof sum;
    }
    return sum;
  };
  const gradX = product(
    round,
    rows,
    features,
    classes,
    (r, c) => grad[r * classes + c]!,
    (c, d) => weight[c * features + d]!,
    () => 0,
  );
  return {
    gradWeight: sums(features, (r, d) => x[r * features + d]!),
    gradBias: sums(1, () => 1),
    gradX: new T(gradX),
  };
}

onEveryBackend((backend) => {
  const { api, name } = backend;

  describe.each([Float32Array, Float64Array])("%o", (T) => {
    it.each(SHAPES)("%i rows of %i features and %i classes", (...sizes) => {
      const [rows, features, classes] = sizes;
      const { x, weight, bias, targets, classWeight, sampleWeight } = draw(T, sizes);
      // A row that is ignored.
      if (rows > 4) x[3 * features] = Number.NaN;
      const logits = api.linear(x, weight, { shape: [rows, features], bias });
      if (name !== "relaxed" && rows * features * classes < 2e6) {
        const toType = T === Float32Array ? Math.fround : (value: number) => value;
        const round = name === "baseline" ? (value: number) => value : toType;
        const at: Matrix = (r, d) => x[r * features + d]!;
        const want = product(
          round,
          rows,
          classes,
          features,
          at,
          (d, c) => weight[c * features + d]!,
          (_, c) => bias[c]!,
        );
        expectBits(logits, new T(want), "logits");
      }

      for (const loss of ["crossEntropy", "hinge"] as const) {
        const layerLoss = loss === "hinge" ? api.linearHinge : api.linearCrossEntropy;
        const layerGrad = loss === "hinge" ? api.linearHingeGrad : api.linearCrossEntropyGrad;
        const want = api[`${loss}Grad`](logits, targets, { weight: classWeight, sampleWeight });
        const options = { bias, classWeight, sampleWeight };
        expect(layerLoss(x, weight, targets, options), loss).toBe(want.loss);
        const got = layerGrad(x, weight, targets, { ...options, gradX: true });
        expect(got.loss, loss).toBe(want.loss);

        if (name !== "relaxed" && rows * features * classes < 2e6) {
          const sums = gradients(backend, T, sizes, want.grad, x, weight);
          for (const key of ["gradWeight", "gradBias", "gradX"] as const)
            expectBits(got[key], sums[key], `${loss}: ${key}`);
        }

        // The same in a workspace that holds everything, as what is added to zeros, and some at a time.
        const workspace = api.createWorkspace({ bytes: 8 * (2 * x.length + 2 * weight.length + 4 * classes) + 4096 });
        const place = (array: Float32Array) => {
          const there = T === Float32Array ? workspace.float32(array.length) : workspace.float64(array.length);
          there.set(array);
          return there as Float32Array;
        };
        const there = { x: place(x), weight: place(weight), bias: place(bias) };
        const out = { gradWeight: place(weight), gradX: place(x), gradBias: place(bias) };
        const inPlace = loss === "hinge" ? workspace.linearHingeGrad : workspace.linearCrossEntropyGrad;
        const result = inPlace(there.x, there.weight, targets, { ...options, ...out, bias: there.bias });
        expect(result.loss, loss).toBe(want.loss);
        for (const key of ["gradWeight", "gradBias", "gradX"] as const) {
          expect(result[key]).toBe(out[key]);
          expectBits(result[key], got[key]!, `${loss} in a workspace: ${key}`);
        }
        expectBits(there.x, x, "x");

        const zeros = { gradWeight: new T(weight.length), gradBias: new T(classes), gradX: new T(x.length) };
        layerGrad(x, weight, targets, { ...options, ...(zeros as typeof out), accumulate: true });
        for (const key of ["gradWeight", "gradBias", "gradX"] as const)
          expectBits(zeros[key], got[key]!, `${loss} accumulated: ${key}`);
      }
    });

    it("class probabilities, smoothing and an extreme temperature are those of the loss", () => {
      const sizes = [9, 4, 3] as const;
      const { x, weight, bias } = draw(T, sizes);
      const probabilities = new T(27).map((_, i) => ((i % 3) + 1) / 6) as Float32Array;
      const logits = api.linear(x, weight, { shape: [9, 4], bias });
      for (const given of [{ labelSmoothing: 0.1 }, { temperature: 0.5 }, { temperature: 1e-9 }]) {
        const want = api.crossEntropyGrad(logits, probabilities, { shape: [9, 3], ...given });
        const got = api.linearCrossEntropyGrad(x, weight, probabilities, {
          shape: [9, 4],
          bias,
          gradX: true,
          ...given,
        });
        expect(got.loss).toBe(want.loss);
        if (name === "relaxed") continue;
        const sums = gradients(backend, T, sizes, want.grad, x, weight);
        for (const key of ["gradWeight", "gradBias", "gradX"] as const) expectBits(got[key], sums[key], key);
      }
    });
  });

  it.each(["linearCrossEntropy", "linearHinge"] as const)("%s: gradients are central differences of the loss", (fn) => {
    const [rows, features, classes] = [7, 5, 4];
    const { x, weight, bias, targets, classWeight, sampleWeight } = draw(Float64Array, [rows, features, classes]);
    const given = { bias, classWeight, sampleWeight, l2: 0.1, ...(fn === "linearHinge" && { p: 2 as const }) };
    const { gradWeight, gradBias, gradX } = api[`${fn}Grad`](x, weight, targets, { ...given, gradX: true });
    const lossOf = () => api[fn](x, weight, targets, given) as number;
    for (const [array, grad] of [
      [x, gradX],
      [weight, gradWeight],
      [bias, gradBias],
    ] as const) {
      for (const [i, value] of array.entries()) {
        // The error of the difference is about h² and u / h.
        const h = 2 ** -17;
        array[i] = value + h;
        const right = lossOf();
        array[i] = value - h;
        const slope = (right - lossOf()) / (2 * h);
        array[i] = value;
        expect(Math.abs(grad![i]! - slope)).toBeLessThan(1e-8);
      }
    }
  });

  it("l2 adds ½·l2·Σ weight² to the loss and l2·weight to its gradient, times gradOutput", () => {
    const x = [1, 2, 3, 4];
    const weight = [0.5, -1, 2, 1];
    const plain = api.linearCrossEntropyGrad(x, weight, [0, 1], { gradOutput: 3 });
    const got = api.linearCrossEntropyGrad(x, weight, [0, 1], { l2: 0.25, gradOutput: 3 });
    expect(got.loss).toBe(plain.loss + 0.125 * 6.25);
    expect(got.gradWeight).toEqual(plain.gradWeight.map((g, i) => g + 0.75 * weight[i]!));
    expect(api.linearHinge(x, weight, [0, 1], { l2: 0.25 })).toBe(api.linearHinge(x, weight, [0, 1]) + 0.125 * 6.25);
    const rows = api.linearHinge(x, weight, [0, 1], { l2: 0.25, reduction: "none" });
    expect(rows).toEqual(api.hinge(api.linear(x, weight, { shape: [2, 2] }), [0, 1], { reduction: "none" }));
    const perRow = { reduction: "none", l2: 0.25 } as const;
    expect(api.linearHingeGrad(x, weight, [0, 1], { ...perRow, gradOutput: 2 })).toEqual(
      api.linearHingeGrad(x, weight, [0, 1], { ...perRow, gradOutput: [2, 2] }),
    );
  });

  it("no rows, and none that counts", () => {
    const weight = new Float32Array(6).fill(1);
    const none = api.linearCrossEntropyGrad(new Float32Array(0), weight, new Int32Array(0), {
      shape: [0, 3],
      gradX: true,
    });
    expect(none.loss).toBeNaN();
    expect([...none.gradWeight, ...none.gradX!]).toEqual(new Array(6).fill(0));
    const gradWeight = new Float32Array(6).fill(7);
    const ignored = api.linearHingeGrad(new Float32Array(3).fill(NaN), weight, [-100], {
      gradWeight,
      emptyMean: 0,
      l2: 2,
    });
    expect(ignored.loss).toBe(6);
    expect([...gradWeight]).toEqual(new Array(6).fill(2));
  });

  it("results and inputs may share memory, but not two results", () => {
    const weight = Float32Array.of(1, 2, 3, 4, 5, 6);
    const x = Float32Array.of(1, -1, 2);
    const want = api.linearCrossEntropyGrad(x, weight, [1], { gradX: true });
    const own = { x: x.slice(), weight: weight.slice() };
    const got = api.linearCrossEntropyGrad(own.x, own.weight, [1], { gradX: own.x, gradWeight: own.weight });
    expectBits(got.gradX, want.gradX!, "gradX");
    expectBits(got.gradWeight, want.gradWeight, "gradWeight");
    const both = new Float32Array(6);
    const shared = { gradWeight: both, gradX: both.subarray(0, 3) };
    expect(() => api.linearCrossEntropyGrad(x, weight, [1], shared)).toThrow(/must not share memory/);
  });

  it("accumulate wants all that it adds to", () => {
    const call = (options: object) => () =>
      api.linearHingeGrad(new Float32Array(3), new Float32Array(6), [1], { accumulate: true, ...options });
    expect(call({})).toThrow(/^linearHingeGrad: gradWeight must be given with accumulate/);
    expect(call({ gradWeight: new Float32Array(6), bias: new Float32Array(2) })).toThrow(/gradBias/);
    expect(call({ gradWeight: new Float32Array(6), gradX: true })).toThrow(
      /gradX must be an array with accumulate, got true/,
    );
  });
});
