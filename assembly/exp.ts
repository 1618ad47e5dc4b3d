// e^((x − m) / T) for x ≤ m, and its sum.
//
//   d = x − m      as an unevaluated sum d + err, which is exact (Dekker's FastTwoSum, the larger addend first). Without err, half an ulp
//                  of d, an f32 softmax is off by up to 64 ulp, however good the exponential.
//   n = ⌊d·N·log2(e)/T⌉   by adding 1.5·2^23 (f64: 1.5·2^52), whose ulp is 1, so the low bits of the sum z are the integer n; N = 1 (f64: 64)
//   r = d + err − n·T·ln 2/N,  |r/T| ≤ ln 2/(2·N);  T·ln 2 in two parts, the first with so few bits that n times it is exact (Cody–Waite)
//   ρ = r/T,  e^ρ = 1 + ρ + ρ²·Q(ρ)   degree 6 (3.2e−9 relative; f64: 5, 1.4e−18), minimax with the constant term fixed to 1: e^0 = 1
//   2^(n/N)        f32: z is shifted left into the exponent field. f64: 2^(j/64), j = n mod 64, from a table (Tang, "Table-driven
//                  implementation of the exponential function", 1989) with the exponent ⌊n/64⌋. The rounding errors of the table are
//                  added to ρ: e^x is within 0.53 ulp before it is scaled. The table saves six terms: 14 % of a softmax (C = 1000, Node 24).
//
// Results are scaled by 2^BIAS, so that every e^d that can round to a probability other than 0 is a normal number. Below that, and for −Infinity, the
// result is exactly 0; NaN stays NaN. The largest, at x = m, is exactly 2^BIAS. Temperatures are between 2^−20 and 2^20: see src/wasm/temperature.ts.
//
// Coefficients: Remez. Those of f32 were rounded one by one, beginning with c1 = 1; after each the others were fitted again.

import { ALONE, INPUT_REST, Layout, NARROW, OUTPUT, OUTPUT_REST, PANEL_BYTES, SECOND_REST, STATISTIC, WIDE, pairBytes, restOut, tileBytes } from "./panel";
import { countTrue, perTile, storeCount } from "./passes";
import { CHUNK, VECTOR, ZEROS, addHigh, addLow, allHigh, allLow, loadLanes, lostBy, mulAdd, storeSum } from "./simd";

export function bias<T>(): f64 {
  return sizeof<T>() == 4 ? 24 : 54;
}

/** 2^BIAS: the scaled e^0. */
export function expOfZero<T>(): f64 {
  return sizeof<T>() == 4 ? 16777216.0 : 18014398509481984.0;
}

// Constants of all kernels lie in memory and are loaded once per pass: V8 rebuilds a constant in the code at every use inside a loop.
// Order: the lowest z, log2(e)/T, magic, −T·ln 2 high, −T·ln 2 low, 1/T, magic for 2^−BIAS · e^x
const F32_TABLE = memory.data(7 * 4, 16);
const F64_TABLE = memory.data(7 * 8, 16);
// The temperature that each table holds: filling a table takes as long as a short row.
const F32_TEMPERATURE = memory.data(8);
const F64_TEMPERATURE = memory.data(8);
// c2 to c6 (c1 = 1; f64 has no c6), the scaled e^0 and its inverse: `coefficient` 2 to 8
const F32_COEFFICIENTS = memory.data<f32>([
  0.4999999403953552, 0.16666516661643982, 0.04166810214519501, 0.008369192481040955, 0.0013838893501088023, 16777216.0, 1 / 16777216.0,
]);
const F64_COEFFICIENTS = memory.data<f64>([
  0.499999999999486, 0.16666666666690136, 0.04166672335601729, 0.008333329580328612, 0, 18014398509481984.0, 1 / 18014398509481984.0,
]);
// For each j the integer that turns n·2^46 into the bits of 2^(n/64) (see `fillRoots`), and the relative rounding error of 2^(j/64).
const ROOT_BITS = 6;
const ROOTS = memory.data(16 << ROOT_BITS, 16);
// Whether the general reduction is needed: there is a temperature, or a block of this call has held an e^x of 0.
const GENERAL = memory.data(4);

