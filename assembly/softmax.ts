// softmax      y = e^((x − m)/T) / Σ e^((x − m)/T),  m = max x      per row of x, y: [outer, cols, inner]
// softmaxGrad  dx = y ⊙ (dy − ⟨y, dy⟩)                              from y alone, so x need not be kept

import { expOfZero, expTable } from "./exp";
import { tileDot, tileMax, tileScale, tileStoreExp, tileTimesCentered } from "./passes";
import { loadLanes } from "./simd";
import { X, Y, Z, isWide, tileBytes, tileCount, tileFor, tileIn, tileOut } from "./tile";

const SUM = memory.data(32, 16);

export function softmax<T>(y: usize, x: usize, outer: i32, cols: i32, inner: i32, temperature: f64): void {
  const table = expTable<T>(temperature);
  const bytes = tileBytes<T>(cols), wide = isWide(cols);
  for (let k = 0, tiles = tileCount<T>(outer, cols, inner); k < tiles; k++) {
    const xs = tileIn<T>(X, x, k, outer, cols, inner, <T>-Infinity);
    const ys = tileFor<T>(Y, y, k, cols);
    tileStoreExp<T>(SUM, ys, xs, bytes, wide, tileMax<T>(xs, bytes, wide), table);
    invert(SUM, 1 / expOfZero<T>());
    tileScale<T>(ys, bytes, loadLanes<T>(SUM, wide));
    tileOut<T>(y, ys, k, outer, cols, inner);
  }
}

/** sum ← factor / sum, for each row of a tile. */
// @ts-ignore: decorator
@inline
function invert(sum: usize, factor: f64): void {
  v128.store(sum, f64x2.div(f64x2.splat(factor), v128.load(sum)));
  v128.store(sum, f64x2.div(f64x2.splat(factor), v128.load(sum, 16)), 16);
}

export function softmaxGrad<T>(dx: usize, y: usize, dy: usize, outer: i32, cols: i32, inner: i32): void {
  const bytes = tileBytes<T>(cols), wide = isWide(cols);
  for (let k = 0, tiles = tileCount<T>(outer, cols, inner); k < tiles; k++) {
    const ys = tileIn<T>(X, y, k, outer, cols, inner, 0);
    const dys = tileIn<T>(Z, dy, k, outer, cols, inner, 0);
    const dxs = tileFor<T>(Y, dx, k, cols);
    tileDot<T>(SUM, ys, dys, bytes, wide);
    tileTimesCentered<T>(dxs, ys, dys, bytes, loadLanes<T>(SUM, wide));
    tileOut<T>(dx, dxs, k, outer, cols, inner);
  }
}
