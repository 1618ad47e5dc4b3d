// Passes: one loop each over a tile (see tile.ts), four vectors at a time. Kernels are sentences made of them.
//
// The end of a wide row is a chunk that ends with the row and overlaps what the loop does; it comes first, because the row may be
// overwritten in place, and goes to TAIL until the loop is done. Where something is added up, a mask takes out the values that the
// loop will see. A narrow tile is a whole number of chunks.
//
// Sums are stored as one f64 per row at the address given, in the order of the lanes.

import { constant, expOfZero, storeExp } from "./exp";
import { CHUNK, foldMax, lanes, storeSum, sumHigh, sumLow } from "./simd";
import { SINK } from "./tile";

export const TAIL = memory.data(64, 16);
const TOPS = memory.data(32, 16);
// At MASK + rest: a chunk whose last `rest` bytes are ones.
export const MASK = memory.data<u64>([0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1], 16);

// @ts-ignore: decorator
@inline
export function restOf(bytes: usize): usize {
  return bytes & (CHUNK - 1);
}

// @ts-ignore: decorator
@inline
export function copyChunk(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
  v128.store(to, v128.load(from, 32), 32);
  v128.store(to, v128.load(from, 48), 48);
}

// @ts-ignore: decorator
@inline
export function tree<T>(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.add<T>(v128.add<T>(a, b), v128.add<T>(c, d));
}

/** max x, in all lanes for a wide row. Drops NaN: e^(NaN − max) brings it back. */
export function tileMax<T>(x: usize, bytes: usize, wide: bool): v128 {
  // pmax(acc, x) is one instruction, max (which propagates NaN) is eight on x64.
  const end = x + bytes - CHUNK;
  let a = v128.splat<T>(-Infinity), b = a, c = a, d = a;
  for (; x < end; x += CHUNK) {
    a = v128.pmax<T>(a, v128.load(x));
    b = v128.pmax<T>(b, v128.load(x, 16));
    c = v128.pmax<T>(c, v128.load(x, 32));
    d = v128.pmax<T>(d, v128.load(x, 48));
  }
  // The last chunk, whole or overlapping: seeing a value twice does not matter here.
  a = v128.pmax<T>(a, v128.load(end));
  b = v128.pmax<T>(b, v128.load(end, 16));
  c = v128.pmax<T>(c, v128.load(end, 32));
  d = v128.pmax<T>(d, v128.load(end, 48));
  a = v128.pmax<T>(v128.pmax<T>(a, b), v128.pmax<T>(c, d));
  return wide ? foldMax<T>(a) : a;
}

/** All ones where a row may hold a NaN, 0 where it does not. (+Infinity with −Infinity also answers with ones.) */
export function tileMayHoldNaN<T>(x: usize, bytes: usize, wide: bool): v128 {
  const end = x + bytes - CHUNK;
  let a = v128.splat<T>(0), b = a;
  for (; x < end; x += CHUNK) {
    a = v128.add<T>(a, v128.add<T>(v128.load(x), v128.load(x, 16)));
    b = v128.add<T>(b, v128.add<T>(v128.load(x, 32), v128.load(x, 48)));
  }
  a = v128.add<T>(a, v128.add<T>(v128.load(end), v128.load(end, 16)));
  b = v128.add<T>(b, v128.add<T>(v128.load(end, 32), v128.load(end, 48)));
  a = v128.add<T>(a, b);
  a = v128.ne<T>(a, a);
  return wide && v128.any_true(a) ? i32x4.splat(-1) : a;
}

/** −m, or 0 where m is not finite: then e^(x − m) comes out as NaN or 0 as it must. */
// @ts-ignore: decorator
@inline
function shiftBy<T>(max: v128): v128 {
  const finite = v128.eq<T>(v128.sub<T>(max, max), v128.splat<T>(0));
  return v128.and(v128.neg<T>(max), finite);
}

/**
 * e = 2^BIAS · e^((x − max) / T); their sum over 2^BIAS goes to `sum`. With `others`, one occurrence of the maximum is left out of
 * the sum, exactly: ln Σ = log1p(sum) then keeps its digits when one class dominates. `step` is the distance between the
 * chunks of e: 0 keeps nothing.
 */
