// Choosing among the classes of a row without sorting it. Whatever the logits are, it takes some passes, four vectors at a time.
//
//   list         n logits, one after the other, and their classes (ids), ascending; a whole row is a list without ids
//   floorOfTop   a floor that at least k logits are above
//   collect      lists the logits above a floor
//   cut          the logit at which the weights, added from the largest logit on, reach a target
//   keep         removes from a list what is below a cut
//   sort         the positions in a list, largest first
//
// The order: NaN first, then by value, equal ones by class.

import { findInRow } from "./panel";
import { CHUNK, addHigh, addLow, foldMax, lanes, one, storeSum } from "./simd";

/** A list of more than 4·k + ENOUGH entries is cut to k. */
const ENOUGH = 512;
/** Entries that are sorted by insertion. */
const RUN = 16;
/** Up to so many values are neither sampled nor gathered: every round of a cut reads them all. */
const FEW = 4096;
/** The chunks of a sample, which tells about where the cut is. */
const SOME: usize = 128;

// In memory: see exp.ts.
const F32_NUMBERS = memory.data<f32>([-Infinity, Infinity]);
const F64_NUMBERS = memory.data<f64>([-Infinity, Infinity]);
const SUM = memory.data(32, 16);
// What `weigh` has found: the largest value that is not above, the least that is.
const NOT_ABOVE = memory.data(8);
const LEAST_ABOVE = memory.data(8);
// The weight of what is above a cut.
const ABOVE_CUT = memory.data(8);

/** a before b */
function isAbove<T>(a: T, b: T): bool {
  return !(a <= b) && b == b;
}

function valueAt<T>(values: usize, i: i32): T {
  return load<T>(values + <usize>i * sizeof<T>());
}

function entry(at: usize, i: i32): i32 {
  return load<i32>(at + (<usize>i << 2));
}

function put(at: usize, i: i32, value: i32): void {
  store<i32>(at + (<usize>i << 2), value);
}

/** A number as an unsigned integer of the same order. −0 is 0, NaN is next to Infinity. */
function key<T>(x: T): u64 {
  if (isNaN<T>(x)) return sizeof<T>() == 4 ? 0xff800001 : 0xfff0000000000001;
  if (sizeof<T>() == 4) {
    const bits = reinterpret<i32>(<f32>x + 0);
    return <u32>(bits ^ ((bits >> 31) | i32.MIN_VALUE));
  }
  const bits = reinterpret<i64>(<f64>x + 0);
  return bits ^ ((bits >> 63) | i64.MIN_VALUE);
}

/** The number with a key. Beyond ±Infinity it is NaN. */
function keyed<T>(key: u64): T {
  if (sizeof<T>() == 4) return <T>reinterpret<f32>(<i32>key ^ (~(<i32>key >> 31) | i32.MIN_VALUE));
  return <T>reinterpret<f64>(key ^ (~(<i64>key >> 63) | i64.MIN_VALUE));
}

/** The largest number below x. Below −Infinity it is NaN: everything is above that, as nothing is ≤ NaN. */
export function below<T>(x: T): T {
  return keyed<T>(key<T>(x) - (x == 0 ? 2 : 1));
}

/** A floor that at least k of n logits are above: just below the least of the maxima of k parts or a few more; NaN if there is none. */
export function floorOfTop<T>(x: usize, n: i32, k: i32): T {
  if (k <= 2 * lanes<T>()) return floorOfFew<T>(x, n, k);
  const perBlock = 2 * lanes<T>(), blocks = <usize>((k - 1) / perBlock + 1), end = x + (<usize>n * sizeof<T>() & ~(CHUNK - 1));
  if (x + blocks * CHUNK > end) return <T>NaN;
  let least = v128.splat<T>(Infinity);
  // The chunks of a block are far apart, so that sorted logits are no worse than others.
  for (let b: usize = 0; b < blocks; b++) {
    let low = v128.splat<T>(-Infinity), high = low;
    for (let at = x + b * CHUNK; at < end; at += blocks * CHUNK) {
      low = v128.pmax<T>(low, v128.pmax<T>(v128.load(at), v128.load(at, 16)));
      high = v128.pmax<T>(high, v128.pmax<T>(v128.load(at, 32), v128.load(at, 48)));
    }
    least = v128.pmin<T>(least, v128.pmin<T>(low, high));
  }
  return below<T>(leastLane<T>(least));
}

