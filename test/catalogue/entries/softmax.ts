import { logSoftmax, logSoftmaxGrad, logSumExp, softmax, softmaxGrad } from "../../oracle/oracle.js";
import { add, exp, multiply, subtract, sum } from "../../oracle/real.js";
import type { Entries } from "./entry.js";
import { forward, product } from "./forward.js";

const BOUND = { f32: 3, f64: 4 };

export const softmaxes: Entries<"softmax" | "logSoftmax" | "logSumExp" | "softmaxGrad" | "logSoftmaxGrad"> = {
  softmax: forward({
    name: "softmax",
    positive: ["y"],
    temperatures: [1, 0.7],
    row: softmax,
    bound: BOUND,
    want: ({ p }) => p.map((value) => ({ value })),
  }),
  logSoftmax: forward({
    name: "logSoftmax",
    temperatures: [1, 0.7],
    row: logSoftmax,
    bound: BOUND,
    want: ({ d, logSum }) => d.map((dj) => ({ value: subtract(dj, logSum) })),
  }),
  logSumExp: forward({
    name: "logSumExp",
    temperatures: [1],
    isReduced: true,
    row: (...args) => [logSumExp(...args)],
    bound: BOUND,
    want: ({ max, logSum }) => [{ value: add(max, logSum), terms: Math.abs(max.hi) }],
  }),
  softmaxGrad: product({
    name: "softmaxGrad",
    forward: softmax,
    row: softmaxGrad,
    of: "y",
    want(y, dy) {
      const dot = sum(y.map((yj, j) => multiply(yj, dy[j]!)));
      // The largest one, not their sum: that would forgive a dot product that loses what its terms leave.
      const largest = y.reduce((a, yj, j) => Math.max(a, Math.abs(yj.hi * dy[j]!.hi)), Math.abs(dot.hi));
      return y.map((yj, j) => ({
        value: multiply(yj, subtract(dy[j]!, dot)),
        terms: yj.hi * Math.max(Math.abs(dy[j]!.hi), largest),
      }));
    },
  }),
  logSoftmaxGrad: product({
    name: "logSoftmaxGrad",
    forward: logSoftmax,
    row: logSoftmaxGrad,
    of: "logY",
    want(y, dy) {
      const total = sum(dy);
      return y.map((yj, j) => {
        const lost = multiply(exp(yj), total);
        return { value: subtract(dy[j]!, lost), terms: Math.max(Math.abs(dy[j]!.hi), Math.abs(lost.hi)) };
      });
    },
  }),
};
