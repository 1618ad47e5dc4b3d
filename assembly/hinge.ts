// Multi-class hinge (SVM) loss with its gradient, z_j = (x_j − x_y) + margin for the wrong classes j ≠ y:
//
//   Weston–Watkins   loss = Σ_j max(0, z_j)^p        grad_j = p·max(0, z_j)^(p−1) where z_j > 0,  grad_y = −Σ_j grad_j
//   Crammer–Singer   loss = max(0, z_k)^p            grad_k = p·max(0, z_k)^(p−1) where z_k > 0,  grad_y = −grad_k
//                    k = the lowest index that attains max_{j ≠ y} x_j
//
// times w_y, times scale; p is 1 or 2. At the kink z = 0 the subgradient is 0. Weston and Watkins (1999); Crammer and Singer (2001).
//
// x, grad: [outer, cols, inner]; loss, targets, sampleWeight, gradOutput: one per row; weight: [cols]. Absent arrays are 0.

import { Layout, NARROW, WIDE } from "./layout";
import {
  STATISTIC, X, Y, classStep, fillRow, findInRow, isClass, narrowPlain, panelFor, panelIn, panelOut, panelRows,
  rowAddress, rowHoldsNaN, tileAt, tileBytes, tileCount,
} from "./panel";
import {
  REST_X, REST_Y, chunks, countTrue, panelMaxAndNaN, perTile, restIn, restOf, restOut, storeCount, tree,
} from "./passes";
import { CHUNK, VECTOR, loadLanes, storeLanes, storeSum, sumHigh, sumLow } from "./simd";

const COLUMN = memory.data(STATISTIC, 16); // y, an i32 for each row
const TARGET = memory.data(STATISTIC, 16); // x_y
const ROW_WEIGHT = memory.data(STATISTIC, 16); // u, 0 for a row that is ignored
const UNIT = memory.data(STATISTIC, 16); // w_y·u·scale: the factor of the loss
const FACTOR = memory.data(STATISTIC, 16); // UNIT·p·gradScale·gradOutput: that of the gradient
const VIOLATION = memory.data(STATISTIC, 16); // Σ max(0, z)^p
const SLOPE = memory.data(STATISTIC, 16); // Σ max(0, z)^(p−1) over z > 0
const LOSS = memory.data(STATISTIC, 16);
const OWN = memory.data(STATISTIC, 16); // minus the gradient of the true class
const MAX = memory.data(STATISTIC, 16); // max_{j ≠ y} x_j
const TOP = memory.data(STATISTIC, 16); // the class that attains it, an integer as wide as T
const SUM = memory.data(STATISTIC, 16); // NaN where a row holds one, or may do so
const LOWEST = memory.data(STATISTIC, 16); // z where x_y = −Infinity
const SINK = memory.data(64, 16);

