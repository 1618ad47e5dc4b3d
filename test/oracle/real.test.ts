// The reference arithmetic itself: against published constants, and against a second, unrelated evaluation in integers.
import { describe, expect, it } from "vitest";
import { random } from "../inputs/random.js";
import { add, difference, divide, exp, log1p, multiply, type Real, real, subtract, sum } from "./real.js";

const SCALE = 200n; // fixed point with 200 fractional bits

/** A double as a fixed-point integer, exactly (for what the tests below use: |x| < 2^60, no bit below 2^-200). */
function fixed(x: number): bigint {
  let bits = SCALE;
  while (!Number.isInteger(x)) {
    x *= 2;
    bits--;
  }
  return BigInt(x) << bits;
}

function fixedReal(a: Real): bigint {
  return fixed(a.hi) + fixed(a.lo);
}

/** e^x by its power series, x in fixed point, 0 ≤ x. */
function fixedExp(x: bigint): bigint {
  let term = 1n << SCALE;
  let total = term;
  for (let n = 1n; term > 0n; n++) {
    term = ((term * x) >> SCALE) / n;
    total += term;
  }
  return total;
}

function relativeError(got: bigint, want: bigint): number {
  return Math.abs(Number(((got - want) << SCALE) / want)) * 2 ** -Number(SCALE);
}

/** 30 decimals of a constant, as a fraction of fixed-point integers. */
function decimal(digits: string): bigint {
  const [whole = "", fraction = ""] = digits.split(".");
  return (BigInt(whole + fraction) << SCALE) / 10n ** BigInt(fraction.length);
}

describe("Real", () => {
  // https://oeis.org/A001113, A002162, A002392, A016730 (log 3 is A002391)
  it.each([
    ["e", exp(real(1)), "2.718281828459045235360287471352662497757247"],
    ["log 2", log1p(real(1)), "0.693147180559945309417232121458176568075500"],
    ["log 3", log1p(real(2)), "1.098612288668109691395245236922525704647490"],
    ["log 10", log1p(real(9)), "2.302585092994045684017991454684364207601101"],
  ])("%s to 30 digits", (_, got, digits) => {
    expect(relativeError(fixedReal(got), decimal(digits))).toBeLessThan(1e-30);
  });

  it("e^x to 28 digits", () => {
    const draw = random(1);
    for (let trial = 0; trial < 200; trial++) {
      const x = draw.uniform(0, 40);
      expect(relativeError(fixedReal(exp(real(x))), fixedExp(fixed(x)))).toBeLessThan(1e-28);
      const inverse = (1n << (2n * SCALE)) / fixedExp(fixed(x));
      expect(relativeError(fixedReal(exp(real(-x))), inverse)).toBeLessThan(1e-28);
    }
  });

  it("e^log1p(x) = 1 + x and log1p(x) ≈ x − x²/2 for tiny x", () => {
    const draw = random(2);
    for (let trial = 0; trial < 200; trial++) {
      const x = 10 ** draw.uniform(-5, 5);
      expect(relativeError(fixedReal(exp(log1p(real(x)))), fixed(1) + fixed(x))).toBeLessThan(1e-28);
    }
    for (const x of [1e-38, 1e-20, 1e-12]) {
      const series = add(real(x), multiply(multiply(real(x), real(x)), real(-0.5)));
      expect(Math.abs(subtract(log1p(real(x)), series).hi)).toBeLessThan(1e-23 * x);
    }
  });

  it("sums, products and quotients to 30 digits", () => {
    const draw = random(3);
    for (let trial = 0; trial < 200; trial++) {
      const [a, b, c] = [draw.uniform(-9, 9), draw.uniform(1, 9), draw.uniform(1, 9)];
      const ratio = divide(real(a), real(b));
      expect(Math.abs(add(multiply(ratio, real(b)), real(-a)).hi)).toBeLessThan(1e-30);
      expect(fixedReal(multiply(real(b), real(c)))).toBe((fixed(b) * fixed(c)) >> SCALE);
    }
    expect(sum([1e16, 1, -1e16].map((x) => real(x))).hi).toBe(1);
  });

  it("keeps the special values", () => {
    expect(exp(real(Number.NEGATIVE_INFINITY)).hi).toBe(0);
    expect(exp(real(Number.NaN)).hi).toBeNaN();
    expect(difference(1, Number.NEGATIVE_INFINITY).hi).toBe(Number.POSITIVE_INFINITY);
    expect(difference(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY).hi).toBeNaN();
    expect(exp(real(-745)).hi).toBe(5e-324);
  });
});
