// Multi-class hinge (SVM) loss with its gradient, z_j = (x_j − x_y) + margin for the wrong classes j ≠ y:
//
//   Weston–Watkins   loss = Σ_j max(0, z_j)^p        grad_j = p·max(0, z_j)^(p−1) where z_j > 0,  grad_y = −Σ_j grad_j
//   Crammer–Singer   loss = max(0, z_k)^p            grad_k = p·max(0, z_k)^(p−1) where z_k > 0,  grad_y = −grad_k
//                    k = the lowest index that attains max_{j ≠ y} x_j
//
// times w_y, times scale; p is 1 or 2. At the kink z = 0 the subgradient is 0. Weston and Watkins (1999); Crammer and Singer (2001).
//
// x, grad: [outer, cols, inner]; loss, targets, sampleWeight, gradOutput: one per row; weight: [cols]. Absent arrays are 0.

import {
  STATISTIC, X, Y, classStep, fillRow, findInRow, isClass, narrowPlain, panelAt, panelFor, panelIn, panelOut, panelRows,
  rowAddress, rowHoldsNaN, tileBytes, tileCount,
} from "./panel";
import {
  REST_X, REST_Y, chunks, countTrue, panelMaxAndNaN, perTile, restIn, restOf, restOut, storeCount, tree,
} from "./passes";
import { CHUNK, VECTOR, loadLanes, storeLanes, storeSum, sumHigh, sumLow } from "./simd";

const TARGET = memory.data(STATISTIC, 16); // x_y
const FACTOR = memory.data(STATISTIC, 16); // of the gradient: p·w_y·u·scale·gradScale·gradOutput
const VIOLATION = memory.data(STATISTIC, 16); // Σ max(0, z)^p
const SLOPE = memory.data(STATISTIC, 16); // Σ max(0, z)^(p−1) over z > 0
const MAX = memory.data(STATISTIC, 16); // max_{j ≠ y} x_j
const TOP = memory.data(STATISTIC, 16); // the class that attains it
const SUM = memory.data(STATISTIC, 16); // NaN where a row may hold one
const LOWEST = memory.data(STATISTIC, 16); // z where x_y = −Infinity
const SINK = memory.data(64, 16);

export function hinge<T>(
  loss: usize, grad: usize, x: usize, targets: usize, weight: usize, sampleWeight: usize, gradOutput: usize,
  outer: i32, cols: i32, inner: i32, westonWatkins: bool, margin: f64, squared: bool, scale: f64, gradScale: f64,
): void {
  const wide = cols > narrowPlain<T>(), bytes = tileBytes<T>(cols, wide), rows = outer * inner;
  // A Crammer–Singer gradient is zero but for two entries a row: these are set where they belong, if rows are contiguous there.
  const direct = grad && !westonWatkins && inner == 1;
  const step = direct ? sizeof<T>() : classStep<T>(wide);
  for (let r = 0, n = 0; r < rows; r += n) {
    n = panelRows<T>(r, rows, cols, inner, wide);
    const tiles = tileCount<T>(n);
    const xs = panelIn<T>(X, x, r, n, cols, inner, wide, <T>-Infinity);
    const gs = grad ? panelFor<T>(Y, grad, r, cols, wide) : 0;
    const ys = targets + (<usize>r << 2), us = sampleWeight + (<usize>r << 3);

    // The true class is hidden while the row is looked at: with x_y = −Infinity it adds nothing and is never the maximum. (Taking its
    // `margin` off the sum afterwards would cancel.)
    for (let i = 0; i < n; i++) {
      const at = i << 3, y = load<i32>(ys + (i << 2));
      if (!isClass(y, cols)) continue;
      const own = panelAt<T>(xs, i, y, cols, wide);
      store<f64>(TARGET + at, <f64>load<T>(own));
      store<T>(own, <T>-Infinity);
      if (load<f64>(TARGET + at) == -Infinity) store<f64>(LOWEST + at, excessOfLowest<T>(xs, i, cols, wide, y));
      const w = weight ? <f64>load<T>(weight + <usize>y * sizeof<T>()) : 1;
      const u = sampleWeight ? load<f64>(us + at) : 1;
      const g = gradOutput ? load<f64>(gradOutput + (<usize>r << 3) + at) : 1;
      store<f64>(FACTOR + at, w * u * g * scale * gradScale * (squared ? 2 : 1));
    }

    if (!westonWatkins) {
      findTop<T>(xs, n, tiles, bytes, cols, wide, margin, squared, grad != 0);
      if (direct) memory.fill(rowAddress<T>(grad, r, cols, 1), 0, <usize>n * <usize>cols * sizeof<T>());
      else if (grad) memory.fill(gs, 0, <usize>tiles * bytes);
    } else {
      if (squared) panelSquaredViolations<T>(gs, xs, tiles, bytes, wide, <T>margin);
      else panelViolations<T>(gs, xs, tiles, bytes, wide, <T>margin);
      for (let i = 0; i < n; i++) {
        if (load<f64>(TARGET + (i << 3)) == -Infinity) useLowest<T>(gs, i, cols, wide, squared);
      }
    }

    for (let i = 0; i < n; i++) {
      const at = i << 3, y = load<i32>(ys + (i << 2));
      const u = sampleWeight ? load<f64>(us + at) : 1;
      if (wide && grad != x && isClass(y, cols)) store<T>(panelAt<T>(xs, i, y, cols, wide), <T>load<f64>(TARGET + at));
      const g = direct ? rowAddress<T>(grad, r + i, cols, 1) : grad ? panelAt<T>(gs, i, 0, cols, wide) : 0;
      if (!isClass(y, cols) || u == 0) {
        store<f64>(loss + (<usize>r << 3) + at, 0);
        if (grad) fillRow<T>(g, step, cols, 0);
        continue;
      }
      const w = weight ? <f64>load<T>(weight + <usize>y * sizeof<T>()) : 1;
      const violation = load<f64>(VIOLATION + at);
      store<f64>(loss + (<usize>r << 3) + at, w * u * scale * violation);
      if (!grad) continue;
      if (isNaN(violation)) {
        fillRow<T>(g, step, cols, <T>NaN);
        continue;
      }
      // Not the violation: the square of a small z is 0 long before its derivative.
      if (!westonWatkins && load<f64>(SLOPE + at) == 0) continue;
      const slope = load<f64>(FACTOR + at) * load<f64>(SLOPE + at);
      if (!westonWatkins) store<T>(g + <usize>load<f64>(TOP + at) * step, <T>slope);
      store<T>(g + <usize>y * step, <T>(0 - slope));
    }
    if (grad && !direct) panelOut<T>(grad, gs, r, n, cols, inner, wide);
  }
}

