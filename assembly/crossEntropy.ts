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

import { expOfZero, expTable } from "./exp";
import { logs } from "./logSoftmax";
import { MASK, TAIL, copyChunk, restOf, tileMax, tileScale, tileStoreExpOthers, tree } from "./passes";
import { CHUNK, loadLanes, mulAdd, storeLanes, storeSum, sumHigh, sumLow } from "./simd";
import {
  SINK, W, X, Y, Z, isClass, isWide, tileAt, tileBytes, tileCount, tileFill, tileFind, tileFor, tileIn, tileOut, tileRow, tileRows, tileSpread,
} from "./tile";

// One f64 per row of the tile.
const MAX = memory.data(32, 16);
const OTHERS = memory.data(32, 16); // Σ e^((x − m)/T) without one maximum: d − 1
const LOG = memory.data(32, 16); // ln d
const TARGET = memory.data(32, 16); // x_y
const DOT = memory.data(32, 16); // Σ q_j (m − x_j)
const Q_TOP = memory.data(32, 16); // Σ q over the classes at the maximum
const Q_OTHERS = memory.data(32, 16); // Σ q over the others
const FACTOR = memory.data(32, 16); // grad_j = e_j · FACTOR − q_j · Q_FACTOR
const Q_FACTOR = memory.data(32, 16);
const ZERO = memory.data(64, 16);
const ONE = memory.data(64, 16);

