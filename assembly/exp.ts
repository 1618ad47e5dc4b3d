// e^((x − m) / T) for x ≤ m, and its sum: the heart of every kernel but the hinge.
//
//   d = x − m      as an unevaluated sum d + err, which is exact (Dekker's FastTwoSum, the larger addend first). Without err an f32
//                  softmax is off by up to 64 units in the last place, however good the exponential: that is half an ulp of d.
//   n = ⌊d·N·log2(e)/T⌉   by adding 1.5·2^23 (f64: 1.5·2^52), whose ulp is 1, so the low bits of the sum z are the integer n; N = 1 (f64: 64)
//   r = d + err − n·T·ln 2/N,  |r/T| ≤ ln 2/(2·N);  T·ln 2 in two parts, the first with so few bits that n times it is exact (Cody–Waite)
//   ρ = r/T,  e^ρ = 1 + ρ + ρ²·Q(ρ)   degree 6 (3.2e−9 relative; f64: 5, 1.4e−18), minimax with the constant term fixed to 1: e^0 = 1
//   2^(n/N)        f32: z is shifted left into the exponent field. f64: 2^(j/64), j = n mod 64, from a table (Tang, "Table-driven
//                  implementation of the exponential function", 1989) with the exponent of the rest of n. What the table has rounded off is
//                  added to ρ: e^x is within 0.53 ulp before it is scaled. It saves six terms: 14 % of a softmax (C = 1000, Node 24).
//
// The results are scaled by 2^BIAS: every e^d that can still round to a probability other than 0 is a normal number. Below that, and for −Infinity, the
// result is exactly 0; NaN stays NaN. The largest, x = m, is exactly 2^BIAS. Temperatures are between 2^−20 and 2^20: the caller sees to that.
//
// Coefficients: Remez. Those of f32 were rounded one after the other, the rest fitted anew each time, beginning with c1 = 1.

import { ALONE, INPUT_REST, Layout, NARROW, OUTPUT, OUTPUT_REST, PANEL_BYTES, SECOND_REST, STATISTIC, WIDE, pairBytes, restOut, tileBytes } from "./panel";
import { countTrue, perTile, storeCount } from "./passes";
import { CHUNK, VECTOR, addHigh, addLow, allHigh, allLow, loadLanes, lostBy, mulAdd, storeSum } from "./simd";

export function bias<T>(): f64 {
  return sizeof<T>() == 4 ? 24 : 54;
}

/** 2^BIAS, what e^0 comes out as. */
export function expOfZero<T>(): f64 {
  return sizeof<T>() == 4 ? 16777216.0 : 18014398509481984.0;
}

// Constants lie in memory and are loaded once per pass: V8 rebuilds one in the code at every use inside a loop.
// Order: the lowest z, log2(e)/T, magic, −T·ln 2 high, −T·ln 2 low, 1/T, magic for 2^−BIAS · e^x
const F32_TABLE = memory.data(7 * 4, 16);
const F64_TABLE = memory.data(7 * 8, 16);
// The temperature that a table was filled for: filling one takes as long as a row of some classes.
const F32_TEMPERATURE = memory.data(8);
const F64_TEMPERATURE = memory.data(8);
// c2, c3, … (c1 = 1), e^0 at the seventh place, and its inverse
const F32_COEFFICIENTS = memory.data<f32>([
  0.4999999403953552, 0.16666516661643982, 0.04166810214519501, 0.008369192481040955, 0.0013838893501088023, 16777216.0, 1 / 16777216.0,
]);
const F64_COEFFICIENTS = memory.data<f64>([
  0.499999999999486, 0.16666666666690136, 0.04166672335601729, 0.008333329580328612, 0, 18014398509481984.0, 1 / 18014398509481984.0,
]);
// For each j the bits of 2^(j/64) that are to be added to n·2^46 (see `fillRoots`), and what they lack, relative to it.
const ROOT_BITS = 6;
const ROOTS = memory.data(16 << ROOT_BITS, 16);
// Whether the general reduction is needed: there is a temperature, or a block of this call has held an exponential that vanishes.
const GENERAL = memory.data(4);

