import { expect, it } from "vitest";
import { onEveryBackend } from "../catalogue/backends.js";
import { random } from "../inputs/random.js";
import { expectNear } from "../oracle/expectClose.js";

const none = { reduction: "none" } as const;

onEveryBackend(({ api }) => {
  const { binaryCrossEntropy, binaryCrossEntropyGrad, crossEntropy, crossEntropyGrad, sigmoid } = api;

  it("known values", () => {
    expectNear(binaryCrossEntropy([0, 100, -100], [1, 0, 0], none), [Math.LN2, 100, 3.720075976020836e-44], 4e-16);
    expectNear(binaryCrossEntropy([0], [1], { posWeight: [3] }), 3 * Math.LN2, 4e-16);
    expectNear(binaryCrossEntropy([Math.log(9)], [1], { gamma: 2 }), 0.0010536051565782623, 4e-15);
    expectNear(binaryCrossEntropy([0.3, -2], [0.25, 0.5]), (0.7793552446 + 1.126928011) / 2, 1e-9);
  });

  it("is never capped, nor NaN, and its gradient not dead", () => {
    for (const gamma of [0, 1, 2, 0.5]) {
      const { loss, grad } = binaryCrossEntropyGrad([1e300, -1e300, 800, -800], [0, 1, 0, 1], { ...none, gamma });
      expect(loss).toEqual([1e300, 1e300, 800, 800]);
      expect(grad).toEqual([1, -1, 1, -1]);
      const right = binaryCrossEntropyGrad([Infinity, -Infinity], [1, 0], { ...none, gamma });
      expect(right.loss).toEqual([0, 0]);
      expect(right.grad.map(Math.abs)).toEqual([0, 0]);
    }
    expect(binaryCrossEntropy([Infinity], [0])).toBe(Infinity);
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

  it("no elements", () => {
    const shape = [0, 3];
    expect(binaryCrossEntropy([], [], { shape })).toBe(NaN);
    expect(binaryCrossEntropy([], [], { shape, emptyMean: 0 })).toBe(0);
    expect(binaryCrossEntropy([], [], { shape, reduction: "sum" })).toBe(0);
    expect(binaryCrossEntropyGrad([], [], { ...none, shape })).toEqual({ loss: [], grad: [] });
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
    expect(grad.map(Math.abs)).toEqual([0, 0, 1, 1, 0, 0]);
  });
});
