// e^((x − m) / T) for x ≤ m, a chunk of four vectors at a time: the heart of every kernel but the hinge.
//
//   d = x − m      as an unevaluated sum d + err, which is exact (Dekker's FastTwoSum, the larger addend first). Without err an f32
//                  softmax is off by up to 64 units in the last place, however good the exponential: that is half an ulp of d.
//   n = ⌊d·log2(e)/T⌉   by adding 1.5·2^23 (f64: 1.5·2^52), whose ulp is 1, so the low bits of the sum z are the integer n
//   r = d + err − n·T·ln 2,  |r/T| ≤ ½ ln 2;  T·ln 2 in two parts, the first with so few bits that n times it is exact (Cody–Waite)
//   e^(r/T) = 1 + r·P(r)   degree 6 (f32: 3.2e−9 relative) or 11 (f64: 1.2e−17), minimax with the constant term fixed to 1, so e^0 = 1;
//                  T is divided into the coefficients once per call, so a temperature costs nothing per element
//   2^n            by shifting z left into the exponent field
//
// The results are scaled by 2^BIAS. That keeps every e^d that can still round to a non-zero probability a normal number; the
// multiplication by 2^−BIAS / Σ that follows rounds once more, into the subnormals where the probability belongs there. Below
// that, and for −Infinity, the result is exactly 0; NaN stays NaN. The largest, x = m, is exactly 2^BIAS.
//
// Coefficients: Remez. Those of f32 were rounded one after the other, the rest fitted anew each time, beginning with c1 = 1.

import { mulAdd } from "./simd";

// @ts-ignore: decorator
@inline
export function bias<T>(): f64 {
  return sizeof<T>() == 4 ? 24 : 54;
}

/** 2^BIAS, what e^0 comes out as. */
// @ts-ignore: decorator
@inline
export function expOfZero<T>(): f64 {
  return sizeof<T>() == 4 ? 16777216.0 : 18014398509481984.0;
}

// The constants lie in memory and are loaded once per pass: a constant in the code would be rebuilt at every use inside a loop by
// V8 (three instructions each), and Binaryen moves constants back into loops.
// Order: low, log2(e)/T, magic, −T·ln 2 high, −T·ln 2 low, c1/T, c2/T², …
const F32_TABLE = memory.data(16 * 8, 16);
const F64_TABLE = memory.data(16 * 8, 16);
// The temperature that a table was filled for: filling one takes as long as a row of thirty classes.
const F32_TEMPERATURE = memory.data(8);
const F64_TEMPERATURE = memory.data(8);
const F32_COEFFICIENTS = memory.data<f64>([
  1.0, 0.4999999403953552, 0.16666516661643982, 0.04166810214519501, 0.008369192481040955, 0.0013838893501088023,
]);
const F64_COEFFICIENTS = memory.data<f64>([
  1.0, 0.5000000000000012, 0.16666666666666216, 0.041666666666517825, 0.008333333333549813, 0.0013888888946354287,
  0.000198412694365931, 0.000024801490634740455, 0.0000027557626854307383, 2.763103466359035e-7, 2.499138758810109e-8,
]);

/** The table of constants for a temperature. */
export function expTable<T>(temperature: f64): usize {
  const table = sizeof<T>() == 4 ? F32_TABLE : F64_TABLE, filledFor = sizeof<T>() == 4 ? F32_TEMPERATURE : F64_TEMPERATURE;
  if (load<f64>(filledFor) != temperature) {
    fillTable<T>(table, temperature);
    store<f64>(filledFor, temperature);
  }
  return table;
}