// The rounding errors of the exponentials of each tile of a panel, added up.
const POWERS_LOST = memory.data(256, 16);
// How many times each row attains its maximum.
const TOPS = memory.data(STATISTIC, 16);

/** Begins a call: returns the table of constants for its temperature. */
export function expTable<T>(temperature: f64): usize {
  store<bool>(GENERAL, temperature != 1);
  const table = sizeof<T>() == 4 ? F32_TABLE : F64_TABLE, filledFor = sizeof<T>() == 4 ? F32_TEMPERATURE : F64_TEMPERATURE;
  if (load<f64>(filledFor) != temperature) {
    fillTable(table, temperature, sizeof<T>() == 4);
    store<f64>(filledFor, temperature);
  }
  return table;
}

/** The table of f32 (`single`) or of f64. Not generic: each of the two would be compiled into every kernel, 600 bytes. */
function fillTable(table: usize, temperature: f64, single: bool): void {
  const ln2 = 0.6931471805599453, log2e = 1.4426950408889634;
  const magic: f64 = single ? 12582912 : 6755399441055744, N: f64 = single ? 1 : <f64>(1 << ROOT_BITS);
  // The lowest z gives the smallest normal number. For f64 its lower half is 0, which `isBelow` relies on.
  put(table, 0, magic + (single ? 1 : 4294967296), single);
  put(table, 1, N * log2e / temperature, single);
  put(table, 2, magic + (single ? 127 + bias<f32>() : 4294967296 + N * (1022 + bias<f64>())), single);

  // T·ln 2 = high + low. f32: |n| < 2^8, so high has 16 bits. f64: |n| < 2^17, so high has 36. The products of parts of T (26 + 27 bits)
  // and ln 2 (26 bits) are exact; the rest of ln 2 goes to low.
  const t1 = leading(temperature), l1 = leading(ln2), product = t1 * l1;
  const high = reinterpret<f64>(reinterpret<u64>(product) & (single ? 0xffffffe000000000 : 0xfffffffffffe0000));
  const low = product - high + ((temperature - t1) * l1 + temperature * (ln2 - l1 + 2.3190468138462996e-17));
  put(table, 3, high / -N, single);
  put(table, 4, low / -N, single);
  put(table, 5, 1 / temperature, single);
  put(table, 6, magic + (single ? 127 - bias<f32>() : 4294967296 + N * (1022 - bias<f64>())), single);

  if (!single && !load<u64>(ROOTS)) fillRoots();
}

function put(table: usize, i: usize, value: f64, single: bool): void {
  if (single) store<f32>(table + (i << 2), <f32>value);
  else store<f64>(table + (i << 3), value);
}

/** The first 26 bits: the product of two such numbers is exact. */
function leading(x: f64): f64 {
  return reinterpret<f64>(reinterpret<u64>(x) & 0xfffffffff8000000);
}

/** The powers of 2^(1/64), each an unevaluated sum with twice the digits (Dekker's product). Computed, since the table would be a kilobyte of the module. */
function fillRoots(): void {
  const step = 1.0108892860517005, stepLow = -1.5234778603368577e-17, s1 = leading(step), s2 = step - s1;
  let root = 1.0, low = 0.0;
  for (let j: u64 = 0; j < 1 << ROOT_BITS; j++) {
    const at = ROOTS + <usize>(j << 4);
    // n·2^46 holds j below the exponent: taken off. And n is counted from the lowest exponent, whose field is 1.
    store<u64>(at, reinterpret<u64>(root) - (1022 << 52) - (j << (52 - ROOT_BITS)));
    store<f64>(at, low / root, 8);
    const r1 = leading(root), r2 = root - r1, product = root * step;
    const rest = r1 * s1 - product + r1 * s2 + r2 * s1 + r2 * s2 + (root * stepLow + low * step);
    root = product + rest;
    low = product - root + rest;
  }
}

/** The i-th constant in all lanes. */
export function constant<T>(table: usize, i: usize): v128 {
  return v128.load_splat<T>(table + i * sizeof<T>());
}

/** c_i; 7: the scaled e^0, 8: its inverse. */
export function coefficient<T>(i: usize): v128 {
  return v128.load_splat<T>((sizeof<T>() == 4 ? F32_COEFFICIENTS : F64_COEFFICIENTS) + (i - 2) * sizeof<T>());
}

