// sample   of each row x: [rows, cols] the class at which the running sum of e^((x − m)/T), in the order of the classes, exceeds u of its total
//
// Of all classes, or of those that are left by
//
//   topK   the k largest
//   topP   of these the fewest, largest first, that have at least topP of the sum
//   minP   those with at least minP of the largest: x ≥ m + T·ln minP
//
// Classes that surely go are left out first: of most rows that leaves a short list. topP needs no class below some that have topP together, and none with
// less than (1 − topP)/n of the sum, since n of these are less than may be missing. Then the exponentials of the list, or of the row if its list is not
// short, are stored as weights, and each of the three sets the weights to 0 that go. With none of the three nothing is stored: exponentials are added up
// by blocks, and those of the block in which u falls are computed again.

import { expOfZero, expTable, panelExp } from "./exp";
import { logs } from "./log";
import { INPUT, INVERSE, LOG, SHIFT, SUM, WIDE, restIn } from "./panel";
import { below, collect, cut, floorOfTop, restrict, weigh } from "./select";

/** The classes of a block. */
const BLOCK = 1024;
/** The length of a short list. In rows of more classes topP tries about the MANY largest first. */
const SHORT = 4096;
const MANY = 256;

// The exponentials of a block. `restOut` may store what lies up to a chunk in front of them.
const E: usize = memory.data(64 + 8 * BLOCK, 16) + 64;

/**
 * classes: [rows]; tops: [rows], the class of each maximum, which is finite; u: [rows], in [0, 1). `sums`: room for one f64 per block of a row; `list`,
 * `ids`, `weights`: room for `capacity` entries each. Returns false if that is too little. k ≥ cols, topP = 1, minP = 0 restrict nothing.
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
    // Without topK: the sum that topP is a part of; without any of the three: the sum that u is a part of.
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
    // If the MANY largest do not have topP of the sum, a lower floor.
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

/** The largest number of its type below the x whose e^((x − m)/temperature) is `ratio`, > 0. */
function floorAt<T>(m: T, temperature: f64, ratio: f64): T {
  // ln(2^q·f) = q·ln 2 + ln f
  const bits = reinterpret<i64>(ratio), q = <f64>((bits >> 52) - 1023);
  store<f64>(SUM, reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000) - 1);
  logs(LOG, INVERSE, SUM, 1);
  const x = <f64>m + temperature * (q * 0.6931471805599453 + load<f64>(LOG)), floor = <T>x;
  return <f64>floor < x ? floor : below<T>(floor);
}

/** The position in n logits where the running sum of their weights (without these, of their exponentials) exceeds u · total. `sums`: of each block. */
function draw<T>(sums: usize, total: f64, weights: usize, x: usize, n: i32, u: f64, table: usize): i32 {
  const target = u * total, b = firstOver<f64>(sums, (n - 1) / BLOCK + 1, 0, target);
  let before: f64 = 0;
  for (let i = 0; i < b; i++) before += load<f64>(sums + (<usize>i << 3));
  const start = b * BLOCK, length = min(BLOCK, n - start), offset = <usize>start * sizeof<T>();
  // The exponentials of a row of one block are in E already.
  if (!weights && n > BLOCK) exps<T>(E, x + offset, length, table);
  return start + firstOver<T>(weights ? weights + offset : E, length, before, target);
}

/** Where a running sum that begins with `sum` exceeds the target; if rounding keeps it below, the last term above 0. */
function firstOver<T>(terms: usize, n: i32, sum: f64, target: f64): i32 {
  let last = 0;
  for (let i = 0; i < n && sum <= target; i++) {
    const term = <f64>load<T>(terms + <usize>i * sizeof<T>());
    if (term > 0) last = i;
    sum += term;
  }
  return last;
}

/** Returns Σ e, and stores that of each block; stores e itself if it has a place. */
function expSums<T>(sums: usize, e: usize, x: usize, n: i32, table: usize): f64 {
  let total: f64 = 0;
  for (let i = 0; i < n; i += BLOCK, sums += 8) {
    const offset = <usize>i * sizeof<T>(), sum = exps<T>(e ? e + offset : 0, x + offset, min(BLOCK, n - i), table);
    store<f64>(sums, sum);
    total += sum;
  }
  return total;
}

/** Returns Σ weights, and stores that of each block. */
function weightSums<T>(sums: usize, weights: usize, x: usize, n: i32): f64 {
  let total: f64 = 0;
  for (let i = 0; i < n; i += BLOCK, sums += 8) {
    const offset = <usize>i * sizeof<T>(), sum = weigh<T>(x + offset, weights + offset, min(BLOCK, n - i), <T>NaN);
    store<f64>(sums, sum);
    total += sum;
  }
  return total;
}

/** Returns Σ e, e = e^((x − m)/T) · expOfZero; stores e if it has a place. */
function exps<T>(e: usize, x: usize, n: i32, table: usize): f64 {
  restIn<T>(INPUT, x, n, <T>-Infinity);
  panelExp<T>(SUM, e, x, SHIFT, 1, n, WIDE, false, table);
  return load<f64>(SUM) * expOfZero<T>();
}