export function crossEntropy<T>(
  loss: usize, grad: usize, x: usize, targets: usize, probabilities: usize, weight: usize, sampleWeight: usize, gradOutput: usize,
  outer: i32, cols: i32, inner: i32, smoothing: f64, temperature: f64, gradScale: f64,
): void {
  const table = expTable<T>(temperature);
  const bytes = tileBytes<T>(cols), wide = isWide(cols);
  const indexed = probabilities == 0;
  const blended = !indexed || smoothing > 0;
  const keep = 1 - smoothing, spread = smoothing / <f64>cols;
  // Absent arrays are one chunk, read over and over: no variant of the loops without them.
  for (let i: usize = 0; i < CHUNK; i += 16) v128.store(ONE + i, v128.splat<T>(1));
  const weighted = blended && (weight != 0 || !wide);
  const ws = weighted ? tileSpread<T>(W, weight, cols) : ONE;
  const wStep: usize = weighted ? CHUNK : 0;
  const gradUnit = gradScale / temperature;

  for (let k = 0, tiles = tileCount<T>(outer, cols, inner); k < tiles; k++) {
    const row = tileRow<T>(k, cols, inner), rows = tileRows<T>(k, outer, cols, inner);
    const xs = tileIn<T>(X, x, k, outer, cols, inner, <T>-Infinity);
    const ts = indexed ? ZERO : tileIn<T>(Z, probabilities, k, outer, cols, inner, 0);
    const es = grad ? tileFor<T>(Y, grad, k, cols) : SINK;
    const max = tileMax<T>(xs, bytes, wide);
    storeLanes<T>(MAX, max);

    // grad may be x itself: what is needed of x is taken before es is written.
    if (indexed) {
      for (let lane = 0; lane < rows; lane++) {
        const y = load<i32>(targets + (<usize>(row + lane) << 2));
        store<f64>(TARGET + (lane << 3), isClass(y, cols) ? <f64>load<T>(tileAt<T>(xs, lane, y, cols)) : 0);
      }
    }
    if (blended) tileTargets<T>(xs, ts, indexed ? 0 : CHUNK, ws, wStep, bytes, wide, max, <T>keep, <T>spread);
    tileStoreExpOthers<T>(OTHERS, es, grad ? CHUNK : 0, xs, bytes, wide, max, table);
    logs(LOG, OTHERS);

    for (let lane = 0; lane < rows; lane++) {
      const at = lane << 3, r = <usize>(row + lane);
      const y = indexed ? load<i32>(targets + (r << 2)) : 0;
      const u = sampleWeight ? load<f64>(sampleWeight + (r << 3)) : 1;
      if (u == 0 || !isClass(y, cols)) {
        store<f64>(loss + (r << 3), 0);
        continue;
      }
      const logSum = load<f64>(LOG + at);
      let q = 0.0, b = 0.0, value = 0.0;
      if (blended) {
        q = load<f64>(Q_TOP + at) + load<f64>(Q_OTHERS + at);
        value = q * logSum + load<f64>(DOT + at) / temperature;
      }
      if (indexed) {
        b = keep * (weight ? <f64>load<T>(weight + y * sizeof<T>()) : 1);
        const nll = logSum + (load<f64>(MAX + at) - load<f64>(TARGET + at)) / temperature;
        // 0 · (−ln 0) counts as 0.
        if (b != 0 || nll != Infinity) value += b * nll;
      }
      store<f64>(loss + (r << 3), u * value);
      if (grad) {
        const factor = gradUnit * u * (gradOutput ? load<f64>(gradOutput + (r << 3)) : 1);
        store<f64>(FACTOR + at, (factor * (q + b)) / (1 + load<f64>(OTHERS + at)) / expOfZero<T>());
        store<f64>(Q_FACTOR + at, factor);
        // The column that is fixed below needs its e, which the next pass overwrites.
        if (indexed) store<f64>(TARGET + at, <f64>load<T>(tileAt<T>(es, lane, y, cols)));
        else store<f64>(TARGET + at, <f64>tileFind<T>(es, lane, cols, <T>expOfZero<T>()));
      }
    }
    if (!grad) continue;

    if (blended) {
      const factor = loadLanes<T>(FACTOR, wide), qFactor = loadLanes<T>(Q_FACTOR, wide);
      tileResidual<T>(es, ts, indexed ? 0 : CHUNK, ws, wStep, bytes, factor, qFactor, <T>keep, <T>spread);
    } else {
      tileScale<T>(es, bytes, loadLanes<T>(FACTOR, wide));
    }

    for (let lane = 0; lane < rows; lane++) {
      const at = lane << 3, r = <usize>(row + lane);
      const y = indexed ? load<i32>(targets + (r << 2)) : 0;
      if (!isClass(y, cols) || (sampleWeight && load<f64>(sampleWeight + (r << 3)) == 0)) {
        tileFill<T>(es, lane, cols, 0);
        continue;
      }
      const others = load<f64>(OTHERS + at), factor = load<f64>(Q_FACTOR + at);
      if (indexed) {
        const e = load<f64>(TARGET + at) / expOfZero<T>();
        const otherMass = (e == 1 ? others : 1 + others - e) / (1 + others); // 1 − p_y
        const w = weight ? <f64>load<T>(weight + y * sizeof<T>()) : 1;
        const b = keep * w;
        let qOthers = 0.0, q = b;
        if (blended) {
          q += load<f64>(Q_TOP + at) + load<f64>(Q_OTHERS + at);
          qOthers = q - b - w * spread;
        }
        store<T>(tileAt<T>(es, lane, y, cols), <T>(factor * (qOthers - q * otherMass)));
      } else if (others < 0.5) {
        // p at the maximum is more than ⅔, and the maximum is alone: p·Q − q = (Q − q) − (1 − p)·Q, with Q − q summed as such.
        const qOthers = load<f64>(Q_OTHERS + at), q = load<f64>(Q_TOP + at) + qOthers;
        const top = <i32>load<f64>(TARGET + at);
        store<T>(tileAt<T>(es, lane, top, cols), <T>(factor * (qOthers - (q * others) / (1 + others))));
      }
    }
    tileOut<T>(grad, es, k, outer, cols, inner);
  }
}

