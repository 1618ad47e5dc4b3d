// The vector vocabulary: what AssemblyScript's generic v128.* builtins do not name, for T = f32 (four lanes) or f64 (two).

/** Bytes of a vector, and of a chunk: the four vectors that every loop body handles, so that four operations are in flight. */
export const VECTOR: usize = 16;
export const CHUNK: usize = 64;

export function lanes<T>(): i32 {
  return <i32>VECTOR / sizeof<T>();
}

/** a·b + c; one rounding in the relaxed build where the processor can, two everywhere else. */
export function mulAdd<T>(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_madd<T>(a, b, c);
  return v128.add<T>(v128.mul<T>(a, b), c);
}

/** Two f64 as a vector. */
export function pair(a: f64, b: f64): v128 {
  return f64x2.replace_lane(f64x2.splat(a), 1, b);
}

// In memory: see exp.ts. Zeros are as many as the widest reader takes: a vector for each tile of a panel.
export const ZEROS = memory.data(256, 16);
export const F32_ONE = memory.data<f32>([1]);
export const F64_ONE = memory.data<f64>([1]);

/** 1 in all lanes. */
export function one<T>(): v128 {
  return v128.load_splat<T>(sizeof<T>() == 4 ? F32_ONE : F64_ONE);
}

/** x > bound, as integers: a NaN goes by its sign. The units that compare numbers are busy: saves 14 % of a hinge (f32, C = 1000, Node 24). */
export function exceeds<T>(x: v128, bound: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.gt_s(x, bound) : i64x2.gt_s(x, bound);
}

// A running sum that does not lose small terms, whatever their number: two vectors, `low` and `high`. Update `high` first, since it needs the old `low`.
//
//   f32      lanes 0 and 1 are added up in `low`, lanes 2 and 3 in `high`, in double precision
//   f64      `low` is the plain sum, `high` the sum of its rounding errors (Knuth's TwoSum; Neumaier's variant of Kahan's method)
//   alone    all lanes belong to one row and are added one after the other, in lane 0 of `low` and `high`; lane 1 is ignored
//
//   add…     one vector, often the sum of four in a tree, where all terms have one sign
//   all…     four vectors, one by one: for terms of both signs, or where the roundings of a tree are too many
//   dot…     the products of two chunks in memory, not alone; those of f32 are exact

export function addHigh<T>(high: v128, low: v128, x: v128, alone: bool): v128 {
  if (sizeof<T>() == 4) return alone ? high : f64x2.add(high, promoteHigh(x));
  const sum = f64x2.add(low, x);
  high = f64x2.add(high, lostBy(low, x, sum));
  return alone ? f64x2.add(high, lostBy(sum, swapLanes(x), addLanes(low, x))) : high;
}

export function addLow<T>(low: v128, x: v128, alone: bool): v128 {
  if (sizeof<T>() == 8) return alone ? addLanes(low, x) : f64x2.add(low, x);
  return alone ? addLanes(addLanes(low, promoteLow(x)), promoteHigh(x)) : f64x2.add(low, promoteLow(x));
}

// @ts-ignore: decorator
@inline
export function allHigh<T>(high: v128, low: v128, a: v128, b: v128, c: v128, d: v128, alone: bool): v128 {
  if (sizeof<T>() == 4) return alone ? high : f64x2.add(high, tree<f64>(promoteHigh(a), promoteHigh(b), promoteHigh(c), promoteHigh(d)));
  high = eachHigh(high, low, a, b, c, d);
  return alone ? eachHigh(high, eachLow(low, a, b, c, d), swapLanes(a), swapLanes(b), swapLanes(c), swapLanes(d)) : high;
}

export function allLow<T>(low: v128, a: v128, b: v128, c: v128, d: v128, alone: bool): v128 {
  if (sizeof<T>() == 4) {
    const sum = tree<f64>(promoteLow(a), promoteLow(b), promoteLow(c), promoteLow(d));
    if (!alone) return f64x2.add(low, sum);
    return addLanes(addLanes(low, sum), tree<f64>(promoteHigh(a), promoteHigh(b), promoteHigh(c), promoteHigh(d)));
  }
  low = eachLow(low, a, b, c, d);
  return alone ? eachLow(low, swapLanes(a), swapLanes(b), swapLanes(c), swapLanes(d)) : low;
}

function eachHigh(high: v128, low: v128, a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f64x2.add(low, a), abc = f64x2.add(ab, b), abcd = f64x2.add(abc, c);
  high = f64x2.add(f64x2.add(high, lostBy(low, a, ab)), lostBy(ab, b, abc));
  return f64x2.add(f64x2.add(high, lostBy(abc, c, abcd)), lostBy(abcd, d, f64x2.add(abcd, d)));
}

function eachLow(low: v128, a: v128, b: v128, c: v128, d: v128): v128 {
  return f64x2.add(f64x2.add(f64x2.add(f64x2.add(low, a), b), c), d);
}

export function dotHigh<T>(high: v128, low: v128, x: usize, y: usize): v128 {
  if (sizeof<T>() == 4) return f64x2.add(high, products(x + 8, y + 8));
  return eachHigh(high, low, product(x, y), product(x + 16, y + 16), product(x + 32, y + 32), product(x + 48, y + 48));
}

export function dotLow<T>(low: v128, x: usize, y: usize): v128 {
  if (sizeof<T>() == 4) return f64x2.add(low, products(x, y));
  return eachLow(low, product(x, y), product(x + 16, y + 16), product(x + 32, y + 32), product(x + 48, y + 48));
}

function product(x: usize, y: usize): v128 {
  return f64x2.mul(v128.load(x), v128.load(y));
}

