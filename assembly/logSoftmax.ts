// logSumExp       lse = m/T + ln Σ e^((x − m)/T),  m = max x          per row of x: [outer, cols, inner]; lse: [outer · inner], f64
// logSoftmax      y = (x − m)/T − ln Σ e^((x − m)/T)                  never ln(softmax), never x − lse: both lose what is small
// logSoftmaxGrad  dx = dy − e^y · Σ dy                                from y alone
//
// ln Σ = log1p(Σ over all but one maximum), so that a row that one class dominates keeps its digits: logSumExp [0, −40] = 4.2e−18.

import { expOfZero, expTable } from "./exp";
import { log1p } from "./log";
import { tileMax, tileMinusExp, tileShift, tileStoreExpOthers, tileSum } from "./passes";
import { loadLanes, storeLanes } from "./simd";
import { SINK, X, Y, Z, isWide, rowAddress, tileBytes, tileCount, tileFor, tileIn, tileOut, tileRow, tileRows } from "./tile";

const SUM = memory.data(32, 16);
const MAX = memory.data(32, 16);
const LOG = memory.data(32, 16);

export function logSoftmax<T>(y: usize, x: usize, outer: i32, cols: i32, inner: i32, temperature: f64): void {
  const table = expTable<T>(temperature);
  const factor = v128.splat<T>(<T>(1 / temperature));
  const bytes = tileBytes<T>(cols), wide = isWide(cols);
  for (let k = 0, tiles = tileCount<T>(outer, cols, inner); k < tiles; k++) {
    const xs = tileIn<T>(X, x, k, outer, cols, inner, <T>-Infinity);
    const ys = tileFor<T>(Y, y, k, cols);
    const max = tileMax<T>(xs, bytes, wide);
    tileStoreExpOthers<T>(SUM, SINK, 0, xs, bytes, wide, max, table);
    logs(LOG, SUM);
    tileShift<T>(ys, xs, bytes, max, factor, loadLanes<T>(LOG, wide));
    tileOut<T>(y, ys, k, outer, cols, inner);
  }
}

/** log = ln(1 + sum), for each row of a tile. */
export function logs(log: usize, sum: usize): void {
  v128.store(log, log1p(v128.load(sum)));
  v128.store(log, log1p(v128.load(sum, 16)), 16);
}

export function logSoftmaxGrad<T>(dx: usize, y: usize, dy: usize, outer: i32, cols: i32, inner: i32): void {
  const table = expTable<T>(1);
  const unscale = v128.splat<T>(<T>(1 / expOfZero<T>()));
  const bytes = tileBytes<T>(cols), wide = isWide(cols);
  for (let k = 0, tiles = tileCount<T>(outer, cols, inner); k < tiles; k++) {
    const ys = tileIn<T>(X, y, k, outer, cols, inner, 0);
    const dys = tileIn<T>(Z, dy, k, outer, cols, inner, 0);
    const dxs = tileFor<T>(Y, dx, k, cols);
    tileSum<T>(SUM, dys, bytes, wide);
    tileMinusExp<T>(dxs, ys, dys, bytes, v128.mul<T>(loadLanes<T>(SUM, wide), unscale), table);
    tileOut<T>(dx, dxs, k, outer, cols, inner);
  }
}

export function logSumExp<T>(lse: usize, x: usize, outer: i32, cols: i32, inner: i32, temperature: f64): void {
  const table = expTable<T>(temperature);
  const bytes = tileBytes<T>(cols), wide = isWide(cols);
  for (let k = 0, tiles = tileCount<T>(outer, cols, inner); k < tiles; k++) {
    const xs = tileIn<T>(X, x, k, outer, cols, inner, <T>-Infinity);
    const max = tileMax<T>(xs, bytes, wide);
    tileStoreExpOthers<T>(SUM, SINK, 0, xs, bytes, wide, max, table);
    storeLanes<T>(MAX, max);
    logs(LOG, SUM);
    const row = tileRow<T>(k, cols, inner);
    for (let lane = 0; lane < tileRows<T>(k, outer, cols, inner); lane++) {
      const at = lane << 3;
      const m = load<f64>(MAX + at);
      let value = m / temperature + load<f64>(LOG + at);
      // Infinite maxima: ln Σ is NaN there, which would also be the answer for a row that holds a NaN.
      if (m == -Infinity && load<f64>(SUM + at) == -1) value = -Infinity;
      if (m == Infinity && !rowHoldsNaN<T>(rowAddress<T>(x, row + lane, cols, inner), cols, inner)) value = Infinity;
      store<f64>(lse + (<usize>(row + lane) << 3), value);
    }
  }
}

function rowHoldsNaN<T>(x: usize, cols: i32, inner: i32): bool {
  for (let j = 0; j < cols; j++, x += <usize>inner * sizeof<T>()) if (isNaN<T>(load<T>(x))) return true;
  return false;
}