/** Crammer–Singer: VIOLATION and SLOPE from the one wrong class that counts, and which it is: TOP, where it is asked for. */
function findTop<T>(x: usize, n: i32, tiles: i32, bytes: usize, cols: i32, wide: bool, margin: f64, squared: bool, top: bool): void {
  panelMaxAndNaN<T>(MAX, SUM, x, tiles, bytes, wide);
  if (top && !wide) panelTop<T>(x, tiles, bytes);
  for (let i = 0; i < n; i++) {
    const at = i << 3;
    const max = load<f64>(MAX + at), target = load<f64>(TARGET + at);
    let z = cols > 1 ? max - target + margin : target != target ? NaN : 0;
    if (isNaN(load<f64>(SUM + at)) && rowHoldsNaN<T>(x, i, cols, wide)) z = NaN;
    if (z <= 0) z = 0;
    store<f64>(VIOLATION + at, squared ? z * z : z);
    store<f64>(SLOPE + at, squared || z == 0 ? z : 1);
    if (top && wide && z > 0) store<f64>(TOP + at, <f64>findInRow<T>(x, i, cols, wide, <T>max));
  }
}

/** TOP = the lowest class that attains MAX, for narrow rows. */
function panelTop<T>(x: usize, tiles: i32, bytes: usize): void {
  for (let tile: usize = 0; tile < <usize>tiles; tile++, x += bytes) {
    const max = loadLanes<T>(MAX + tile * perTile<T>(), false);
    let top = v128.splat<T>(0);
    for (let j = <i32>(bytes / VECTOR) - 1; j >= 0; j--) {
      top = v128.bitselect(v128.splat<T>(<T>j), top, v128.eq<T>(v128.load(x + <usize>j * VECTOR), max));
    }
    storeLanes<T>(TOP + tile * perTile<T>(), top);
  }
}

/** z of the wrong classes where x_y is −Infinity: +Infinity, or NaN if one of them is −Infinity or NaN; 0 where there is none. */
function excessOfLowest<T>(x: usize, i: i32, cols: i32, wide: bool, y: i32): f64 {
  for (let j = 0; j < cols; j++) {
    const other = load<T>(panelAt<T>(x, i, j, cols, wide));
    if (j != y && !(other > <T>-Infinity)) return NaN;
  }
  return cols > 1 ? Infinity : 0;
}

/** Corrects such a row of Weston–Watkins: the pass took the hidden class and the padding for −Infinity − (−Infinity) = NaN. */
function useLowest<T>(g: usize, i: i32, cols: i32, wide: bool, squared: bool): void {
  const at = i << 3, z = load<f64>(LOWEST + at);
  store<f64>(VIOLATION + at, z);
  store<f64>(SLOPE + at, squared ? z : <f64>(cols - 1));
  if (g) fillRow<T>(panelAt<T>(g, i, 0, cols, wide), classStep<T>(wide), cols, <T>(load<f64>(FACTOR + at) * (squared ? z : 1)));
}