// A pass over exponentials is three loops over a block that stays in the L1 cache: `panelReduce` leaves ρ and 2^(n/N), `panelPower` makes e^x of them,
// and a last loop adds up e^x. One loop would be a chain of thirty dependent operations, whose constants and vectors do not fit the registers: a softmax
// would take 27 % longer (f32, C = 1024, Node 24). A block is a part of a wide row, or all tiles of a panel.
export const BLOCK: usize = 2048;
export const REDUCED = memory.data(2 * PANEL_BYTES, 16);

/** How many of the `left` bytes of a tile are in the next block; 0 if only the rest of a wide row is left. */
function inBlock(left: usize, layout: Layout): usize {
  return layout != WIDE ? left : left >= BLOCK ? BLOCK : left & ~(CHUNK - 1);
}

/**
 * Reduces `used` bytes of each tile of x (tiles are `bytes` apart) to REDUCED: ρ and 2^(n/N + BIAS) of each vector, both 0 where e^x is 0 and in the
 * `padding` at the end of a tile. Most calls have neither a temperature nor an e^x of 0, so a first pass checks for neither; its least z tells whether it
 * was right. If not, the general pass follows; it is the only one where some e^x is known to be 0 (`vanishes`).
 */
function panelReduce<T>(x: usize, shift: usize, tiles: i32, bytes: usize, used: usize, padding: usize, vanishes: bool, table: usize): void {
  const lowest = constant<T>(table, 0);
  if (!vanishes && !load<bool>(GENERAL)) {
    if (!isBelow<T>(reduceTiles<T>(x, shift, tiles, bytes, used, padding, table, false), lowest)) return;
    store<bool>(GENERAL, true);
  }
  reduceTiles<T>(x, shift, tiles, bytes, used, padding, table, true);
}

/** Returns the least z, compared as integers: one operation instead of three, 7 % of a softmax (f32, C = 1000, Node 24). */
// @ts-ignore: decorator
@inline
function reduceTiles<T>(x: usize, shift: usize, tiles: i32, bytes: usize, used: usize, padding: usize, table: usize, general: bool): v128 {
  const lowest = constant<T>(table, 0), log2e = constant<T>(table, 1), magic = constant<T>(table, 2);
  const ln2High = constant<T>(table, 3), ln2Low = constant<T>(table, 4), perT = constant<T>(table, 5);
  let least = lowest;
  for (let to = REDUCED; tiles > 0; tiles--, shift += VECTOR, x += bytes) {
    const negMax = v128.load(shift);
    let from = x;
    for (const end = to + 2 * (used - padding); to < end; to += 2 * VECTOR, from += VECTOR) {
      const value = v128.load(from);
      const d = v128.add<T>(value, negMax);
      const z = mulAdd<T>(d, log2e, magic);
      const big = larger<T>(value, negMax);
      const err = v128.sub<T>(smaller<T>(value, negMax), v128.sub<T>(d, big));
      const n = v128.sub<T>(z, magic);
      const r = v128.add<T>(mulAdd<T>(n, ln2High, d), mulAdd<T>(n, ln2Low, err));
      storeReduced<T>(to, general ? v128.mul<T>(r, perT) : r, z, general, lowest);
      if (!general) least = i32x4.min_s(least, z);
    }
    for (const end = to + 2 * padding; to < end; to += VECTOR) v128.store(to, f64x2.splat(0));
  }
  return least;
}

/** Stores ρ and 2^(n/N + BIAS), where r = x − n·ln 2/N and z ends in the bits of n. `vanishes`: both are 0 where z is below `lowest`. */
// @ts-ignore: decorator
@inline
export function storeReduced<T>(to: usize, r: v128, z: v128, vanishes: bool, lowest: v128): void {
  let s: v128;
  if (sizeof<T>() == 4) {
    s = i32x4.shl(z, 23);
  } else {
    const a = rootOf(i32x4.extract_lane(z, 0)), b = rootOf(i32x4.extract_lane(z, 2));
    s = i64x2.add(i64x2.shl(z, 52 - ROOT_BITS), i64x2.shuffle(a, b, 0, 2));
    r = v128.add<T>(r, i64x2.shuffle(a, b, 1, 3));
  }
  if (vanishes) {
    // Too small an exponent, −Infinity and an overflow in x − m become 0. A NaN is not below anything.
    const none = v128.lt<T>(z, lowest);
    r = v128.andnot(r, none), s = v128.andnot(s, none);
  }
  v128.store(to, r);
  v128.store(to, s, 16);
}

