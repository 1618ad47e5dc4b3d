// Real: a number to about 30 digits, and beside it the error that a careful implementation may make in computing it.
//
//   value = hi + lo      an unevaluated sum of two doubles (Dekker 1971; the algorithms are those of Hida, Li and Bailey's QD)
//   err                  in units of the roundoff u of the type under test: the computed value may be off by err · u
//
// Every operation carries the errors of its operands on to its result and adds its own rounding (Wilkinson's running error
// analysis). A formula written with Reals therefore yields its value and its tolerance together: sums of positive terms
// are held to a few units in the last place, and only terms that cancel are allowed what their cancellation costs.

export interface Real {
  readonly hi: number;
  readonly lo: number;
  readonly err: number;
}

/** Relative error, in units of u, granted to one e^x and one log1p(x). An ulp is between u and 2 u. */
const EXP = 2;
const LOG = 2;

export const ZERO: Real = real(0);
export const ONE: Real = real(1);
export const NOT_A_NUMBER: Real = real(Number.NaN);

/** `x`, exactly. */
export function real(x: number): Real {
  return { hi: x, lo: 0, err: 0 };
}

/** A parameter that the implementation may round to its own type, which costs nothing if f32 holds it exactly. */
export function parameter(x: number): Real {
  return { hi: x, lo: 0, err: Math.fround(x) === x ? 0 : Math.abs(x) };
}

/** The same value, allowed `err` more units of u. */
export function withError(a: Real, err: number): Real {
  return { hi: a.hi, lo: a.lo, err: a.err + err };
}

export function negate(a: Real): Real {
  return { hi: -a.hi, lo: -a.lo, err: a.err };
}

export function add(a: Real, b: Real): Real {
  if (isExactly(a, 0)) return b;
  if (isExactly(b, 0)) return a;
  const sum = exactAdd(a, b);
  return withError(sum, a.err + b.err + Math.abs(sum.hi));
}

export function subtract(a: Real, b: Real): Real {
  return add(a, negate(b));
}

/** a − b of two doubles without any error, unless it overflows. */
export function difference(a: number, b: number): Real {
  return exactAdd(real(a), real(-b));
}

export function multiply(a: Real, b: Real): Real {
  if (isExactly(a, 1)) return b;
  if (isExactly(b, 1)) return a;
  const product = exactMultiply(a, b);
  // what underflows to 0 has been rounded too
  const underflow = product.hi === 0 && a.hi !== 0 && b.hi !== 0 ? Number.MIN_VALUE : 0;
  return withError(product, Math.abs(a.hi) * b.err + Math.abs(b.hi) * a.err + Math.abs(product.hi) + underflow);
}

export function divide(a: Real, b: Real): Real {
  if (isExactly(b, 1)) return a;
  const quotient = exactDivide(a, b);
  return withError(quotient, (a.err + Math.abs(quotient.hi) * b.err) / Math.abs(b.hi) + Math.abs(quotient.hi));
}

/** Σ terms, granted a relative error of `limit` u: adding one term after the other loses u each, adding in blocks less. */
export function sum(terms: readonly Real[], limit = 1): Real {
  const perTerm = Math.min(limit, terms.length);
  let total = ZERO;
  let err = 0;
  for (const term of terms) {
    total = exactAdd(total, term);
    err += term.err + perTerm * Math.abs(term.hi);
  }
  return withError(total, err);
}

/** e^a. The argument's error multiplies the result. */
export function exp(a: Real): Real {
  const power = exactExp(a);
  return withError(power, power.hi * (EXP + a.err));
}

/** log(1 + a) for a ≥ 0, to full relative accuracy however small a is. */
export function log1p(a: Real): Real {
  const log = exactLog1p(a);
  return withError(log, a.err / (1 + a.hi) + LOG * log.hi);
}

/** e^a − 1 for a ≤ 0, to full relative accuracy however small a is. */
export function expm1(a: Real): Real {
  // Below the normal range there are no digits to halve nine times.
  const isTiny = Math.abs(a.hi) < 1e-200;
  const value = isTiny ? a : a.hi > -0.25 ? exactExpm1(a) : exactAdd(exactExp(a), real(-1));
  return { hi: value.hi, lo: value.lo, err: Math.abs(value.hi) * EXP + a.err };
}

/** a^n for 0 ≤ a ≤ 1. The relative error of a counts n times, and that of the power itself as much as that of e^x. */
export function power(a: Real, n: number): Real {
  if (n === 0) return ONE;
  if (!(a.hi > 1e-300)) return withError(real(a.hi ** n), n >= 1 ? a.err : 0);
  let value = ONE;
  for (let i = 0; i < Math.floor(n); i++) value = exactMultiply(value, a);
  if (!Number.isInteger(n)) {
    const log = exactLog1p(exactDivide(exactAdd(ONE, negate(a)), a)); // −ln a
    value = exactMultiply(value, exactExp(exactMultiply(real(Math.floor(n) - n), log)));
  }
  return withError(value, value.hi * (EXP + n + (n * a.err) / a.hi));
}

/** Adding nothing and multiplying by one do not round. */
function isExactly(a: Real, x: number): boolean {
  return a.hi === x && a.lo === 0 && a.err === 0;
}

// The functions below ignore err.

