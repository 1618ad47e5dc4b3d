// argmax   the first class with the largest logit, or the first NaN, where there is one      x: [outer, cols, inner]; indices: [outer · inner]

import { INPUT, Layout, NARROW, STATISTIC, WIDE, findInRow, narrowPlain, panelIn, panelRows, rowHoldsNaN, tileBytes, tileCount } from "./panel";
import { panelMaxAndNaN, perTile } from "./passes";
import { VECTOR, storeLanes } from "./simd";

const MAX = memory.data(STATISTIC, 16);
const SUM = memory.data(STATISTIC, 16);
// Constants in memory: one in the code is rebuilt at every use inside a loop (see exp.ts).
const F32_ONE = memory.data<f32>([1]);
const F64_ONE = memory.data<f64>([1]);

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
      for (let i = 0; i < n; i++) store<i32>(to + (i << 2), <i32>load<f64>(MAX + (i << 3)));
    }
  }
}

/** index = argmax of each row of the tiles. Padding is −Infinity, above nothing. */
function tilesArgmax<T>(index: usize, x: usize, tiles: i32, bytes: usize): void {
  const one = v128.load_splat<T>(sizeof<T>() == 4 ? F32_ONE : F64_ONE);
  for (; tiles > 0; tiles--, index += perTile<T>()) {
    let max = v128.splat<T>(-Infinity), at = v128.splat<T>(0), j = at;
    for (const end = x + bytes; x < end; x += VECTOR) {
      const v = v128.load(x), stays = v128.or(v128.le<T>(v, max), v128.ne<T>(max, max));
      max = v128.bitselect(max, v, stays);
      at = v128.bitselect(at, j, stays);
      j = v128.add<T>(j, one);
    }
    storeLanes<T>(index, at);
  }
}

/** The first NaN of a row that holds one. */
function findNaN<T>(x: usize): i32 {
  let j = 0;
  while (!isNaN<T>(load<T>(x + j * sizeof<T>()))) j++;
  return j;
}