/** DOT = Σ q (m − x), Q_TOP = Σ q where x = m, Q_OTHERS = Σ q elsewhere; q = w·(keep·t + spread). */
function tileTargets<T>(x: usize, t: usize, tStep: usize, w: usize, wStep: usize, bytes: usize, wide: bool, max: v128, keep: T, spread: T): void {
  const keeps = v128.splat<T>(keep), spreads = v128.splat<T>(spread);
  const rest = restOf(bytes);
  const end = x + bytes - rest;
  let dotL = f64x2.splat(0), dotH = dotL, topL = dotL, topH = dotL, othersL = dotL, othersH = dotL;
  if (rest) {
    const back = bytes - CHUNK;
    const ones = MASK + rest;
    const a = x + back, b = tStep ? t + back : t, c = wStep ? w + back : w;
    const q0 = v128.and(target<T>(b, c, keeps, spreads), v128.load(ones));
    const q1 = v128.and(target<T>(b + 16, c + 16, keeps, spreads), v128.load(ones, 16));
    const q2 = v128.and(target<T>(b + 32, c + 32, keeps, spreads), v128.load(ones, 32));
    const q3 = v128.and(target<T>(b + 48, c + 48, keeps, spreads), v128.load(ones, 48));
    const x0 = v128.load(a), x1 = v128.load(a, 16), x2 = v128.load(a, 32), x3 = v128.load(a, 48);
    const dot = tree<T>(gap<T>(q0, x0, max), gap<T>(q1, x1, max), gap<T>(q2, x2, max), gap<T>(q3, x3, max));
    const top = tree<T>(at<T>(q0, x0, max), at<T>(q1, x1, max), at<T>(q2, x2, max), at<T>(q3, x3, max));
    const others = tree<T>(off<T>(q0, x0, max), off<T>(q1, x1, max), off<T>(q2, x2, max), off<T>(q3, x3, max));
    dotH = sumHigh<T>(dotH, dotL, dot), dotL = sumLow<T>(dotL, dot);
    topH = sumHigh<T>(topH, topL, top), topL = sumLow<T>(topL, top);
    othersH = sumHigh<T>(othersH, othersL, others), othersL = sumLow<T>(othersL, others);
  }
  for (; x < end; x += CHUNK, t += tStep, w += wStep) {
    const q0 = target<T>(t, w, keeps, spreads), q1 = target<T>(t + 16, w + 16, keeps, spreads);
    const q2 = target<T>(t + 32, w + 32, keeps, spreads), q3 = target<T>(t + 48, w + 48, keeps, spreads);
    const x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
    const dot = tree<T>(gap<T>(q0, x0, max), gap<T>(q1, x1, max), gap<T>(q2, x2, max), gap<T>(q3, x3, max));
    const top = tree<T>(at<T>(q0, x0, max), at<T>(q1, x1, max), at<T>(q2, x2, max), at<T>(q3, x3, max));
    const others = tree<T>(off<T>(q0, x0, max), off<T>(q1, x1, max), off<T>(q2, x2, max), off<T>(q3, x3, max));
    dotH = sumHigh<T>(dotH, dotL, dot), dotL = sumLow<T>(dotL, dot);
    topH = sumHigh<T>(topH, topL, top), topL = sumLow<T>(topL, top);
    othersH = sumHigh<T>(othersH, othersL, others), othersL = sumLow<T>(othersL, others);
  }
  storeSum<T>(DOT, dotL, dotH, 1, wide);
  storeSum<T>(Q_TOP, topL, topH, 1, wide);
  storeSum<T>(Q_OTHERS, othersL, othersH, 1, wide);
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

// @ts-ignore: decorator
@inline
function at<T>(q: v128, x: v128, max: v128): v128 {
  return v128.and(q, v128.eq<T>(x, max));
}

// @ts-ignore: decorator
@inline
function off<T>(q: v128, x: v128, max: v128): v128 {
  return v128.and(q, v128.ne<T>(x, max));
}

/** e ← e·factor − q·qFactor, in place. */
function tileResidual<T>(e: usize, t: usize, tStep: usize, w: usize, wStep: usize, bytes: usize, factor: v128, qFactor: v128, keep: T, spread: T): void {
  const keeps = v128.splat<T>(keep), spreads = v128.splat<T>(spread);
  const rest = restOf(bytes);
  const end = e + bytes - rest;
  if (rest) {
    const back = bytes - CHUNK;
    residualChunk<T>(TAIL, e + back, tStep ? t + back : t, wStep ? w + back : w, factor, qFactor, keeps, spreads);
  }
  for (; e < end; e += CHUNK, t += tStep, w += wStep) residualChunk<T>(e, e, t, w, factor, qFactor, keeps, spreads);
  if (rest) copyChunk(e + rest - CHUNK, TAIL);
}

// @ts-ignore: decorator
@inline
function residualChunk<T>(g: usize, e: usize, t: usize, w: usize, factor: v128, qFactor: v128, keep: v128, spread: v128): void {
  v128.store(g, residual<T>(e, t, w, factor, qFactor, keep, spread));
  v128.store(g, residual<T>(e + 16, t + 16, w + 16, factor, qFactor, keep, spread), 16);
  v128.store(g, residual<T>(e + 32, t + 32, w + 32, factor, qFactor, keep, spread), 32);
  v128.store(g, residual<T>(e + 48, t + 48, w + 48, factor, qFactor, keep, spread), 48);
}

// @ts-ignore: decorator
@inline
function residual<T>(e: usize, t: usize, w: usize, factor: v128, qFactor: v128, keep: v128, spread: v128): v128 {
  return v128.sub<T>(v128.mul<T>(v128.load(e), factor), v128.mul<T>(target<T>(t, w, keep, spread), qFactor));
}
