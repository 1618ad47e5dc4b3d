// Multi-class hinge (SVM) loss with its gradient, z_j = (x_j − x_y) + margin for the wrong classes j ≠ y:
//
//   Weston–Watkins   loss = Σ_j max(0, z_j)^p        grad_j = p·max(0, z_j)^(p−1) where z_j > 0,  grad_y = −Σ_j grad_j
//   Crammer–Singer   loss = max(0, z_k)^p            grad_k = p·max(0, z_k)^(p−1) where z_k > 0,  grad_y = −grad_k
//                    k = the lowest index that attains max_{j ≠ y} x_j
//
// times w_y / divisor; p is 1 or 2. At the kink z = 0 the subgradient is 0. Weston and Watkins (1999); Crammer and Singer (2001).
//
// total: see total.ts; x, grad: [outer, cols, inner]; loss, targets, sampleWeight, gradOutput: one per row; weight: [cols]. Absent arrays are 0.
//
// A Crammer–Singer gradient is 0 but for two classes a row. If there is an array `top`, one i32 per row, k is put there (−1 where the whole row is
// NaN) and grad_k into grad, one per row: of long rows it is quicker not to move the zeros.

import { Layout, NARROW, WIDE } from "./layout";
import {
  REST_X, REST_Y, STATISTIC, X, Y, classStep, fillRow, fillSpecialRows, findInRow, isClass, narrowPlain, nextInPanel, panelFor, panelIn, panelOut,
  panelRows, restIn, restOf, rowAddress, rowHoldsNaN, tileBytes, tileCount, wholeChunks,
} from "./panel";
import { countTrue, panelMaxAndNaN, perTile, storeCount, tree } from "./passes";
import { LOST, lostBy } from "./total";
import { CHUNK, VECTOR, ZERO, exceeds, loadLanes, loadPair, pair, storePair, storeSum, sumHigh, sumLow } from "./simd";

// The statistics of the rows of a panel, an f64 per row of each: see crossEntropy.ts.
const ROWS = memory.data(11 * STATISTIC, 16);
const TARGET: usize = 0; // x_y
const UNIT: usize = 1 * STATISTIC; // w_y / divisor · u: the factor of the loss
const ROW_WEIGHT: usize = 2 * STATISTIC; // u, 0 for a row that is ignored (NaN: see lossesAndSlopes)
const FACTOR: usize = 3 * STATISTIC; // w_y / divisor · u · p·gradScale·gradOutput: that of the gradient
const VIOLATION: usize = 4 * STATISTIC; // Σ max(0, z)^p
const SLOPE: usize = 5 * STATISTIC; // Σ max(0, z)^(p−1) over z > 0
const OWN: usize = 6 * STATISTIC; // minus the gradient of the true class
const MAX: usize = 7 * STATISTIC; // max_{j ≠ y} x_j
const TOP: usize = 8 * STATISTIC; // the class that attains it: an integer as wide as T, row after row
const SUM: usize = 9 * STATISTIC; // NaN where a row holds one, or may do so
const LOWEST: usize = 10 * STATISTIC; // z where x_y = −Infinity
const ONE = memory.data<f64>([1]);
// Between the numbers with a sign and the NaNs with one, as integers: for f64 and for f32.
const BELOW_NAN = memory.data<u64>([0xfff7ffffffffffff, 0xffbfffff]);