/** The entry of ROOTS for n. */
function rootOf(n: i32): v128 {
  return v128.load(ROOTS + (<usize>(n & ((1 << ROOT_BITS) - 1)) << 4));
}

/** Whether any z was below `lowest`. Compares integers, for f64 only the upper halves: negative numbers, and NaNs with a sign, count as below. */
function isBelow<T>(least: v128, lowest: v128): bool {
  const below = i32x4.lt_s(least, lowest);
  return v128.any_true(sizeof<T>() == 4 ? below : i64x2.shr_u(below, 32));
}

/**
 * The one of x and −m with the larger absolute value, and the other one. As unsigned integers numbers of one sign have that order. Of two signs the
 * negative one is the larger integer and the larger absolute value, since x − m ≤ 0. Integer operations have twice the units of comparisons.
 */
function larger<T>(x: v128, negMax: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.max_u(x, negMax) : f64x2.pmin(x, negMax);
}

function smaller<T>(x: v128, negMax: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.min_u(x, negMax) : f64x2.pmax(x, negMax);
}

/**
 * 2^BIAS · e^x from r = ρ and s = 2^(n/N + BIAS), as s + s·(r + r²·Q(r)). The form s + s·r·P(r) has one more rounding that counts, a third of an ulp
 * (f32). Only f32 uses c6.
 */
export function power<T>(r: v128, s: v128, c2: v128, c3: v128, c4: v128, c5: v128, c6: v128): v128 {
  return mulAdd<T>(expm1<T>(r, c2, c3, c4, c5, c6, sizeof<T>() == 4), s, s);
}

/** The rounding error of e = `power`. */
export function powerLost<T>(e: v128, r: v128, s: v128, c2: v128, c3: v128, c4: v128, c5: v128, c6: v128): v128 {
  return v128.sub<T>(v128.mul<T>(expm1<T>(r, c2, c3, c4, c5, c6, sizeof<T>() == 4), s), v128.sub<T>(e, s));
}

/** e^r − 1 = r + r²·Q(r), of degree 6 or 5 */
export function expm1<T>(r: v128, c2: v128, c3: v128, c4: v128, c5: v128, c6: v128, six: bool): v128 {
  const q = v128.mul<T>(r, r);
  let p = mulAdd<T>(c5, r, c4);
  if (six) p = mulAdd<T>(c6, q, p);
  p = mulAdd<T>(p, q, mulAdd<T>(c3, r, c2));
  return mulAdd<T>(p, q, r);
}

/** 2^BIAS · e^x from REDUCED, to tiles that are toTile bytes apart. e may be REDUCED itself, with the tiles side by side. */
export function panelPower<T>(e: usize, tiles: i32, toTile: usize, used: usize): void {
  powers<T>(e, tiles, toTile, used, false);
}

/** The same, and the rounding errors of each tile's e, added up, to POWERS_LOST. e must not be REDUCED. */
function panelPowerLost<T>(e: usize, tiles: i32, toTile: usize, used: usize): void {
  powers<T>(e, tiles, toTile, used, true);
}

// @ts-ignore: decorator
@inline
function powers<T>(e: usize, tiles: i32, toTile: usize, used: usize, keepsLost: bool): void {
  const c2 = coefficient<T>(2), c3 = coefficient<T>(3), c4 = coefficient<T>(4), c5 = coefficient<T>(5), c6 = coefficient<T>(6);
  for (let at = REDUCED, tile = POWERS_LOST; tiles > 0; tiles--, e += toTile, tile += VECTOR) {
    let to = e, lost = v128.splat<T>(0);
    for (const end = at + 2 * used; at < end; at += 4 * VECTOR, to += 2 * VECTOR) {
      const r0 = v128.load(at), s0 = v128.load(at, 16), r1 = v128.load(at, 32), s1 = v128.load(at, 48);
      const e0 = power<T>(r0, s0, c2, c3, c4, c5, c6), e1 = power<T>(r1, s1, c2, c3, c4, c5, c6);
      v128.store(to, e0);
      v128.store(to, e1, 16);
      if (!keepsLost) continue;
      lost = v128.add<T>(lost, powerLost<T>(e0, r0, s0, c2, c3, c4, c5, c6));
      lost = v128.add<T>(lost, powerLost<T>(e1, r1, s1, c2, c3, c4, c5, c6));
    }
    if (keepsLost) v128.store(tile, lost);
  }
}