// @ts-ignore: decorator
@inline
function storeExpAndSum<T>(sum: usize, e: usize, step: usize, x: usize, bytes: usize, wide: bool, max: v128, table: usize, others: bool): void {
  const low = constant<T>(table, 0), log2e = constant<T>(table, 1), magic = constant<T>(table, 2);
  const ln2High = constant<T>(table, 3), ln2Low = constant<T>(table, 4);
  const c1 = constant<T>(table, 5), c2 = constant<T>(table, 6), c3 = constant<T>(table, 7), c4 = constant<T>(table, 8);
  const c5 = constant<T>(table, 9), c6 = constant<T>(table, 10), c7 = constant<T>(table, 11), c8 = constant<T>(table, 12);
  const c9 = constant<T>(table, 13), c10 = constant<T>(table, 14), c11 = constant<T>(table, 15);
  const negMax = shiftBy<T>(max);
  const top = v128.splat<T>(<T>expOfZero<T>());
  const rest = restOf(bytes);
  const end = x + bytes - rest;
  let sumL = f64x2.splat(0), sumH = sumL, tops = sumL;

  if (rest) {
    storeExp<T>(TAIL, x + bytes - CHUNK, negMax, low, log2e, magic, ln2High, ln2Low, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11);
    let e0 = v128.and(v128.load(TAIL), v128.load(MASK + rest)), e1 = v128.and(v128.load(TAIL, 16), v128.load(MASK + rest, 16));
    let e2 = v128.and(v128.load(TAIL, 32), v128.load(MASK + rest, 32)), e3 = v128.and(v128.load(TAIL, 48), v128.load(MASK + rest, 48));
    if (others) {
      const t0 = v128.eq<T>(e0, top), t1 = v128.eq<T>(e1, top), t2 = v128.eq<T>(e2, top), t3 = v128.eq<T>(e3, top);
      tops = countTrue<T>(tops, t0, t1, t2, t3);
      e0 = v128.andnot(e0, t0), e1 = v128.andnot(e1, t1), e2 = v128.andnot(e2, t2), e3 = v128.andnot(e3, t3);
    }
    const s = tree<T>(e0, e1, e2, e3);
    sumH = sumHigh<T>(sumH, sumL, s), sumL = sumLow<T>(sumL, s);
  }
  for (; x < end; x += CHUNK, e += step) {
    storeExp<T>(e, x, negMax, low, log2e, magic, ln2High, ln2Low, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11);
    let e0 = v128.load(e), e1 = v128.load(e, 16), e2 = v128.load(e, 32), e3 = v128.load(e, 48);
    if (others) {
      const t0 = v128.eq<T>(e0, top), t1 = v128.eq<T>(e1, top), t2 = v128.eq<T>(e2, top), t3 = v128.eq<T>(e3, top);
      tops = countTrue<T>(tops, t0, t1, t2, t3);
      e0 = v128.andnot(e0, t0), e1 = v128.andnot(e1, t1), e2 = v128.andnot(e2, t2), e3 = v128.andnot(e3, t3);
    }
    const s = tree<T>(e0, e1, e2, e3);
    sumH = sumHigh<T>(sumH, sumL, s), sumL = sumLow<T>(sumL, s);
  }
  if (rest && step) copyChunk(e + rest - CHUNK, TAIL);

  storeSum<T>(sum, sumL, sumH, 1 / expOfZero<T>(), wide);
  if (others) {
    // Every occurrence of the maximum but one.
    storeCount<T>(TOPS, tops, wide);
    const one = f64x2.splat(1);
    v128.store(sum, f64x2.add(v128.load(sum), f64x2.sub(v128.load(TOPS), one)));
    v128.store(sum, f64x2.add(v128.load(sum, 16), f64x2.sub(v128.load(TOPS, 16), one)), 16);
  }
}

/** Adds the true lanes of four masks; a true lane is the integer −1. */
// @ts-ignore: decorator
@inline
export function countTrue<T>(count: v128, a: v128, b: v128, c: v128, d: v128): v128 {
  if (sizeof<T>() == 4) return i32x4.sub(count, i32x4.add(i32x4.add(a, b), i32x4.add(c, d)));
  return i64x2.sub(count, i64x2.add(i64x2.add(a, b), i64x2.add(c, d)));
}

/** Stores such a count as one f64 per row. */
export function storeCount<T>(to: usize, count: v128, wide: bool): void {
  // An integer below 2^23 (2^52) put into the low bits of 2^23 (2^52) is that number plus the power of two.
  if (sizeof<T>() == 4) {
    const base = f32x4.splat(8388608);
    const value = f32x4.sub(v128.or(count, base), base);
    storeSum<T>(to, f64x2.promote_low_f32x4(value), f64x2.promote_low_f32x4(i32x4.shuffle(value, value, 2, 3, 0, 1)), 1, wide);
  } else {
    const base = f64x2.splat(4503599627370496);
    storeSum<T>(to, f64x2.sub(v128.or(count, base), base), f64x2.splat(0), 1, wide);
  }
}