/** Two f32 of each of four vectors. */
function products(x: usize, y: usize): v128 {
  return tree<f64>(exact(x, y), exact(x + 16, y + 16), exact(x + 32, y + 32), exact(x + 48, y + 48));
}

function exact(x: usize, y: usize): v128 {
  return f64x2.mul(promoteLow(v128.load64_zero(x)), promoteLow(v128.load64_zero(y)));
}

/** (a + b) + (c + d) */
export function tree<T>(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.add<T>(v128.add<T>(a, b), v128.add<T>(c, d));
}

/** The rounding error of sum = a + b (Knuth's TwoSum). */
export function lostBy(a: v128, b: v128, sum: v128): v128 {
  const added = f64x2.sub(sum, a);
  return f64x2.add(f64x2.sub(a, f64x2.sub(sum, added)), f64x2.sub(b, added));
}

/** The two f64 lanes of x, one after the other. */
function addLanes(sum: v128, x: v128): v128 {
  return f64x2.add(f64x2.add(sum, x), swapLanes(x));
}

/** The two f64 lanes, exchanged. */
function swapLanes(x: v128): v128 {
  return i64x2.shuffle(x, x, 1, 0);
}

/** Lanes 0 and 1 of a vector of f32, as f64; and 2 and 3. */
function promoteLow(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

function promoteHigh(x: v128): v128 {
  return f64x2.promote_low_f32x4(i32x4.shuffle(x, x, 2, 3, 0, 1));
}

/**
 * Stores a running sum times `scale`: one f64 per lane, or, where the lanes belong to one row (`fold`), their total in the first. Returns the last rounding
 * error of an f64 sum, before scaling; 0 for f32.
 */
export function storeSum<T>(to: usize, low: v128, high: v128, scale: f64, fold: bool): v128 {
  if (sizeof<T>() == 4 && fold) low = f64x2.add(low, high);
  if (fold) {
    // The rounding errors come last, so that the whole sum is rounded only once.
    const other = swapLanes(low);
    if (sizeof<T>() == 8) high = f64x2.add(f64x2.add(high, swapLanes(high)), lostBy(low, other, f64x2.add(low, other)));
    low = f64x2.add(low, other);
  }
  let lost = f64x2.splat(0);
  if (sizeof<T>() == 8) {
    // The rounding error of an infinite sum is NaN: left out.
    const sum = f64x2.add(low, v128.and(high, f64x2.eq(high, high)));
    lost = f64x2.add(f64x2.sub(low, sum), high);
    low = sum;
  }
  if (scale != 1) {
    low = f64x2.mul(low, f64x2.splat(scale));
    if (sizeof<T>() == 4) high = f64x2.mul(high, f64x2.splat(scale));
  }
  v128.store(to, low);
  if (sizeof<T>() == 4) v128.store(to, high, 16);
  return lost;
}

/** One f64 per lane, rounded to a vector of T; `oneRow`: the first one in all lanes. */
export function loadLanes<T>(from: usize, oneRow: bool): v128 {
  if (oneRow) return v128.splat<T>(<T>load<f64>(from));
  if (sizeof<T>() == 8) return v128.load(from);
  const low = f32x4.demote_f64x2_zero(v128.load(from));
  return i64x2.shuffle(low, f32x4.demote_f64x2_zero(v128.load(from, 16)), 0, 2);
}

/** A vector of T as one f64 per lane. */
export function storeLanes<T>(to: usize, x: v128): void {
  if (sizeof<T>() == 8) {
    v128.store(to, x);
    return;
  }
  v128.store(to, f64x2.promote_low_f32x4(x));
  v128.store(to, promoteHigh(x), 16);
}

/** The largest lane in all lanes. */
export function foldMax<T>(x: v128): v128 {
  x = v128.pmax<T>(x, i64x2.shuffle(x, x, 1, 0));
  return sizeof<T>() == 8 ? x : v128.pmax<T>(x, i32x4.shuffle(x, x, 1, 0, 3, 2));
}

/** Two f64 of an array of which n are left, one or more. */
export function loadPair(at: usize, n: i32): v128 {
  return n > 1 ? v128.load(at) : v128.load64_zero(at);
}

export function storePair(at: usize, pair: v128, n: i32): void {
  if (n > 1) v128.store(at, pair);
  else v128.store64_lane(at, pair, 0);
}

/** Transposes a square of `lanes` vectors; `scaled`: each vector that is read times f. */
// @ts-ignore: decorator
@inline
export function transpose<T>(to: usize, toStride: usize, from: usize, fromStride: usize, f: v128 = f64x2.splat(0), scaled: bool = false): void {
  let a = v128.load(from), b = v128.load(from + fromStride);
  if (scaled) a = v128.mul<T>(a, f), b = v128.mul<T>(b, f);
  if (sizeof<T>() == 8) {
    v128.store(to, i64x2.shuffle(a, b, 0, 2));
    v128.store(to + toStride, i64x2.shuffle(a, b, 1, 3));
    return;
  }
  let c = v128.load(from + 2 * fromStride), d = v128.load(from + 3 * fromStride);
  if (scaled) c = v128.mul<T>(c, f), d = v128.mul<T>(d, f);
  const abLow = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const abHigh = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const cdLow = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const cdHigh = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(to, i64x2.shuffle(abLow, cdLow, 0, 2));
  v128.store(to + toStride, i64x2.shuffle(abLow, cdLow, 1, 3));
  v128.store(to + 2 * toStride, i64x2.shuffle(abHigh, cdHigh, 0, 2));
  v128.store(to + 3 * toStride, i64x2.shuffle(abHigh, cdHigh, 1, 3));
}
