import { expect, it } from "vitest";
import { onEveryBackend } from "../catalogue/backends.js";
import { random } from "../inputs/random.js";
import { expectNear } from "../oracle/expectClose.js";

onEveryBackend(({ api }) => {
  const { sigmoid, sigmoidGrad, logSigmoid, logSigmoidGrad, softmax, logSoftmax } = api;

  it("known values", () => {
    expectNear(sigmoid([0, -100, 1, -1]), [0.5, 3.720075976020836e-44, 0.7310585786300049, 0.2689414213699951], 4e-16);
    expect(sigmoid(Float32Array.of(20))).toEqual(Float32Array.of(1));
    expectNear(logSigmoid([-1000, 40, 0]), [-1000, -4.248354255291589e-18, -Math.LN2], 4e-16);
    expect(sigmoidGrad([0.25], [1])).toEqual([0.1875]);
    expectNear(logSigmoidGrad([-Math.LN2, -1e-20, -1000], [1, 1, 2]), [0.5, 1e-20, 2], 4e-16);
  });

  it.each([Float32Array, Float64Array])("limits, %o", (Kind) => {
    const x = Kind.of(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NaN, -1e30, 1e30) as Float32Array;
    expect(Array.from(sigmoid(x))).toEqual([0, 1, Number.NaN, 0, 1]);
    expect(Array.from(logSigmoid(x))).toEqual([Number.NEGATIVE_INFINITY, 0, Number.NaN, x[3], 0]);
    expect(Array.from(logSigmoidGrad(logSigmoid(x), x.slice().fill(1)))).toEqual([1, 0, Number.NaN, 1, 0]);
    expect(Array.from(sigmoidGrad(sigmoid(x), x.slice().fill(1)))).toEqual([0, 0, Number.NaN, 0, 0]);
  });

  it("is exact where it is tiny", () => {
    expect(sigmoid(Float32Array.of(-103.9, -104))).toEqual(Float32Array.of(2 ** -149, 2 ** -149 * 0));
    expectNear(sigmoid([-744, -700]), [1e-323, 9.85967654375977e-305], 1e-15);
    for (const x of [-800, -1e5, -1e300]) expect(logSigmoid([x])).toEqual([x]);
  });

  it("is the softmax of x and 0", () => {
    const r = random(3);
    for (let i = 0; i < 200; i++) {
      const x = 20 * r.normal();
      expectNear(sigmoid([x]), softmax([x, 0]).slice(0, 1), 1e-15);
      expectNear(logSigmoid([x]), logSoftmax([x, 0]).slice(0, 1), 1e-15);
    }
  });

  it("nothing of nothing", () => {
    for (const f of [sigmoid, logSigmoid]) expect(f(new Float32Array(0))).toEqual(new Float32Array(0));
    for (const f of [sigmoidGrad, logSigmoidGrad]) expect(f([], [])).toEqual([]);
    const out = new Float64Array(0);
    expect(sigmoid(new Float64Array(0), { out, axis: 0 })).toBe(out);
  });

  it("does not depend on where an element lies", () => {
    const x = Float32Array.from({ length: 40_000 }, (_, i) => (i - 20_000) / 150);
    const y = sigmoid(x);
    for (const at of [0, 1, 511, 512, 513, 32_767, 39_999]) expect(sigmoid(x.slice(at, at + 1))[0]).toBe(y[at]);
    expect(sigmoid(x, { shape: [200, 200], axis: 0 })).toEqual(y);
  });
});
