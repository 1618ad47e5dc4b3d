// Passes: one loop each over the tiles of a panel (see panel.ts), a chunk of four vectors at a time. Kernels are sentences made of them.
//
// A wide row may end with less than a chunk. That rest is laid into a chunk of its own before the loop (the row may be overwritten in
// place), behind values that the pass ignores, and the loop goes through it last. A narrow tile is a whole number of chunks.
//
// Statistics (maxima, sums, factors) are one f64 per row, in the order of the rows.

import { ALONE, Layout, NARROW, WIDE } from "./layout";
import { STATISTIC } from "./panel";
import { CHUNK, addHigh, addLow, foldMax, lanes, loadLanes, promoteHigh, storeLanes, storeSum, sumHigh, sumLow } from "./simd";

// The rest of each array that a pass reads or writes.
export const REST_X = memory.data(64, 16);
export const REST_Y = memory.data(64, 16);
export const REST_Z = memory.data(64, 16);
export const REST_W = memory.data(64, 16);
// At MASK + rest: a chunk whose last `rest` bytes are ones.
const MASK = memory.data<u64>([0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1], 16);

/** Chunks of a tile, the last one perhaps only a rest. */
// @ts-ignore: decorator
@inline
export function chunks(bytes: usize): usize {
  return (bytes + CHUNK - 1) / CHUNK;
}

// @ts-ignore: decorator
@inline
export function restOf(bytes: usize): usize {
  return bytes & (CHUNK - 1);
}

/** From one tile's statistics to the next one's. */
// @ts-ignore: decorator
@inline
export function perTile<T>(): usize {
  return <usize>lanes<T>() << 3;
}

/** Lays the rest of a wide row into a chunk, behind `pad`. Reads the whole last CHUNK bytes of the row: it has more than that. */
export function restIn(chunk: usize, x: usize, bytes: usize, pad: v128): void {
  const mask = MASK + restOf(bytes), from = x + bytes - CHUNK;
  for (let i: usize = 0; i < CHUNK; i += 16) v128.store(chunk + i, v128.bitselect(v128.load(from + i), pad, v128.load(mask + i)));
}

export function restOut(y: usize, bytes: usize, chunk: usize): void {
  const mask = MASK + restOf(bytes), to = y + bytes - CHUNK;
  for (let i: usize = 0; i < CHUNK; i += 16) v128.store(to + i, v128.bitselect(v128.load(chunk + i), v128.load(to + i), v128.load(mask + i)));
}

/** (a + b) + (c + d) */
// @ts-ignore: decorator
@inline
export function tree<T>(a: v128, b: v128, c: v128, d: v128): v128 {
  return v128.add<T>(v128.add<T>(a, b), v128.add<T>(c, d));
}

/** max = max x. Drops NaN: e^(NaN − max) brings it back. */
export function panelMax<T>(max: usize, x: usize, tiles: i32, bytes: usize, layout: Layout): void {
  for (; tiles > 0; tiles--, max += perTile<T>()) {
    const end = x + bytes;
    // pmax(acc, x) is one instruction, max (which propagates NaN) is eight on x64.
    let a = v128.splat<T>(-Infinity), b = a, c = a, d = a;
    for (; x + CHUNK < end; x += CHUNK) {
      a = v128.pmax<T>(a, v128.load(x));
      b = v128.pmax<T>(b, v128.load(x, 16));
      c = v128.pmax<T>(c, v128.load(x, 32));
      d = v128.pmax<T>(d, v128.load(x, 48));
    }
    // The last chunk, whole or overlapping: seeing a value twice does not matter here.
    x = end;
    a = v128.pmax<T>(a, v128.load(x - 64));
    b = v128.pmax<T>(b, v128.load(x - 48));
    c = v128.pmax<T>(c, v128.load(x - 32));
    d = v128.pmax<T>(d, v128.load(x - 16));
    a = v128.pmax<T>(v128.pmax<T>(a, b), v128.pmax<T>(c, d));
    storeLanes<T>(max, layout != NARROW ? foldMax<T>(a) : a);
  }
}

/**
 * max = max x, and sum = NaN where the row holds a NaN (f64: or infinities of both signs); elsewhere sum is anything else.
 */