// No shift, for each tile of a panel.
const ZEROS = memory.data(256, 16);
// What the exponentials of each tile of a panel have lost to rounding.
const POWERS_LOST = memory.data(256, 16);
// How many times each row attains its maximum.
const TOPS = memory.data(STATISTIC, 16);

/** The table of constants for a temperature, for a call that begins. */
export function expTable<T>(temperature: f64): usize {
  store<bool>(GENERAL, temperature != 1);
  const table = sizeof<T>() == 4 ? F32_TABLE : F64_TABLE, filledFor = sizeof<T>() == 4 ? F32_TEMPERATURE : F64_TEMPERATURE;
  if (load<f64>(filledFor) != temperature) {
    fillTable(table, temperature, sizeof<T>() == 4);
    store<f64>(filledFor, temperature);
  }
  return table;
}

/** The table of f32 (`single`) or of f64. One function for both, since it would be compiled into every kernel otherwise: 600 bytes. */
function fillTable(table: usize, temperature: f64, single: bool): void {
  const ln2 = 0.6931471805599453, log2e = 1.4426950408889634;
  const magic: f64 = single ? 12582912 : 6755399441055744, N: f64 = single ? 1 : <f64>(1 << ROOT_BITS);
  // The lowest z is where the exponent is the smallest of a normal number. Of f64 its lower half is 0, which `isBelow` relies on.
  put(table, 0, magic + (single ? 1 : 4294967296), single);
  put(table, 1, N * log2e / temperature, single);
  put(table, 2, magic + (single ? 127 + bias<f32>() : 4294967296 + N * (1022 + bias<f64>())), single);

  // T·ln 2 = high + low. f32: |n| < 2^8, so high has 16 bits. f64: |n| < 2^17, so high has 36; the product is formed exactly from
  // parts of 26 + 27 bits (T) and 26 bits (ln 2), and the rest of ln 2 is added to low.
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

/** The powers of 2^(1/64), each as an unevaluated sum with twice the digits (Dekker's product); the table would be a kilobyte of the module. */
function fillRoots(): void {
  const step = 1.0108892860517005, stepLow = -1.5234778603368577e-17, s1 = leading(step), s2 = step - s1;
  let root = 1.0, low = 0.0;
  for (let j: u64 = 0; j < 1 << ROOT_BITS; j++) {
    const at = ROOTS + <usize>(j << 4);
    // With n·2^46, j stands in the way below the exponent; and n is counted from the lowest, whose exponent field is 1.
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

/** c_i, or at 7 e^0. */
export function coefficient<T>(i: usize): v128 {
  return v128.load_splat<T>((sizeof<T>() == 4 ? F32_COEFFICIENTS : F64_COEFFICIENTS) + (i - 2) * sizeof<T>());
}

// A pass over exponentials is three loops over a block that stays in the L1 cache: `panelReduce` leaves ρ and 2^(n/N), `panelPower` makes e^x of them,
// and a last one adds that up. One loop would be a chain of thirty dependent operations, and its constants and vectors do not fit the registers: a softmax
// takes 27 % longer then (f32, C = 1024, Node 24). A block is a part of a wide row, or all tiles of a panel.
export const BLOCK: usize = 2048;
export const REDUCED = memory.data(2 * PANEL_BYTES, 16);

/** Bytes of a tile in the next block, of those that are left. 0 if nothing but the rest of a wide row is. */
function inBlock(left: usize, layout: Layout): usize {
  return layout != WIDE ? left : left >= BLOCK ? BLOCK : left & ~(CHUNK - 1);
}

/**
 * Reduces `used` bytes of each of the `tiles` of x, which are `bytes` apart: to REDUCED, for each vector ρ and 2^(n/N + BIAS), both 0 where e^x is 0 and
 * in the `padding` that ends a tile. Most calls have no temperature and no e^x of 0, so this is done without looking for either; the least z tells
 * whether that was right. If not, or if there is known to be a 0 (`vanishes`), it is done again with care.
 */
function panelReduce<T>(x: usize, shift: usize, tiles: i32, bytes: usize, used: usize, padding: usize, vanishes: bool, table: usize): void {
  const lowest = constant<T>(table, 0);
  if (!vanishes && !load<bool>(GENERAL)) {
    if (!isBelow<T>(reduceTiles<T>(x, shift, tiles, bytes, used, padding, table, false), lowest)) return;
    store<bool>(GENERAL, true);
  }
  reduceTiles<T>(x, shift, tiles, bytes, used, padding, table, true);
}

/** Returns the least z, as integers: one operation instead of three, 7 % of a softmax (f32, C = 1000, Node 24). */
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

/** ρ and 2^(n/N + BIAS), where r = x − n·ln 2/N and z ends in the bits of n; both 0 where z is below `lowest`, if there may be such a z. */
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
    // Whatever came of an exponent that is too small, of −Infinity or of an overflow in x − m becomes 0; a NaN is not below anything.
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

/** Whether a z was below `lowest`, by the least integers of its upper halves (f64) or of itself: a negative number, and a NaN that is one, are. */
function isBelow<T>(least: v128, lowest: v128): bool {
  const below = i32x4.lt_s(least, lowest);
  return v128.any_true(sizeof<T>() == 4 ? below : i64x2.shr_u(below, 32));
}

/**
 * Of x and −m, x ≤ m, the one with the larger absolute value; and the other one. As unsigned integers they are in that order, or the
 * negative one is the larger one, which is as good: their sum is not positive. Integer operations have twice the units of comparisons.
 */
function larger<T>(x: v128, negMax: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.max_u(x, negMax) : f64x2.pmin(x, negMax);
}

function smaller<T>(x: v128, negMax: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.min_u(x, negMax) : f64x2.pmax(x, negMax);
}

/**
 * 2^BIAS · e^x from r = ρ and s = 2^(n/N + BIAS), as s + s·(r + r²·Q(r)). As s + s·r·P(r) it has one more rounding that counts, a third of an ulp
 * (f32). c6 is that of f32.
 */
export function power<T>(r: v128, s: v128, c2: v128, c3: v128, c4: v128, c5: v128, c6: v128): v128 {
  return mulAdd<T>(expm1<T>(r, c2, c3, c4, c5, c6, sizeof<T>() == 4), s, s);
}

/** What that has lost to rounding. */
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

/** 2^BIAS · e^x from what panelReduce has left, for tiles that are toTile bytes apart. e may be REDUCED itself, with the tiles side by side. */
export function panelPower<T>(e: usize, tiles: i32, toTile: usize, used: usize): void {
  powers<T>(e, tiles, toTile, used, false);
}

/** The same, and to POWERS_LOST for each tile the sum of what its e have lost to rounding. Not over REDUCED. */
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
 * Whether the powers are added up by a loop of their own. A polynomial of fused operations leaves the units that only add free: there a softmax takes
 * 12 % less if the powers are added up as they are made (f64: 7 %; C = 1000, Node 24). Elsewhere a cross-entropy would take 8 % more.
 */
const ADDS_APART = !ASC_FEATURE_RELAXED_SIMD;

/** e^x that panelPower has left at `at`; or else it is put there. */
function powerAt<T>(at: usize, from: usize, c2: v128, c3: v128, c4: v128, c5: v128, c6: v128): v128 {
  if (ADDS_APART) return v128.load(at);
  const e = power<T>(v128.load(from), v128.load(from, 16), c2, c3, c4, c5, c6);
  v128.store(at, e);
  return e;
}

/**
 * e = 2^BIAS · e^((x − max) / T) and sum = Σ e / 2^BIAS; without e (0) the sum alone. `others`: one occurrence of the maximum is left out of the sum,
 * exactly, so that ln Σ = log1p(sum) keeps its digits where one class dominates. With `lost` the sum has what each e and each addition has lost to
 * rounding; what it loses itself goes there, nothing for f32.
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
    // What is in front of a rest vanishes, and so do the groups of a row by itself that are not full.
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
        // Each f32 addition may cost the sum, and so every probability, half an ulp. Among many classes that averages out, with pairs 2.6 ulp at most;
        // in short rows pairs gave 3.1 and sums in f64 2.5, where 3 are promised.
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
  // Every occurrence of the maximum but one.
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

/** dx = dy − e^y · factor for y ≤ 0, of panels at X (y) and Z (dy) */
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
