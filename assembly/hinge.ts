// Multi-class hinge (SVM) loss with its gradient, z_j = (x_j − x_y) + margin for the wrong classes j ≠ y:
//
//   Weston–Watkins   loss = Σ_j max(0, z_j)^p        grad_j = p·max(0, z_j)^(p−1) where z_j > 0,  grad_y = −Σ_j grad_j
//   Crammer–Singer   loss = max(0, z_k)^p            grad_k = p·max(0, z_k)^(p−1) where z_k > 0,  grad_y = −grad_k
//                    k = the lowest index that attains max_{j ≠ y} x_j
//
// times w_y, times scale; p is 1 or 2. At the kink z = 0 the subgradient is 0. Weston and Watkins (1999); Crammer and Singer (2001).
//
// x, grad: [outer, cols, inner]; loss, targets, sampleWeight, gradOutput: one per row; weight: [cols]. Absent arrays are 0.

import { MASK, TAIL, copyChunk, countTrue, restOf, storeCount, tileMax, tileMayHoldNaN, tree } from "./passes";
import { CHUNK, loadLanes, storeLanes, storeSum, sumHigh, sumLow } from "./simd";
import {
  SINK, X, Y, isClass, isWide, tileAt, tileBytes, tileClear, tileCount, tileFill, tileFind, tileFor, tileIn, tileOut, tileRow, tileRows,
} from "./tile";

// One f64 per row of the tile.
const TARGET = memory.data(32, 16); // x_y
const FACTOR = memory.data(32, 16); // of the gradient: p·w_y·u·scale·gradScale·gradOutput
const MARGINS = memory.data(32, 16); // Σ max(0, z)^p
const SLOPE = memory.data(32, 16); // Σ max(0, z)^(p−1) over z > 0
const TOP = memory.data(32, 16); // the class that attains max_{j ≠ y} x_j
const MAY_BE_NAN = memory.data(16, 16);

export function hinge<T>(
  loss: usize, grad: usize, x: usize, targets: usize, weight: usize, sampleWeight: usize, gradOutput: usize,
  outer: i32, cols: i32, inner: i32, westonWatkins: bool, margin: f64, squared: bool, scale: f64, gradScale: f64,
): void {
  const bytes = tileBytes<T>(cols), wide = isWide(cols);
  const margins = v128.splat<T>(<T>margin);
  const step: usize = grad ? CHUNK : 0;

  for (let k = 0, tiles = tileCount<T>(outer, cols, inner); k < tiles; k++) {
    const row = tileRow<T>(k, cols, inner), rows = tileRows<T>(k, outer, cols, inner);
    const xs = tileIn<T>(X, x, k, outer, cols, inner, <T>-Infinity);
    const gs = grad ? tileFor<T>(Y, grad, k, cols) : SINK;

    // The true class is hidden while the row is looked at: with x_y = −Infinity it adds nothing and is never the maximum. (Taking its
    // `margin` off the sum afterwards would cancel.)
    for (let lane = 0; lane < rows; lane++) {
      const at = lane << 3, r = <usize>(row + lane), y = load<i32>(targets + (r << 2));
      if (!isClass(y, cols)) continue;
      const own = tileAt<T>(xs, lane, y, cols);
      store<f64>(TARGET + at, <f64>load<T>(own));
      store<T>(own, <T>-Infinity);
      const w = weight ? <f64>load<T>(weight + y * sizeof<T>()) : 1;
      const u = sampleWeight ? load<f64>(sampleWeight + (r << 3)) : 1;
      const g = gradOutput ? load<f64>(gradOutput + (r << 3)) : 1;
      store<f64>(FACTOR + at, w * u * g * scale * gradScale * (squared ? 2 : 1));
    }

    if (westonWatkins) {
      const target = loadLanes<T>(TARGET, wide), factor = loadLanes<T>(FACTOR, wide);
      if (squared) tileSquaredMargins<T>(gs, step, xs, bytes, wide, target, margins, factor);
      else tileMargins<T>(gs, step, xs, bytes, wide, target, margins, factor);
      for (let lane = 0; lane < rows; lane++) {
        if (load<f64>(TARGET + (lane << 3)) == -Infinity) lowestTarget<T>(gs, xs, lane, cols, targets + (<usize>(row + lane) << 2), squared, step);
      }
    } else {
      findTop<T>(xs, bytes, wide, rows, cols, margin, squared);
      if (grad) tileClear<T>(gs, bytes, wide);
    }

    for (let lane = 0; lane < rows; lane++) {
      const at = lane << 3, r = <usize>(row + lane), y = load<i32>(targets + (r << 2));
      const u = sampleWeight ? load<f64>(sampleWeight + (r << 3)) : 1;
      if (isClass(y, cols) && wide && grad != x) store<T>(tileAt<T>(xs, lane, y, cols), <T>load<f64>(TARGET + at));
      if (!isClass(y, cols) || u == 0) {
        store<f64>(loss + (r << 3), 0);
        if (grad) tileFill<T>(gs, lane, cols, 0);
        continue;
      }
      const w = weight ? <f64>load<T>(weight + y * sizeof<T>()) : 1;
      const value = load<f64>(MARGINS + at);
      store<f64>(loss + (r << 3), w * u * scale * value);
      if (!grad) continue;
      if (isNaN(value)) {
        tileFill<T>(gs, lane, cols, <T>NaN);
        continue;
      }
      const slope = load<f64>(FACTOR + at) * load<f64>(SLOPE + at);
      if (!westonWatkins && value > 0) store<T>(tileAt<T>(gs, lane, <i32>load<f64>(TOP + at), cols), <T>slope);
      store<T>(tileAt<T>(gs, lane, y, cols), <T>(0 - slope));
    }
    if (grad) tileOut<T>(grad, gs, k, outer, cols, inner);
  }
}

