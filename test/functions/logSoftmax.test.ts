import { describe, expect, it } from "vitest";
import { onEveryBackend } from "../catalogue/backends.js";
import { expectNear } from "../oracle/expectClose.js";

const INF = Number.POSITIVE_INFINITY;

onEveryBackend(({ api }) => {
  const { logSoftmax, logSoftmaxGrad } = api;

  describe("logSoftmax", () => {
    it.each<[number[], number[], string]>([
      [[-1, 0, 1], [-2.4076061, -1.407606, -0.407606], "ONNX logsoftmax_example_1"],
      [[0, 1, 2, 3], [-3.4401896, -2.4401896, -1.4401896, -0.44018966], "ONNX logsoftmax_large_number, row 0"],
      [
        [1e4, 10001, 10002, 10003],
        [-3.4401896, -2.4401896, -1.4401896, -0.44018966],
        "ONNX logsoftmax_large_number, row 1",
      ],
      [[1000, 1], [0, -999], "huggingface/transformers.js#812: −Infinity"],
      [[1e8, 1e8], [-Math.LN2, -Math.LN2], "pytorch#11752: 0"],
    ])("of %j", (x, y) => {
      expectNear(logSoftmax(x), y, 2e-7);
      expectNear(logSoftmax(Float32Array.from(x)), y, 2e-7);
    });

    it("is exact far below where the probability has become 0", () => {
      // log(softmax(x)) would be −Infinity
      expectNear(logSoftmax(new Float32Array([0, -200, -1e4, -3e38])), [0, -200, -1e4, Math.fround(-3e38)], 0);
      expectNear(logSoftmax([0, -800, -1e4, -1e300]), [0, -800, -1e4, -1e300], 0);
    });

    it("keeps full precision as the probability approaches 1", () => {
      // −log1p(2 e^−20) = −4.1223072363804e-9; log(softmax(x)) would be 0 in f32
      expectNear(logSoftmax(new Float32Array([20, 0, 0])).subarray(0, 1), [-4.1223072363804e-9], 2e-7);
      expectNear(logSoftmax([40, 0])[0]!, -4.248354255291589e-18, 1e-15);
    });

    it("returns the container that it was given, or `out`", () => {
      expect(logSoftmax([5])).toHaveLength(1);
      expect(logSoftmax(new Float32Array([5, 5]))).toBeInstanceOf(Float32Array);
      expect(logSoftmax(new Float64Array([5, 5]))).toBeInstanceOf(Float64Array);
      expect(Array.isArray(logSoftmax([5, 5]))).toBe(true);
      const x = new Float64Array([1, 2, 3, 4]);
      expect(logSoftmax(x, { shape: [2, 2], out: x })).toBe(x);
      expectNear(x, [-1.3132616875182228, -0.31326168751822286, -1.3132616875182228, -0.31326168751822286], 1e-15);
    });

    it("of one class is 0, of a masked class −Infinity, of no rows empty", () => {
      expect(Math.abs(logSoftmax([7])[0]!)).toBe(0);
      expectNear(logSoftmax([1, -INF, 1]), [-Math.LN2, -INF, -Math.LN2], 1e-15);
      expect(logSoftmax(new Float32Array(0), { shape: [0, 3] })).toEqual(new Float32Array(0));
    });
  });

  describe("logSoftmaxGrad", () => {
    it("is dy − exp(y) Σ dy", () => {
      // by the formula
      const y = logSoftmax([1, 2, 10]);
      expectNear(logSoftmaxGrad(y, [1, 2, 3]), [0.9992599, 1.9979881, -2.9972477], 5e-7);
    });

    it("gives a masked class its own dy", () => {
      expect(logSoftmaxGrad([-INF, 0], [3, 4])).toEqual([3, -3]);
    });
  });
});
