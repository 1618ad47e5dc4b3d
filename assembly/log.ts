// ln(1 + s) for s ≥ 0, two at a time. Always f64, since there is one logarithm per row and f32 losses profit from it.
//
//   1 + s = 2^k · (1 + f), √½ ≤ 1 + f < √2;   with q = f / (2 + f):   ln(1 + f) = 2·atanh q = f − (f²/2 − q·(f²/2 + R(q²)))
//
// The reduction, the polynomial R and its coefficients are fdlibm's (Sun Microsystems, e_log.c; error of R below 2^−58.45, of its logarithm
// below 1 ulp). The rounding error of 1 + s is added to first order, so a tiny s keeps all its digits: log1p(4e−18) = 4e−18.
// s = −1 and NaN give NaN.

import { VECTOR, mulAdd } from "./simd";

const ODD = memory.data<f64>([1.479819860511658591e-1, 1.818357216161805012e-1, 2.857142874366239149e-1, 6.666666666666735130e-1]);
const EVEN = memory.data<f64>([1.531383769920937332e-1, 2.222219843214978396e-1, 3.999999999940941908e-1]);
const LN2 = memory.data<f64>([6.93147180369123816490e-1, 1.90821492927058770002e-10]);
const NUMBERS = memory.data<f64>([1, 2, 0.5, 4503599627370496.0, 4503599627370496.0 + 1023.0]);
const SQRT_HALF_BITS: i64 = 0x3fe6a09e667f3bcd;
const ONE_BITS: i64 = 0x3ff0000000000000;
const MASKS = memory.data<i64>([ONE_BITS - SQRT_HALF_BITS, 0x000fffffffffffff, SQRT_HALF_BITS]);

/**
 * log = ln(1 + sum) and inverse = 1 / (1 + sum), for n values rounded up to whole vectors. A logarithm is a chain of fifty operations that waits for its
 * quotient: quotients have a loop of their own, which leaves q in `log` and f in `inverse`.
 */
export function logs(log: usize, inverse: usize, sum: usize, n: i32): void {
  const one = constant(NUMBERS), two = constant(NUMBERS + 8), bytes = <usize>n << 3;
  for (let i: usize = 0; i < bytes; i += VECTOR) {
    const f = fraction(i64x2.add(f64x2.add(one, v128.load(sum + i)), constant(MASKS)), one);
    v128.store(log + i, f64x2.div(f, f64x2.add(two, f)));
    v128.store(inverse + i, f);
  }
  for (let i: usize = 0; i < bytes; i += VECTOR) {
    const s = v128.load(sum + i), u = f64x2.add(one, s), bits = i64x2.add(u, constant(MASKS)), q = v128.load(log + i), f = v128.load(inverse + i);
    const reciprocal = f64x2.div(one, u);
    v128.store(inverse + i, reciprocal);
    v128.store(log + i, assemble(bits, f, q, series(q), lost(s, u, reciprocal, one)));
  }
}

/** f = (1 + s) / 2^k − 1 */
function fraction(bits: v128, one: v128): v128 {
  return f64x2.sub(i64x2.add(v128.and(bits, constant(MASKS + 8)), constant(MASKS + 16)), one);
}

/** R(q²) */
function series(q: v128): v128 {
  const z = f64x2.mul(q, q);
  const w = f64x2.mul(z, z);
  const even = f64x2.mul(w, fma(w, fma(w, constant(EVEN), EVEN + 8), EVEN + 16));
  const odd = fma(w, fma(w, fma(w, constant(ODD), ODD + 8), ODD + 16), ODD + 24);
  return mulAdd<f64>(z, odd, even);
}

/** The rounding error of u = 1 + s, over u: its effect on the logarithm. NaN where s is NaN or −1. */
function lost(s: v128, u: v128, inverse: v128, one: v128): v128 {
  return f64x2.mul(f64x2.sub(s, f64x2.sub(u, one)), inverse);
}