/**
 * Whether the powers are added up by a loop of their own. Fused operations leave the units that only add free: with them a softmax takes 12 % less if
 * powers are added up as they are made (f64: 7 %; C = 1000, Node 24). Without them a cross-entropy would take 8 % more.
 */
const ADDS_APART = !ASC_FEATURE_RELAXED_SIMD;

/** e^x at `at`: panelPower has left it there, or it is computed and stored now. */
function powerAt<T>(at: usize, from: usize, c2: v128, c3: v128, c4: v128, c5: v128, c6: v128): v128 {
  if (ADDS_APART) return v128.load(at);
  const e = power<T>(v128.load(from), v128.load(from, 16), c2, c3, c4, c5, c6);
  v128.store(at, e);
  return e;
}

/**
 * e = 2^BIAS · e^((x − max) / T) and sum = Σ e / 2^BIAS; without e (0) the sum alone. `others`: one occurrence of the maximum is left out of the sum,
 * exactly, so that ln Σ = log1p(sum) keeps its digits where one class dominates. With `lost` the rounding errors of each e and each addition are part
 * of the sum, and its own last rounding error goes to `lost` (0 for f32).
 */
export function panelExp<T>(
  sum: usize, e: usize, x: usize, shift: usize, tiles: i32, cols: i32, layout: Layout, others: bool, table: usize, lost: usize = 0,
): void {
  const bytes = tileBytes<T>(cols, layout), used = pairBytes<T>(cols, layout), padding = layout == NARROW ? used - <usize>cols * VECTOR : 0;
  const keep = e != 0, row = e, top = coefficient<T>(7);
  const c2 = coefficient<T>(2), c3 = coefficient<T>(3), c4 = coefficient<T>(4), c5 = coefficient<T>(5), c6 = coefficient<T>(6);
  let sumL = f64x2.splat(0), sumH = sumL, tops = sumL;

  for (let left = used, part: usize = 0; left > 0; left -= part) {
    part = inBlock(left, layout);
    if (part == 0) part = left = CHUNK, x = INPUT_REST, e = OUTPUT_REST;
    if (!keep) e = lost ? OUTPUT : REDUCED;
    const toTile = keep ? bytes : part;
    // The padding in front of a rest, and that of a row alone, is −Infinity: it vanishes.
    panelReduce<T>(x, shift, tiles, bytes, part, padding, layout == ALONE || x == INPUT_REST, table);
    if (lost) panelPowerLost<T>(e, tiles, toTile, part);
    else if (ADDS_APART) panelPower<T>(e, tiles, toTile, part);
    for (let t: usize = 0; t < <usize>tiles; t++) {
      if (layout == NARROW) sumL = f64x2.splat(0), sumH = sumL, tops = sumL;
      for (let at = e + t * toTile, end = at + part, from = REDUCED + 2 * t * part; at < end; at += CHUNK, from += 2 * CHUNK) {
        let e0 = powerAt<T>(at, from, c2, c3, c4, c5, c6), e1 = powerAt<T>(at + 16, from + 32, c2, c3, c4, c5, c6), e2 = f64x2.splat(0), e3 = e2;
        if (at + 2 * VECTOR < end) e2 = powerAt<T>(at + 32, from + 64, c2, c3, c4, c5, c6), e3 = powerAt<T>(at + 48, from + 96, c2, c3, c4, c5, c6);
        if (others) {
          const t0 = equals<T>(e0, top), t1 = equals<T>(e1, top), t2 = equals<T>(e2, top), t3 = equals<T>(e3, top);
          tops = countTrue<T>(tops, t0, t1, t2, t3);
          e0 = v128.andnot(e0, t0), e1 = v128.andnot(e1, t1), e2 = v128.andnot(e2, t2), e3 = v128.andnot(e3, t3);
        }
        // An f32 addition may cost the sum, and so every probability, half an ulp. Among many classes that averages out: pairs gave 2.6 ulp at most.
        // In short rows pairs gave 3.1 and sums in f64 2.5, where 3 are promised.
        if (lost != 0 || (sizeof<T>() == 4 && layout != WIDE)) {
          sumH = allHigh<T>(sumH, sumL, e0, e1, e2, e3, layout == ALONE), sumL = allLow<T>(sumL, e0, e1, e2, e3, layout == ALONE);
          continue;
        }
        e0 = v128.add<T>(e0, e1), e2 = v128.add<T>(e2, e3);
        if (sizeof<T>() == 4) {
          sumH = addHigh<T>(sumH, sumL, e2, false), sumL = addLow<T>(sumL, e2, false);
          sumH = addHigh<T>(sumH, sumL, e0, false), sumL = addLow<T>(sumL, e0, false);
        } else {
          e0 = v128.add<T>(e0, e2);
          sumH = addHigh<T>(sumH, sumL, e0, layout == ALONE), sumL = addLow<T>(sumL, e0, layout == ALONE);
        }
      }
      if (lost) {
        const more = v128.load(POWERS_LOST + t * VECTOR);
        sumH = addHigh<T>(sumH, sumL, more, layout == ALONE), sumL = addLow<T>(sumL, more, layout == ALONE);
      }
      if (left > part) continue;
      const rest = storeSum<T>(sum + t * perTile<T>(), sumL, sumH, 1 / expOfZero<T>(), layout == WIDE);
      if (lost) {
        v128.store(lost + t * perTile<T>(), f64x2.mul(rest, f64x2.splat(1 / expOfZero<T>())));
        if (sizeof<T>() == 4) v128.store(lost + t * perTile<T>(), rest, 16);
      }
      if (others) storeCount<T>(TOPS + t * perTile<T>(), tops, layout);
    }
    x += part, e += part;
  }
  if (keep) restOut(row, bytes);
  if (!others) return;
  // Adds every occurrence of the maximum but one.
  for (let i: usize = 0; i < <usize>tiles * perTile<T>(); i += 16) {
    const some = v128.load(sum + i), tops = f64x2.sub(v128.load(TOPS + i), f64x2.splat(1)), all = f64x2.add(some, tops);
    v128.store(sum + i, all);
    if (lost) v128.store(lost + i, f64x2.add(v128.load(lost + i), lostBy(some, tops, all)));
  }
}

