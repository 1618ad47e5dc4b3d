// Cross-entropy with its gradient. With q the target distribution of a row, Q = Σ q, d = Σ e^((x − m)/T), p = e^((x − m)/T) / d:
//
//   loss = Σ q_j · (−ln p_j) = Q·ln d + Σ q_j (m − x_j)/T          every term is ≥ 0, nothing cancels
//   grad_j = (p_j·Q − q_j) / T
//
//   class probabilities t:  q_j = w_j · ((1 − ε)·t_j + ε/C)
//   class index y:          q_j = w_j · ε/C + b·[j = y],  b = (1 − ε)·w_y;  for ε = 0 nothing but the class y counts
//
// ln d = log1p(Σ over all but the maximum) and 1 − p_y = Σ_{j ≠ y} e_j / d: both keep their digits as p_y → 1.
// Szegedy et al., "Rethinking the Inception architecture" (2016) for the smoothing ε; semantics as in PyTorch's cross_entropy.
//
// x, grad, t: [outer, cols, inner]; loss, targets, sampleWeight, gradOutput: one per row; weight: [cols]. Absent arrays are 0.

import { expOfZero, expTable, panelExp } from "./exp";
import { ALONE, Layout, NARROW, WIDE } from "./layout";
import { logs } from "./logSoftmax";
import {
  STATISTIC, W, X, Y, Z, clearRow, findInRow, isClass, layoutOf, panelAt, panelFor, panelIn, panelOut, panelRows,
  spreadRow, tileBytes, tileCount,
} from "./panel";
import {
  REST_W, REST_X, REST_Y, REST_Z, chunks, panelMax, panelScale, perTile, restIn, restOf, restOut,
  tree,
} from "./passes";
import { CHUNK, addHigh, addLow, loadLanes, mulAdd, storeSum, sumHigh, sumLow, swapLanes } from "./simd";

const MAX = memory.data(STATISTIC, 16);
const OTHERS = memory.data(STATISTIC, 16); // Σ e^((x − m)/T) without one maximum: d − 1
const LOG = memory.data(STATISTIC, 16); // ln d
const INVERSE = memory.data(STATISTIC, 16); // 1 / d
const TARGET = memory.data(STATISTIC, 16); // x_y
const WEIGHT = memory.data(STATISTIC, 16); // w_y
const ROW_WEIGHT = memory.data(STATISTIC, 16); // u, 0 for a row that is ignored
const DOT = memory.data(STATISTIC, 16); // Σ q_j (m − x_j)  over the smoothed or given distribution
const Q_TOP = memory.data(STATISTIC, 16); // Σ q_j  over the classes at the maximum
const Q_OTHERS = memory.data(STATISTIC, 16); // Σ q_j  over the others
const Q = memory.data(STATISTIC, 16); // Σ q
const LOSS = memory.data(STATISTIC, 16);
const FACTOR = memory.data(STATISTIC, 16); // of the whole gradient of a row; then grad_j = e_j · E_FACTOR − q_j · FACTOR
const E_FACTOR = memory.data(STATISTIC, 16);
// The one column of a gradient that is computed by itself: which one (an i32 for each row), its e, its gradient.
const COLUMN = memory.data(STATISTIC, 16);
const OWN_E = memory.data(STATISTIC, 16);
const OWN = memory.data(STATISTIC, 16);
// What stands for an absent array: one chunk, read over and over, so that there are no variants of the loops without it.
const ZEROS = memory.data(64, 16);
const ONES = memory.data(64, 16);