/** The same if k is small: just below the k-th largest of the maxima of twice as many parts. */
function floorOfFew<T>(x: usize, n: i32, k: i32): T {
  const lowest = v128.load_splat<T>(sizeof<T>() == 4 ? F32_NUMBERS : F64_NUMBERS);
  let a = lowest, b = lowest, c = lowest, d = lowest, top: T = <T>-Infinity;
  for (const end = x + (<usize>n * sizeof<T>() & ~(CHUNK - 1)); x < end; x += CHUNK) {
    a = v128.pmax<T>(a, v128.load(x));
    b = v128.pmax<T>(b, v128.load(x, 16));
    c = v128.pmax<T>(c, v128.load(x, 32));
    d = v128.pmax<T>(d, v128.load(x, 48));
  }
  for (; k > 0; k--) {
    const most = foldMax<T>(v128.pmax<T>(v128.pmax<T>(a, b), v128.pmax<T>(c, d))), value = v128.extract_lane<T>(most, 0);
    // Equal maxima go together, so there may be fewer than k; and parts may hold only −Infinity. Then there is no floor.
    if (value == <T>-Infinity) return <T>NaN;
    top = value;
    a = v128.bitselect(lowest, a, v128.eq<T>(a, most)), b = v128.bitselect(lowest, b, v128.eq<T>(b, most));
    c = v128.bitselect(lowest, c, v128.eq<T>(c, most)), d = v128.bitselect(lowest, d, v128.eq<T>(d, most));
  }
  return below<T>(top);
}

function leastLane<T>(x: v128): T {
  x = v128.pmin<T>(x, i64x2.shuffle(x, x, 1, 0));
  if (sizeof<T>() == 4) x = v128.pmin<T>(x, i32x4.shuffle(x, x, 1, 0, 3, 2));
  return v128.extract_lane<T>(x, 0);
}

/**
 * values, ids = a list of the logits of a row that are above the floor: all of them or, if k > 0, at least the k largest. Returns its length, or −1 if that
 * is more than `capacity`.
 */
export function collect<T>(values: usize, ids: usize, x: usize, n: i32, floor: T, k: i32, capacity: i32): i32 {
  const perChunk = 4 * lanes<T>(), room = k > 0 ? min(4 * k + ENOUGH, capacity) : capacity;
  let f = v128.splat<T>(floor), under = floor, count = 0, i = 0;
  for (; i + perChunk <= n; i += perChunk) {
    const at = x + <usize>i * sizeof<T>();
    const a = v128.le<T>(v128.load(at), f), b = v128.le<T>(v128.load(at, 16), f);
    const c = v128.le<T>(v128.load(at, 32), f), d = v128.le<T>(v128.load(at, 48), f);
    if (i32x4.all_true(v128.and(v128.and(a, b), v128.and(c, d)))) continue;
    if (count + perChunk > room && (i + 2 * perChunk <= n || count + n - i > capacity)) {
      // Too many are above the floor: the k-th of them is the new one. The list keeps it, and its equals, so the list is only above `under`.
      if (k == 0 || k + perChunk > room) return -1;
      floor = cut<T>(values, 0, count, k, count, under, <T>NaN, 0, 0, 0);
      count = keep<T>(values, ids, count, k, floor);
      f = v128.splat<T>(floor), under = below<T>(floor);
    }
    for (let above = ~masks<T>(a, b, c, d) & ((1 << perChunk) - 1); above; above &= above - 1) {
      const j = i + ctz(above);
      store<T>(values + <usize>count * sizeof<T>(), valueAt<T>(x, j));
      put(ids, count++, j);
    }
  }
  for (; i < n; i++) {
    if (valueAt<T>(x, i) <= floor) continue;
    if (count == capacity) return -1;
    store<T>(values + <usize>count * sizeof<T>(), valueAt<T>(x, i));
    put(ids, count++, i);
  }
  return count;
}

