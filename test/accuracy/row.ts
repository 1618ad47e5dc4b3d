// One row of logits with the exact values that all the functions are made of, in 30 digits: x − m, e^(x − m), their sum and its logarithm.
//
// For f32 the exponential is the engine's, in double precision: its error, and that of rounding x − m to a double, is below 1e-6 ulp of an
// f32. Everything else is double-double for both types.
import { difference, divide, exp, log1p, type Real, real, sum, ZERO } from "../oracle/real.js";
import type { Type } from "./ulp.js";

export class Row {
  readonly x: ArrayLike<number>;
  readonly max: Real;
  /** (x_j − m) / T */
  readonly d: Real[];
  /** e^d_j */
  readonly e: Real[];
  /** Σ e_j */
  readonly sum: Real;
  /** log Σ e_j */
  readonly logSum: Real;
  readonly p: Real[];

  constructor(x: ArrayLike<number>, type: Type, temperature = 1) {
    const values = Array.from(x);
    const max = values.reduce((a, b) => Math.max(a, b));
    const top = values.indexOf(max);
    const T = real(temperature);
    this.x = x;
    this.max = divide(real(max), T);
    this.d = values.map((xj) => divide(difference(xj, max), T));
    this.e = this.d.map((d) => (type === "f32" ? real(Math.exp(d.hi)) : d.hi < -1000 ? ZERO : exp(d)));
    this.sum = sum(this.e);
    this.logSum = log1p(this.without(top));
    this.p = this.e.map((e) => divide(e, this.sum));
  }

  /** Σ e_k over k ≠ j, which is what the sum lacks of e_j, without cancelling. */
  without(j: number): Real {
    const before = this.e[j]!;
    this.e[j] = ZERO;
    const rest = sum(this.e);
    this.e[j] = before;
    return rest;
  }
}