function exactAdd(a: Real, b: Real): Real {
  const hi = a.hi + b.hi;
  if (!Number.isFinite(hi)) return real(hi);
  const head = normalize(hi, sumError(a.hi, b.hi, hi) + (a.lo + b.lo));
  // the plain lo + lo above is rounded; its error is the last word that a difference of near equals needs
  return normalize(head.hi, head.lo + sumError(a.lo, b.lo, a.lo + b.lo));
}

function exactMultiply(a: Real, b: Real): Real {
  const hi = a.hi * b.hi;
  if (!Number.isFinite(hi) || hi === 0) return real(hi);
  return normalize(hi, productError(a.hi, b.hi, hi) + (a.hi * b.lo + a.lo * b.hi));
}

function exactDivide(a: Real, b: Real): Real {
  const first = a.hi / b.hi;
  if (!Number.isFinite(first) || !Number.isFinite(b.hi) || first === 0) return real(first);
  const rest = exactAdd(a, negate(exactMultiply(b, real(first))));
  const second = rest.hi / b.hi;
  const last = exactAdd(rest, negate(exactMultiply(b, real(second)))).hi / b.hi;
  return exactAdd(normalize(first, second), real(last));
}

// ln 2 in three doubles: with two, 10^3 times their error would be left in the argument of e^700.
const LN2 = [Math.LN2, 2.3190468138462996e-17, 5.707708438416212e-34] as const;
const HALVINGS = 9;
const TERMS = 8;
/** From this one on a term is below 1e-15 of the first, so that the digits of a double are enough of it. */
const SMALL_TERM = 6;
const reciprocal: readonly Real[] = Array.from({ length: TERMS + 1 }, (_, n) => exactDivide(ONE, real(n)));
const inverseFactorial: Real[] = [ONE];
for (let n = 1; n <= TERMS; n++) inverseFactorial[n] = exactDivide(inverseFactorial[n - 1]!, real(n));

/** e^a = 2^k · (e^(r/512))^512 with |r| < 0.35; the squarings act on e^(r/512) − 1, so that nothing cancels. */
function exactExp(a: Real): Real {
  if (Number.isNaN(a.hi)) return NOT_A_NUMBER;
  if (a.hi < -1000) return ZERO;
  if (a.hi > 1000) return real(Number.POSITIVE_INFINITY);
  const k = Math.round(a.hi / Math.LN2);
  const r = LN2.reduce<Real>((rest, part) => exactAdd(rest, negate(exactMultiply(real(k), real(part)))), a);
  return scale(exactAdd(ONE, exactExpm1(r)), k);
}

/** e^r − 1 for |r| ≤ ½ ln 2, to full relative accuracy: r + r²/2! + r³/3! + … by Horner's rule. */
function exactExpm1(argument: Real): Real {
  const r = times(argument, 2 ** -HALVINGS);
  let small = 0;
  for (let n = TERMS; n >= SMALL_TERM; n--) small = r.hi * (inverseFactorial[n]!.hi + small);
  let expm1 = real(small);
  for (let n = SMALL_TERM - 1; n >= 1; n--) expm1 = exactMultiply(r, exactAdd(inverseFactorial[n]!, expm1));
  for (let n = 0; n < HALVINGS; n++) expm1 = exactAdd(times(expm1, 2), exactMultiply(expm1, expm1));
  return expm1;
}

function exactLog1p(a: Real): Real {
  if (!Number.isFinite(a.hi)) return real(Math.log1p(a.hi));
  if (a.hi < 1e-5) {
    // a − a²/2 + a³/3 − …: six terms leave 1e-30 of the first
    let series = ZERO;
    for (let n = 6; n >= 1; n--) series = exactMultiply(a, exactAdd(reciprocal[n]!, negate(series)));
    return series;
  }
  // one Newton step from the double: y + (1 + a) e^−y − 1, for a small a as y + (e^−y − 1) + a e^−y, whose terms are as small
  const y = Math.log1p(a.hi);
  const inverse = exactExp(real(-y));
  const step =
    a.hi < 0.25
      ? exactAdd(exactExpm1(real(-y)), exactMultiply(a, inverse))
      : exactAdd(exactMultiply(exactAdd(ONE, a), inverse), real(-1));
  // the step t stands for log(1 + t) = t − t²/2 + …, t ≈ 1e-16
  return exactAdd(real(y), exactAdd(step, real((-step.hi * step.hi) / 2)));
}

/** a · 2^k, in two steps because 2^k itself may not be a double. */
function scale(a: Real, k: number): Real {
  const half = Math.trunc(k / 2);
  return times(times(a, 2 ** half), 2 ** (k - half));
}

/** a · b for a power of two. */
function times(a: Real, b: number): Real {
  return { hi: a.hi * b, lo: a.lo * b, err: 0 };
}

function normalize(hi: number, lo: number): Real {
  const sum = hi + lo;
  return { hi: sum, lo: lo - (sum - hi), err: 0 };
}

/** (a + b) − fl(a + b), a double. */
function sumError(a: number, b: number, rounded: number): number {
  const b2 = rounded - a;
  return a - (rounded - b2) + (b - b2);
}

/** a · b − fl(a · b), a double, by splitting each factor in two halves of 26 bits. */
function productError(a: number, b: number, rounded: number): number {
  const aHigh = highHalf(a);
  const bHigh = highHalf(b);
  const aLow = a - aHigh;
  const bLow = b - bHigh;
  return aHigh * bHigh - rounded + aHigh * bLow + aLow * bHigh + aLow * bLow;
}

function highHalf(x: number): number {
  const shifted = x * 134217729; // 2^27 + 1
  return shifted - (shifted - x);
}
