// Jest runs tests in a vm context: some of its typed arrays are those of another realm than the library's.
import { runInNewContext } from "node:vm";
import { backend, crossEntropyGrad, softmax } from "softmargin";
import { softmax as baselineSoftmax } from "softmargin/baseline";

const expected = [0.09003057317038046, 0.24472847105479764, 0.6652409557748218];
const foreign = (code) => runInNewContext(code);

test("the SIMD build runs", () => {
  expect(backend).toEqual({ name: "simd" });
});

test.each([
  ["a list", () => [1, 2, 3]],
  ["a Float64Array", () => new Float64Array([1, 2, 3])],
  ["a list of another realm", () => foreign("[1, 2, 3]")],
  ["a Float64Array of another realm", () => foreign("new Float64Array([1, 2, 3])")],
])("softmax of %s", (_, x) => {
  for (const f of [softmax, baselineSoftmax]) {
    Array.from(f(x())).forEach((p, i) => {
      expect(p).toBeCloseTo(expected[i], 14);
    });
  }
});

test("targets, options and gradients of another realm", () => {
  const logits = foreign("new Float32Array([0, 0, 0, 0])");
  const grad = foreign("new Float32Array(4)");
  const result = crossEntropyGrad(logits, foreign("new Int32Array([0, 1])"), foreign("({ reduction: 'sum' })"));
  expect(result.loss).toBeCloseTo(2 * Math.LN2, 6);
  expect(crossEntropyGrad(logits, foreign("[0, 1]"), { grad, shape: foreign("[2, 2]") }).grad).toBe(grad);
  expect(Array.from(grad)).toEqual([-0.25, 0.25, 0.25, -0.25]);
  expect(() => softmax(foreign("new Int32Array(3)"))).toThrow("softmax: x must be");
});
