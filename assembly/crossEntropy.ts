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

import { expOfZero, expTable, panelExpOthers } from "./exp";
import { logs } from "./logSoftmax";
import {
  narrowExp, STATISTIC, W, X, Y, Z, classStep, fillRow, findInRow, isClass, panelAt, panelFor, panelIn, panelOut,
  panelRows, spreadTile, tileBytes, tileCount,
} from "./panel";
import {
  REST_W, REST_X, REST_Y, REST_Z, chunks, panelMax, panelScale, perTile, restIn, restOf, restOut,
  tree,
} from "./passes";
import { CHUNK, loadLanes, mulAdd, storeSum, sumHigh, sumLow } from "./simd";

const MAX = memory.data(STATISTIC, 16);
const OTHERS = memory.data(STATISTIC, 16); // Σ e^((x − m)/T) without one maximum: d − 1
const LOG = memory.data(STATISTIC, 16); // ln d
const INVERSE = memory.data(STATISTIC, 16); // 1 / d
const TARGET = memory.data(STATISTIC, 16); // x_y
const DOT = memory.data(STATISTIC, 16); // Σ q_j (m − x_j)
const Q_TOP = memory.data(STATISTIC, 16); // Σ q over the classes at the maximum
const Q_OTHERS = memory.data(STATISTIC, 16); // Σ q over the others
const E_FACTOR = memory.data(STATISTIC, 16); // grad_j = e_j · E_FACTOR − q_j · Q_FACTOR
const Q_FACTOR = memory.data(STATISTIC, 16);
// A column of the gradient that is computed by itself, and its value; for each row an i32 and an f64.
const COLUMN = memory.data(STATISTIC, 16);
const OWN = memory.data(STATISTIC, 16);
const NO_COLUMN: i32 = -1;
const IGNORED: i32 = -2;
// What stands for an absent array: one chunk, read over and over, so that there are no variants of the loops without it.
const ZEROS = memory.data(64, 16);
const ONES = memory.data(64, 16);

export function crossEntropy<T>(
  loss: usize, grad: usize, x: usize, targets: usize, probabilities: usize, weight: usize, sampleWeight: usize, gradOutput: usize,
  outer: i32, cols: i32, inner: i32, smoothing: f64, temperature: f64, gradScale: f64,
): void {
  const table = expTable<T>(temperature);
  const wide = cols > narrowExp<T>(), bytes = tileBytes<T>(cols, wide), rows = outer * inner;
  const indexed = probabilities == 0, blended = !indexed || smoothing > 0;
  const keep = 1 - smoothing, spread = smoothing / <f64>cols;
  const perT = 1 / temperature, gradUnit = gradScale / temperature;
  let ws: usize = ONES;
  if (blended && (weight != 0 || !wide)) ws = spreadTile<T>(W, weight, cols, wide);
  else if (blended) for (let i: usize = 0; i < CHUNK; i += 16) v128.store(ONES + i, v128.splat<T>(1));

  for (let r = 0, n = 0; r < rows; r += n) {
    n = panelRows<T>(r, rows, cols, inner, wide);
    const tiles = tileCount<T>(n);
    const xs = panelIn<T>(X, x, r, n, cols, inner, wide, <T>-Infinity);
    const ts = indexed ? ZEROS : panelIn<T>(Z, probabilities, r, n, cols, inner, wide, 0);
    const es = grad ? panelFor<T>(Y, grad, r, cols, wide) : 0;
    const ys = targets + (<usize>r << 2), us = sampleWeight + (<usize>r << 3);
    panelMax<T>(MAX, xs, tiles, bytes, wide);

    // grad may be x itself: what is needed of x is taken before es is written.
    if (indexed) {
      for (let i = 0; i < n; i++) {
        const y = load<i32>(ys + (i << 2));
        store<f64>(TARGET + (i << 3), isClass(y, cols) ? <f64>load<T>(panelAt<T>(xs, i, y, cols, wide)) : 0);
      }
    }
    if (blended) panelTargets<T>(xs, ts, ws, tiles, bytes, wide, <T>keep, <T>spread);
    panelExpOthers<T>(OTHERS, es, xs, MAX, tiles, bytes, wide, table);
    logs(LOG, INVERSE, OTHERS, n);

    for (let i = 0; i < n; i++) {
      const at = i << 3;
      const y = indexed ? load<i32>(ys + (i << 2)) : 0;
      const u = sampleWeight ? load<f64>(us + at) : 1;
      if (u == 0 || !isClass(y, cols)) {
        store<f64>(loss + (<usize>r << 3) + at, 0);
        store<i32>(COLUMN + (i << 2), IGNORED);
        continue;
      }
      const logSum = load<f64>(LOG + at);
      let q = 0.0, value = 0.0;
      if (blended) {
        q = load<f64>(Q_TOP + at) + load<f64>(Q_OTHERS + at);
        value = q * logSum + load<f64>(DOT + at) * perT;
      }
      if (indexed) {
        const b = keep * (weight ? <f64>load<T>(weight + <usize>y * sizeof<T>()) : 1);
        const nll = logSum + (load<f64>(MAX + at) - load<f64>(TARGET + at)) * perT;
        // 0 · (−ln 0) counts as 0.
        if (b != 0 || nll != Infinity) value += b * nll;
        q += b;
      }
      store<f64>(loss + (<usize>r << 3) + at, u * value);
      if (!grad) continue;

      const factor = gradUnit * u * (gradOutput ? load<f64>(gradOutput + (<usize>r << 3) + at) : 1);
      const others = load<f64>(OTHERS + at), inverse = load<f64>(INVERSE + at);
      store<f64>(E_FACTOR + at, factor * q * inverse * (1 / expOfZero<T>()));
      store<f64>(Q_FACTOR + at, factor);
      // Where p comes near 1, p·Q − q is (Q − q) − (1 − p)·Q, and that column is set by itself after the pass over all.
      let column = y, g = 0.0;
      if (indexed) {
        const e = <f64>load<T>(panelAt<T>(es, i, y, cols, wide)) * (1 / expOfZero<T>());
        const otherMass = e == 1 ? others : 1 + others - e; // (1 − p)·d
        const own = (weight ? <f64>load<T>(weight + <usize>y * sizeof<T>()) : 1) * (keep + (blended ? spread : 0)); // q_y
        // Where p ≤ ½ nothing is near; above, y is the only maximum, and Q − q was summed as such.
        g = e <= otherMass ? q * e * inverse - own : (blended ? load<f64>(Q_OTHERS + at) : 0) - q * otherMass * inverse;
      } else if (others < 0.5) {
        // p at the maximum is more than ⅔, and the maximum is alone.
        column = findInRow<T>(es, i, cols, wide, <T>expOfZero<T>());
        g = load<f64>(Q_OTHERS + at) - q * others * inverse;
      } else column = NO_COLUMN;
      store<i32>(COLUMN + (i << 2), column);
      store<f64>(OWN + at, factor * g);
    }
    if (!grad) continue;

    if (blended) panelResidual<T>(es, ts, ws, tiles, bytes, wide, <T>keep, <T>spread);
    else panelScale<T>(es, E_FACTOR, tiles, bytes, wide);
    for (let i = 0; i < n; i++) {
      const column = load<i32>(COLUMN + (i << 2));
      if (column >= 0) store<T>(panelAt<T>(es, i, column, cols, wide), <T>load<f64>(OWN + (i << 3)));
      else if (column == IGNORED) fillRow<T>(panelAt<T>(es, i, 0, cols, wide), classStep<T>(wide), cols, 0);
    }
    panelOut<T>(grad, es, r, n, cols, inner, wide);
  }
}