/** The lanes of four masks as bits. */
function masks<T>(a: v128, b: v128, c: v128, d: v128): i32 {
  if (sizeof<T>() == 8) return i64x2.bitmask(a) | (i64x2.bitmask(b) << 2) | (i64x2.bitmask(c) << 4) | (i64x2.bitmask(d) << 6);
  return i32x4.bitmask(a) | (i32x4.bitmask(b) << 4) | (i32x4.bitmask(c) << 8) | (i32x4.bitmask(d) << 12);
}

/**
 * The one of n values at which the weights, added from the largest value on, reach the target. `weights` sum to `total`; without, each is 1. The values
 * above `floor` weigh at least the target, and none is above `top`. `spare`, `spareWeights`: room for `room` values each.
 *
 * A bisection: the values above `high` weigh less than the target, those above `low` do not. Each round weighs the values above a guess: first the cut of a
 * sample, if there are many values; then where the cut would be if the weight were spread evenly, a little to one side or the other; every fourth time,
 * so that there is an end, the middle of the keys. Once there is room for the values between low and high, only they are read.
 */
export function cut<T>(
  x: usize, weights: usize, n: i32, target: f64, total: f64, floor: T, top: T, spare: usize, spareWeights: usize, room: i32,
): T {
  let low = isNaN<T>(floor) ? key<T>(-Infinity) - 1 : key<T>(floor), high = key<T>(top), aboveLow = total, aboveHigh: f64 = 0, apart: f64 = 0;
  let some = 0, weightOfSome: f64 = 0;
  if (n > FEW && room > 0) {
    some = pick<T>(spare, spareWeights, x, weights, n);
    weightOfSome = weights ? weigh<T>(spare, spareWeights, some, <T>NaN) : <f64>some;
  }
  for (let round = 1; high > low + 1; round++) {
    if (n > FEW && room > 0 && round % 3 == 0) {
      const between = gather<T>(spare, spareWeights, x, weights, n, keyed<T>(low), keyed<T>(high), room);
      if (between >= 0) x = spare, weights = weights ? spareWeights : 0, n = between, apart = aboveHigh;
    }
    let middle = low + (high - low) / 2;
    if (round & 3) {
      const aside = round & 1 ? 0.03 : -0.03, from = <f64>keyed<T>(high), share = (target - aboveHigh) / (aboveLow - aboveHigh) + aside;
      // Counted from below: a sample tells more about the many small weights there than about the few large ones above the cut.
      const guess = key<T>(some && round <= 2
        ? cut<T>(spare, weights ? spareWeights : 0, some, weightOfSome - (total - target - aside * total) * some / n, weightOfSome, <T>NaN, <T>NaN, 0, 0, 0)
        : <T>(from - (from - <f64>keyed<T>(low)) * share));
      if (guess > low && guess < high) middle = guess;
    }
    const above = apart + weigh<T>(x, weights, n, keyed<T>(middle));
    if (above < target) {
      aboveHigh = above;
      high = max(low + 1, min(middle, key<T>(load<T>(NOT_ABOVE))));
    } else {
      aboveLow = above;
      low = max(middle, key<T>(load<T>(LEAST_ABOVE)) - 1);
    }
  }
  store<f64>(ABOVE_CUT, aboveHigh);
  return keyed<T>(high);
}

/** A sample: chunks of n values, with their weights, evenly apart. Returns how many values. */
function pick<T>(values: usize, valueWeights: usize, x: usize, weights: usize, n: i32): i32 {
  const step = <usize>(<usize>n * sizeof<T>() / CHUNK / SOME) * CHUNK;
  for (let i: usize = 0; i < SOME * CHUNK; i += CHUNK, x += step, weights += step) {
    memory.copy(values + i, x, CHUNK);
    if (valueWeights) memory.copy(valueWeights + i, weights, CHUNK);
  }
  return <i32>(SOME * CHUNK / sizeof<T>());
}