/** Crammer–Singer: TOP, and from the margin there MARGINS and SLOPE; NaN where a row holds one. */
function findTop<T>(x: usize, bytes: usize, wide: bool, rows: i32, cols: i32, margin: f64, squared: bool): void {
  const MAX = TOP;
  storeLanes<T>(MAX, tileMax<T>(x, bytes, wide));
  v128.store(MAY_BE_NAN, tileMayHoldNaN<T>(x, bytes, wide));
  for (let lane = 0; lane < rows; lane++) {
    const at = lane << 3;
    const max = load<f64>(MAX + at);
    let z = cols > 1 ? max - load<f64>(TARGET + at) + margin : 0;
    // All ones are a NaN of either type.
    if (isNaN<T>(load<T>(MAY_BE_NAN + lane * sizeof<T>())) && tileHoldsNaN<T>(x, lane, cols)) z = NaN;
    if (z <= 0) z = 0;
    store<f64>(MARGINS + at, squared ? z * z : z);
    store<f64>(SLOPE + at, squared || z == 0 ? z : 1);
    if (z > 0) store<f64>(TOP + at, <f64>tileFind<T>(x, lane, cols, <T>max));
  }
}

function tileHoldsNaN<T>(tile: usize, lane: i32, cols: i32): bool {
  for (let j = 0; j < cols; j++) if (isNaN<T>(load<T>(tileAt<T>(tile, lane, j, cols)))) return true;
  return false;
}

/**
 * Weston–Watkins with x_y = −Infinity, where the pass took the hidden class and the padding for −Infinity − (−Infinity) = NaN: every z is
 * +Infinity, or NaN where x_j is −Infinity or NaN.
 */
function lowestTarget<T>(g: usize, x: usize, lane: i32, cols: i32, target: usize, squared: bool, step: usize): void {
  const at = lane << 3, y = load<i32>(target);
  let z = 0.0, wrong = 0.0;
  for (let j = 0; j < cols; j++) {
    if (j == y) continue;
    const other = <f64>load<T>(tileAt<T>(x, lane, j, cols));
    z = other == -Infinity ? NaN : z + other;
    wrong++;
    if (step) store<T>(tileAt<T>(g, lane, j, cols), <T>(load<f64>(FACTOR + at) * (squared ? Infinity : 1)));
  }
  if (wrong > 0) z = isNaN(z) ? NaN : Infinity;
  store<f64>(MARGINS + at, z);
  store<f64>(SLOPE + at, squared || wrong == 0 ? z : wrong);
}

/** MARGINS = Σ max(0, z), SLOPE = #{z > 0}, g = factor where z > 0, else 0. */
function tileMargins<T>(g: usize, step: usize, x: usize, bytes: usize, wide: bool, target: v128, margin: v128, factor: v128): void {
  const zero = v128.splat<T>(0);
  const rest = restOf(bytes);
  const end = x + bytes - rest;
  let sumL = f64x2.splat(0), sumH = sumL, active = sumL;
  if (rest) {
    const from = x + bytes - CHUNK, ones = MASK + rest;
    const z0 = excess<T>(v128.load(from), target, margin), z1 = excess<T>(v128.load(from, 16), target, margin);
    const z2 = excess<T>(v128.load(from, 32), target, margin), z3 = excess<T>(v128.load(from, 48), target, margin);
    const m0 = v128.gt<T>(z0, zero), m1 = v128.gt<T>(z1, zero), m2 = v128.gt<T>(z2, zero), m3 = v128.gt<T>(z3, zero);
    v128.store(TAIL, v128.and(m0, factor));
    v128.store(TAIL, v128.and(m1, factor), 16);
    v128.store(TAIL, v128.and(m2, factor), 32);
    v128.store(TAIL, v128.and(m3, factor), 48);
    const s = tree<T>(
      v128.and(v128.pmax<T>(z0, zero), v128.load(ones)),
      v128.and(v128.pmax<T>(z1, zero), v128.load(ones, 16)),
      v128.and(v128.pmax<T>(z2, zero), v128.load(ones, 32)),
      v128.and(v128.pmax<T>(z3, zero), v128.load(ones, 48)),
    );
    sumH = sumHigh<T>(sumH, sumL, s), sumL = sumLow<T>(sumL, s);
    active = countTrue<T>(
      active,
      v128.and(m0, v128.load(ones)), v128.and(m1, v128.load(ones, 16)), v128.and(m2, v128.load(ones, 32)), v128.and(m3, v128.load(ones, 48)),
    );
  }
  for (; x < end; x += CHUNK, g += step) {
    const z0 = excess<T>(v128.load(x), target, margin), z1 = excess<T>(v128.load(x, 16), target, margin);
    const z2 = excess<T>(v128.load(x, 32), target, margin), z3 = excess<T>(v128.load(x, 48), target, margin);
    const m0 = v128.gt<T>(z0, zero), m1 = v128.gt<T>(z1, zero), m2 = v128.gt<T>(z2, zero), m3 = v128.gt<T>(z3, zero);
    v128.store(g, v128.and(m0, factor));
    v128.store(g, v128.and(m1, factor), 16);
    v128.store(g, v128.and(m2, factor), 32);
    v128.store(g, v128.and(m3, factor), 48);
    // pmax(z, 0) keeps a NaN of z.
    const s = tree<T>(v128.pmax<T>(z0, zero), v128.pmax<T>(z1, zero), v128.pmax<T>(z2, zero), v128.pmax<T>(z3, zero));
    sumH = sumHigh<T>(sumH, sumL, s), sumL = sumLow<T>(sumL, s);
    active = countTrue<T>(active, m0, m1, m2, m3);
  }
  if (rest && step) copyChunk(g + rest - CHUNK, TAIL);
  storeSum<T>(MARGINS, sumL, sumH, 1, wide);
  storeCount<T>(SLOPE, active, wide);
}

