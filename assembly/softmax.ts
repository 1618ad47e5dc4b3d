// softmax      y = e^((x − m)/T) / Σ e^((x − m)/T),  m = max x      per row of x, y: [outer, cols, inner]
// softmaxGrad  dx = y ⊙ (dy − ⟨y, dy⟩)                              from y alone, so x need not be kept

import { expOfZero, expTable, panelExp } from "./exp";
import {
  INPUT, MAX, NARROW, OUTPUT, SECOND, SHIFT, SUM, WIDE, layoutOf, narrowPlain, panelFor, panelIn, panelOut, panelRows, tileBytes, tileCount,
} from "./panel";
import { panelDot, panelMax, panelScaleOut, panelTimesCentered } from "./passes";


export function softmax<T>(y: usize, x: usize, outer: i32, cols: i32, inner: i32, temperature: f64): void {
  const table = expTable<T>(temperature);
  const rows = outer * inner, layout = layoutOf<T>(rows, cols, inner), bytes = tileBytes<T>(cols, layout);
  for (let r = 0, n = 0; r < rows; r += n) {
    n = panelRows<T>(r, rows, cols, inner, layout);
    const tiles = tileCount<T>(n);
    const xs = panelIn<T>(INPUT, x, r, n, cols, inner, layout, <T>-Infinity);
    const ys = panelFor<T>(OUTPUT, y, r, cols, layout);
    panelMax<T>(MAX, SHIFT, xs, tiles, bytes, layout);
    panelExp<T>(SUM, ys, xs, SHIFT, tiles, cols, layout, false, table);
    invert(SUM, n, 1 / expOfZero<T>());
    panelScaleOut<T>(y, ys, SUM, r, n, cols, inner, layout);
  }
}

/** sum ← factor / sum, for n rows. */
function invert(sum: usize, n: i32, factor: f64): void {
  for (const end = sum + (<usize>n << 3); sum < end; sum += 16) v128.store(sum, f64x2.div(f64x2.splat(factor), v128.load(sum)));
}

export function softmaxGrad<T>(dx: usize, y: usize, dy: usize, outer: i32, cols: i32, inner: i32): void {
  const layout = cols > narrowPlain<T>() ? WIDE : NARROW, bytes = tileBytes<T>(cols, layout), rows = outer * inner;
  for (let r = 0, n = 0; r < rows; r += n) {
    n = panelRows<T>(r, rows, cols, inner, layout);
    const tiles = tileCount<T>(n);
    const ys = panelIn<T>(INPUT, y, r, n, cols, inner, layout, 0);
    const dys = panelIn<T>(SECOND, dy, r, n, cols, inner, layout, 0);
    const dxs = panelFor<T>(OUTPUT, dx, r, cols, layout);
    panelDot<T>(SUM, ys, dys, tiles, bytes, layout);
    panelTimesCentered<T>(dxs, ys, dys, SUM, tiles, bytes, layout);
    panelOut<T>(dx, dxs, r, n, cols, inner, layout);
  }
}