/** Bitwise equality, for numbers other than 0. */
function equals<T>(a: v128, b: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.eq(a, b) : i64x2.eq(a, b);
}

/** dx = dy − e^y · factor for y ≤ 0, of panels with the rests of INPUT (y) and SECOND (dy) */
export function panelMinusExp<T>(dx: usize, y: usize, dy: usize, factor: usize, tiles: i32, bytes: usize, layout: Layout, table: usize): void {
  const unscale = v128.splat<T>(<T>(1 / expOfZero<T>()));
  for (let left = bytes, part: usize = 0; left > 0; left -= part) {
    part = inBlock(left, layout);
    if (part == 0) part = left = CHUNK, dx = OUTPUT_REST, y = INPUT_REST, dy = SECOND_REST;
    panelReduce<T>(y, ZEROS, tiles, bytes, part, 0, false, table);
    panelPower<T>(REDUCED, tiles, part, part);
    for (let t: usize = 0, e = REDUCED; t < <usize>tiles; t++) {
      const f = v128.mul<T>(loadLanes<T>(factor + t * perTile<T>(), layout != NARROW), unscale);
      for (const end = e + part; e < end; e += VECTOR, dx += VECTOR, dy += VECTOR) {
        v128.store(dx, v128.sub<T>(v128.load(dy), v128.mul<T>(v128.load(e), f)));
      }
    }
    y += part;
  }
}

/** 2^−BIAS */
export function unscale<T>(): v128 {
  return coefficient<T>(8);
}