/** VIOLATION = Σ max(0, z), SLOPE = #{z > 0}, g = FACTOR where z > 0, else 0. */
function panelViolations<T>(g: usize, x: usize, tiles: i32, bytes: usize, wide: bool, margin: T): void {
  const zero = v128.splat<T>(0), margins = v128.splat<T>(margin);
  const rest = restOf(bytes), row = g, step = g ? CHUNK : 0;
  if (!g) g = SINK;
  if (rest) restIn(REST_X, x, bytes, v128.splat<T>(-Infinity));
  for (let tile: usize = 0; tile < <usize>tiles; tile++) {
    const target = loadLanes<T>(TARGET + tile * perTile<T>(), wide), factor = loadLanes<T>(FACTOR + tile * perTile<T>(), wide);
    let low = f64x2.splat(0), high = low, active = low;
    for (let n = chunks(bytes); n > 0; n--, x += CHUNK, g += step) {
      if (rest && n == 1) x = REST_X, g = REST_Y;
      const z0 = excess<T>(v128.load(x), target, margins), z1 = excess<T>(v128.load(x, 16), target, margins);
      const z2 = excess<T>(v128.load(x, 32), target, margins), z3 = excess<T>(v128.load(x, 48), target, margins);
      const a0 = v128.gt<T>(z0, zero), a1 = v128.gt<T>(z1, zero), a2 = v128.gt<T>(z2, zero), a3 = v128.gt<T>(z3, zero);
      v128.store(g, v128.and(a0, factor));
      v128.store(g, v128.and(a1, factor), 16);
      v128.store(g, v128.and(a2, factor), 32);
      v128.store(g, v128.and(a3, factor), 48);
      active = countTrue<T>(active, a0, a1, a2, a3);
      // pmax(z, 0) keeps a NaN of z.
      const s = tree<T>(v128.pmax<T>(z0, zero), v128.pmax<T>(z1, zero), v128.pmax<T>(z2, zero), v128.pmax<T>(z3, zero));
      high = sumHigh<T>(high, low, s), low = sumLow<T>(low, s);
    }
    storeSum<T>(VIOLATION + tile * perTile<T>(), low, high, 1, wide);
    storeCount<T>(SLOPE + tile * perTile<T>(), active, wide);
  }
  if (rest && row) restOut(row, bytes, REST_Y);
}

/** VIOLATION = Σ max(0, z)², SLOPE = Σ max(0, z), g = FACTOR · max(0, z). */
function panelSquaredViolations<T>(g: usize, x: usize, tiles: i32, bytes: usize, wide: bool, margin: T): void {
  const zero = v128.splat<T>(0), margins = v128.splat<T>(margin);
  const rest = restOf(bytes), row = g, step = g ? CHUNK : 0;
  if (!g) g = SINK;
  if (rest) restIn(REST_X, x, bytes, v128.splat<T>(-Infinity));
  for (let tile: usize = 0; tile < <usize>tiles; tile++) {
    const target = loadLanes<T>(TARGET + tile * perTile<T>(), wide), factor = loadLanes<T>(FACTOR + tile * perTile<T>(), wide);
    let squareL = f64x2.splat(0), squareH = squareL, low = squareL, high = squareL;
    for (let n = chunks(bytes); n > 0; n--, x += CHUNK, g += step) {
      if (rest && n == 1) x = REST_X, g = REST_Y;
      const h0 = v128.pmax<T>(excess<T>(v128.load(x), target, margins), zero), h1 = v128.pmax<T>(excess<T>(v128.load(x, 16), target, margins), zero);
      const h2 = v128.pmax<T>(excess<T>(v128.load(x, 32), target, margins), zero), h3 = v128.pmax<T>(excess<T>(v128.load(x, 48), target, margins), zero);
      v128.store(g, v128.mul<T>(h0, factor));
      v128.store(g, v128.mul<T>(h1, factor), 16);
      v128.store(g, v128.mul<T>(h2, factor), 32);
      v128.store(g, v128.mul<T>(h3, factor), 48);
      const s = tree<T>(h0, h1, h2, h3);
      high = sumHigh<T>(high, low, s), low = sumLow<T>(low, s);
      const square = tree<T>(v128.mul<T>(h0, h0), v128.mul<T>(h1, h1), v128.mul<T>(h2, h2), v128.mul<T>(h3, h3));
      squareH = sumHigh<T>(squareH, squareL, square), squareL = sumLow<T>(squareL, square);
    }
    storeSum<T>(VIOLATION + tile * perTile<T>(), squareL, squareH, 1, wide);
    storeSum<T>(SLOPE + tile * perTile<T>(), low, high, 1, wide);
  }
  if (rest && row) restOut(row, bytes, REST_Y);
}

/** z = (x − x_y) + margin; in this order, so that a common offset of the scores cancels before the margin is added. */
// @ts-ignore: decorator
@inline
function excess<T>(x: v128, target: v128, margin: v128): v128 {
  return v128.add<T>(v128.sub<T>(x, target), margin);
}