/** e = 2^BIAS · e^((x − max) / T) and sum = Σ e / 2^BIAS. */
export function tileStoreExp<T>(sum: usize, e: usize, x: usize, bytes: usize, wide: bool, max: v128, table: usize): void {
  storeExpAndSum<T>(sum, e, CHUNK, x, bytes, wide, max, table, false);
}

/** The same, with one occurrence of the maximum left out of the sum; e is kept where `step` is CHUNK. */
export function tileStoreExpOthers<T>(sum: usize, e: usize, step: usize, x: usize, bytes: usize, wide: bool, max: v128, table: usize): void {
  storeExpAndSum<T>(sum, e, step, x, bytes, wide, max, table, true);
}

/** y ← y · factor, in place. */
export function tileScale<T>(y: usize, bytes: usize, factor: v128): void {
  const rest = restOf(bytes);
  const end = y + bytes - rest;
  if (rest) scaleChunk<T>(TAIL, y + bytes - CHUNK, factor);
  for (; y < end; y += CHUNK) scaleChunk<T>(y, y, factor);
  if (rest) copyChunk(y + rest - CHUNK, TAIL);
}

// @ts-ignore: decorator
@inline
function scaleChunk<T>(y: usize, x: usize, factor: v128): void {
  v128.store(y, v128.mul<T>(v128.load(x), factor));
  v128.store(y, v128.mul<T>(v128.load(x, 16), factor), 16);
  v128.store(y, v128.mul<T>(v128.load(x, 32), factor), 32);
  v128.store(y, v128.mul<T>(v128.load(x, 48), factor), 48);
}

/** y = (x − max) · factor − logSum. */
export function tileShift<T>(y: usize, x: usize, bytes: usize, max: v128, factor: v128, logSum: v128): void {
  const rest = restOf(bytes);
  const end = x + bytes - rest;
  if (rest) shiftChunk<T>(TAIL, x + bytes - CHUNK, max, factor, logSum);
  for (; x < end; x += CHUNK, y += CHUNK) shiftChunk<T>(y, x, max, factor, logSum);
  if (rest) copyChunk(y + rest - CHUNK, TAIL);
}

// @ts-ignore: decorator
@inline
function shiftChunk<T>(y: usize, x: usize, max: v128, factor: v128, logSum: v128): void {
  v128.store(y, v128.sub<T>(v128.mul<T>(v128.sub<T>(v128.load(x), max), factor), logSum));
  v128.store(y, v128.sub<T>(v128.mul<T>(v128.sub<T>(v128.load(x, 16), max), factor), logSum), 16);
  v128.store(y, v128.sub<T>(v128.mul<T>(v128.sub<T>(v128.load(x, 32), max), factor), logSum), 32);
  v128.store(y, v128.sub<T>(v128.mul<T>(v128.sub<T>(v128.load(x, 48), max), factor), logSum), 48);
}

/** sum = Σ x·y. */
export function tileDot<T>(sum: usize, x: usize, y: usize, bytes: usize, wide: bool): void {
  const rest = restOf(bytes);
  const end = x + bytes - rest;
  let sumL = f64x2.splat(0), sumH = sumL;
  if (rest) {
    const a = x + bytes - CHUNK, b = y + bytes - CHUNK, mask = MASK + rest;
    const s = tree<T>(
      v128.and(v128.mul<T>(v128.load(a), v128.load(b)), v128.load(mask)),
      v128.and(v128.mul<T>(v128.load(a, 16), v128.load(b, 16)), v128.load(mask, 16)),
      v128.and(v128.mul<T>(v128.load(a, 32), v128.load(b, 32)), v128.load(mask, 32)),
      v128.and(v128.mul<T>(v128.load(a, 48), v128.load(b, 48)), v128.load(mask, 48)),
    );
    sumH = sumHigh<T>(sumH, sumL, s), sumL = sumLow<T>(sumL, s);
  }
  for (; x < end; x += CHUNK, y += CHUNK) {
    const s = tree<T>(
      v128.mul<T>(v128.load(x), v128.load(y)),
      v128.mul<T>(v128.load(x, 16), v128.load(y, 16)),
      v128.mul<T>(v128.load(x, 32), v128.load(y, 32)),
      v128.mul<T>(v128.load(x, 48), v128.load(y, 48)),
    );
    sumH = sumHigh<T>(sumH, sumL, s), sumL = sumLow<T>(sumL, s);
  }
  storeSum<T>(sum, sumL, sumH, 1, wide);
}

