// sample   of each row x: [rows, cols] the class at which the running sum of e^((x − m)/T), in the order of the classes, exceeds u of its total
//
// Of all classes, or of those that are left by
//
//   topK   the k largest
//   topP   of these the fewest, largest first, that have at least topP of the sum
//   minP   those with at least minP of the largest: x ≥ m + T·ln minP
//
// What surely goes is left out first, which leaves a short list of most rows. A class below some that have topP together is not needed by topP; nor is
// one with less than (1 − topP)/n of the sum: n of them are less than may be missing. Then the exponentials of the list, or of a row that has no short
// one, are kept, and each of the three sets those to 0 that go. With none of the three nothing is kept: exponentials are added up by blocks, and only
// those of the block in which u falls are computed again.

import { expOfZero, expTable, panelExp } from "./exp";
import { logs } from "./log";
import { INPUT, WIDE, restIn } from "./panel";
import { below, collect, cut, floorOfTop, restrict, weigh } from "./select";

/** Classes whose exponentials are added up in one. */
const BLOCK = 1024;
/** The length of a short list; and how many of the largest of more than that are tried first for topP. */
const SHORT = 4096;
const MANY = 256;

// The exponentials of a block. `restOut` begins a chunk before the end.
const E: usize = memory.data(64 + 8 * BLOCK, 16) + 64;
const SHIFT = memory.data(16, 16);
const SUM = memory.data(32, 16);
const LOG = memory.data(16, 16);
const INVERSE = memory.data(16, 16);

/**
 * classes: [rows]; tops: [rows], where each has its maximum, which is finite; u: [rows], in [0, 1). `sums`: room for one f64 per block of a row; `list`,
 * `ids`, `weights`: for `capacity` entries each. Returns false where that is too little. k ≥ cols, topP = 1, minP = 0 restrict nothing.
 */
export function sample<T>(
  classes: usize, sums: usize, list: usize, ids: usize, weights: usize, x: usize, tops: usize, u: usize,
  rows: i32, cols: i32, temperature: f64, k: i32, topP: f64, minP: f64, capacity: i32,
): bool {
  const table = expTable<T>(temperature);
  for (; rows > 0; rows--, x += <usize>cols * sizeof<T>(), u += 8, classes += 4, tops += 4) {
    const m = load<T>(x + <usize>load<i32>(tops) * sizeof<T>());
    v128.store(SHIFT, v128.splat<T>(-m));
    const isCut = k < cols, isLong = cols > SHORT, keeps = !isCut && topP < 1 && isLong && cols <= capacity;
    // Without topK this is the sum that topP is about; with nothing at all, of what is drawn.
    const sum = !isCut && (topP < 1 || minP == 0) ? expSums<T>(sums, keeps ? weights : cols <= BLOCK ? E : 0, x, cols, table) : 0;
    if (!isCut && topP == 1 && minP == 0) {
      store<i32>(classes, draw<T>(sums, sum, 0, x, cols, load<f64>(u), table));
      continue;
    }
    const most = min(capacity, SHORT);
    let floor: T = 0, listed = -1;
    if (isCut || (topP < 1 && isLong)) {
      floor = floorOfTop<T>(x, cols, isCut ? k : MANY);
      listed = collect<T>(list, ids, x, cols, floor, isCut ? k : 0, most);
    }
    // The largest may have topP of the sum; or not.
    if (!isCut && (listed < 0 || exps<T>(0, list, listed, table) < topP * sum)) {
      floor = floorAt<T>(m, temperature, topP < 1 ? (1 - topP) * sum / expOfZero<T>() / cols / 2 : minP);
      listed = collect<T>(list, ids, x, cols, floor, 0, most);
    }
    const isShort = listed >= 0, from = isShort ? list : x, n = isShort ? listed : cols;
    if (n > capacity) return false;
    if (isShort || !keeps) exps<T>(weights, from, n, table);
    const room = isShort ? 0 : capacity / 2;
    if (k < n) restrict<T>(weights, from, n, k, cut<T>(from, 0, n, k, n, floor, m, list, ids, room), true);
    if (topP < 1) {
      const whole = k < cols ? weigh<T>(from, weights, n, <T>NaN) : sum;
      restrict<T>(weights, from, n, topP * whole, cut<T>(from, weights, n, topP * whole, whole, floor, m, list, ids, room), false);
    }
    if (minP > 0) restrict<T>(weights, from, n, 0, floorAt<T>(m, temperature, minP), false);
    const drawn = draw<T>(sums, weightSums<T>(sums, weights, from, n), weights, from, n, load<f64>(u), table);
    store<i32>(classes, isShort ? load<i32>(ids + (<usize>drawn << 2)) : drawn);
  }
  return true;
}

