// Exponentials of single elements, in a block of whole chunks of at most BLOCK bytes. As in exp.ts, but no maximum is subtracted, so there is no err; and x
// is clamped where e^x, or the sigmoid made of it, has rounded to 0 or 1 already, so nothing has to vanish.

import { REDUCED, coefficient, constant, expm1, panelPower, power, powerLost, storeReduced, unscale } from "./exp";
import { VECTOR, mulAdd } from "./simd";

const MINUS_ABS = 0;
const MINUS = 1;
const PLAIN = 2;
// Where x is clamped: from below, and for a sigmoid from above.
const F32_RANGE = memory.data<f32>([-104, 50]);
const F64_RANGE = memory.data<f64>([-746, 50]);

/** ρ and 2^(n/N + BIAS) of −|x|, −x (there 2^(n/N − BIAS)) or x, to REDUCED. */
// @ts-ignore: decorator
@inline
function reduceBlock<T>(x: usize, bytes: usize, table: usize, form: i32): void {
  const log2e = constant<T>(table, 1), magic = constant<T>(table, form == MINUS ? 6 : 2), ln2High = constant<T>(table, 3), ln2Low = constant<T>(table, 4);
  const range = sizeof<T>() == 4 ? F32_RANGE : F64_RANGE, least = constant<T>(range, 0), largest = constant<T>(range, 1);
  for (let to = REDUCED, end = x + bytes; x < end; x += VECTOR, to += 2 * VECTOR) {
    let d = v128.load(x);
    if (form == MINUS_ABS) d = v128.neg<T>(v128.abs<T>(d));
    d = v128.pmax<T>(d, least);
    if (form == MINUS) d = v128.neg<T>(v128.pmin<T>(d, largest));
    const z = mulAdd<T>(d, log2e, magic), n = v128.sub<T>(z, magic);
    storeReduced<T>(to, mulAdd<T>(n, ln2Low, mulAdd<T>(n, ln2High, d)), z, false, z);
  }
}

/** e = 2^BIAS · e^−|x| */
export function blockExp<T>(e: usize, x: usize, bytes: usize, table: usize): void {
  reduceBlock<T>(x, bytes, table, MINUS_ABS);
  panelPower<T>(e, 1, bytes, bytes);
}

/** lost = the rounding errors of e, which blockExp must have computed last; f64. */
export function blockExpLost(lost: usize, e: usize, bytes: usize): void {
  const c2 = coefficient<f64>(2), c3 = coefficient<f64>(3), c4 = coefficient<f64>(4), c5 = coefficient<f64>(5);
  for (let i: usize = 0; i < bytes; i += VECTOR) {
    v128.store(lost + i, powerLost<f64>(v128.load(e + i), v128.load(REDUCED + 2 * i), v128.load(REDUCED + 2 * i, 16), c2, c3, c4, c5, c5));
  }
}

/** y = 1 / (1 + e^−x), as 2^−BIAS / (2^−BIAS + 2^−BIAS · e^−x): e^−x would overflow where the sigmoid is below the normal range. */
export function blockSigmoid<T>(y: usize, x: usize, bytes: usize, table: usize): void {
  const c2 = coefficient<T>(2), c3 = coefficient<T>(3), c4 = coefficient<T>(4), c5 = coefficient<T>(5), c6 = coefficient<T>(6), one = unscale<T>();
  reduceBlock<T>(x, bytes, table, MINUS);
  for (let i: usize = 0; i < bytes; i += VECTOR) {
    const e = power<T>(v128.load(REDUCED + 2 * i), v128.load(REDUCED + 2 * i, 16), c2, c3, c4, c5, c6);
    v128.store(y + i, v128.div<T>(one, v128.add<T>(one, e)));
  }
}

// The error of f64's coefficients is small beside e^r, but 6 ulp of e^r − 1 where that is 0.002.
const F64_TAYLOR = memory.data<f64>([1 / 2.0, 1 / 6.0, 1 / 24.0, 1 / 120.0, 1 / 720.0]);

/** c_i for e^r − 1 by itself. */
function ownCoefficient<T>(i: usize): v128 {
  return sizeof<T>() == 4 ? coefficient<T>(i) : v128.load64_splat(F64_TAYLOR + (i - 2) * 8);
}

/** dx = dy · (1 − e^y) for y ≤ 0, as (1 − 2^(n/N)) − 2^(n/N)·(e^ρ − 1): the first difference is exact where the second could cancel with it. */
export function blockMinusExpm1<T>(dx: usize, y: usize, dy: usize, bytes: usize, table: usize): void {
  const c2 = ownCoefficient<T>(2), c3 = ownCoefficient<T>(3), c4 = ownCoefficient<T>(4), c5 = ownCoefficient<T>(5), c6 = ownCoefficient<T>(6);
  const one = coefficient<T>(7), scale = unscale<T>();
  reduceBlock<T>(y, bytes, table, PLAIN);
  for (let i: usize = 0; i < bytes; i += VECTOR) {
    const s = v128.load(REDUCED + 2 * i, 16), rest = v128.mul<T>(expm1<T>(v128.load(REDUCED + 2 * i), c2, c3, c4, c5, c6, true), s);
    const value = v128.mul<T>(v128.sub<T>(v128.sub<T>(one, s), rest), scale);
    v128.store(dx + i, v128.mul<T>(v128.load(dy + i), value));
  }
}