export function panelMaxAndNaN<T>(max: usize, sum: usize, x: usize, tiles: i32, bytes: usize, layout: Layout): void {
  for (; tiles > 0; tiles--, max += perTile<T>(), sum += perTile<T>()) {
    const end = x + bytes;
    let a = v128.splat<T>(-Infinity), b = a, s = v128.splat<T>(0), t = s;
    for (; x < end; x += CHUNK) {
      // The last chunk overlaps the one before where the row is not a multiple of chunks.
      if (x + CHUNK > end) x = end - CHUNK;
      const x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
      a = v128.pmax<T>(v128.pmax<T>(a, x0), x1);
      b = v128.pmax<T>(v128.pmax<T>(b, x2), x3);
      s = noteNaN<T>(s, x0, x1);
      t = noteNaN<T>(t, x2, x3);
    }
    a = v128.pmax<T>(a, b);
    s = noted<T>(s, t);
    if (layout != NARROW && v128.any_true(v128.ne<T>(s, s))) s = v128.splat<T>(<T>NaN);
    storeLanes<T>(max, layout != NARROW ? foldMax<T>(a) : a);
    storeLanes<T>(sum, s);
  }
}

// NaN is noted by integer operations, since the two units that add are busy with pmax: 25 % of this pass (f32, C = 32,000; Node 24). Without its
// sign a NaN is the largest integer. There is no such maximum of 64-bit integers: a sum of f64 keeps a NaN as well.

// @ts-ignore: decorator
@inline
function noteNaN<T>(seen: v128, a: v128, b: v128): v128 {
  if (sizeof<T>() == 4) return i32x4.max_u(seen, i32x4.max_u(i32x4.shl(a, 1), i32x4.shl(b, 1)));
  return v128.add<T>(seen, v128.add<T>(a, b));
}

/** NaN in the lanes that saw one. */
// @ts-ignore: decorator
@inline
function noted<T>(s: v128, t: v128): v128 {
  if (sizeof<T>() == 4) return i32x4.gt_u(i32x4.max_u(s, t), i32x4.splat(0xff000000));
  return v128.add<T>(s, t);
}

/** sum = Σ x */
export function panelSum<T>(sum: usize, x: usize, tiles: i32, bytes: usize, layout: Layout): void {
  const rest = restOf(bytes);
  if (rest) restIn(REST_X, x, bytes, v128.splat<T>(0));
  for (; tiles > 0; tiles--, sum += perTile<T>()) {
    let low = f64x2.splat(0), high = low;
    for (let n = chunks(bytes); n > 0; n--, x += CHUNK) {
      if (rest && n == 1) x = REST_X;
      const s = tree<T>(v128.load(x), v128.load(x, 16), v128.load(x, 32), v128.load(x, 48));
      high = addHigh<T>(high, low, s, layout == ALONE), low = addLow<T>(low, s, layout == ALONE);
    }
    storeSum<T>(sum, low, high, 1, layout == WIDE);
  }
}

