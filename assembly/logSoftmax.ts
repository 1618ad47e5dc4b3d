// logSoftmax      y = (x − m)/T − ln Σ e^((x − m)/T),  m = max x      never ln(softmax), never x − lse: both lose what is small
// logSoftmaxGrad  dx = dy − e^y · Σ dy                                from y alone
// logSumExp       lse = m/T + ln Σ e^((x − m)/T)
//
// per row of x, y: [outer, cols, inner]; lse: [outer · inner], f64. ln Σ = log1p(Σ over all but one maximum), so that a row that one class
// dominates keeps its digits: logSumExp [0, −40] = 4.2e−18.

import { expTable, panelExp, panelMinusExp } from "./exp";
import { logs } from "./log";
import {
  INPUT, INVERSE, LOG, MAX, OUTPUT, SECOND, SHIFT, SUM, layoutOf, panelFor, panelIn, panelOut, panelRows, rowHoldsNaN, tileBytes, tileCount,
} from "./panel";
import { panelMax, panelShift, panelSum } from "./passes";
import { storePair } from "./simd";


export function logSoftmax<T>(y: usize, x: usize, outer: i32, cols: i32, inner: i32, temperature: f64): void {
  const table = expTable<T>(temperature);
  const scale = v128.splat<T>(<T>(1 / temperature));
  const rows = outer * inner, layout = layoutOf<T>(rows, cols, inner), bytes = tileBytes<T>(cols, layout);
  for (let r = 0, n = 0; r < rows; r += n) {
    n = panelRows<T>(r, rows, cols, inner, layout);
    const tiles = tileCount<T>(n);
    const xs = panelIn<T>(INPUT, x, r, n, cols, inner, layout, <T>-Infinity);
    const ys = panelFor<T>(OUTPUT, y, r, cols, layout);
    panelMax<T>(MAX, SHIFT, xs, tiles, bytes, layout);
    panelExp<T>(SUM, 0, xs, SHIFT, tiles, cols, layout, true, table);
    logs(LOG, INVERSE, SUM, n);
    panelShift<T>(ys, xs, MAX, scale, LOG, tiles, bytes, layout);
    panelOut<T>(y, ys, r, n, cols, inner, layout);
  }
}

export function logSoftmaxGrad<T>(dx: usize, y: usize, dy: usize, outer: i32, cols: i32, inner: i32): void {
  const table = expTable<T>(1);
  const rows = outer * inner, layout = layoutOf<T>(rows, cols, inner), bytes = tileBytes<T>(cols, layout);
  for (let r = 0, n = 0; r < rows; r += n) {
    n = panelRows<T>(r, rows, cols, inner, layout);
    const tiles = tileCount<T>(n);
    const ys = panelIn<T>(INPUT, y, r, n, cols, inner, layout, 0);
    const dys = panelIn<T>(SECOND, dy, r, n, cols, inner, layout, 0);
    const dxs = panelFor<T>(OUTPUT, dx, r, cols, layout);
    panelSum<T>(SUM, dys, tiles, bytes, layout);
    panelMinusExp<T>(dxs, ys, dys, SUM, tiles, bytes, layout, table);
    panelOut<T>(dx, dxs, r, n, cols, inner, layout);
  }
}

export function logSumExp<T>(lse: usize, x: usize, outer: i32, cols: i32, inner: i32, temperature: f64): void {
  const table = expTable<T>(temperature);
  const rows = outer * inner, layout = layoutOf<T>(rows, cols, inner), bytes = tileBytes<T>(cols, layout);
  for (let r = 0, n = 0; r < rows; r += n) {
    n = panelRows<T>(r, rows, cols, inner, layout);
    const tiles = tileCount<T>(n);
    const xs = panelIn<T>(INPUT, x, r, n, cols, inner, layout, <T>-Infinity);
    panelMax<T>(MAX, SHIFT, xs, tiles, bytes, layout);
    panelExp<T>(SUM, 0, xs, SHIFT, tiles, cols, layout, true, table);
    logs(LOG, INVERSE, SUM, n);
    const values = lse + (<usize>r << 3);
    if (!logSumExps(values, n, temperature)) continue;
    // Where the maximum is infinite ln Σ is NaN, which is right only for a row that holds a NaN.
    for (let i = 0; i < n; i++) {
      const m = load<f64>(MAX + (i << 3));
      if (m == -Infinity && load<f64>(SUM + (i << 3)) == -1) store<f64>(values + (i << 3), -Infinity);
      if (m == Infinity && !rowHoldsNaN<T>(xs, i, cols, layout)) store<f64>(values + (i << 3), Infinity);
    }
  }
}

/** lse of n rows. Returns whether a maximum may be infinite. */
function logSumExps(lse: usize, n: i32, temperature: f64): bool {
  const ts = f64x2.splat(temperature);
  let infinite = f64x2.splat(0);
  for (let at: usize = 0; n > 0; n -= 2, at += 16, lse += 16) {
    const m = v128.load(MAX + at), value = f64x2.add(f64x2.div(m, ts), v128.load(LOG + at));
    storePair(lse, value, n);
    infinite = v128.or(infinite, f64x2.ne(f64x2.sub(m, m), f64x2.splat(0)));
  }
  return v128.any_true(infinite);
}