/** The largest T below m + T·ln ratio, where e^((x − m)/T) is the ratio, > 0. */
function floorAt<T>(m: T, temperature: f64, ratio: f64): T {
  // ln(2^q·f) = q·ln 2 + ln f
  const bits = reinterpret<i64>(ratio), q = <f64>((bits >> 52) - 1023);
  store<f64>(SUM, reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000) - 1);
  logs(LOG, INVERSE, SUM, 1);
  const x = <f64>m + temperature * (q * 0.6931471805599453 + load<f64>(LOG)), floor = <T>x;
  return <f64>floor < x ? floor : below<T>(floor);
}

/** The position in n logits at which the running sum of their weights, or of their exponentials, exceeds u times the total. `sums`: of each block. */
function draw<T>(sums: usize, total: f64, weights: usize, x: usize, n: i32, u: f64, table: usize): i32 {
  const target = u * total, b = firstOver<f64>(sums, (n - 1) / BLOCK + 1, 0, target);
  let before: f64 = 0;
  for (let i = 0; i < b; i++) before += load<f64>(sums + (<usize>i << 3));
  const start = b * BLOCK, length = min(BLOCK, n - start), offset = <usize>start * sizeof<T>();
  // One block has been kept as it was added up.
  if (!weights && n > BLOCK) exps<T>(E, x + offset, length, table);
  return start + firstOver<T>(weights ? weights + offset : E, length, before, target);
}

/** Where a running sum that begins with `sum` exceeds the target; the last that adds anything where rounding keeps it from that. */
function firstOver<T>(terms: usize, n: i32, sum: f64, target: f64): i32 {
  let last = 0;
  for (let i = 0; i < n && sum <= target; i++) {
    const term = <f64>load<T>(terms + <usize>i * sizeof<T>());
    if (term > 0) last = i;
    sum += term;
  }
  return last;
}

/** e, if any, Σ e and that of each block. */
function expSums<T>(sums: usize, e: usize, x: usize, n: i32, table: usize): f64 {
  let total: f64 = 0;
  for (let i = 0; i < n; i += BLOCK, sums += 8) {
    const offset = <usize>i * sizeof<T>(), sum = exps<T>(e ? e + offset : 0, x + offset, min(BLOCK, n - i), table);
    store<f64>(sums, sum);
    total += sum;
  }
  return total;
}

/** Σ weights, and that of each block. */
function weightSums<T>(sums: usize, weights: usize, x: usize, n: i32): f64 {
  let total: f64 = 0;
  for (let i = 0; i < n; i += BLOCK, sums += 8) {
    const offset = <usize>i * sizeof<T>(), sum = weigh<T>(x + offset, weights + offset, min(BLOCK, n - i), <T>NaN);
    store<f64>(sums, sum);
    total += sum;
  }
  return total;
}

/** e = e^((x − m)/T), if any, and Σ e; e^0 is expOfZero. */
function exps<T>(e: usize, x: usize, n: i32, table: usize): f64 {
  restIn<T>(INPUT, x, n, <T>-Infinity);
  panelExp<T>(SUM, e, x, SHIFT, 1, n, WIDE, false, table);
  return load<f64>(SUM) * expOfZero<T>();
}
