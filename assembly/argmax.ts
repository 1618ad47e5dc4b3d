// argmax   the first class with the largest logit, or the first NaN, where there is one      x: [outer, cols, inner]; indices: [outer · inner]
//
// Narrow rows go two vectors at a time, a row in each lane, class after class: in panels, or in place if enough rows lie side by side.
//
// argmaxHalf   the same of half floats, by their bits      x: [rows, cols], cols ≥ 32; indices: [rows]
//
// As signed integers, positive numbers keep their order, above the negative ones, whose order is reversed: the largest number is the largest integer or, if
// all are negative, the least. NaN is beyond infinity: without a sign it is a larger signed integer, with a sign a larger unsigned one.

import {
  INPUT, Layout, MAX, NARROW, SUM, WIDE, findInRow, narrowPlain, panelIn, panelRows, restOf, rowAddress, rowHoldsNaN, tileBytes, tileCount,
} from "./panel";
import { noteNaN, noted, panelMaxAndNaN } from "./passes";
import { CHUNK, VECTOR, lanes } from "./simd";

// In memory: see exp.ts.
const ONE = memory.data<u64>([1]);

export function argmax<T>(indices: usize, x: usize, outer: i32, cols: i32, inner: i32): void {
  const layout: Layout = cols > narrowPlain<T>() ? WIDE : NARROW, bytes = tileBytes<T>(cols, layout), rows = outer * inner;
  if (layout == NARROW && inner >= 2 * lanes<T>()) {
    for (let r = 0; r < rows; r += inner) columnsArgmax<T>(indices + (<usize>r << 2), rowAddress<T>(x, r, cols, inner), cols, inner);
    return;
  }
  for (let r = 0, n = 0; r < rows; r += n) {
    n = panelRows<T>(r, rows, cols, inner, layout);
    const xs = panelIn<T>(INPUT, x, r, n, cols, inner, layout, <T>-Infinity), to = indices + (<usize>r << 2);
    if (layout == WIDE) {
      const some = panelMaxAndNaN<T>(MAX, SUM, xs, 1, bytes, layout);
      store<i32>(to, some && rowHoldsNaN<T>(xs, 0, cols, layout) ? findNaN<T>(xs) : findInRow<T>(xs, cols, <T>load<f64>(MAX)));
    } else {
      for (let t = 0, tiles = tileCount<T>(n); t < tiles; t += 2) {
        pairArgmax<T>(MAX + <usize>(t * lanes<T>() << 2), xs + <usize>t * bytes, cols, VECTOR, t + 1 < tiles ? bytes : 0);
      }
      for (let i = 0; i < n; i++) store<i32>(to + (i << 2), load<i32>(MAX + (i << 2)));
    }
  }
}

/** index = argmax of rows side by side, at least a pair of vectors of them. */
function columnsArgmax<T>(index: usize, x: usize, cols: i32, inner: i32): void {
  for (let i = 0, pair = 2 * lanes<T>(); i < inner; i += pair) {
    // The last pair overlaps the one before.
    const r = min(i, inner - pair);
    pairArgmax<T>(index + (<usize>r << 2), x + <usize>r * sizeof<T>(), cols, <usize>inner * sizeof<T>(), VECTOR);
  }
}