export function hinge<T>(
  total: usize, loss: usize, grad: usize, top: usize, x: usize, targets: usize, weight: usize, sampleWeight: usize, gradOutput: usize,
  outer: i32, cols: i32, inner: i32, westonWatkins: bool, margin: f64, squared: bool, divisor: f64, gradScale: f64,
): void {
  const layout = cols > narrowPlain<T>() ? WIDE : NARROW, bytes = tileBytes<T>(cols, layout), rows = outer * inner;
  const gradUnit = gradScale * (squared ? 2 : 1);
  for (let r = 0, n = 0; r < rows; r += n) {
    n = panelRows<T>(r, rows, cols, inner, layout);
    const tiles = tileCount<T>(n);
    const xs = layout == WIDE ? rowAddress<T>(x, r, cols, 1) : panelIn<T>(X, x, r, n, cols, inner, layout, <T>-Infinity);
    const gs = grad && westonWatkins ? panelFor<T>(Y, grad, r, cols, layout) : 0;
    const ys = targets + (<usize>r << 2), us = sampleWeight ? sampleWeight + (<usize>r << 3) : 0;

    rowWeights<T>(ys, weight, us, n, cols, divisor);
    const lowest = hideTargets<T>(xs, ys, n, cols, bytes, layout);
    if (grad) factors(gradOutput ? gradOutput + (<usize>r << 3) : 0, n, gradUnit);
    if (!westonWatkins) {
      findTop<T>(xs, n, tiles, bytes, cols, layout, margin, squared, grad != 0);
    } else {
      if (layout == WIDE) restIn<T>(X, xs, cols, <T>-Infinity);
      if (squared) panelSquaredViolations<T>(gs, xs, tiles, bytes, layout, <T>margin);
      else panelViolations<T>(gs, xs, tiles, bytes, layout, <T>margin);
      if (lowest) useLowest<T>(gs, n, cols, bytes, layout, squared);
    }
    // Where grad is x itself this is overwritten below.
    if (layout == WIDE) store<T>(xs + <usize>classOf(ys, cols) * sizeof<T>(), <T>load<f64>(ROWS, TARGET));

    const special = lossesAndSlopes(total, loss ? loss + (<usize>r << 3) : 0, n, grad != 0);
    if (!grad) continue;
    if (top) {
      topGradients<T>(grad + <usize>r * sizeof<T>(), top + (<usize>r << 2), n);
      continue;
    }
    const g = rowAddress<T>(grad, r, cols, inner);
    if (westonWatkins) panelOut<T>(grad, gs, r, n, cols, inner, layout);
    else if (inner == 1) memory.fill(g, 0, <usize>n * <usize>cols * sizeof<T>());
    else for (let j = 0; j < cols; j++) memory.fill(g + <usize>j * <usize>inner * sizeof<T>(), 0, <usize>n * sizeof<T>());
    ownGradients<T>(g, ys, n, cols, inner, !westonWatkins, special);
  }
}

/**
 * TARGET. The true class is hidden while the row is looked at: with x_y = −Infinity it adds nothing and is never the maximum. (Taking its `margin`
 * off the sum afterwards would cancel.) Returns whether any x_y is −Infinity itself, and LOWEST for it.
 */
function hideTargets<T>(x: usize, targets: usize, n: i32, cols: i32, bytes: usize, layout: Layout): bool {
  const step = classStep<T>(layout), end = ROWS + (<usize>n << 3);
  let least = f64x2.splat(0);
  for (let row = ROWS, at = x, target = targets; row < end; row += 8, target += 4, at = nextInPanel<T>(at, bytes)) {
    const own = at + <usize>classOf(target, cols) * step;
    // Twice, so that it is a whole vector also where there is but one row.
    const value = f64x2.splat(<f64>load<T>(own));
    v128.store(row, value, TARGET);
    store<T>(own, <T>-Infinity);
    least = f64x2.pmin(least, value);
  }
  if (f64x2.extract_lane(least, 0) > -Infinity) return false;
  for (let row = ROWS; row < end; row += 8, targets += 4, x = nextInPanel<T>(x, bytes)) {
    if (load<f64>(row, TARGET) != -Infinity) continue;
    // Nothing comes near a class that is alone, but −Infinity − (−Infinity) would be NaN.
    if (cols == 1) store<f64>(row, 0, TARGET);
    else store<f64>(row, excessOfLowest<T>(x, step, cols, classOf(targets, cols)), LOWEST);
  }
  return cols > 1;
}