export function hinge<T>(
  loss: usize, grad: usize, x: usize, targets: usize, weight: usize, sampleWeight: usize, gradOutput: usize,
  outer: i32, cols: i32, inner: i32, westonWatkins: bool, margin: f64, squared: bool, scale: f64, gradScale: f64,
): void {
  const layout = cols > narrowPlain<T>() ? WIDE : NARROW, bytes = tileBytes<T>(cols, layout), rows = outer * inner;
  // A Crammer–Singer gradient is zero but for two entries a row: these are set where they belong, if rows are contiguous there.
  const direct = grad && !westonWatkins && inner == 1;
  const step = direct ? sizeof<T>() : classStep<T>(layout), gradUnit = gradScale * (squared ? 2 : 1);
  for (let r = 0, n = 0; r < rows; r += n) {
    n = panelRows<T>(r, rows, cols, inner, layout);
    const tiles = tileCount<T>(n);
    const xs = panelIn<T>(X, x, r, n, cols, inner, layout, <T>-Infinity);
    const gs = grad ? panelFor<T>(Y, grad, r, cols, layout) : 0;
    const ys = targets + (<usize>r << 2);
    const us = sampleWeight ? sampleWeight + (<usize>r << 3) : 0, outputs = gradOutput ? gradOutput + (<usize>r << 3) : 0;

    const lowest = hideTargets<T>(xs, ys, us, outputs, weight, n, cols, layout, scale, gradUnit);
    if (!westonWatkins) {
      findTop<T>(xs, n, tiles, bytes, cols, layout, margin, squared, grad != 0);
      if (direct) memory.fill(rowAddress<T>(grad, r, cols, 1), 0, <usize>n * <usize>cols * sizeof<T>());
      else if (grad) memory.fill(gs, 0, <usize>tiles * bytes);
    } else {
      if (squared) panelSquaredViolations<T>(gs, xs, tiles, bytes, layout, <T>margin);
      else panelViolations<T>(gs, xs, tiles, bytes, layout, <T>margin);
      if (lowest) useLowest<T>(gs, n, cols, layout, squared);
    }
    // Where grad is x itself this is overwritten below.
    if (layout == WIDE) store<T>(tileAt<T>(xs, 0, load<i32>(COLUMN), cols, layout == WIDE), <T>load<f64>(TARGET));

    lossesAndSlopes(n);
    for (let i = 0; i < n; i++) store<f64>(loss + (<usize>(r + i) << 3), load<f64>(LOSS + (i << 3)));
    if (!grad) continue;
    for (let i = 0; i < n; i++) {
      const at = i << 3, y = load<i32>(COLUMN + (i << 2)), own = load<f64>(OWN + at);
      const g = direct ? rowAddress<T>(grad, r + i, cols, 1) : tileAt<T>(gs, i, 0, cols, layout == WIDE);
      if (load<f64>(ROW_WEIGHT + at) == 0) fillRow<T>(g, step, cols, 0);
      else if (isNaN(load<f64>(VIOLATION + at))) fillRow<T>(g, step, cols, <T>NaN);
      else {
        if (!westonWatkins) store<T>(g + <usize>load<i32>(TOP + i * sizeof<T>()) * step, <T>own);
        store<T>(g + <usize>y * step, <T>(0 - own));
      }
    }
    if (!direct) panelOut<T>(grad, gs, r, n, cols, inner, layout);
  }
}

/**
 * COLUMN, TARGET, ROW_WEIGHT, UNIT and FACTOR. The true class is hidden while the row is looked at: with x_y = −Infinity it adds nothing and is
 * never the maximum. (Taking its `margin` off the sum afterwards would cancel.) Returns whether any x_y is −Infinity itself, and LOWEST for it.
 */
function hideTargets<T>(
  x: usize, targets: usize, sampleWeight: usize, gradOutput: usize, weight: usize, n: i32, cols: i32, layout: Layout, scale: f64, gradUnit: f64,
): bool {
  let lowest = false;
  for (let i = 0; i < n; i++) {
    const at = i << 3, column = load<i32>(targets + (i << 2)), counts = isClass(column, cols);
    const y = counts ? column : 0, own = tileAt<T>(x, i, y, cols, layout == WIDE), target = <f64>load<T>(own);
    const w = weight ? <f64>load<T>(weight + <usize>y * sizeof<T>()) : 1.0, u = sampleWeight ? load<f64>(sampleWeight + at) : 1.0;
    store<i32>(COLUMN + (i << 2), y);
    store<f64>(TARGET + at, target);
    store<f64>(ROW_WEIGHT + at, counts ? u : 0);
    const unit = w * u * scale, g = gradOutput ? load<f64>(gradOutput + at) : 1.0;
    store<f64>(UNIT + at, unit);
    store<f64>(FACTOR + at, unit * (gradUnit * g));
    store<T>(own, <T>-Infinity);
    if (target != -Infinity) continue;
    if (cols == 1) {
      // Nothing comes near a class that is alone, but −Infinity − (−Infinity) would be NaN.
      store<f64>(TARGET + at, 0);
    } else {
      store<f64>(LOWEST + at, excessOfLowest<T>(x, i, cols, layout, y));
      lowest = true;
    }
  }
  return lowest;
}

