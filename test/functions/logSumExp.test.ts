import { expect, it } from "vitest";
import { onEveryBackend } from "../catalogue/backends.js";
import { expectNear } from "../oracle/expectClose.js";

const INF = Number.POSITIVE_INFINITY;

onEveryBackend(({ api: { logSumExp } }) => {
  it.each<[number[], number, string]>([
    [[0, -40], 4.248354255291589e-18, "scipy#18295: 0 without log1p"],
    [[0, 0], Math.LN2, "log 2"],
    [[1000, 1000], 1000.6931471805599, "a naive sum overflows"],
    [[-1000, -1000], -999.3068528194401, "a naive sum underflows"],
    [[1, 2, 3], 3.4076059644443806, "3 + log(1 + e^−1 + e^−2)"],
    [[-INF, -INF], -INF, "tensorflow#11692: NaN"],
    [[INF, 1], INF, "as in PyTorch"],
    [[INF, INF], INF, "as in PyTorch"],
    [[INF, -INF], INF, "as in PyTorch"],
    [[INF, Number.NaN], Number.NaN, "a NaN is not hidden by an infinity"],
    [[-INF, 3], 3, "a masked class"],
    [[-3], -3, "one class"],
  ])("of %j is %d", (x, lse) => {
    expectNear(logSumExp(x), [lse], 2e-16);
    expectNear(logSumExp(Float32Array.from(x)), [lse], 2e-7);
  });

  it("is as accurate as its largest term where it is 0", () => {
    // the maximum and the logarithm cancel: log(C · 1/C)
    for (const classes of [2, 3, 10, 1000]) {
      expect(Math.abs(logSumExp(Array(classes).fill(-Math.log(classes)))[0]!)).toBeLessThan(
        4 * 2 ** -53 * Math.log(classes) + 2e-16,
      );
    }
  });

  it("returns one value per row, in the container of the logits, or `out`", () => {
    expectNear(logSumExp([0, 0, 1, 1], { shape: [2, 2] }), [Math.LN2, 1 + Math.LN2], 1e-15);
    expectNear(logSumExp([0, 1, 0, 1], { shape: [2, 2], axis: 0 }), [Math.LN2, 1 + Math.LN2], 1e-15);
    expect(logSumExp(new Float32Array(6), { shape: [3, 2] })).toEqual(new Float32Array(3).fill(Math.LN2));
    const out = new Float64Array(2);
    expect(logSumExp(new Float64Array(6), { shape: [2, 3], out })).toBe(out);
    expectNear(out, [Math.log(3), Math.log(3)], 1e-15);
    expect(logSumExp([], { shape: [0, 3] })).toEqual([]);
  });

  it("divides by the temperature", () => {
    expectNear(logSumExp([1, 2, 3], { temperature: 0.5 }), [6.142931628499899], 1e-15); // 6 + log(1 + e^−2 + e^−4)
  });
});