/** The class at `target`, or class 0 where the row is to be ignored. */
// @ts-ignore: decorator
@inline
function classOf(target: usize, cols: i32): i32 {
  const y = load<i32>(target);
  return isClass(y, cols) ? y : 0;
}

/**
 * ROW_WEIGHT and UNIT, two rows at a time: a hinge loss of ten classes takes 5 % less than with one by one (f32, Node 24). Weights are divided, as
 * times 1/divisor would be one rounding more.
 */
function rowWeights<T>(targets: usize, weight: usize, sampleWeight: usize, n: i32, cols: i32, divisor: f64): void {
  const classes = i32x4.splat(cols);
  let u = v128.load64_splat(ONE), w = f64x2.div(u, f64x2.splat(divisor));
  for (let row = ROWS; n > 0; n -= 2, row += 16, targets += 8) {
    if (sampleWeight) {
      u = loadPair(sampleWeight, n);
      sampleWeight += 16;
    }
    const ignored = i32x4.ge_u(n > 1 ? v128.load64_zero(targets) : v128.load32_zero(targets), classes);
    const counted = v128.andnot(u, i64x2.extend_low_i32x4_s(ignored));
    v128.store(row, counted, ROW_WEIGHT);
    if (weight) {
      const both = pair(weightOf<T>(weight, targets, cols), weightOf<T>(weight, n > 1 ? targets + 4 : targets, cols));
      w = f64x2.div(both, f64x2.splat(divisor));
    }
    v128.store(row, f64x2.mul(w, counted), UNIT);
  }
}

/** The weight of the class at `target`. */
// @ts-ignore: decorator
@inline
function weightOf<T>(weight: usize, target: usize, cols: i32): f64 {
  return <f64>load<T>(weight + <usize>classOf(target, cols) * sizeof<T>());
}

/** FACTOR */
function factors(gradOutput: usize, n: i32, gradUnit: f64): void {
  let g = f64x2.splat(1);
  for (let row = ROWS; n > 0; n -= 2, row += 16) {
    if (gradOutput) {
      g = loadPair(gradOutput, n);
      gradOutput += 16;
    }
    v128.store(row, f64x2.mul(v128.load(row, UNIT), f64x2.mul(f64x2.splat(gradUnit), g)), FACTOR);
  }
}

/**
 * The losses of n rows, added to the total and stored if they are asked for; and OWN for a gradient (`slopes`). No violation gives exactly 0,
 * whatever the factor. For a gradient ROW_WEIGHT becomes NaN where the row is; returns whether one may be NaN or 0.
 */
function lossesAndSlopes(total: usize, loss: usize, n: i32, slopes: bool): bool {
  const zero = f64x2.splat(0);
  let special = zero, sum = load<f64>(total), lost = load<f64>(total, LOST);
  for (let row = ROWS; n > 0; n -= 2, row += 16) {
    const weight = v128.load(row, ROW_WEIGHT), ignored = f64x2.eq(weight, zero), violation = v128.load(row, VIOLATION);
    // A weight of −0 would make it −0.
    let value = f64x2.add(v128.andnot(f64x2.mul(v128.load(row, UNIT), violation), ignored), zero);
    if (slopes) {
      const slope = v128.load(row, SLOPE);
      // Not by the violation: the square of a small z is 0 long before its derivative.
      v128.store(row, v128.andnot(f64x2.mul(v128.load(row, FACTOR), slope), v128.or(ignored, f64x2.eq(slope, zero))), OWN);
      const isNaN = f64x2.ne(violation, violation);
      v128.store(row, v128.or(weight, v128.andnot(isNaN, ignored)), ROW_WEIGHT);
      special = v128.or(special, v128.or(ignored, isNaN));
    }

    if (n == 1) value = f64x2.replace_lane(value, 1, 0);
    const first = sum + f64x2.extract_lane(value, 0), second = first + f64x2.extract_lane(value, 1);
    const errors = lostBy(pair(sum, first), value, pair(first, second));
    lost = lost + f64x2.extract_lane(errors, 0) + f64x2.extract_lane(errors, 1), sum = second;
    if (loss) {
      storePair(loss, value, n);
      loss += 16;
    }
  }
  store<f64>(total, sum);
  store<f64>(total, lost, LOST);
  return v128.any_true(special);
}

