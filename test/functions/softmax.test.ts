import { describe, expect, it } from "vitest";
import { onEveryBackend } from "../catalogue/backends.js";
import { random } from "../inputs/random.js";
import { drawRow } from "../inputs/values.js";
import { expectClose, expectNear, expectSameBits, SINGLE } from "../oracle/expectClose.js";
import { flatten, softmax as oracle, rowsOf } from "../oracle/oracle.js";

onEveryBackend(({ api }) => {
  const { softmax, softmaxGrad, logSoftmax, logSumExp, crossEntropy, crossEntropyGrad } = api;

  describe("softmax", () => {
    it.each<[number[], number[], string]>([
      [[1, 2, 3], [0.09003057, 0.24472847, 0.66524096], "by the formula"],
      [[1, 2, 5], [0.01714783, 0.04661262, 0.93623955], "by the formula"],
      [[-1, 0, 1], [0.09003058, 0.24472848, 0.66524094], "ONNX softmax_example"],
      [[0, 1, 2, 3], [0.032058604, 0.08714432, 0.23688284, 0.6439143], "ONNX softmax_large_number, row 0"],
      [
        [10000, 10001, 10002, 10003],
        [0.032058604, 0.08714432, 0.23688284, 0.6439143],
        "ONNX softmax_large_number, row 1",
      ],
      [[0, 200], [1.3838965267367e-87, 1], "shift by the maximum, not the first element: ROCm/AMDMIGraphX#1290"],
      [[-1000, -1001], [0.7310585786300049, 0.2689414213699951], "a maximum far below 0: mit-han-lab/tinyengine#107"],
    ])("of %j", (x, y) => {
      expectNear(softmax(x), y, 3e-7);
      expectNear(softmax(Float32Array.from(x)), y.map(Math.fround), 3e-7);
    });

    it("divides by the temperature", () => {
      // by the formula
      expectNear(softmax([1, 2, 3], { temperature: 10 }), [0.30060961, 0.33222499, 0.3671654], 1e-7);
      expectNear(softmax([1, 2, 3], { temperature: 0.1 }), [2.06106e-9, 4.53979e-5, 0.9999546], 1e-6);
    });

    it.each([
      { kind: "f32", temperatures: [1e-30, 1e-12, 1e-8, 1e-6, 1e-4, 1e4, 1e6, 1e8, 1e12, 1e30] },
      { kind: "f64", temperatures: [1e-290, 1e-100, 1e-40, 1e-25, 1e-8, 1e8, 1e25, 1e40, 1e100, 1e290] },
    ])("keeps its accuracy at any temperature, $kind", ({ kind, temperatures }) => {
      const x = drawRow(random(3), 40, "normal", "number[]");
      for (const temperature of temperatures) {
        // exactly representable, so that the scaled logits are too
        const power = 2 ** Math.round(Math.log2(temperature));
        const make = (values: number[]) => (kind === "f32" ? Float32Array.from(values) : Float64Array.from(values));
        const scaled = make(x).map((value) => value * power) as Float32Array;
        const [u, plain] = [kind === "f32" ? 2 ** -23 : 2 ** -52, make(x) as Float32Array];
        expectNear(softmax(scaled, { temperature: power }), Array.from(softmax(plain)), 8 * u);
        expectNear(logSoftmax(scaled, { temperature: power }), Array.from(logSoftmax(plain)), 8 * u);
        expectNear(crossEntropy(scaled, [3], { temperature: power }), crossEntropy(plain, [3]), 8 * u);
      }
    });

    it.each([0.5, 0.001, 2 ** -20, 1e-12, 1e-38])(
      "does not divide f32 logits before they are subtracted, at %d",
      (temperature) => {
        const x = new Float32Array([3e38, 0, 2e38]);
        expect(Array.from(softmax(x, { temperature }))).toEqual([1, 0, 0]);
        expect(logSoftmax(x, { temperature })[0]).toBe(0);
        expect(crossEntropy(x, [0], { temperature })).toBe(0);
      },
    );

    it.each([0.5, 0.001, 2 ** -20])("does not divide f64 logits before they are subtracted, at %d", (temperature) => {
      const x = new Float64Array([1.7e308, 0, 1e308]);
      expect(Array.from(softmax(x, { temperature }))).toEqual([1, 0, 0]);
      expect(logSoftmax(x, { temperature })[0]).toBe(0);
      expect(crossEntropy(x, [0], { temperature })).toBe(0);
    });

    it("at the lowest temperature of all, by the formula", () => {
      const x = new Float32Array([1, 2, 3]);
      const temperature = 1e-38;
      const y = new Float32Array(3);
      expect(softmax(x, { temperature, out: y })).toBe(y);
      expect(Array.from(y)).toEqual([0, 0, 1]);
      expectNear(logSoftmax(x, { temperature }), [-2e38, -1e38, 0], 2 ** -23);
      expectNear(logSumExp(x, { temperature }), [3e38], 2 ** -23);
      // the gradient, (p − t) / T, of class probabilities with weights, added to what is there
      const grad = new Float32Array([1e38, 0, 1e36]);
      const t = new Float32Array([0.5, 0.5, 0]);
      const weight = [1, 0.5, 9];
      const options = { shape: [3], temperature, weight, grad, accumulate: true };
      expectNear(crossEntropyGrad(x, t, options).loss, 1.25e38, 2 ** -23);
      expectNear(grad, [0.5e38, -0.25e38, 0.76e38], 2 ** -22);
    });

    // ONNX softmax_axis_0, _1, _2, _negative_axis and _default_axis: x = |normal| of shape (3, 4, 5)
    it.each([[0], [1], [2], [-1], [-2], [-3], [undefined]])("along axis %s of (3, 4, 5)", (axis) => {
      const x = Float32Array.from(drawRow(random(5), 60, "normal", "Float32Array"), Math.abs);
      const shape = [3, 4, 5];
      const k = (axis ?? -1) < 0 ? 3 + (axis ?? -1) : axis!;
      const layout = { outer: [1, 3, 12][k]!, classes: shape[k]!, inner: [20, 5, 1][k]! };
      const rows = rowsOf(x, layout).map((row) => oracle(row, 1, SINGLE));
      const y = softmax(x, axis === undefined ? { shape } : { shape, axis });
      expectClose(y, flatten(rows, layout), SINGLE, () => `axis ${axis}`);
    });

    it("returns the container that it was given", () => {
      expect(softmax(new Float32Array([1, 1]))).toEqual(new Float32Array([0.5, 0.5]));
      expect(softmax(new Float64Array([1, 1]))).toEqual(new Float64Array([0.5, 0.5]));
      expect(softmax([1, 1])).toEqual([0.5, 0.5]);
    });

    it("leaves the input alone and returns `out`", () => {
      for (const x of [new Float32Array([1, 2, 3]), new Float64Array([1, 2, 3])]) {
        const out = x.slice().fill(9);
        expect(softmax(x, { out })).toBe(out);
        expect(Array.from(x)).toEqual([1, 2, 3]);
        expectNear(out, [0.09003057, 0.24472847, 0.66524096], 1e-6);
        expect(softmax(x, { out: x })).toBe(x);
        expectSameBits(x, out, () => "in place");
      }
      const list = [1, 2, 3];
      expect(softmax(list, { out: list })).toBe(list);
      expectNear(list, [0.09003057, 0.24472847, 0.66524096], 1e-7);
    });

    it.each([-33, -4, -1, 1, 3, 64])("`out` may overlap the input, %i elements away", (shift) => {
      for (const [rows, classes] of [
        [1, 100],
        [50, 10],
        [20000, 10],
        [2, 70000],
      ] as const) {
        const n = rows * classes;
        const memory = new Float32Array(n + 64 * 2);
        const x = memory.subarray(64, 64 + n);
        x.set(drawRow(random(rows), n, "normal", "Float32Array"));
        const options = { shape: [rows, classes] };
        const want = softmax(x.slice(), options);
        expectSameBits(
          softmax(x, { ...options, out: memory.subarray(64 + shift, 64 + shift + n) }),
          want,
          () => `${rows} rows`,
        );
      }
    });

    // in blocks: when the last one is read the first has been written
    it.each([Float32Array, Float64Array])(
      "`out` may begin at the last element of the input, or end at the first one",
      (Kind) => {
        const [rows, classes] = [40_000, 2];
        const n = rows * classes;
        for (const [from, to] of [
          [0, n - 1],
          [n - 1, 0],
        ] as const) {
          const memory = new Kind(2 * n) as Float32Array;
          const x = memory.subarray(from, from + n);
          x.set(drawRow(random(rows), n, "normal", "Float32Array"));
          const options = { shape: [rows, classes] };
          const want = softmax(x.slice(), options);
          expectSameBits(softmax(x, { ...options, out: memory.subarray(to, to + n) }), want, () => `${from} to ${to}`);
        }
      },
    );

    it("of one class is 1, of no rows is empty", () => {
      expect(softmax([7])).toEqual([1]);
      expect(softmax(new Float32Array([7, -3e38, 0]), { shape: [3, 1] })).toEqual(new Float32Array([1, 1, 1]));
      expect(softmax(new Float32Array(0), { shape: [0, 5] })).toEqual(new Float32Array(0));
      expect(softmax([], { shape: [0, 5] })).toEqual([]);
      expect(softmax([], { shape: [4, 3, 0], axis: 1 })).toEqual([]);
    });

    it("of no classes is an error", () => {
      expect(() => softmax([])).toThrow(RangeError);
      expect(() => softmax([], { shape: [3, 0] })).toThrow(RangeError);
    });

    it("goes down to the smallest subnormal number", () => {
      // e^−103.2 = 1.08 · 2^−149, e^−101 = 9.76 · 2^−149; e^−744.3 = 1.15 · 2^−1074, e^−742 = 11.5 · 2^−1074
      const steps = (y: ArrayLike<number>, tiny: number) => Array.from(y, (p) => p / tiny);
      const single = steps(softmax(new Float32Array([0, -103.2, -101])), 2 ** -149);
      expect(single[1]).toBe(1);
      expect(Math.abs(single[2]! - 9.76)).toBeLessThanOrEqual(0.76);
      const double = steps(softmax([0, -744.3, -742]), 2 ** -1074);
      expect(double[1]).toBe(1);
      expect(Math.abs(double[2]! - 11.5)).toBeLessThanOrEqual(0.5);
    });

    it("is exactly 0, and positive, where the difference is too large", () => {
      // tensorflow/tfjs#7588: NaN; tensorflow/tfjs#5394: masks of −1e9 and −3.4e38
      for (const difference of [105, 200, 1e4, 1e9, 3.4e38]) {
        const y = softmax(new Float32Array([0, -difference, 0, -difference, -difference]));
        expect(Array.from(y)).toEqual([0.5, 0, 0.5, 0, 0]);
      }
      for (const difference of [746, 1e4, 1e9, 3.4e38, 1e308]) {
        expect(softmax([0, -difference, 0, -difference, -difference])).toEqual([0.5, 0, 0.5, 0, 0]);
      }
      expect(Array.from(softmax(new Float32Array([3e38, -3e38])))).toEqual([1, 0]);
      expect(softmax([1e308, -1e308])).toEqual([1, 0]);
    });
  });

  describe("softmaxGrad", () => {
    it("is y (dy − Σ dy y)", () => {
      // y = [1/4, 3/4], dy = [1, 5]: Σ = 4
      expect(softmaxGrad([0.25, 0.75], [1, 5])).toEqual([-0.75, 0.75]);
      expect(softmaxGrad(new Float32Array([0.25, 0.75]), new Float32Array([1, 5]))).toEqual(
        new Float32Array([-0.75, 0.75]),
      );
    });

    it("is exactly 0 where the probability is", () => {
      expect(softmaxGrad([0, 0.5, 0.5], [1e30, 1, 3]).map(Math.abs)[0]).toBe(0);
    });

    it("may be written over either input (ggml-org/ggml#1521)", () => {
      const [y, dy] = [
        softmax(
          Float32Array.from({ length: 90 }, (_, i) => 3 * Math.sin(i)),
          { shape: [3, 30] },
        ),
        Float32Array.from({ length: 90 }, (_, i) => Math.cos(i)),
      ];
      const options = { shape: [3, 30] };
      const want = softmaxGrad(y, dy, options);
      const [overY, overDy] = [y.slice(), dy.slice()];
      expect(softmaxGrad(overY, dy, { ...options, out: overY })).toBe(overY);
      expect(softmaxGrad(y, overDy, { ...options, out: overDy })).toBe(overDy);
      expectSameBits(overY, want, () => "out = y");
      expectSameBits(overDy, want, () => "out = dy");
    });
  });
});