export function crossEntropy<T>(
  loss: usize, grad: usize, x: usize, targets: usize, probabilities: usize, weight: usize, sampleWeight: usize, gradOutput: usize,
  outer: i32, cols: i32, inner: i32, smoothing: f64, temperature: f64, gradScale: f64,
): void {
  const table = expTable<T>(temperature);
  const rows = outer * inner, layout = layoutOf<T>(rows, cols, inner), bytes = tileBytes<T>(cols, layout);
  const indexed = probabilities == 0, blended = !indexed || smoothing > 0;
  const keep = 1 - smoothing, spread = smoothing / <f64>cols;
  const perT = 1 / temperature, gradUnit = gradScale / temperature;
  const ws = blended ? classWeights<T>(weight, cols, layout) : ONES;

  for (let r = 0, n = 0; r < rows; r += n) {
    n = panelRows<T>(r, rows, cols, inner, layout);
    const tiles = tileCount<T>(n);
    const xs = panelIn<T>(X, x, r, n, cols, inner, layout, <T>-Infinity);
    const ts = indexed ? ZEROS : panelIn<T>(Z, probabilities, r, n, cols, inner, layout, 0);
    const es = grad ? panelFor<T>(Y, grad, r, cols, layout) : 0;
    const ys = targets + (<usize>r << 2), us = sampleWeight ? sampleWeight + (<usize>r << 3) : 0;
    panelMax<T>(MAX, xs, tiles, bytes, layout);

    // grad may be x itself: what is needed of x is taken before es is written.
    gatherTargets<T>(xs, ys, us, weight, n, cols, layout, indexed);
    if (blended) panelTargets<T>(xs, ts, ws, tiles, bytes, layout, <T>keep, <T>spread);
    panelExp<T>(OTHERS, es, xs, MAX, tiles, bytes, layout, true, table);
    logs(LOG, INVERSE, OTHERS, n);
    losses(n, keep, perT, blended);
    for (let i = 0; i < n; i++) store<f64>(loss + (<usize>(r + i) << 3), load<f64>(LOSS + (i << 3)));
    if (!grad) continue;

    for (let i = 0; i < n; i++) {
      const g = gradOutput ? load<f64>(gradOutput + (<usize>(r + i) << 3)) : 1;
      store<f64>(FACTOR + (i << 3), gradUnit * load<f64>(ROW_WEIGHT + (i << 3)) * g);
    }
    if (indexed) gradientsOfTargets<T>(es, n, cols, layout, keep, spread, blended);
    else gradientsOfMaxima<T>(es, n, cols, layout);
    if (blended) panelResidual<T>(es, ts, ws, tiles, bytes, layout, <T>keep, <T>spread);
    else panelScale<T>(es, E_FACTOR, tiles, bytes, layout);
    for (let i = 0; i < n; i++) {
      const column = load<i32>(COLUMN + (i << 2));
      if (load<f64>(ROW_WEIGHT + (i << 3)) == 0) clearRow<T>(es, i, cols, layout);
      else if (column >= 0) store<T>(panelAt<T>(es, i, column, cols, layout), <T>load<f64>(OWN + (i << 3)));
    }
    panelOut<T>(grad, es, r, n, cols, inner, layout);
  }
}

// Per row there is a little to look up and a little to compute. The former is done row by row, the latter two rows at a time and without
// branches: which of two formulas holds is as good as random, and a wrong guess costs more than both.

/** The weights of the classes as the rows of a panel lie; ones where they are absent. */
function classWeights<T>(weight: usize, cols: i32, layout: Layout): usize {
  if (weight != 0 || layout != WIDE) return spreadRow<T>(W, weight, cols, layout);
  for (let i: usize = 0; i < CHUNK; i += 16) v128.store(ONES + i, v128.splat<T>(1));
  return ONES;
}

/** COLUMN, TARGET, WEIGHT and ROW_WEIGHT; with class probabilities only the last has a value, and no class counts by itself. */
function gatherTargets<T>(x: usize, targets: usize, sampleWeight: usize, weight: usize, n: i32, cols: i32, layout: Layout, indexed: bool): void {
  for (let i = 0; i < n; i++) {
    const at = i << 3, column = indexed ? load<i32>(targets + (i << 2)) : 0, counts = isClass(column, cols);
    const y = counts ? column : 0, w = weight ? <f64>load<T>(weight + <usize>y * sizeof<T>()) : 1.0;
    const u = sampleWeight ? load<f64>(sampleWeight + at) : 1.0;
    store<i32>(COLUMN + (i << 2), y);
    store<f64>(TARGET + at, <f64>load<T>(panelAt<T>(x, i, y, cols, layout)));
    store<f64>(WEIGHT + at, indexed ? w : 0);
    store<f64>(ROW_WEIGHT + at, counts ? u : 0);
  }
}