/** sum = Σ x. */
export function tileSum<T>(sum: usize, x: usize, bytes: usize, wide: bool): void {
  const rest = restOf(bytes);
  const end = x + bytes - rest;
  let sumL = f64x2.splat(0), sumH = sumL;
  if (rest) {
    const a = x + bytes - CHUNK, mask = MASK + rest;
    const s = tree<T>(
      v128.and(v128.load(a), v128.load(mask)),
      v128.and(v128.load(a, 16), v128.load(mask, 16)),
      v128.and(v128.load(a, 32), v128.load(mask, 32)),
      v128.and(v128.load(a, 48), v128.load(mask, 48)),
    );
    sumH = sumHigh<T>(sumH, sumL, s), sumL = sumLow<T>(sumL, s);
  }
  for (; x < end; x += CHUNK) {
    const s = tree<T>(v128.load(x), v128.load(x, 16), v128.load(x, 32), v128.load(x, 48));
    sumH = sumHigh<T>(sumH, sumL, s), sumL = sumLow<T>(sumL, s);
  }
  storeSum<T>(sum, sumL, sumH, 1, wide);
}

/** dx = y · (dy − dot). */
export function tileTimesCentered<T>(dx: usize, y: usize, dy: usize, bytes: usize, dot: v128): void {
  const rest = restOf(bytes);
  const end = y + bytes - rest;
  if (rest) timesCenteredChunk<T>(TAIL, y + bytes - CHUNK, dy + bytes - CHUNK, dot);
  for (; y < end; dx += CHUNK, y += CHUNK, dy += CHUNK) timesCenteredChunk<T>(dx, y, dy, dot);
  if (rest) copyChunk(dx + rest - CHUNK, TAIL);
}

// @ts-ignore: decorator
@inline
function timesCenteredChunk<T>(dx: usize, y: usize, dy: usize, dot: v128): void {
  v128.store(dx, v128.mul<T>(v128.load(y), v128.sub<T>(v128.load(dy), dot)));
  v128.store(dx, v128.mul<T>(v128.load(y, 16), v128.sub<T>(v128.load(dy, 16), dot)), 16);
  v128.store(dx, v128.mul<T>(v128.load(y, 32), v128.sub<T>(v128.load(dy, 32), dot)), 32);
  v128.store(dx, v128.mul<T>(v128.load(y, 48), v128.sub<T>(v128.load(dy, 48), dot)), 48);
}

/** dx = dy − e^y · factor, for y ≤ 0; `factor` includes 2^−BIAS. */
export function tileMinusExp<T>(dx: usize, y: usize, dy: usize, bytes: usize, factor: v128, table: usize): void {
  const low = constant<T>(table, 0), log2e = constant<T>(table, 1), magic = constant<T>(table, 2);
  const ln2High = constant<T>(table, 3), ln2Low = constant<T>(table, 4);
  const c1 = constant<T>(table, 5), c2 = constant<T>(table, 6), c3 = constant<T>(table, 7), c4 = constant<T>(table, 8);
  const c5 = constant<T>(table, 9), c6 = constant<T>(table, 10), c7 = constant<T>(table, 11), c8 = constant<T>(table, 12);
  const c9 = constant<T>(table, 13), c10 = constant<T>(table, 14), c11 = constant<T>(table, 15);
  const zero = v128.splat<T>(0);
  const rest = restOf(bytes);
  const end = y + bytes - rest;
  if (rest) {
    storeExp<T>(SINK, y + bytes - CHUNK, zero, low, log2e, magic, ln2High, ln2Low, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11);
    minusScaledChunk<T>(TAIL, SINK, dy + bytes - CHUNK, factor);
  }
  for (; y < end; dx += CHUNK, y += CHUNK, dy += CHUNK) {
    storeExp<T>(SINK, y, zero, low, log2e, magic, ln2High, ln2Low, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11);
    minusScaledChunk<T>(dx, SINK, dy, factor);
  }
  if (rest) copyChunk(dx + rest - CHUNK, TAIL);
}

// @ts-ignore: decorator
@inline
function minusScaledChunk<T>(dx: usize, e: usize, dy: usize, factor: v128): void {
  v128.store(dx, v128.sub<T>(v128.load(dy), v128.mul<T>(v128.load(e), factor)));
  v128.store(dx, v128.sub<T>(v128.load(dy, 16), v128.mul<T>(v128.load(e, 16), factor)), 16);
  v128.store(dx, v128.sub<T>(v128.load(dy, 32), v128.mul<T>(v128.load(e, 32), factor)), 32);
  v128.store(dx, v128.sub<T>(v128.load(dy, 48), v128.mul<T>(v128.load(e, 48), factor)), 48);
}
