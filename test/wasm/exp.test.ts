// e^x by itself: with dy = (1, 0) the gradient of a log-softmax y is −e^y at the second class, exactly. The sweep is coarse; its mean tells a
// wrong coefficient that the maximum would hide.
import { expect, it } from "vitest";
import { onEveryBackend } from "../catalogue/backends.js";
import { add, divide, exp, ONE, real } from "../oracle/real.js";

onEveryBackend(({ name, api: { logSoftmaxGrad, softmax } }) => {
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

  // The product of T and ln 2 must be known to more digits than a number has, else the error grows with x.
  it.skipIf(name === "baseline").each([
    ["f32", Float32Array, -86, 23],
    ["f64", Float64Array, -700, 52],
  ] as const)("%s: divided by a temperature, of up to 53 bits, within 3 ulp", (_, Values, lowest, bits) => {
    for (const temperature of [0.3, 0.7, 1 / 3, Math.PI, 1 + 2 ** -52, 1e-5 / 3, 1e5 / 3]) {
      const count = 200;
      const x = new Values(2 * count);
      for (let i = 0; i < count; i++) x[2 * i + 1] = (temperature * lowest * i) / count;
      const y = softmax(x as Float32Array, { temperature, shape: [count, 2] });
      for (let i = 0; i < count; i++) {
        const e = exp(divide(real(x[2 * i + 1]!), real(temperature)));
        const want = divide(e, add(ONE, e));
        const ulp = 2 ** (Math.floor(Math.log2(want.hi)) - bits);
        const off = Math.abs(y[2 * i + 1]! - want.hi - want.lo) / ulp;
        expect(off, `x = ${x[2 * i + 1]}, T = ${temperature}`).toBeLessThanOrEqual(3);
      }
    }
  });
});
