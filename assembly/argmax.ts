// argmax   the first class with the largest logit, or the first NaN, where there is one      x: [outer, cols, inner]; indices: [outer · inner]

import { INPUT, Layout, NARROW, STATISTIC, WIDE, findInRow, narrowPlain, panelIn, panelRows, rowHoldsNaN, tileBytes, tileCount } from "./panel";
import { noteNaN, noted, panelMaxAndNaN } from "./passes";
import { VECTOR } from "./simd";

const MAX = memory.data(STATISTIC, 16);
const SUM = memory.data(STATISTIC, 16);
// In memory: a constant in the code is rebuilt at every use inside a loop (see exp.ts).
const ONE = memory.data<u64>([1]);

export function argmax<T>(indices: usize, x: usize, outer: i32, cols: i32, inner: i32): void {
  const layout: Layout = cols > narrowPlain<T>() ? WIDE : NARROW, bytes = tileBytes<T>(cols, layout), rows = outer * inner;
  for (let r = 0, n = 0; r < rows; r += n) {
    n = panelRows<T>(r, rows, cols, inner, layout);
    const xs = panelIn<T>(INPUT, x, r, n, cols, inner, layout, <T>-Infinity), to = indices + (<usize>r << 2);
    if (layout == WIDE) {
      const some = panelMaxAndNaN<T>(MAX, SUM, xs, 1, bytes, layout);
      store<i32>(to, some && rowHoldsNaN<T>(xs, 0, cols, layout) ? findNaN<T>(xs) : findInRow<T>(xs, cols, <T>load<f64>(MAX)));
    } else {
      tilesArgmax<T>(MAX, xs, tileCount<T>(n), bytes);
      for (let i = 0; i < n; i++) store<i32>(to + (i << 2), load<i32>(MAX + i * sizeof<T>()));
    }
  }
}

/** index = argmax of each row of the tiles, an integer as wide as T. Padding is −Infinity, above nothing. */
function tilesArgmax<T>(index: usize, x: usize, tiles: i32, bytes: usize): void {
  const one = v128.load_splat<T>(ONE);
  for (; tiles > 0; tiles--, index += VECTOR, x += bytes) {
    let max = v128.splat<T>(-Infinity), at = i32x4.splat(0), j = at, seen = at;
    for (let i: usize = 0; i < bytes; i += 2 * VECTOR) {
      const v = v128.load(x + i), w = v128.load(x + i, 16), next = plus<T>(j, one);
      seen = noteNaN<T>(seen, v, w);
      at = v128.bitselect(j, at, v128.gt<T>(v, max));
      max = v128.pmax<T>(max, v);
      at = v128.bitselect(next, at, v128.gt<T>(w, max));
      max = v128.pmax<T>(max, w);
      j = plus<T>(next, one);
    }
    seen = noted<T>(seen, seen);
    if (v128.any_true(v128.ne<T>(seen, seen))) at = tileNaN<T>(x, bytes, at);
    v128.store(index, at);
  }
}

/** The sum of integers as wide as T. */
function plus<T>(a: v128, b: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.add(a, b) : i64x2.add(a, b);
}

/** The first NaN of each row of a tile that holds one; elsewhere what is there. */
function tileNaN<T>(x: usize, bytes: usize, at: v128): v128 {
  const one = v128.load_splat<T>(ONE);
  let j = i32x4.splat(0), none = i32x4.splat(-1);
  for (const end = x + bytes; x < end; x += VECTOR) {
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