/** dot = Σ x·y */
export function panelDot<T>(dot: usize, x: usize, y: usize, tiles: i32, bytes: usize, layout: Layout): void {
  const rest = restOf(bytes);
  if (rest) {
    restIn(REST_X, x, bytes, v128.splat<T>(0));
    restIn(REST_Y, y, bytes, v128.splat<T>(0));
  }
  for (; tiles > 0; tiles--, dot += perTile<T>()) {
    let low = f64x2.splat(0), high = low;
    for (let n = chunks(bytes); n > 0; n--, x += CHUNK, y += CHUNK) {
      if (rest && n == 1) x = REST_X, y = REST_Y;
      const s = tree<T>(
        v128.mul<T>(v128.load(x), v128.load(y)),
        v128.mul<T>(v128.load(x, 16), v128.load(y, 16)),
        v128.mul<T>(v128.load(x, 32), v128.load(y, 32)),
        v128.mul<T>(v128.load(x, 48), v128.load(y, 48)),
      );
      high = sumHigh<T>(high, low, s), low = sumLow<T>(low, s);
    }
    storeSum<T>(dot, low, high, 1, layout == WIDE);
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
// @ts-ignore: decorator
@inline
export function storeCount<T>(to: usize, count: v128, layout: Layout): void {
  // An integer below 2^23 (2^52) put into the low bits of 2^23 (2^52) is that number plus the power of two.
  if (sizeof<T>() == 4) {
    const base = f32x4.splat(8388608);
    const value = f32x4.sub(v128.or(count, base), base);
    storeSum<T>(to, f64x2.promote_low_f32x4(value), promoteHigh(value), 1, layout != NARROW);
  } else {
    const base = f64x2.splat(4503599627370496);
    storeSum<T>(to, f64x2.sub(v128.or(count, base), base), f64x2.splat(0), 1, layout != NARROW);
  }
}

/** y ← y · factor, in place. */
export function panelScale<T>(y: usize, factor: usize, tiles: i32, bytes: usize, layout: Layout): void {
  const rest = restOf(bytes), row = y;
  if (rest) restIn(REST_Y, y, bytes, v128.splat<T>(0));
  for (; tiles > 0; tiles--, factor += perTile<T>()) {
    const f = loadLanes<T>(factor, layout != NARROW);
    for (let n = chunks(bytes); n > 0; n--, y += CHUNK) {
      if (rest && n == 1) y = REST_Y;
      v128.store(y, v128.mul<T>(v128.load(y), f));
      v128.store(y, v128.mul<T>(v128.load(y, 16), f), 16);
      v128.store(y, v128.mul<T>(v128.load(y, 32), f), 32);
      v128.store(y, v128.mul<T>(v128.load(y, 48), f), 48);
    }
  }
  if (rest) restOut(row, bytes, REST_Y);
}

/** y = (x − max) · scale − shift */
export function panelShift<T>(y: usize, x: usize, max: usize, scale: v128, shift: usize, tiles: i32, bytes: usize, layout: Layout): void {
  const rest = restOf(bytes), row = y;
  if (rest) restIn(REST_X, x, bytes, v128.splat<T>(0));
  for (; tiles > 0; tiles--, max += perTile<T>(), shift += perTile<T>()) {
    const m = loadLanes<T>(max, layout != NARROW), s = loadLanes<T>(shift, layout != NARROW);
    for (let n = chunks(bytes); n > 0; n--, x += CHUNK, y += CHUNK) {
      if (rest && n == 1) x = REST_X, y = REST_Y;
      v128.store(y, v128.sub<T>(v128.mul<T>(v128.sub<T>(v128.load(x), m), scale), s));
      v128.store(y, v128.sub<T>(v128.mul<T>(v128.sub<T>(v128.load(x, 16), m), scale), s), 16);
      v128.store(y, v128.sub<T>(v128.mul<T>(v128.sub<T>(v128.load(x, 32), m), scale), s), 32);
      v128.store(y, v128.sub<T>(v128.mul<T>(v128.sub<T>(v128.load(x, 48), m), scale), s), 48);
    }
  }
  if (rest) restOut(row, bytes, REST_Y);
}

/** dx = y · (dy − dot) */
export function panelTimesCentered<T>(dx: usize, y: usize, dy: usize, dot: usize, tiles: i32, bytes: usize, layout: Layout): void {
  const rest = restOf(bytes), row = dx;
  if (rest) {
    restIn(REST_Y, y, bytes, v128.splat<T>(0));
    restIn(REST_Z, dy, bytes, v128.splat<T>(0));
  }
  for (; tiles > 0; tiles--, dot += perTile<T>()) {
    const d = loadLanes<T>(dot, layout != NARROW);
    for (let n = chunks(bytes); n > 0; n--, dx += CHUNK, y += CHUNK, dy += CHUNK) {
      if (rest && n == 1) dx = REST_X, y = REST_Y, dy = REST_Z;
      v128.store(dx, v128.mul<T>(v128.load(y), v128.sub<T>(v128.load(dy), d)));
      v128.store(dx, v128.mul<T>(v128.load(y, 16), v128.sub<T>(v128.load(dy, 16), d)), 16);
      v128.store(dx, v128.mul<T>(v128.load(y, 32), v128.sub<T>(v128.load(dy, 32), d)), 32);
      v128.store(dx, v128.mul<T>(v128.load(y, 48), v128.sub<T>(v128.load(dy, 48), d)), 48);
    }
  }
  if (rest) restOut(row, bytes, REST_X);
}