/** LOSS and Q. */
function losses(n: i32, keep: f64, perT: f64, blended: bool): void {
  const zero = f64x2.splat(0), infinity = f64x2.splat(Infinity), keeps = f64x2.splat(keep), perTs = f64x2.splat(perT);
  for (let at: usize = 0; at < <usize>n << 3; at += 16) {
    const log = v128.load(LOG + at), b = f64x2.mul(keeps, v128.load(WEIGHT + at));
    const nll = f64x2.add(log, f64x2.mul(f64x2.sub(v128.load(MAX + at), v128.load(TARGET + at)), perTs));
    // 0 · (−ln 0) counts as 0.
    let value = v128.andnot(f64x2.mul(b, nll), v128.and(f64x2.eq(b, zero), f64x2.eq(nll, infinity))), q = b;
    if (blended) {
      const spread = f64x2.add(v128.load(Q_TOP + at), v128.load(Q_OTHERS + at));
      value = f64x2.add(f64x2.add(f64x2.mul(spread, log), f64x2.mul(v128.load(DOT + at), perTs)), value);
      q = f64x2.add(spread, b);
    }
    const u = v128.load(ROW_WEIGHT + at);
    v128.store(LOSS + at, v128.and(f64x2.mul(u, value), f64x2.ne(u, zero)));
    v128.store(Q + at, q);
  }
}

/**
 * E_FACTOR, and OWN for the class of each row. Where p comes near 1, p·Q − q is (Q − q) − (1 − p)·Q. Where p ≤ ½ nothing is near; above,
 * y is the only maximum, and Q − q was summed as Q_OTHERS.
 */
function gradientsOfTargets<T>(e: usize, n: i32, cols: i32, layout: Layout, keep: f64, spread: f64, blended: bool): void {
  for (let i = 0; i < n; i++) {
    store<f64>(OWN_E + (i << 3), <f64>load<T>(panelAt<T>(e, i, load<i32>(COLUMN + (i << 2)), cols, layout)));
  }
  const one = f64x2.splat(1), unscale = f64x2.splat(1 / expOfZero<T>()), ownShare = f64x2.splat(blended ? keep + spread : keep);
  for (let at: usize = 0; at < <usize>n << 3; at += 16) {
    const factor = v128.load(FACTOR + at), q = v128.load(Q + at), inverse = v128.load(INVERSE + at), others = v128.load(OTHERS + at);
    // Divided, not times the inverse, which would be one rounding more for the whole row.
    v128.store(E_FACTOR + at, f64x2.mul(f64x2.div(f64x2.mul(factor, q), f64x2.add(one, others)), unscale));
    const own = f64x2.mul(v128.load(OWN_E + at), unscale);
    // (1 − p)·d
    const otherMass = v128.bitselect(others, f64x2.sub(f64x2.add(one, others), own), f64x2.eq(own, one));
    const plain = f64x2.sub(f64x2.mul(f64x2.mul(q, own), inverse), f64x2.mul(v128.load(WEIGHT + at), ownShare));
    const qOthers = blended ? v128.load(Q_OTHERS + at) : f64x2.splat(0);
    const near1 = f64x2.sub(qOthers, f64x2.mul(f64x2.mul(q, otherMass), inverse));
    v128.store(OWN + at, f64x2.mul(factor, v128.bitselect(plain, near1, f64x2.le(own, otherMass))));
  }
}