/** The gradients of the true classes, and of those at the top (`both`), of n rows that begin at g. */
function ownGradients<T>(g: usize, targets: usize, n: i32, cols: i32, inner: i32, both: bool, special: bool): void {
  const toClass = <usize>inner * sizeof<T>(), toRow = inner == 1 ? <usize>cols * sizeof<T>() : sizeof<T>();
  if (special) fillSpecialRows(g, ROWS + ROW_WEIGHT, OWN - ROW_WEIGHT, n, cols, inner, sizeof<T>());
  for (let row = ROWS, top = ROWS + TOP, end = ROWS + (<usize>n << 3); row < end; row += 8, top += sizeof<T>(), targets += 4, g += toRow) {
    const own = <T>load<f64>(row, OWN);
    if (both) store<T>(g + <usize>load<i32>(top) * toClass, own);
    store<T>(g + <usize>classOf(targets, cols) * toClass, 0 - own);
  }
}

/** The gradients at the top classes of n rows into g, and which classes these are into `top`. */
function topGradients<T>(g: usize, top: usize, n: i32): void {
  for (let row = ROWS, at = ROWS + TOP, end = ROWS + (<usize>n << 3); row < end; row += 8, at += sizeof<T>(), g += sizeof<T>(), top += 4) {
    store<T>(g, <T>load<f64>(row, OWN));
    store<i32>(top, isNaN(load<f64>(row, ROW_WEIGHT)) ? -1 : load<i32>(at));
  }
}

/**
 * Crammer–Singer: VIOLATION and SLOPE from the one wrong class that counts, and which it is: TOP, where it is asked for. (Any class where the row is
 * NaN.)
 */
function findTop<T>(x: usize, n: i32, tiles: i32, bytes: usize, cols: i32, layout: Layout, margin: f64, squared: bool, top: bool): void {
  const zero = f64x2.splat(0), one = v128.load64_splat(ONE), margins = f64x2.splat(margin);
  if (panelMaxAndNaN<T>(ROWS + MAX, ROWS + SUM, x, tiles, bytes, layout)) {
    // The maximum has dropped any NaN.
    for (let i = 0, row = ROWS; i < n; i++, row += 8) {
      if (isNaN(load<f64>(row, SUM)) && rowHoldsNaN<T>(x, i, cols, layout)) store<f64>(row, NaN, MAX);
    }
  }
  for (let row = ROWS, end = ROWS + (<usize>n << 3); row < end; row += 16) {
    let z = f64x2.add(f64x2.sub(v128.load(row, MAX), v128.load(row, TARGET)), margins);
    z = v128.andnot(z, f64x2.le(z, zero));
    v128.store(row, squared ? f64x2.mul(z, z) : z, VIOLATION);
    v128.store(row, squared ? z : v128.and(one, f64x2.gt(z, zero)), SLOPE);
  }
  if (!top) return;
  if (layout == NARROW) panelTop<T>(x, tiles, bytes);
  else store<i32>(ROWS, load<f64>(ROWS, SLOPE) > 0 ? findInRow<T>(x, 0, cols, layout, <T>load<f64>(ROWS, MAX)) : 0, TOP);
}

