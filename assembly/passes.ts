// Passes: one loop each over the tiles of a panel (panel.ts), a chunk of four vectors at a time. Kernels are sentences made of them. Statistics (maxima,
// sums, factors) are one f64 per row.
//
// Every loop has the same frame: over the whole chunks, then once more over the rest of a wide row, which lies behind the panel. The padding in front of
// the rest is computed too, and ignored. (Checking every chunk for being the last costs 9 % where the core's other thread is busy.)

import { ALONE, INPUT_REST, Layout, NARROW, OUTPUT_REST, SECOND_REST, WIDE, panelOut, restOf, tileBytes, tilesOut, wholeChunks } from "./panel";
import { CHUNK, VECTOR, allHigh, allLow, dotHigh, dotLow, foldMax, lanes, loadLanes, mulAdd, storeLanes, storeSum } from "./simd";

/** Bytes from one tile's statistics to the next one's. */
export function perTile<T>(): usize {
  return <usize>lanes<T>() << 3;
}

/**
 * max = max x, and shift, a vector of T for each tile that the exponential adds to x: −max, or 0 where that is not finite. Drops NaN:
 * e^(NaN + shift) brings it back.
 */
export function panelMax<T>(max: usize, shift: usize, x: usize, tiles: i32, bytes: usize, layout: Layout): void {
  for (; tiles > 0; tiles--, max += perTile<T>(), shift += VECTOR) {
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
    if (layout != NARROW) a = foldMax<T>(a);
    storeLanes<T>(max, a);
    v128.store(shift, v128.and(v128.neg<T>(a), v128.eq<T>(v128.sub<T>(a, a), v128.splat<T>(0))));
  }
}

/** max = max x; sum is NaN where the row holds a NaN, or, for f64, +Infinity and −Infinity; elsewhere it is no NaN. Returns whether any sum is NaN. */
export function panelMaxAndNaN<T>(max: usize, sum: usize, x: usize, tiles: i32, bytes: usize, layout: Layout): bool {
  let some = v128.splat<T>(0);
  for (; tiles > 0; tiles--, max += perTile<T>(), sum += perTile<T>()) {
    const end = x + bytes;
    let a = v128.splat<T>(-Infinity), b = a, s = v128.splat<T>(0), t = s;
    // The first chunk overlaps the second one where the row is not a multiple of chunks.
    for (let step = restOf(bytes - 1) + 1; x < end; x += step, step = CHUNK) {
      const x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
      // Pairs first: with one pmax after the other the loop waits for them (15 % of a Crammer–Singer loss; C = 1000, Node 24).
      a = v128.pmax<T>(a, v128.pmax<T>(x0, x1));
      b = v128.pmax<T>(b, v128.pmax<T>(x2, x3));
      s = noteNaN<T>(s, x0, x1);
      t = noteNaN<T>(t, x2, x3);
    }
    a = v128.pmax<T>(a, b);
    s = noted<T>(s, t);
    if (layout != NARROW && v128.any_true(v128.ne<T>(s, s))) s = v128.splat<T>(<T>NaN);
    storeLanes<T>(max, layout != NARROW ? foldMax<T>(a) : a);
    storeLanes<T>(sum, s);
    some = v128.or(some, v128.ne<T>(s, s));
  }
  return v128.any_true(some);
}

// f32: NaN is noted by integer operations, since pmax keeps the adders busy: 25 % of this pass (C = 32,000; Node 24). Doubling drops the sign, and of
// unsigned integers NaN is the largest then. SIMD128 has no maximum of 64-bit integers: f64 is added up, and the sum keeps a NaN.

export function noteNaN<T>(seen: v128, a: v128, b: v128): v128 {
  if (sizeof<T>() == 4) return i32x4.max_u(seen, i32x4.max_u(i32x4.add(a, a), i32x4.add(b, b)));
  return v128.add<T>(seen, v128.add<T>(a, b));
}

/** NaN in the lanes that saw one (f32: all bits set). */
export function noted<T>(s: v128, t: v128): v128 {
  if (sizeof<T>() == 4) return i32x4.gt_u(i32x4.max_u(s, t), i32x4.splat(0xff000000));
  return v128.add<T>(s, t);
}

/** sum = Σ x for x of both signs, in a panel with the rest of SECOND. */
export function panelSum<T>(sum: usize, x: usize, tiles: i32, bytes: usize, layout: Layout): void {
  const alone = layout == ALONE;
  for (; tiles > 0; tiles--, sum += perTile<T>()) {
    let low = f64x2.splat(0), high = low;
    let end = x + wholeChunks(bytes);
    for (let rest = restOf(bytes); ; rest = 0) {
      for (; x < end; x += CHUNK) {
        const a = v128.load(x), b = v128.load(x, 16), c = v128.load(x, 32), d = v128.load(x, 48);
        high = allHigh<T>(high, low, a, b, c, d, alone), low = allLow<T>(low, a, b, c, d, alone);
      }
      if (!rest) break;
      x = SECOND_REST, end = x + CHUNK;
    }
    storeSum<T>(sum, low, high, 1, layout == WIDE);
  }
}