/** MARGINS = Σ max(0, z)², SLOPE = Σ max(0, z), g = factor · max(0, z). */
function tileSquaredMargins<T>(g: usize, step: usize, x: usize, bytes: usize, wide: bool, target: v128, margin: v128, factor: v128): void {
  const zero = v128.splat<T>(0);
  const rest = restOf(bytes);
  const end = x + bytes - rest;
  let squareL = f64x2.splat(0), squareH = squareL, sumL = squareL, sumH = squareL;
  if (rest) {
    const from = x + bytes - CHUNK, ones = MASK + rest;
    const h0 = v128.pmax<T>(excess<T>(v128.load(from), target, margin), zero), h1 = v128.pmax<T>(excess<T>(v128.load(from, 16), target, margin), zero);
    const h2 = v128.pmax<T>(excess<T>(v128.load(from, 32), target, margin), zero), h3 = v128.pmax<T>(excess<T>(v128.load(from, 48), target, margin), zero);
    v128.store(TAIL, v128.mul<T>(h0, factor));
    v128.store(TAIL, v128.mul<T>(h1, factor), 16);
    v128.store(TAIL, v128.mul<T>(h2, factor), 32);
    v128.store(TAIL, v128.mul<T>(h3, factor), 48);
    const a0 = v128.and(h0, v128.load(ones)), a1 = v128.and(h1, v128.load(ones, 16));
    const a2 = v128.and(h2, v128.load(ones, 32)), a3 = v128.and(h3, v128.load(ones, 48));
    const s = tree<T>(a0, a1, a2, a3);
    const q = tree<T>(v128.mul<T>(a0, a0), v128.mul<T>(a1, a1), v128.mul<T>(a2, a2), v128.mul<T>(a3, a3));
    sumH = sumHigh<T>(sumH, sumL, s), sumL = sumLow<T>(sumL, s);
    squareH = sumHigh<T>(squareH, squareL, q), squareL = sumLow<T>(squareL, q);
  }
  for (; x < end; x += CHUNK, g += step) {
    const h0 = v128.pmax<T>(excess<T>(v128.load(x), target, margin), zero), h1 = v128.pmax<T>(excess<T>(v128.load(x, 16), target, margin), zero);
    const h2 = v128.pmax<T>(excess<T>(v128.load(x, 32), target, margin), zero), h3 = v128.pmax<T>(excess<T>(v128.load(x, 48), target, margin), zero);
    v128.store(g, v128.mul<T>(h0, factor));
    v128.store(g, v128.mul<T>(h1, factor), 16);
    v128.store(g, v128.mul<T>(h2, factor), 32);
    v128.store(g, v128.mul<T>(h3, factor), 48);
    const s = tree<T>(h0, h1, h2, h3);
    const q = tree<T>(v128.mul<T>(h0, h0), v128.mul<T>(h1, h1), v128.mul<T>(h2, h2), v128.mul<T>(h3, h3));
    sumH = sumHigh<T>(sumH, sumL, s), sumL = sumLow<T>(sumL, s);
    squareH = sumHigh<T>(squareH, squareL, q), squareL = sumLow<T>(squareL, q);
  }
  if (rest && step) copyChunk(g + rest - CHUNK, TAIL);
  storeSum<T>(MARGINS, squareL, squareH, 1, wide);
  storeSum<T>(SLOPE, sumL, sumH, 1, wide);
}

/** z = (x − x_y) + margin; in this order, so that a common offset of the scores cancels before the margin is added. */
// @ts-ignore: decorator
@inline
function excess<T>(x: v128, target: v128, margin: v128): v128 {
  return v128.add<T>(v128.sub<T>(x, target), margin);
}