/** LOSS and OWN, two rows at a time. No violation gives exactly 0, whatever the factor. */
function lossesAndSlopes(n: i32): void {
  const zero = f64x2.splat(0);
  for (let at: usize = 0; at < <usize>n << 3; at += 16) {
    const counts = f64x2.ne(v128.load(ROW_WEIGHT + at), zero), slope = v128.load(SLOPE + at);
    v128.store(LOSS + at, v128.and(f64x2.mul(v128.load(UNIT + at), v128.load(VIOLATION + at)), counts));
    // Not by the violation: the square of a small z is 0 long before its derivative.
    v128.store(OWN + at, v128.and(f64x2.mul(v128.load(FACTOR + at), slope), f64x2.ne(slope, zero)));
  }
}

/** Crammer–Singer: VIOLATION and SLOPE from the one wrong class that counts, and which it is: TOP, where it is asked for. */
function findTop<T>(x: usize, n: i32, tiles: i32, bytes: usize, cols: i32, layout: Layout, margin: f64, squared: bool, top: bool): void {
  const zero = f64x2.splat(0), one = f64x2.splat(1), margins = f64x2.splat(margin);
  panelMaxAndNaN<T>(MAX, SUM, x, tiles, bytes, layout);
  // The maximum has dropped any NaN.
  for (let i = 0; i < n; i++) if (isNaN(load<f64>(SUM + (i << 3))) && rowHoldsNaN<T>(x, i, cols, layout)) store<f64>(MAX + (i << 3), NaN);
  for (let at: usize = 0; at < <usize>n << 3; at += 16) {
    let z = f64x2.add(f64x2.sub(v128.load(MAX + at), v128.load(TARGET + at)), margins);
    z = v128.andnot(z, f64x2.le(z, zero));
    v128.store(VIOLATION + at, squared ? f64x2.mul(z, z) : z);
    v128.store(SLOPE + at, squared ? z : v128.and(one, f64x2.ne(z, zero)));
  }
  if (!top) return;
  if (layout == NARROW) panelTop<T>(x, tiles, bytes);
  else store<i32>(TOP, load<f64>(SLOPE) > 0 ? findInRow<T>(x, 0, cols, layout, <T>load<f64>(MAX)) : load<i32>(COLUMN));
}

/** TOP = the lowest class that attains MAX, for narrow rows. */
function panelTop<T>(x: usize, tiles: i32, bytes: usize): void {
  const minusOne = i32x4.splat(-1), classes = <i32>(bytes / VECTOR);
  for (let tile: usize = 0; tile < <usize>tiles; tile++, x += bytes) {
    const max = loadLanes<T>(MAX + tile * perTile<T>(), false);
    let top = i32x4.splat(0), j = sizeof<T>() == 4 ? i32x4.splat(classes) : i64x2.splat(classes);
    for (let at = bytes; at > 0; at -= VECTOR) {
      j = sizeof<T>() == 4 ? i32x4.add(j, minusOne) : i64x2.add(j, minusOne);
      top = v128.bitselect(j, top, v128.eq<T>(v128.load(x + at - VECTOR), max));
    }
    v128.store(TOP + tile * VECTOR, top);
  }
}

/** z of the wrong classes where x_y is −Infinity: +Infinity, or NaN if one of them is −Infinity or NaN. */
function excessOfLowest<T>(x: usize, i: i32, cols: i32, layout: Layout, y: i32): f64 {
  for (let j = 0; j < cols; j++) {
    const other = load<T>(tileAt<T>(x, i, j, cols, layout == WIDE));
    if (j != y && !(other > <T>-Infinity)) return NaN;
  }
  return Infinity;
}

/** Corrects such rows of Weston–Watkins: the pass took the hidden class and the padding for −Infinity − (−Infinity) = NaN. */
function useLowest<T>(g: usize, n: i32, cols: i32, layout: Layout, squared: bool): void {
  for (let i = 0; i < n; i++) {
    const at = i << 3, z = load<f64>(LOWEST + at);
    if (load<f64>(TARGET + at) != -Infinity) continue;
    store<f64>(VIOLATION + at, z);
    store<f64>(SLOPE + at, squared ? z : <f64>(cols - 1));
    if (g) fillRow<T>(tileAt<T>(g, i, 0, cols, layout == WIDE), classStep<T>(layout), cols, <T>(load<f64>(FACTOR + at) * (squared ? z : 1)));
  }
}

