// e^x by itself: with dy = (1, 0) the gradient of a log-softmax y is −e^y at the second class, exactly. The sweep is coarse; its mean tells a
// wrong coefficient that the maximum would hide.
import { expect, it } from "vitest";
import { onEveryBackend } from "./backends.js";
import { exp, real } from "./real.js";

onEveryBackend(({ api: { logSoftmaxGrad } }) => {
  it.each([
    ["f32", Float32Array, 2 ** 18, -87.3],
    ["f64", Float64Array, 2 ** 13, -708.3],
  ] as const)("%s: within 2 ulp, 0.3 in the mean (0.25 if rounded correctly)", (_, Values, count, lowest) => {
    const y = new Values(2 * count);
    for (let i = 0; i < count; i++) y[2 * i + 1] = (lowest * i) / count;
    const dy = new Values(2 * count).map((_, i) => (i + 1) % 2);
    const dx = logSoftmaxGrad(y as Float32Array, dy as Float32Array, { shape: [count, 2] });
    let largest = 0;
    let total = 0;
    for (let i = 0; i < count; i++) {
      const want = exp(real(y[2 * i + 1]!));
      const ulp = 2 ** (Math.floor(Math.log2(want.hi)) - (Values === Float32Array ? 23 : 52));
      const off = Math.abs(-dx[2 * i + 1]! - want.hi - want.lo) / ulp;
      largest = Math.max(largest, off);
      total += off;
    }
    expect(largest).toBeLessThanOrEqual(2);
    expect(total / count).toBeLessThanOrEqual(0.3);
  });
});