/** From chunk to chunk of an array that may be absent. */
// @ts-ignore: decorator
@inline
function stepOf(x: usize): usize {
  return x == ZEROS || x == ONES ? 0 : CHUNK;
}

/** DOT = Σ q (m − x), Q_TOP = Σ q where x = m, Q_OTHERS = Σ q elsewhere; q = w·(keep·t + spread). */
function panelTargets<T>(x: usize, t: usize, w: usize, tiles: i32, bytes: usize, wide: bool, keep: T, spread: T): void {
  const keeps = v128.splat<T>(keep), spreads = v128.splat<T>(spread), zero = v128.splat<T>(0);
  const tStep = stepOf(t), wStep = stepOf(w), weight = w;
  const rest = restOf(bytes);
  if (rest) {
    restIn(REST_X, x, bytes, v128.splat<T>(-Infinity));
    if (tStep) restIn(REST_Z, t, bytes, zero);
    // A weight of 0 takes the places before the rest out of everything.
    restIn(REST_W, wStep ? w : ONES + CHUNK - bytes, bytes, zero);
  }
  for (let tile: usize = 0; tile < <usize>tiles; tile++) {
    const max = loadLanes<T>(MAX + tile * perTile<T>(), wide);
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
      dotH = sumHigh<T>(dotH, dotL, dot), dotL = sumLow<T>(dotL, dot);
      const m0 = v128.eq<T>(x0, max), m1 = v128.eq<T>(x1, max), m2 = v128.eq<T>(x2, max), m3 = v128.eq<T>(x3, max);
      const top = tree<T>(v128.and(q0, m0), v128.and(q1, m1), v128.and(q2, m2), v128.and(q3, m3));
      topH = sumHigh<T>(topH, topL, top), topL = sumLow<T>(topL, top);
      const others = tree<T>(v128.andnot(q0, m0), v128.andnot(q1, m1), v128.andnot(q2, m2), v128.andnot(q3, m3));
      othersH = sumHigh<T>(othersH, othersL, others), othersL = sumLow<T>(othersL, others);
    }
    storeSum<T>(DOT + tile * perTile<T>(), dotL, dotH, 1, wide);
    storeSum<T>(Q_TOP + tile * perTile<T>(), topL, topH, 1, wide);
    storeSum<T>(Q_OTHERS + tile * perTile<T>(), othersL, othersH, 1, wide);
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

/** e ← e · E_FACTOR − q · Q_FACTOR, in place. */
function panelResidual<T>(e: usize, t: usize, w: usize, tiles: i32, bytes: usize, wide: bool, keep: T, spread: T): void {
  const keeps = v128.splat<T>(keep), spreads = v128.splat<T>(spread), zero = v128.splat<T>(0);
  const tStep = stepOf(t), wStep = stepOf(w), weight = w, row = e;
  const rest = restOf(bytes);
  if (rest) {
    restIn(REST_Y, e, bytes, zero);
    if (tStep) restIn(REST_Z, t, bytes, zero);
    if (wStep) restIn(REST_W, w, bytes, zero);
  }
  for (let tile: usize = 0; tile < <usize>tiles; tile++) {
    const factor = loadLanes<T>(E_FACTOR + tile * perTile<T>(), wide), qFactor = loadLanes<T>(Q_FACTOR + tile * perTile<T>(), wide);
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