/** k·ln 2 + f − (f²/2 − q·(f²/2 + R)) + lost */
function assemble(bits: v128, f: v128, q: v128, R: v128, lost: v128): v128 {
  // SIMD128 cannot convert 64-bit integers: put the exponent into the low bits of 2^52 and subtract.
  const exponent = v128.or(i64x2.shr_u(bits, 52), constant(NUMBERS + 24));
  const k = f64x2.sub(exponent, constant(NUMBERS + 32));
  const half = f64x2.mul(f64x2.mul(constant(NUMBERS + 16), f), f);
  const small = mulAdd<f64>(q, f64x2.add(half, R), mulAdd<f64>(k, constant(LN2 + 8), lost));
  return mulAdd<f64>(k, constant(LN2), f64x2.sub(f, f64x2.sub(half, small)));
}

function constant(at: usize): v128 {
  return v128.load64_splat(at);
}

/** a·b + the constant at c. */
function fma(a: v128, b: v128, c: usize): v128 {
  return mulAdd<f64>(a, b, constant(c));
}

// ln(1 + e) for 0 ≤ e ≤ 1 and T = f32 or f64, where every element needs one. No reduction is needed: with q = e / (2 + e) ≤ ⅓ it is
//
//   2·atanh q = e − q·(e − q²·P(q²))
//
// P is minimax (Remez): of degree 3 for f32 (5.3e−9 of the logarithm), 10 for f64 (4.5e−18), 4 for an f64 that ends as an f32 (1.1e−10).
// e is exact and the larger part, so less than half of the errors of q and P is left. A tiny e keeps all its digits; NaN stays NaN.

const F32_SERIES = memory.data<f32>([0.666664183139801, 0.40021437406539917, 0.28005245327949524, 0.27986323833465576, 2]);
const SINGLE_SERIES = memory.data<f64>([0.6666667550039094, 0.3999888835313841, 0.28616596780539116, 0.214307403662341, 0.24289559376519873, 2]);
const F64_SERIES = memory.data<f64>([
  0.6666666666666667, 0.39999999999995384, 0.28571428572333585, 0.22222222137008224, 0.18181822752594584, 0.15384463267466902, 0.1333661513166669,
  0.11718065872897317, 0.10957982403711715, 0.07049731206908406, 0.1638062338107117, 2,
]);

export function log1p<T>(e: v128): v128 {
  return v128.sub<T>(e, log1pLacks<T, T>(e, v128.div<T>(e, v128.add<T>(e, term<T, T>(sizeof<T>() == 4 ? 4 : 11)))));
}

/** e − ln(1 + e) from q = e / (2 + e), in the precision of P. Terms go in pairs: one after the other they are a chain that takes as long as all else. */
// @ts-ignore: decorator
@inline
export function log1pLacks<T, P>(e: v128, q: v128): v128 {
  const z = v128.mul<T>(q, q), z2 = v128.mul<T>(z, z);
  let p = two<T, P>(2, z);
  if (sizeof<T>() != sizeof<P>()) p = mulAdd<T>(term<T, P>(4), z2, p);
  if (sizeof<P>() == 8) {
    const high = mulAdd<T>(mulAdd<T>(term<T, P>(10), z2, two<T, P>(8, z)), v128.mul<T>(z2, z2), mulAdd<T>(two<T, P>(6, z), z2, two<T, P>(4, z)));
    p = mulAdd<T>(high, z2, p);
  }
  p = mulAdd<T>(p, z2, two<T, P>(0, z));
  return v128.mul<T>(q, v128.sub<T>(e, v128.mul<T>(z, p)));
}

/** Terms i and i + 1 of the polynomial. */
function two<T, P>(i: usize, z: v128): v128 {
  return mulAdd<T>(term<T, P>(i + 1), z, term<T, P>(i));
}

/** The i-th coefficient of the polynomial; 2 follows the last one. */
function term<T, P>(i: usize): v128 {
  return v128.load_splat<T>((sizeof<T>() == 4 ? F32_SERIES : sizeof<P>() == 4 ? SINGLE_SERIES : F64_SERIES) + i * sizeof<T>());
}