/** Gathers those of n values, with their weights, that are above low and not above high. Returns how many, or −1 if there is no room for them. */
function gather<T>(values: usize, valueWeights: usize, x: usize, weights: usize, n: i32, low: T, high: T, room: i32): i32 {
  const perChunk = 4 * lanes<T>(), l = v128.splat<T>(low), h = v128.splat<T>(high);
  let count = 0, i = 0;
  for (; i + perChunk <= n; i += perChunk) {
    const at = x + <usize>i * sizeof<T>();
    const a = between<T>(at, l, h), b = between<T>(at + 16, l, h), c = between<T>(at + 32, l, h), d = between<T>(at + 48, l, h);
    if (count + perChunk > room) return -1;
    for (let those = masks<T>(a, b, c, d); those; those &= those - 1) {
      copyEntry<T>(values, valueWeights, count++, x, weights, i + ctz(those));
    }
  }
  for (; i < n; i++) {
    const value = valueAt<T>(x, i);
    if (value <= low || !(value <= high)) continue;
    if (count == room) return -1;
    copyEntry<T>(values, valueWeights, count++, x, weights, i);
  }
  return count;
}

function copyEntry<T>(values: usize, valueWeights: usize, to: i32, x: usize, weights: usize, i: i32): void {
  store<T>(values + <usize>to * sizeof<T>(), valueAt<T>(x, i));
  if (weights) store<T>(valueWeights + <usize>to * sizeof<T>(), valueAt<T>(weights, i));
}

function between<T>(x: usize, low: v128, high: v128): v128 {
  const value = v128.load(x);
  return v128.andnot(v128.le<T>(value, high), v128.le<T>(value, low));
}

/** The weight of the values above the floor; of all, if it is NaN. Stores NOT_ABOVE and LEAST_ABOVE. */
export function weigh<T>(x: usize, weights: usize, n: i32, floor: T): f64 {
  const numbers = sizeof<T>() == 4 ? F32_NUMBERS : F64_NUMBERS, ones = one<T>();
  const f = v128.splat<T>(floor), lowest = v128.load_splat<T>(numbers), highest = v128.load_splat<T>(numbers + sizeof<T>()), perChunk = 4 * lanes<T>();
  let low = f64x2.splat(0), high = low, notAbove = lowest, leastA = highest, leastB = highest, i = 0;
  for (let w = weights; i + perChunk <= n; i += perChunk, x += CHUNK, w += CHUNK) {
    const x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
    const p0 = v128.le<T>(x0, f), p1 = v128.le<T>(x1, f), p2 = v128.le<T>(x2, f), p3 = v128.le<T>(x3, f);
    let w0 = ones, w1 = w0, w2 = w0, w3 = w0;
    if (weights) w0 = v128.load(w), w1 = v128.load(w, 16), w2 = v128.load(w, 32), w3 = v128.load(w, 48);
    const a = v128.add<T>(v128.andnot(w0, p0), v128.andnot(w1, p1)), b = v128.add<T>(v128.andnot(w2, p2), v128.andnot(w3, p3));
    const s = v128.add<T>(a, b);
    high = addHigh<T>(high, low, s, false), low = addLow<T>(low, s, false);
    notAbove = v128.pmax<T>(notAbove, v128.pmax<T>(
      v128.pmax<T>(v128.bitselect(x0, lowest, p0), v128.bitselect(x1, lowest, p1)),
      v128.pmax<T>(v128.bitselect(x2, lowest, p2), v128.bitselect(x3, lowest, p3)),
    ));
    // One after the other: pmin drops a NaN that comes second.
    leastA = v128.pmin<T>(v128.pmin<T>(leastA, v128.bitselect(highest, x0, p0)), v128.bitselect(highest, x1, p1));
    leastB = v128.pmin<T>(v128.pmin<T>(leastB, v128.bitselect(highest, x2, p2)), v128.bitselect(highest, x3, p3));
  }
  storeSum<T>(SUM, low, high, 1, true);
  let sum = load<f64>(SUM), most = -leastLane<T>(v128.neg<T>(notAbove)), least = leastLane<T>(v128.pmin<T>(leastA, leastB));
  for (; i < n; i++, x += sizeof<T>()) {
    const value = load<T>(x);
    if (value <= floor) {
      if (value > most) most = value;
      continue;
    }
    sum += weights ? <f64>valueAt<T>(weights, i) : 1;
    if (value < least) least = value;
  }
  store<T>(NOT_ABOVE, most);
  store<T>(LEAST_ABOVE, least);
  return sum;
}