/** The same for class probabilities, where p at the maximum is more than ⅔ and the maximum is alone. */
function gradientsOfMaxima<T>(e: usize, n: i32, cols: i32, layout: Layout): void {
  for (let i = 0; i < n; i++) {
    const at = i << 3, factor = load<f64>(FACTOR + at), q = load<f64>(Q + at), others = load<f64>(OTHERS + at), inverse = load<f64>(INVERSE + at);
    // Q / d, corrected by what the sums Q and d = 1 + others have lost: up to an ulp of every gradient of the row.
    const d = 1 + others, share = q / d;
    const lost = lostBy(load<f64>(Q_TOP + at), load<f64>(Q_OTHERS + at), q) - share * lostBy(1, others, d);
    store<f64>(E_FACTOR + at, factor * (share + lost / d) * (1 / expOfZero<T>()));
    store<i32>(COLUMN + (i << 2), others < 0.5 ? findInRow<T>(e, i, cols, layout, <T>expOfZero<T>()) : -1);
    store<f64>(OWN + at, factor * (load<f64>(Q_OTHERS + at) - q * others * inverse));
  }
}

/** The rounding error of a sum: (a + b) − sum (Knuth's TwoSum). */
// @ts-ignore: decorator
@inline
function lostBy(a: f64, b: f64, sum: f64): f64 {
  const added = sum - a;
  return (a - (sum - added)) + (b - added);
}

/** From chunk to chunk of an array that may be absent. */
// @ts-ignore: decorator
@inline
function stepOf(x: usize): usize {
  return x == ZEROS || x == ONES ? 0 : CHUNK;
}

/** DOT = Σ q (m − x), Q_TOP = Σ q where x = m, Q_OTHERS = Σ q elsewhere; q = w·(keep·t + spread). */
function panelTargets<T>(x: usize, t: usize, w: usize, tiles: i32, bytes: usize, layout: Layout, keep: T, spread: T): void {
  const keeps = v128.splat<T>(keep), spreads = v128.splat<T>(spread), zero = v128.splat<T>(0);
  const tStep = stepOf(t), wStep = stepOf(w), weight = w, alone = layout == ALONE;
  const rest = restOf(bytes);
  if (rest) {
    restIn(REST_X, x, bytes, v128.splat<T>(-Infinity));
    if (tStep) restIn(REST_Z, t, bytes, zero);
    // A weight of 0 takes the places before the rest out of everything.
    restIn(REST_W, wStep ? w : ONES + CHUNK - bytes, bytes, zero);
  }
  for (let tile: usize = 0; tile < <usize>tiles; tile++) {
    const max = loadLanes<T>(MAX + tile * perTile<T>(), layout != NARROW);
    let dotL = f64x2.splat(0), dotH = dotL, topL = dotL, topH = dotL, othersL = dotL, othersH = dotL;
    w = weight;
    for (let n = chunks(bytes); n > 0; n--, x += CHUNK, t += tStep, w += wStep) {
      if (rest && n == 1) {
        x = REST_X, w = REST_W;
        if (tStep) t = REST_Z;
      }
      const q0 = target<T>(t, w, keeps, spreads), q1 = target<T>(t + 16, w + 16, keeps, spreads);
      const q2 = target<T>(t + 32, w + 32, keeps, spreads), q3 = target<T>(t + 48, w + 48, keeps, spreads);
      const x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
      const dot = tree<T>(gap<T>(q0, x0, max), gap<T>(q1, x1, max), gap<T>(q2, x2, max), gap<T>(q3, x3, max));
      dotH = addHigh<T>(dotH, dotL, dot, alone), dotL = addLow<T>(dotL, dot, alone);
      const m0 = v128.eq<T>(x0, max), m1 = v128.eq<T>(x1, max), m2 = v128.eq<T>(x2, max), m3 = v128.eq<T>(x3, max);
      const top = tree<T>(v128.and(q0, m0), v128.and(q1, m1), v128.and(q2, m2), v128.and(q3, m3));
      topH = addHigh<T>(topH, topL, top, alone), topL = addLow<T>(topL, top, alone);
      let o0 = v128.andnot(q0, m0), o1 = v128.andnot(q1, m1), o2 = v128.andnot(q2, m2), o3 = v128.andnot(q3, m3);
      if (sizeof<T>() == 4) {
        const others = tree<T>(o0, o1, o2, o3);
        othersH = addHigh<T>(othersH, othersL, others, alone), othersL = addLow<T>(othersL, others, alone);
        continue;
      }
      // In short rows the roundings of a tree would cost every gradient two ulp.
      for (let lane = alone ? 2 : 1; lane > 0; lane--) {
        othersH = sumHigh<T>(othersH, othersL, o3), othersL = sumLow<T>(othersL, o3);
        othersH = sumHigh<T>(othersH, othersL, o2), othersL = sumLow<T>(othersL, o2);
        othersH = sumHigh<T>(othersH, othersL, o1), othersL = sumLow<T>(othersL, o1);
        othersH = sumHigh<T>(othersH, othersL, o0), othersL = sumLow<T>(othersL, o0);
        if (alone) o0 = swapLanes(o0), o1 = swapLanes(o1), o2 = swapLanes(o2), o3 = swapLanes(o3);
      }
    }
    storeSum<T>(DOT + tile * perTile<T>(), dotL, dotH, 1, layout == WIDE);
    storeSum<T>(Q_TOP + tile * perTile<T>(), topL, topH, 1, layout == WIDE);
    storeSum<T>(Q_OTHERS + tile * perTile<T>(), othersL, othersH, 1, layout == WIDE);
  }
}

