import { logSigmoid, logSigmoidGrad, sigmoid, sigmoidGrad } from "../../oracle/oracle.js";
import { add, divide, exp, expm1, log1p, multiply, negate, ONE, type Real, real, subtract } from "../../oracle/real.js";
import type { Entries } from "./entry.js";
import { forward, product } from "./forward.js";

const BOUND = { f32: 3, f64: 3 };

export const ofElements: Entries<"sigmoid" | "sigmoidGrad" | "logSigmoid" | "logSigmoidGrad"> = {
  sigmoid: forward({
    name: "sigmoid",
    positive: ["y"],
    row: sigmoid,
    bound: BOUND,
    want: ({ x }) => Array.from(x, (xj) => ({ value: sigmoids(xj).p })),
  }),
  sigmoidGrad: product({
    name: "sigmoidGrad",
    forward: sigmoid,
    row: sigmoidGrad,
    sensitivity: (y, dy) => Math.abs(y * dy),
    of: "y",
    want: (y, dy) => y.map((yj, j) => ({ value: multiply(dy[j]!, multiply(yj, subtract(ONE, yj))) })),
  }),
  logSigmoid: forward({
    name: "logSigmoid",
    row: logSigmoid,
    bound: BOUND,
    want: ({ x }) => Array.from(x, (xj) => ({ value: subtract(real(Math.min(xj, 0)), log1p(sigmoids(xj).e)) })),
  }),
  logSigmoidGrad: product({
    name: "logSigmoidGrad",
    forward: logSigmoid,
    row: logSigmoidGrad,
    of: "logY",
    want: (y, dy) => y.map((yj, j) => ({ value: negate(multiply(dy[j]!, yj.hi < -1000 ? real(-1) : expm1(yj))) })),
  }),
};

/** e^−|x|, the sigmoids of x and −x, minus their logarithms. */
export function sigmoids(x: number): { e: Real; p: Real; c: Real; logP: Real; logC: Real } {
  const e = Math.abs(x) > 1000 ? real(0) : exp(real(-Math.abs(x)));
  const log = log1p(e);
  const [logP, logC] = [add(log, real(Math.max(-x, 0))), add(log, real(Math.max(x, 0)))];
  const small = divide(e, add(ONE, e));
  const large = divide(ONE, add(ONE, e));
  return x < 0 ? { e, p: small, c: large, logP, logC } : { e, p: large, c: small, logP, logC };
}