/** TOP = the lowest class that attains MAX, for narrow rows. */
function panelTop<T>(x: usize, tiles: i32, bytes: usize): void {
  const minusOne = i32x4.splat(-1);
  for (let tile: usize = 0; tile < <usize>tiles; tile++) {
    const max = loadLanes<T>(ROWS + tile * perTile<T>() + MAX, false);
    let top = minusOne, j = i32x4.splat(0);
    for (const end = x + bytes; x < end; x += VECTOR) {
      // A class below the maximum becomes the largest integer.
      top = i32x4.min_u(top, v128.or(j, v128.ne<T>(v128.load(x), max)));
      j = sizeof<T>() == 4 ? i32x4.sub(j, minusOne) : i64x2.sub(j, minusOne);
    }
    v128.store(ROWS + tile * VECTOR, v128.and(top, v128.eq<T>(max, max)), TOP);
  }
}

/** z of the wrong classes where x_y is −Infinity: +Infinity, or NaN if one of them is −Infinity or NaN. */
function excessOfLowest<T>(x: usize, step: usize, cols: i32, y: i32): f64 {
  for (let j = 0; j < cols; j++, x += step) if (j != y && !(load<T>(x) > <T>-Infinity)) return NaN;
  return Infinity;
}

/** Corrects such rows of Weston–Watkins: the pass took the hidden class and the padding for −Infinity − (−Infinity) = NaN. */
function useLowest<T>(g: usize, n: i32, cols: i32, bytes: usize, layout: Layout, squared: bool): void {
  for (let row = ROWS, end = ROWS + (<usize>n << 3), at = g; row < end; row += 8, at = nextInPanel<T>(at, bytes)) {
    const z = load<f64>(row, LOWEST);
    if (load<f64>(row, TARGET) != -Infinity) continue;
    store<f64>(row, z, VIOLATION);
    store<f64>(row, squared ? z : <f64>(cols - 1), SLOPE);
    if (!g) continue;
    const slope = <T>(load<f64>(row, FACTOR) * (squared ? z : 1));
    fillRow<T>(at, classStep<T>(layout), cols, slope);
    if (layout == WIDE) fillRow<T>(REST_Y, sizeof<T>(), <i32>CHUNK / sizeof<T>(), slope);
  }
}

/** VIOLATION = Σ max(0, z), SLOPE = #{z > 0}, g = FACTOR where z > 0, else 0. */
function panelViolations<T>(g: usize, x: usize, tiles: i32, bytes: usize, layout: Layout, margin: T): void {
  const zero = v128.load(ZERO), margins = v128.splat<T>(margin), nans = belowNaN<T>(), keep = g != 0;
  for (let tile: usize = 0; tile < <usize>tiles; tile++) {
    const row = ROWS + tile * perTile<T>();
    const target = loadLanes<T>(row + TARGET, layout != NARROW), factor = loadLanes<T>(row + FACTOR, layout != NARROW);
    let low = f64x2.splat(0), high = low, active = low;
    let end = x + wholeChunks(bytes);
    for (let rest = restOf(bytes); ; rest = 0) {
      for (; x < end; x += CHUNK, g += CHUNK) {
        const z0 = excess<T>(v128.load(x), target, margins), z1 = excess<T>(v128.load(x, 16), target, margins);
        const z2 = excess<T>(v128.load(x, 32), target, margins), z3 = excess<T>(v128.load(x, 48), target, margins);
        let s: v128;
        if (keep) {
          const a0 = exceeds<T>(z0, zero), a1 = exceeds<T>(z1, zero), a2 = exceeds<T>(z2, zero), a3 = exceeds<T>(z3, zero);
          v128.store(g, v128.and(a0, factor));
          v128.store(g, v128.and(a1, factor), 16);
          v128.store(g, v128.and(a2, factor), 32);
          v128.store(g, v128.and(a3, factor), 48);
          active = countTrue<T>(active, a0, a1, a2, a3);
          // pmax(z, 0) keeps a NaN of z.
          s = tree<T>(v128.pmax<T>(z0, zero), v128.pmax<T>(z1, zero), v128.pmax<T>(z2, zero), v128.pmax<T>(z3, zero));
        } else {
          s = tree<T>(positivePart<T>(z0, nans), positivePart<T>(z1, nans), positivePart<T>(z2, nans), positivePart<T>(z3, nans));
        }
        high = sumHigh<T>(high, low, s), low = sumLow<T>(low, s);
      }
      if (!rest) break;
      x = REST_X, g = REST_Y, end = x + CHUNK;
    }
    storeSum<T>(row + VIOLATION, low, high, 1, layout == WIDE);
    if (keep) storeCount<T>(row + SLOPE, active, layout);
  }
}