/** q = w·(keep·t + spread) */
// @ts-ignore: decorator
@inline
function target<T>(t: usize, w: usize, keep: v128, spread: v128): v128 {
  return v128.mul<T>(v128.load(w), mulAdd<T>(v128.load(t), keep, spread));
}

/** q (m − x), and 0 where q is 0 although x may be −Infinity */
// @ts-ignore: decorator
@inline
function gap<T>(q: v128, x: v128, max: v128): v128 {
  return v128.and(v128.mul<T>(q, v128.sub<T>(max, x)), v128.ne<T>(q, v128.splat<T>(0)));
}

/** e ← e · E_FACTOR − q · FACTOR, in place. */
function panelResidual<T>(e: usize, t: usize, w: usize, tiles: i32, bytes: usize, layout: Layout, keep: T, spread: T): void {
  const keeps = v128.splat<T>(keep), spreads = v128.splat<T>(spread), zero = v128.splat<T>(0);
  const tStep = stepOf(t), wStep = stepOf(w), weight = w, row = e;
  const rest = restOf(bytes);
  if (rest) {
    restIn(REST_Y, e, bytes, zero);
    if (tStep) restIn(REST_Z, t, bytes, zero);
    if (wStep) restIn(REST_W, w, bytes, zero);
  }
  for (let tile: usize = 0; tile < <usize>tiles; tile++) {
    const factor = loadLanes<T>(E_FACTOR + tile * perTile<T>(), layout != NARROW), qFactor = loadLanes<T>(FACTOR + tile * perTile<T>(), layout != NARROW);
    w = weight;
    for (let n = chunks(bytes); n > 0; n--, e += CHUNK, t += tStep, w += wStep) {
      if (rest && n == 1) {
        e = REST_Y;
        if (tStep) t = REST_Z;
        if (wStep) w = REST_W;
      }
      v128.store(e, residual<T>(v128.load(e), target<T>(t, w, keeps, spreads), factor, qFactor));
      v128.store(e, residual<T>(v128.load(e, 16), target<T>(t + 16, w + 16, keeps, spreads), factor, qFactor), 16);
      v128.store(e, residual<T>(v128.load(e, 32), target<T>(t + 32, w + 32, keeps, spreads), factor, qFactor), 32);
      v128.store(e, residual<T>(v128.load(e, 48), target<T>(t + 48, w + 48, keeps, spreads), factor, qFactor), 48);
    }
  }
  if (rest) restOut(row, bytes, REST_Y);
}

// @ts-ignore: decorator
@inline
function residual<T>(e: v128, q: v128, factor: v128, qFactor: v128): v128 {
  return v128.sub<T>(v128.mul<T>(e, factor), v128.mul<T>(q, qFactor));
}