/** VIOLATION = Σ max(0, z), SLOPE = #{z > 0}, g = FACTOR where z > 0, else 0. */
function panelViolations<T>(g: usize, x: usize, tiles: i32, bytes: usize, layout: Layout, margin: T): void {
  const zero = v128.splat<T>(0), margins = v128.splat<T>(margin);
  const rest = restOf(bytes), row = g, step = g ? CHUNK : 0;
  if (!g) g = SINK;
  if (rest) restIn(REST_X, x, bytes, v128.splat<T>(-Infinity));
  for (let tile: usize = 0; tile < <usize>tiles; tile++) {
    const target = loadLanes<T>(TARGET + tile * perTile<T>(), layout != NARROW), factor = loadLanes<T>(FACTOR + tile * perTile<T>(), layout != NARROW);
    let low = f64x2.splat(0), high = low, active = low;
    for (let n = chunks(bytes); n > 0; n--, x += CHUNK, g += step) {
      if (rest && n == 1) x = REST_X, g = REST_Y;
      const z0 = excess<T>(v128.load(x), target, margins), z1 = excess<T>(v128.load(x, 16), target, margins);
      const z2 = excess<T>(v128.load(x, 32), target, margins), z3 = excess<T>(v128.load(x, 48), target, margins);
      const a0 = positive<T>(z0), a1 = positive<T>(z1), a2 = positive<T>(z2), a3 = positive<T>(z3);
      v128.store(g, v128.and(a0, factor));
      v128.store(g, v128.and(a1, factor), 16);
      v128.store(g, v128.and(a2, factor), 32);
      v128.store(g, v128.and(a3, factor), 48);
      active = countTrue<T>(active, a0, a1, a2, a3);
      // pmax(z, 0) keeps a NaN of z.
      const s = tree<T>(v128.pmax<T>(z0, zero), v128.pmax<T>(z1, zero), v128.pmax<T>(z2, zero), v128.pmax<T>(z3, zero));
      high = sumHigh<T>(high, low, s), low = sumLow<T>(low, s);
    }
    storeSum<T>(VIOLATION + tile * perTile<T>(), low, high, 1, layout == WIDE);
    storeCount<T>(SLOPE + tile * perTile<T>(), active, layout);
  }
  if (rest && row) restOut(row, bytes, REST_Y);
}

/** VIOLATION = Σ max(0, z)², SLOPE = Σ max(0, z), g = FACTOR · max(0, z). */
function panelSquaredViolations<T>(g: usize, x: usize, tiles: i32, bytes: usize, layout: Layout, margin: T): void {
  const zero = v128.splat<T>(0), margins = v128.splat<T>(margin);
  const rest = restOf(bytes), row = g, step = g ? CHUNK : 0;
  if (!g) g = SINK;
  if (rest) restIn(REST_X, x, bytes, v128.splat<T>(-Infinity));
  for (let tile: usize = 0; tile < <usize>tiles; tile++) {
    const target = loadLanes<T>(TARGET + tile * perTile<T>(), layout != NARROW), factor = loadLanes<T>(FACTOR + tile * perTile<T>(), layout != NARROW);
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
    storeSum<T>(VIOLATION + tile * perTile<T>(), squareL, squareH, 1, layout == WIDE);
    storeSum<T>(SLOPE + tile * perTile<T>(), low, high, 1, layout == WIDE);
  }
  if (rest && row) restOut(row, bytes, REST_Y);
}

/** z = (x − x_y) + margin; in this order, so that a common offset of the scores cancels before the margin is added. */
// @ts-ignore: decorator
@inline
function excess<T>(x: v128, target: v128, margin: v128): v128 {
  return v128.add<T>(v128.sub<T>(x, target), margin);
}

/** z > 0 (or a NaN: its row is NaN). Compared as integers, since the two units that compare numbers are busy adding: 14 % of the pass (Node 24). */
// @ts-ignore: decorator
@inline
function positive<T>(z: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.gt_s(z, i32x4.splat(0)) : i64x2.gt_s(z, i64x2.splat(0));
}