function fillTable<T>(table: usize, temperature: f64): void {
  const ln2 = 0.6931471805599453;
  const maxExponent: f64 = sizeof<T>() == 4 ? 127 : 1023;
  const magic: f64 = sizeof<T>() == 4 ? 12582912 : 6755399441055744;
  // Halfway below the smallest exponent field that is not zero.
  store<T>(table, <T>(-(maxExponent - 0.5 + bias<T>()) * ln2 * temperature));
  store<T>(table + sizeof<T>(), <T>(1.4426950408889634 / temperature));
  store<T>(table + 2 * sizeof<T>(), <T>(magic + maxExponent + bias<T>()));

  // T·ln 2 = high + low. f32: |n| < 2^8, so high has 16 bits. f64: |n| < 2^11, so high has 42; the product is formed exactly from
  // parts of 26 + 27 bits (T) and 26 bits (ln 2), and the rest of ln 2 is added to low.
  const t1 = reinterpret<f64>(reinterpret<u64>(temperature) & 0xfffffffff8000000);
  const l1 = reinterpret<f64>(reinterpret<u64>(ln2) & 0xfffffffff8000000);
  const product = t1 * l1;
  const high = reinterpret<f64>(
    reinterpret<u64>(product) & (sizeof<T>() == 4 ? 0xffffffe000000000 : 0xfffffffffffff800),
  );
  const low = product - high + ((temperature - t1) * l1 + temperature * (ln2 - l1 + 2.3190468138462996e-17));
  store<T>(table + 3 * sizeof<T>(), <T>-high);
  store<T>(table + 4 * sizeof<T>(), <T>-low);

  const degree: usize = sizeof<T>() == 4 ? 6 : 11;
  let power = 1.0;
  for (let i: usize = 0; i < degree; i++) {
    power /= temperature;
    const c = load<f64>((sizeof<T>() == 4 ? F32_COEFFICIENTS : F64_COEFFICIENTS) + (i << 3));
    store<T>(table + (5 + i) * sizeof<T>(), <T>(c * power));
  }
}

/** The i-th constant in all lanes. */
// @ts-ignore: decorator
@inline
export function constant<T>(table: usize, i: usize): v128 {
  return v128.load_splat<T>(table + i * sizeof<T>());
}

/**
 * Stores 2^BIAS · e^((x − m) / T) for the chunk at x; `negMax` is −m in each lane, c1 … c11 the constants 5 … 15 of the table (f32: to
 * c6).
 *
 * The steps of the four vectors are interleaved by hand: engines keep the order of the source, and a processor's scheduler is too
 * small to find four independent chains of some thirty dependent operations by itself.
 */
