import { describe, expect, it } from "vitest";
import { ulp } from "../accuracy/ulp.js";
import { onEveryBackend } from "../catalogue/backends.js";
import { random } from "../inputs/random.js";
import { DOUBLE, expectNear } from "../oracle/expectClose.js";
import { binaryCrossEntropy as exact, crossEntropy as exactOfClasses } from "../oracle/oracle.js";
import type { Real } from "../oracle/real.js";

const none = { reduction: "none" } as const;

/** The largest error of f64, in ulp of the size that each has. */
function worst(got: ArrayLike<number>, want: readonly Real[], size: (i: number) => number): number {
  return want.reduce((most, { hi, lo }, i) => Math.max(most, Math.abs(got[i]! - hi - lo) / ulp(size(i), "f64")), 0);
}

onEveryBackend(({ name, api }) => {
  const { binaryCrossEntropy, binaryCrossEntropyGrad, crossEntropy, crossEntropyGrad, sigmoid } = api;

  it("known values", () => {
    expectNear(binaryCrossEntropy([0, 100, -100], [1, 0, 0], none), [Math.LN2, 100, 3.720075976020836e-44], 4e-16);
    expectNear(binaryCrossEntropy([0], [1], { posWeight: [3] }), 3 * Math.LN2, 4e-16);
    expectNear(binaryCrossEntropy([Math.log(9)], [1], { gamma: 2 }), 0.0010536051565782623, 4e-15);
    expectNear(binaryCrossEntropy([0.3, -2], [0.25, 0.5]), (0.7793552446 + 1.126928011) / 2, 1e-9);
  });

  describe("what other projects' tests expect", () => {
    const [x, wrong] = [
      [10, -10, -10, -10, 10, -10, -10, -10, 10],
      [0, 0, 1, 1, 0, 0, 0, 1, 0],
    ];
    const weight = [0.1, 0.2, 0.3];
    const shape = [3, 3];

    it("TensorFlow.js, sigmoid_cross_entropy_test.ts", () => {
      expectNear(binaryCrossEntropy(x, wrong), 6.6667123, 1e-7);
      expectNear(binaryCrossEntropy(x, wrong, { shape, weight }), 1.3333424, 1e-7);
      const losses = [1.0000046, 9.0797803e-6, 3.0000138, 1.0000046, 2.0000093, 1.3619671e-5, 4.5398901e-6, 2.0000093];
      expectNear(binaryCrossEntropy(x, wrong, { ...none, shape, weight }), [...losses, 3.0000138], 2e-7);
      const smoothed = { shape, weight, labelSmoothing: 0.3, reduction: "sum" } as const;
      expectNear(binaryCrossEntropy(x, wrong, smoothed) / (3 * 0.6), 6.1667128, 2e-7);
    });

    it("Keras, losses_test.py", () => {
      const logits = [1.5, -2.7, 2.9, -3.8, 1.2, -4.5];
      const given = { shape: [2, 3], gamma: 3 };
      expect(binaryCrossEntropy(logits, [1, 1, 0, 0, 1, 0], given)).toBeCloseTo(0.799, 3);
      const sampleWeight = [1.2, 3.4];
      expect(binaryCrossEntropy(logits, [1, 1, 0, 0, 1, 0], { ...given, sampleWeight })).toBeCloseTo(0.95977, 3);
      const p = [0.9, 0.8, 0.7, 0.2];
      const ofRows = binaryCrossEntropy(
        p.map((pi) => Math.log(pi / (1 - pi))),
        [1, 0, 1, 0],
        { ...none, gamma: 2 },
      );
      expectNear([(ofRows[0]! + ofRows[1]!) / 2, (ofRows[2]! + ofRows[3]!) / 2], [0.515547, 0.020513], 3e-5);
      // With α = ¼; theirs are f32, with three or four digits of 1 − p.
      const classes = crossEntropy([8, 1, 1, 0, 9, 1, 2, 3, 5], [0, 1, 2], { ...none, gamma: 2 });
      expectNear(
        classes.map((loss) => loss / 4),
        [1.5096224e-9, 2.4136547e-11, 1.0360638e-3],
        4e-4,
      );
    });

    it("optax, _classification_test.py: (1 − p)^γ of the cross-entropy", () => {
      for (const p of [0.9, 0.98, 0.3, 0.99, 0.1, 0.02, 0.09, 0.15]) {
        const logit = [Math.log(p / (1 - p))];
        const ratio = binaryCrossEntropy(logit, [1]) / binaryCrossEntropy(logit, [1], { gamma: 2 });
        expectNear(ratio, 1 / (1 - p) ** 2, 1e-13);
      }
    });

    it("torchvision, sigmoid_focal_loss: α weighs what is there, 1 − α what is not", () => {
      const [alpha, gamma] = [0.25, 2];
      const weight = [1 - alpha];
      const posWeight = [alpha / (1 - alpha)];
      for (const [logit, t] of [
        [2, 0],
        [0.1, 0],
        [-2, 1],
        [0.3, 1],
        [-0.1, 0],
        [1.2, 0],
      ] as const) {
        const p = 1 / (1 + Math.exp(-logit));
        const own = t === 1 ? p : 1 - p;
        const want = (t === 1 ? alpha : 1 - alpha) * (1 - own) ** gamma * -Math.log(own);
        expectNear(binaryCrossEntropy([logit], [t], { gamma, weight, posWeight }), want, 1e-14);
      }
    });

    it("PyTorch, BCEWithLogitsLoss", () => {
      const ones = { shape: [10, 64], posWeight: Array<number>(64).fill(1) };
      expect(binaryCrossEntropy(Array<number>(640).fill(1.5), Array<number>(640).fill(1), ones)).toBeCloseTo(0.2014, 4);
    });
  });

  it("is never capped, nor NaN, and its gradient not dead", () => {
    for (const gamma of [0, 1, 2, 0.5]) {
      const { loss, grad } = binaryCrossEntropyGrad([1e300, -1e300, 800, -800], [0, 1, 0, 1], { ...none, gamma });
      expect(loss).toEqual([1e300, 1e300, 800, 800]);
      expect(grad).toEqual([1, -1, 1, -1]);
      const right = binaryCrossEntropyGrad([Infinity, -Infinity], [1, 0], { ...none, gamma });
      expect(right.loss).toEqual([0, 0]);
      expect(right.grad).toEqual([0, 0]);
      const minus = { ...none, gamma, posWeight: [0, 0], gradOutput: [-1, -1] };
      for (const x of [Float32Array.of(2, -2), Float64Array.of(2, -2)])
        expect([...binaryCrossEntropyGrad(x, [1, 1], minus).grad]).toEqual([0, 0]);
    }
    expect(binaryCrossEntropy([Infinity], [0])).toBe(Infinity);
  });

  it("takes any power: (1 − p)^γ is 1/e for γ = 1/p, nothing for far more, 1 for γ near 0", () => {
    for (const [Kind, digits] of [[Float64Array, 1e-14] as const, [Float32Array, 1e-7] as const]) {
      const lossesFor = (x: number, gamma: number) => [
        binaryCrossEntropyGrad(Kind.of(x), Int8Array.of(1), { gamma }),
        crossEntropyGrad(Kind.of(x, 0), Int8Array.of(0), { gamma }),
      ];
      for (const { loss, grad } of lossesFor(-40, Math.exp(40))) {
        expectNear([loss, grad[0]!], [40 / Math.E, -41 / Math.E], digits);
      }
      for (const x of [-5, 0, 5]) {
        for (const { loss, grad } of lossesFor(x, 1e308)) expect([loss, Math.abs(grad[0]!)]).toEqual([0, 0]);
      }
      const plain = crossEntropyGrad(Kind.of(30, 0), Int8Array.of(0));
      for (const { loss, grad } of lossesFor(30, 1e-300)) {
        expectNear([loss, grad[0]!], [plain.loss, plain.grad[0]!], 4 * digits);
      }
    }
  });

  it.skipIf(name === "baseline").each([0, 1, 2])("f64: 3 ulp of the loss, 4 of the gradient, γ = %i", (gamma) => {
    const r = random(7);
    const x = Float64Array.from({ length: 3000 }, (_, i) => r.uniform(-1, 1) * [1, 5, 40][i % 3]!);
    const t = x.map(() => r.uniform(0, 1) + r.uniform(0, 2 ** -32));
    const given = { reduction: "none", gamma } as const;
    const reference = (targets: Float64Array) =>
      exact(
        Array.from(x, (xi) => [xi]),
        Array.from(targets, (ti) => [ti]),
        given,
        DOUBLE,
      );
    const want = reference(t);
    const [absent, present] = [0, 1].map((target) => reference(t.map(() => target)).grad.flat());
    const { loss, grad } = binaryCrossEntropyGrad(x, t, given);
    expect(worst(loss, want.loss, (i) => want.loss[i]!.hi)).toBeLessThanOrEqual(3);
    // Of the larger term: the two cancel.
    const terms = (i: number) => Math.max((1 - t[i]!) * absent![i]!.hi, -t[i]! * present![i]!.hi);
    expect(worst(grad, want.grad.flat(), terms)).toBeLessThanOrEqual(4);
  });

  it("is the cross-entropy of two classes", () => {
    const r = random(5);
    for (const gamma of [0, 1, 2, 0.5, 3.7]) {
      for (let i = 0; i < 40; i++) {
        const [x, t] = [10 * r.normal(), i % 2] as const;
        const two = crossEntropyGrad([x, 0], [1 - t], { gamma });
        const one = binaryCrossEntropyGrad([x], [t], { gamma });
        expectNear(one.loss, two.loss, 1e-14);
        expectNear(one.grad, two.grad.slice(0, 1), 1e-14);
      }
    }
  });

  it("is p − t over the number of elements", () => {
    const [x, t] = [Float32Array.of(0.5, -2, 3, 1), Float32Array.of(0, 1, 0.25, 1)];
    const { grad } = binaryCrossEntropyGrad(x, t, { shape: [2, 2] });
    expectNear(
      grad,
      Array.from(sigmoid(Float64Array.from(x)), (p, i) => (p - t[i]!) / 4),
      1e-6,
    );
  });

  it("weights lie along the label axis", () => {
    const [x, t] = [new Float64Array(12), Int8Array.of(1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0)];
    const given = { ...none, shape: [2, 3, 2], weight: [1, 2, 4], posWeight: [3, 1, 1], sampleWeight: [1, 10, 100, 0] };
    const losses = binaryCrossEntropy(x, t, given);
    const want = [3, 30, 2, 20, 4, 40, 100, 0, 200, 0, 400, 0];
    expectNear(
      losses,
      want.map((w) => w * Math.LN2),
      4e-16,
    );
    expectNear(
      binaryCrossEntropy(x, t, { ...given, axis: -1, shape: [4, 3], reduction: "sum" }),
      (3 + 2 + 4 + (3 + 2 + 4) * 10 + 700) * Math.LN2,
      4e-15,
    );
  });

  it("what weighs nothing may hold anything", () => {
    const x = [NaN, Infinity, 0];
    const { loss, grad } = binaryCrossEntropyGrad(x, [0, 0, 1], { ...none, weight: [0, 0, 1] });
    expectNear(loss, [0, 0, Math.LN2], 4e-16);
    expect(grad).toEqual([0, 0, -0.5]);
  });

  it("smoothing moves targets towards ½", () => {
    const smoothed = binaryCrossEntropy([1, -3], [1, 0], { labelSmoothing: 0.1 });
    expectNear(smoothed, binaryCrossEntropy([1, -3], Float64Array.of(0.95, 0.05)), 1e-15);
    expectNear(
      binaryCrossEntropy([1, -3], [1, 0], { labelSmoothing: 1 }),
      binaryCrossEntropy([1, -3], [0.5, 0.5]),
      1e-15,
    );
  });

  it.each([[[0, 3]], [undefined]])("no elements, shape %j", (shape) => {
    expect(binaryCrossEntropy([], [], { shape })).toBe(NaN);
    expect(binaryCrossEntropy([], [], { shape, emptyMean: 0 })).toBe(0);
    expect(binaryCrossEntropy([], [], { shape, reduction: "sum" })).toBe(0);
    expect(binaryCrossEntropyGrad([], [], { ...none, shape })).toEqual({ loss: [], grad: [] });
  });

  it.skipIf(name === "baseline").each([1, 2])("focal loss of classes: 3 and 4 ulp, γ = %i", (gamma) => {
    const r = random(11);
    for (const classes of [2, 3, 10, 150]) {
      const rows = Math.ceil(600 / classes);
      const x = Float64Array.from({ length: rows * classes }, (_, i) => r.uniform(-1, 1) * [1, 5, 40][i % 3]!);
      const targets = Array.from({ length: rows }, () => r.integer(0, classes - 1));
      const given = { reduction: "none", gamma } as const;
      const rowsOfX = targets.map((_, i) => Array.from(x.subarray(i * classes, (i + 1) * classes)));
      const want = exactOfClasses(rowsOfX, targets, given, DOUBLE);
      const { loss, grad } = crossEntropyGrad(x, targets, given);
      expect(worst(loss, want.loss, (i) => want.loss[i]!.hi)).toBeLessThanOrEqual(3);
      const gradient = want.grad.flat();
      expect(worst(grad, gradient, (i) => gradient[i]!.hi)).toBeLessThanOrEqual(4);
    }
  });

  it("focal loss of classes: goes with class indices, without smoothing", () => {
    expectNear(crossEntropy([Math.log(9), 0], [0], { gamma: 2 }), 0.0010536051565782623, 4e-15);
    const t = Float64Array.of(0.5, 0.5);
    expect(() => crossEntropy([1, 2], t, { shape: [2], gamma: 1 })).toThrow(/^crossEntropy: gamma .*probabilities/);
    expect(() => crossEntropyGrad([1, 2], [0], { gamma: 1, labelSmoothing: 0.1 })).toThrow(
      /^crossEntropyGrad: gamma .*labelSmoothing/,
    );
    expect(crossEntropy([1, 2], [0], { gamma: 0, labelSmoothing: 0.1 })).toBe(
      crossEntropy([1, 2], [0], { labelSmoothing: 0.1 }),
    );
    // p → 1, p → 0, and one class
    const { loss, grad } = crossEntropyGrad([800, 0, 0, 800, 0, -Infinity], [0, 0, 0], { ...none, gamma: 0.5 });
    expect(loss).toEqual([0, 800, 0]);
    expect(grad).toEqual([0, 0, -1, 1, 0, 0]);
  });
});