/** Removes all but the k largest from a list, whose k-th `cut` has just found. Returns how many are left. */
export function keep<T>(values: usize, ids: usize, n: i32, k: i32, cut: T): i32 {
  let ties = k - <i32>load<f64>(ABOVE_CUT), kept = 0;
  for (let i = 0; i < n; i++) {
    const value = valueAt<T>(values, i);
    if (isAbove<T>(cut, value) || (!isAbove<T>(value, cut) && --ties < 0)) continue;
    store<T>(values + <usize>kept * sizeof<T>(), value);
    put(ids, kept++, entry(ids, i));
  }
  return kept;
}

/** The same by weight: the weights of the values that go become 0. `counted`: the target is a number of values. */
export function restrict<T>(weights: usize, x: usize, n: i32, target: f64, cut: T, counted: bool): void {
  const perChunk = 4 * lanes<T>(), missing = target - load<f64>(ABOVE_CUT), first = missing > 0 ? findInRow<T>(x, n, cut) : n;
  // Values at the cut have equal weights; so many of them stay.
  let ties = first == n ? 0 : <i32>(counted ? missing : ceil<f64>(missing / <f64>valueAt<T>(weights, first)));
  for (let i = 0; i < n; i += perChunk, x += CHUNK, weights += CHUNK) {
    const isWhole = i + perChunk <= n, equal = isWhole && ties > 0 ? countEqual<T>(x, cut) : 0;
    if (isWhole && equal <= ties) {
      const floor = v128.splat<T>(ties > 0 ? below<T>(cut) : cut);
      for (let j: usize = 0; j < CHUNK; j += 16) v128.store(weights + j, v128.andnot(v128.load(weights + j), v128.le<T>(v128.load(x + j), floor)));
      ties -= equal;
      continue;
    }
    for (let j = 0; j < min(perChunk, n - i); j++) {
      const value = valueAt<T>(x, j);
      if (value < cut || (value == cut && ties-- <= 0)) store<T>(weights + <usize>j * sizeof<T>(), 0);
    }
    ties = max(ties, 0);
  }
}

/** How many of a chunk are equal to the value. */
function countEqual<T>(x: usize, value: T): i32 {
  const v = v128.splat<T>(value);
  return popcnt(masks<T>(v128.eq<T>(v128.load(x), v), v128.eq<T>(v128.load(x, 16), v), v128.eq<T>(v128.load(x, 32), v), v128.eq<T>(v128.load(x, 48), v)));
}

/**
 * The positions in a list of n, largest first: returns `order` or `spare`, where they are. Runs are sorted by insertion, then merged; equal values stay in
 * order.
 */
export function sort<T>(order: usize, spare: usize, values: usize, n: i32): usize {
  for (let i = 0; i < n; i++) {
    const value = valueAt<T>(values, i);
    let to = i;
    for (; to & (RUN - 1) && isAbove<T>(value, valueAt<T>(values, entry(order, to - 1))); to--) put(order, to, entry(order, to - 1));
    put(order, to, i);
  }
  for (let width = RUN; width < n; width *= 2) {
    for (let start = 0; start < n; start += 2 * width) {
      const middle = min(start + width, n), end = min(middle + width, n);
      for (let to = start, a = start, b = middle; to < end; to++) {
        const second = a == middle || (b < end && isAbove<T>(valueAt<T>(values, entry(order, b)), valueAt<T>(values, entry(order, a))));
        put(spare, to, entry(order, second ? b++ : a++));
      }
    }
    const sorted = spare;
    spare = order, order = sorted;
  }
  return order;
}