/** index = argmax of the rows in two vectors, `apart` bytes apart; from class to class it is `step` bytes. */
// @ts-ignore: decorator
@inline
function pairArgmax<T>(index: usize, x: usize, cols: i32, step: usize, apart: usize): void {
  const one = v128.load_splat<T>(ONE);
  let a = v128.splat<T>(-Infinity), b = a, atA = i32x4.splat(0), atB = atA, j = atA, seen = atA, from = x;
  for (let i = 0; i < cols; i++, from += step) {
    const v = v128.load(from), w = v128.load(from + apart);
    seen = noteNaN<T>(seen, v, w);
    atA = v128.bitselect(j, atA, v128.gt<T>(v, a));
    atB = v128.bitselect(j, atB, v128.gt<T>(w, b));
    a = v128.pmax<T>(a, v);
    b = v128.pmax<T>(b, w);
    j = plus<T>(j, one);
  }
  seen = noted<T>(seen, seen);
  if (v128.any_true(v128.ne<T>(seen, seen))) atA = firstNaN<T>(x, cols, step, atA), atB = firstNaN<T>(x + apart, cols, step, atB);
  if (sizeof<T>() == 8) atA = i32x4.shuffle(atA, atB, 0, 2, 4, 6);
  v128.store(index, atA);
  if (sizeof<T>() == 4) v128.store(index, atB, 16);
}

/** The sum of integers as wide as T. */
function plus<T>(a: v128, b: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.add(a, b) : i64x2.add(a, b);
}

/** The first NaN of each row in a vector; `at` for a row without one. */
function firstNaN<T>(x: usize, cols: i32, step: usize, at: v128): v128 {
  const one = v128.load_splat<T>(ONE);
  let j = i32x4.splat(0), none = i32x4.splat(-1);
  for (; cols > 0; cols--, x += step) {
    const v = v128.load(x), isFirst = v128.and(none, v128.ne<T>(v, v));
    at = v128.bitselect(j, at, isFirst);
    none = v128.andnot(none, isFirst);
    j = plus<T>(j, one);
  }
  return at;
}

/** The first NaN of a row that holds one. */
function findNaN<T>(x: usize): i32 {
  let j = 0;
  while (!isNaN<T>(load<T>(x + j * sizeof<T>()))) j++;
  return j;
}

const INFINITY: i32 = 0x7c00;
const NEGATIVE: i32 = 0x8000;

export function argmaxHalf(indices: usize, x: usize, rows: i32, cols: i32): void {
  for (let bytes = <usize>cols << 1; rows > 0; rows--, indices += 4, x += bytes) {
    let most = i16x8.splat(<i16>NEGATIVE), least = v128.not(most), unsigned = i16x8.splat(0);
    // The first chunk overlaps the second one where the row is not a multiple of chunks.
    for (let at = x, step = restOf(bytes - 1) + 1, end = x + bytes; at < end; at += step, step = CHUNK) {
      const a = v128.load(at), b = v128.load(at, 16), c = v128.load(at, 32), d = v128.load(at, 48);
      most = i16x8.max_s(most, i16x8.max_s(i16x8.max_s(a, b), i16x8.max_s(c, d)));
      least = i16x8.min_s(least, i16x8.min_s(i16x8.min_s(a, b), i16x8.min_s(c, d)));
      unsigned = i16x8.max_u(unsigned, i16x8.max_u(i16x8.max_u(a, b), i16x8.max_u(c, d)));
    }
    let max = largestLane(most), j = 0;
    if (max > INFINITY || v128.any_true(i16x8.gt_u(unsigned, i16x8.splat(<i16>(NEGATIVE | INFINITY))))) {
      while ((load<u16>(x + (j << 1)) & ~NEGATIVE) <= INFINITY) j++;
    } else {
      if (max < 0) max = ~largestLane(v128.not(least));
      j = findInRow<i16>(x, cols, <i16>max);
      // −0 equals 0, and may be in front of it. (By `max`, since a constant would be rebuilt in the loop: see exp.ts.)
      if (max == 0) j = findInRow<i16>(x, j, <i16>(max | NEGATIVE));
    }
    store<i32>(indices, j);
  }
}

/** The largest of eight signed integers. */
function largestLane(x: v128): i32 {
  x = i16x8.max_s(x, i64x2.shuffle(x, x, 1, 0));
  x = i16x8.max_s(x, i32x4.shuffle(x, x, 1, 0, 3, 2));
  return max(i16x8.extract_lane_s(x, 0), i16x8.extract_lane_s(x, 1));
}