/** VIOLATION = Σ max(0, z)², SLOPE = Σ max(0, z), g = FACTOR · max(0, z). */
function panelSquaredViolations<T>(g: usize, x: usize, tiles: i32, bytes: usize, layout: Layout, margin: T): void {
  const margins = v128.splat<T>(margin), nans = belowNaN<T>(), keep = g != 0;
  for (let tile: usize = 0; tile < <usize>tiles; tile++) {
    const row = ROWS + tile * perTile<T>();
    const target = loadLanes<T>(row + TARGET, layout != NARROW), factor = loadLanes<T>(row + FACTOR, layout != NARROW);
    let squareL = f64x2.splat(0), squareH = squareL, low = squareL, high = squareL;
    let end = x + wholeChunks(bytes);
    for (let rest = restOf(bytes); ; rest = 0) {
      for (; x < end; x += CHUNK, g += CHUNK) {
        const z0 = excess<T>(v128.load(x), target, margins), z1 = excess<T>(v128.load(x, 16), target, margins);
        const z2 = excess<T>(v128.load(x, 32), target, margins), z3 = excess<T>(v128.load(x, 48), target, margins);
        const h0 = positivePart<T>(z0, nans), h1 = positivePart<T>(z1, nans), h2 = positivePart<T>(z2, nans), h3 = positivePart<T>(z3, nans);
        if (keep) {
          v128.store(g, v128.mul<T>(h0, factor));
          v128.store(g, v128.mul<T>(h1, factor), 16);
          v128.store(g, v128.mul<T>(h2, factor), 32);
          v128.store(g, v128.mul<T>(h3, factor), 48);
        }
        const s = tree<T>(h0, h1, h2, h3);
        high = sumHigh<T>(high, low, s), low = sumLow<T>(low, s);
        const square = tree<T>(v128.mul<T>(h0, h0), v128.mul<T>(h1, h1), v128.mul<T>(h2, h2), v128.mul<T>(h3, h3));
        squareH = sumHigh<T>(squareH, squareL, square), squareL = sumLow<T>(squareL, square);
      }
      if (!rest) break;
      x = REST_X, g = REST_Y, end = x + CHUNK;
    }
    storeSum<T>(row + VIOLATION, squareL, squareH, 1, layout == WIDE);
    storeSum<T>(row + SLOPE, low, high, 1, layout == WIDE);
  }
}

/** z = (x − x_y) + margin; in this order, so that a common offset of the scores cancels before the margin is added. */
// @ts-ignore: decorator
@inline
function excess<T>(x: v128, target: v128, margin: v128): v128 {
  return v128.add<T>(v128.sub<T>(x, target), margin);
}

// @ts-ignore: decorator
@inline
function belowNaN<T>(): v128 {
  return v128.load_splat<T>(sizeof<T>() == 4 ? BELOW_NAN + 8 : BELOW_NAN);
}

/**
 * max(0, z), or z where it is a NaN (a quiet one, as it was computed), by integers: see `exceeds`. 17 % of a loss (f32, C = 1000, Node 24); beside a
 * gradient, which keeps all units busy, pmax is as fast, being one operation.
 */
// @ts-ignore: decorator
@inline
function positivePart<T>(z: v128, belowNaN: v128): v128 {
  return v128.and(z, exceeds<T>(z, belowNaN));
}