/** dot = Σ x·y for y of both signs, in panels with the rests of INPUT and SECOND. */
export function panelDot<T>(dot: usize, x: usize, y: usize, tiles: i32, bytes: usize, layout: Layout): void {
  for (; tiles > 0; tiles--, dot += perTile<T>()) {
    let low = f64x2.splat(0), high = low;
    let end = x + wholeChunks(bytes);
    for (let rest = restOf(bytes); ; rest = 0) {
      for (; x < end; x += CHUNK, y += CHUNK) {
        high = dotHigh<T>(high, low, x, y), low = dotLow<T>(low, x, y);
      }
      if (!rest) break;
      x = INPUT_REST, y = SECOND_REST, end = x + CHUNK;
    }
    storeSum<T>(dot, low, high, 1, layout == WIDE);
  }
}

/** Adds the true lanes of four masks; a true lane is the integer −1. */
export function countTrue<T>(count: v128, a: v128, b: v128, c: v128, d: v128): v128 {
  if (sizeof<T>() == 4) return i32x4.sub(count, i32x4.add(i32x4.add(a, b), i32x4.add(c, d)));
  return i64x2.sub(count, i64x2.add(i64x2.add(a, b), i64x2.add(c, d)));
}

/** Stores a count of countTrue as one f64 per row. */
export function storeCount<T>(to: usize, count: v128, layout: Layout): void {
  if (sizeof<T>() == 4) {
    const high = i32x4.shuffle(count, count, 2, 3, 0, 1);
    storeSum<T>(to, f64x2.convert_low_i32x4_s(count), f64x2.convert_low_i32x4_s(high), 1, layout != NARROW);
  } else {
    // As in log.ts: put into the low bits of 2^52, an integer below 2^52 is that number plus 2^52.
    const base = f64x2.splat(4503599627370496);
    storeSum<T>(to, f64x2.sub(v128.or(count, base), base), f64x2.splat(0), 1, layout != NARROW);
  }
}

/** y = panel · factor of its row. Tiles are scaled on their way out, which saves 5 % of a softmax of 10 classes; other rows in place. */
export function panelScaleOut<T>(y: usize, panel: usize, factor: usize, r: i32, rows: i32, cols: i32, inner: i32, layout: Layout): void {
  if (layout == NARROW) {
    tilesOut<T>(y, panel, r, rows, cols, inner, factor, true);
    return;
  }
  rowScale<T>(panel, load<f64>(factor), tileBytes<T>(cols, layout));
  panelOut<T>(y, panel, r, rows, cols, inner, layout);
}

function rowScale<T>(y: usize, factor: f64, bytes: usize): void {
  const f = v128.splat<T>(<T>factor);
  let end = y + wholeChunks(bytes);
  for (let rest = restOf(bytes); ; rest = 0) {
    for (; y < end; y += CHUNK) {
      v128.store(y, v128.mul<T>(v128.load(y), f));
      v128.store(y, v128.mul<T>(v128.load(y, 16), f), 16);
      v128.store(y, v128.mul<T>(v128.load(y, 32), f), 32);
      v128.store(y, v128.mul<T>(v128.load(y, 48), f), 48);
    }
    if (!rest) break;
    y = OUTPUT_REST, end = y + CHUNK;
  }
}

/** y = (x − max) · scale − shift */
export function panelShift<T>(y: usize, x: usize, max: usize, scale: v128, shift: usize, tiles: i32, bytes: usize, layout: Layout): void {
  for (; tiles > 0; tiles--, max += perTile<T>(), shift += perTile<T>()) {
    const m = loadLanes<T>(max, layout != NARROW), s = v128.neg<T>(loadLanes<T>(shift, layout != NARROW));
    let end = x + wholeChunks(bytes);
    for (let rest = restOf(bytes); ; rest = 0) {
      for (; x < end; x += CHUNK, y += CHUNK) {
        v128.store(y, mulAdd<T>(v128.sub<T>(v128.load(x), m), scale, s));
        v128.store(y, mulAdd<T>(v128.sub<T>(v128.load(x, 16), m), scale, s), 16);
        v128.store(y, mulAdd<T>(v128.sub<T>(v128.load(x, 32), m), scale, s), 32);
        v128.store(y, mulAdd<T>(v128.sub<T>(v128.load(x, 48), m), scale, s), 48);
      }
      if (!rest) break;
      x = INPUT_REST, y = OUTPUT_REST, end = x + CHUNK;
    }
  }
}

/** dx = y · (dy − dot) */
export function panelTimesCentered<T>(dx: usize, y: usize, dy: usize, dot: usize, tiles: i32, bytes: usize, layout: Layout): void {
  for (; tiles > 0; tiles--, dot += perTile<T>()) {
    const d = loadLanes<T>(dot, layout != NARROW);
    let end = dx + wholeChunks(bytes);
    for (let rest = restOf(bytes); ; rest = 0) {
      for (; dx < end; dx += CHUNK, y += CHUNK, dy += CHUNK) {
        v128.store(dx, v128.mul<T>(v128.load(y), v128.sub<T>(v128.load(dy), d)));
        v128.store(dx, v128.mul<T>(v128.load(y, 16), v128.sub<T>(v128.load(dy, 16), d)), 16);
        v128.store(dx, v128.mul<T>(v128.load(y, 32), v128.sub<T>(v128.load(dy, 32), d)), 32);
        v128.store(dx, v128.mul<T>(v128.load(y, 48), v128.sub<T>(v128.load(dy, 48), d)), 48);
      }
      if (!rest) break;
      dx = OUTPUT_REST, y = INPUT_REST, dy = SECOND_REST, end = dx + CHUNK;
    }
  }
}