// @ts-ignore: decorator
@inline
export function storeExp<T>(
  e: usize, x: usize, negMax: v128, low: v128, log2e: v128, magic: v128, ln2High: v128, ln2Low: v128,
  c1: v128, c2: v128, c3: v128, c4: v128, c5: v128, c6: v128, c7: v128, c8: v128, c9: v128, c10: v128, c11: v128,
): void {
  const x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
  const big0 = v128.pmin<T>(x0, negMax), big1 = v128.pmin<T>(x1, negMax), big2 = v128.pmin<T>(x2, negMax), big3 = v128.pmin<T>(x3, negMax);
  const small0 = v128.pmax<T>(x0, negMax), small1 = v128.pmax<T>(x1, negMax), small2 = v128.pmax<T>(x2, negMax), small3 = v128.pmax<T>(x3, negMax);
  const d0 = v128.add<T>(small0, big0), d1 = v128.add<T>(small1, big1), d2 = v128.add<T>(small2, big2), d3 = v128.add<T>(small3, big3);
  const z0 = mulAdd<T>(d0, log2e, magic), z1 = mulAdd<T>(d1, log2e, magic), z2 = mulAdd<T>(d2, log2e, magic), z3 = mulAdd<T>(d3, log2e, magic);
  const n0 = v128.sub<T>(z0, magic), n1 = v128.sub<T>(z1, magic), n2 = v128.sub<T>(z2, magic), n3 = v128.sub<T>(z3, magic);
  const err0 = v128.sub<T>(small0, v128.sub<T>(d0, big0)), err1 = v128.sub<T>(small1, v128.sub<T>(d1, big1));
  const err2 = v128.sub<T>(small2, v128.sub<T>(d2, big2)), err3 = v128.sub<T>(small3, v128.sub<T>(d3, big3));
  const r0 = v128.add<T>(mulAdd<T>(n0, ln2High, d0), mulAdd<T>(n0, ln2Low, err0));
  const r1 = v128.add<T>(mulAdd<T>(n1, ln2High, d1), mulAdd<T>(n1, ln2Low, err1));
  const r2 = v128.add<T>(mulAdd<T>(n2, ln2High, d2), mulAdd<T>(n2, ln2Low, err2));
  const r3 = v128.add<T>(mulAdd<T>(n3, ln2High, d3), mulAdd<T>(n3, ln2Low, err3));

  // P by Estrin's scheme: by Horner's rule, with one multiplication less, the whole was 20 % slower (f32, Node 24).
  const q0 = v128.mul<T>(r0, r0), q1 = v128.mul<T>(r1, r1), q2 = v128.mul<T>(r2, r2), q3 = v128.mul<T>(r3, r3);
  let p0: v128, p1: v128, p2: v128, p3: v128;
  if (sizeof<T>() == 4) {
    p0 = mulAdd<T>(c6, r0, c5), p1 = mulAdd<T>(c6, r1, c5), p2 = mulAdd<T>(c6, r2, c5), p3 = mulAdd<T>(c6, r3, c5);
  } else {
    p0 = mulAdd<T>(c10, r0, c9), p1 = mulAdd<T>(c10, r1, c9), p2 = mulAdd<T>(c10, r2, c9), p3 = mulAdd<T>(c10, r3, c9);
    p0 = mulAdd<T>(q0, c11, p0), p1 = mulAdd<T>(q1, c11, p1), p2 = mulAdd<T>(q2, c11, p2), p3 = mulAdd<T>(q3, c11, p3);
    p0 = mulAdd<T>(p0, q0, mulAdd<T>(c8, r0, c7)), p1 = mulAdd<T>(p1, q1, mulAdd<T>(c8, r1, c7));
    p2 = mulAdd<T>(p2, q2, mulAdd<T>(c8, r2, c7)), p3 = mulAdd<T>(p3, q3, mulAdd<T>(c8, r3, c7));
    p0 = mulAdd<T>(p0, q0, mulAdd<T>(c6, r0, c5)), p1 = mulAdd<T>(p1, q1, mulAdd<T>(c6, r1, c5));
    p2 = mulAdd<T>(p2, q2, mulAdd<T>(c6, r2, c5)), p3 = mulAdd<T>(p3, q3, mulAdd<T>(c6, r3, c5));
  }
  p0 = mulAdd<T>(p0, q0, mulAdd<T>(c4, r0, c3)), p1 = mulAdd<T>(p1, q1, mulAdd<T>(c4, r1, c3));
  p2 = mulAdd<T>(p2, q2, mulAdd<T>(c4, r2, c3)), p3 = mulAdd<T>(p3, q3, mulAdd<T>(c4, r3, c3));
  p0 = mulAdd<T>(p0, q0, mulAdd<T>(c2, r0, c1)), p1 = mulAdd<T>(p1, q1, mulAdd<T>(c2, r1, c1));
  p2 = mulAdd<T>(p2, q2, mulAdd<T>(c2, r2, c1)), p3 = mulAdd<T>(p3, q3, mulAdd<T>(c2, r3, c1));

  const s0 = powerOfTwo<T>(z0), s1 = powerOfTwo<T>(z1), s2 = powerOfTwo<T>(z2), s3 = powerOfTwo<T>(z3);
  p0 = mulAdd<T>(v128.mul<T>(r0, s0), p0, s0), p1 = mulAdd<T>(v128.mul<T>(r1, s1), p1, s1);
  p2 = mulAdd<T>(v128.mul<T>(r2, s2), p2, s2), p3 = mulAdd<T>(v128.mul<T>(r3, s3), p3, s3);
  // Whatever came of a d below `low`, of −Infinity or of an overflow in x − m becomes 0; a NaN is not below anything and stays.
  v128.store(e, v128.andnot(p0, v128.lt<T>(d0, low)));
  v128.store(e, v128.andnot(p1, v128.lt<T>(d1, low)), 16);
  v128.store(e, v128.andnot(p2, v128.lt<T>(d2, low)), 32);
  v128.store(e, v128.andnot(p3, v128.lt<T>(d3, low)), 48);
}

// @ts-ignore: decorator
@inline
function powerOfTwo<T>(z: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.shl(z, 23) : i64x2.shl(z, 52);
}
