// Cross-entropy with its gradient. With q the target distribution of a row, Q = Σ q, d = Σ e^((x − m)/T), p = e^((x − m)/T) / d:
//
//   loss = Σ q_j · (−ln p_j) = Q·ln d + Σ q_j (m − x_j)/T          every term is ≥ 0, nothing cancels
//   grad_j = (p_j·Q − q_j) / T                                     at the maximum k, once p_k > ⅔: (Σ_{j ≠ k} q_j − Q·(1 − p_k)) / T
//
//   class probabilities t:  q_j = w_j · ((1 − ε)·t_j + ε/C)
//   class index y:          q_j = w_j · ε/C + b·[j = y],  b = (1 − ε)·w_y;  for ε = 0 nothing but the class y counts
//
// ln d = log1p(Σ over all but the maximum) and 1 − p_k = Σ_{j ≠ k} e_j / d: both keep their digits as p_k → 1.
// Szegedy et al., "Rethinking the Inception architecture" (2016) for the smoothing ε; semantics as in PyTorch's cross_entropy.
//
// total: see rows.ts; x, grad, t: [outer, cols, inner]; loss, targets, sampleWeight, gradOutput: one per row; weight: [cols]; complements: [rows, 3], for
// the focal loss: q = 1 − p_y and the rounding errors of q and of the loss, without weights. Absent arrays are 0.
// A target is blended if classes other than y count.

import { expTable, panelExp } from "./exp";
import { logs } from "./log";
import {
  ALONE, CLASSES, CLASSES_REST, INPUT, INPUT_REST, Layout, NARROW, OUTPUT, OUTPUT_REST, SECOND, SECOND_REST, STATISTIC, WIDE, classesIn, layoutOf,
  panelFor, panelIn, panelOut, panelRows, restIn, restOf, rowAddress, tileBytes, tileCount, wholeChunks,
} from "./panel";
import { panelMax, panelScaleOut, perTile } from "./passes";
import {
  CELL, FACTOR, LOST, MORE, OWN, ROWS, ROW_WEIGHT, TARGET, WEIGHT, factors, fillSpecialRows, gatherTargets, lostByBoth, plusBoth, rowWeights,
  scatter,
} from "./rows";
import { CHUNK, ZEROS, addHigh, addLow, allHigh, allLow, exceeds, loadLanes, lostBy, mulAdd, storePair, storeSum, tree } from "./simd";

const MAX: usize = MORE;
const SHIFT: usize = MORE + 1 * STATISTIC; // as panelMax leaves it
const OTHERS: usize = MORE + 2 * STATISTIC; // Σ e^((x − m)/T) without one maximum: d − 1
const LOG: usize = MORE + 3 * STATISTIC; // ln d
const INVERSE: usize = MORE + 4 * STATISTIC; // 1 / d
const DOT: usize = MORE + 5 * STATISTIC; // Σ q_j (m − x_j), without b
const Q_TOP: usize = MORE + 6 * STATISTIC; // Σ q_j  over the classes at the maximum
const Q_OTHERS: usize = MORE + 7 * STATISTIC; // Σ q_j  over the others
const SHARE: usize = MORE + 8 * STATISTIC; // p_j·Q = e_j · SHARE; not blended: times FACTOR
const TOP: usize = MORE + 9 * STATISTIC; // e of the maximum if it gets TOP_GRADIENT, or −1
const TOP_GRADIENT: usize = MORE + 10 * STATISTIC;
const OTHERS_LOST: usize = MORE + 11 * STATISTIC;
const OWN_LOST: usize = MORE + 12 * STATISTIC;
// In the place of absent arrays: one chunk, read over and over, so that the loops need no variants.
const ONES = memory.data(64, 16);
// In memory: see exp.ts. HEAD: the first 26 bits.
const HEAD = memory.data<u64>([0xfffffffff8000000]);
const NUMBERS = memory.data<f64>([1, 0.5, -1, 16777216.0, 18014398509481984.0, 1 / 16777216.0, 1 / 18014398509481984.0]);

export function crossEntropy<T>(
  total: usize, loss: usize, grad: usize, complements: usize, x: usize, targets: usize, probabilities: usize, weight: usize, sampleWeight: usize,
  gradOutput: usize, outer: i32, cols: i32, inner: i32, smoothing: f64, temperature: f64, gradScale: f64,
): void {
  const table = expTable<T>(temperature);
  const rows = outer * inner, layout = layoutOf<T>(rows, cols, inner), bytes = tileBytes<T>(cols, layout);
  const indexed = probabilities == 0, blended = !indexed || smoothing > 0;
  const keep = 1 - smoothing, spread = smoothing / <f64>cols;
  const ws = blended ? classWeights<T>(weight, cols, layout) : ONES;

  for (let r = 0, n = 0; r < rows; r += n) {
    n = panelRows<T>(r, rows, cols, inner, layout);
    const tiles = tileCount<T>(n);
    const xs = panelIn<T>(INPUT, x, r, n, cols, inner, layout, <T>-Infinity);
    const ts = indexed ? ZEROS : panelIn<T>(SECOND, probabilities, r, n, cols, inner, layout, 0);
    const es = grad ? panelFor<T>(OUTPUT, grad, r, cols, layout) : 0;
    const ys = indexed ? targets + (<usize>r << 2) : 0, us = sampleWeight ? sampleWeight + (<usize>r << 3) : 0;
    panelMax<T>(ROWS + MAX, ROWS + SHIFT, xs, tiles, bytes, layout);

    // grad may be x itself: what is needed of x is taken before es is written.
    if (indexed) gatherTargets<T>(xs, ys, n, cols, bytes, layout, false);
    rowWeights<T>(ys, weight, us, n, cols, 1);
    if (blended) panelTargets<T>(xs, ts, ws, tiles, bytes, layout, <T>keep, <T>spread);
    panelExp<T>(ROWS + OTHERS, es, xs, ROWS + SHIFT, tiles, cols, layout, true, table, complements ? ROWS + OTHERS_LOST : 0);
    logs(ROWS + LOG, ROWS + INVERSE, ROWS + OTHERS, n);
    const special = losses(total, loss ? loss + (<usize>r << 3) : 0, n, keep, 1 / temperature, blended);
    if (complements) {
      ownExp<T>(n, table);
      leaveComplements(complements + <usize>r * 24, n, 1 / temperature);
    }
    if (!grad) continue;

    factors(gradOutput ? gradOutput + (<usize>r << 3) : 0, n, gradScale / temperature, false);
    gradients<T>(es, n, keep, spread, indexed, blended);
    if (blended) {
      panelResidual<T>(es, ts, ws, tiles, bytes, layout, <T>keep, <T>spread);
      panelOut<T>(grad, es, r, n, cols, inner, layout);
    } else panelScaleOut<T>(grad, es, ROWS + SHARE, r, n, cols, inner, layout);
    const g = rowAddress<T>(grad, r, cols, inner);
    if (special) fillSpecialRows(g, n, cols, inner, sizeof<T>());
    if (indexed) scatter<T>(g, ys, 4, ROWS + OWN, n, cols, inner);
  }
}

/** The weights of the classes as the rows of a panel lie; ones where they are absent. */
function classWeights<T>(weight: usize, cols: i32, layout: Layout): usize {
  if (weight != 0 || layout != WIDE) return classesIn<T>(CLASSES, weight, cols, layout);
  for (let i: usize = 0; i < CHUNK; i += 16) v128.store(ONES + i, v128.splat<T>(1));
  // The padding in front of a rest weighs 0.
  restIn<T>(CLASSES, ONES + CHUNK - tileBytes<T>(cols, layout), cols, 0);
  return ONES;
}

/**
 * The losses of n rows, added to the total and, where there is room for them, stored; adds b to Q_TOP or Q_OTHERS. Returns whether any row is ignored or
 * weighs 0.
 */
function losses(total: usize, loss: usize, n: i32, keep: f64, perT: f64, blended: bool): bool {
  const zero = f64x2.splat(0), keeps = f64x2.splat(keep), perTs = f64x2.splat(perT);
  let ignored = zero, top = zero, others = zero, dot = zero, sum = load<f64>(total), lost = load<f64>(total, LOST);
  for (let row = ROWS; n > 0; n -= 2, row += 16) {
    const b = f64x2.mul(keeps, v128.load(row, WEIGHT)), below = f64x2.sub(v128.load(row, MAX), v128.load(row, TARGET));
    if (blended) top = v128.load(row, Q_TOP), others = v128.load(row, Q_OTHERS), dot = v128.load(row, DOT);
    const isTop = f64x2.eq(below, zero);
    top = blended ? f64x2.add(top, v128.and(b, isTop)) : v128.and(b, isTop);
    others = blended ? f64x2.add(others, v128.andnot(b, isTop)) : v128.andnot(b, isTop);
    v128.store(row, top, Q_TOP);
    v128.store(row, others, Q_OTHERS);
    // 0 · (−ln 0) counts as 0.
    const own = v128.and(f64x2.mul(b, below), f64x2.ne(b, zero));
    let value = f64x2.add(f64x2.mul(f64x2.add(top, others), v128.load(row, LOG)), f64x2.mul(f64x2.add(dot, own), perTs));
    const u = v128.load(row, ROW_WEIGHT), isIgnored = f64x2.eq(u, zero);
    ignored = v128.or(ignored, isIgnored);
    value = v128.andnot(f64x2.mul(u, value), isIgnored);
    if (n == 1) value = f64x2.replace_lane(value, 1, 0);
    lost += lostByBoth(sum, value), sum = plusBoth(sum, value);
    if (loss) {
      storePair(loss, value, n);
      loss += 16;
    }
  }
  store<f64>(total, sum);
  store<f64>(total, lost, LOST);
  return v128.any_true(ignored);
}

/** e^((x_y − m)/T) of n rows to OWN, as sums over rows of one class. */
function ownExp<T>(n: i32, table: usize): void {
  const tile = tileBytes<T>(1, NARROW), tiles = tileCount<T>(n);
  for (let t = 0; t < tiles; t++) v128.store(SECOND + <usize>t * tile, loadLanes<T>(ROWS + TARGET + <usize>t * perTile<T>(), false));
  panelExp<T>(ROWS + OWN, SECOND, SECOND, ROWS + SHIFT, tiles, 1, NARROW, false, table, ROWS + OWN_LOST);
}

/** The complements of n rows: q = (Σ over all but the maximum + 1 − e_y) / d, where nothing cancels. */
function leaveComplements(complements: usize, n: i32, perT: f64): void {
  const one = v128.load64_splat(NUMBERS), head = v128.load64_splat(HEAD), perTs = f64x2.splat(perT);
  for (let row = ROWS; n > 0; n -= 2, row += 16, complements += 48) {
    const others = v128.load(row, OTHERS), othersLost = v128.load(row, OTHERS_LOST), inverse = v128.load(row, INVERSE);
    const own = v128.load(row, OWN), rest = f64x2.sub(one, own), all = f64x2.add(others, rest), d = f64x2.add(one, others);
    let lost = f64x2.sub(f64x2.sub(f64x2.sub(one, rest), own), v128.load(row, OWN_LOST));
    lost = f64x2.add(f64x2.add(lostBy(others, rest, all), lost), othersLost);
    // all − q·d is exact: so are products of 26-bit numbers.
    const q = f64x2.div(all, d), q1 = v128.and(q, head), q2 = f64x2.sub(q, q1), d1 = v128.and(d, head), d2 = f64x2.sub(d, d1);
    const left = f64x2.sub(f64x2.sub(f64x2.sub(all, f64x2.mul(q1, d1)), f64x2.add(f64x2.mul(q1, d2), f64x2.mul(q2, d1))), f64x2.mul(q2, d2));
    const dLost = f64x2.add(lostBy(one, others, d), othersLost);
    const qLost = f64x2.mul(f64x2.add(left, f64x2.sub(lost, f64x2.mul(q, dLost))), inverse);
    const log = v128.load(row, LOG), below = f64x2.mul(f64x2.sub(v128.load(row, MAX), v128.load(row, TARGET)), perTs);
    const lossLost = f64x2.add(f64x2.mul(othersLost, inverse), lostBy(log, below, f64x2.add(log, below)));
    v128.store(complements, i64x2.shuffle(q, qLost, 0, 2));
    v128.store64_lane(complements, lossLost, 0, 16);
    if (n == 1) break;
    v128.store(complements, i64x2.shuffle(q, qLost, 1, 3), 24);
    v128.store64_lane(complements, lossLost, 1, 40);
  }
}

/** SHARE; for a blended target TOP and TOP_GRADIENT, for a class index OWN. */
function gradients<T>(e: usize, n: i32, keep: f64, spread: f64, indexed: bool, blended: bool): void {
  const one = v128.load64_splat(NUMBERS), single = sizeof<T>() == 4, ownShare = f64x2.splat(blended ? keep + spread : keep);
  const expOf0 = v128.load64_splat(NUMBERS + (single ? 24 : 32)), unscale = v128.load64_splat(NUMBERS + (single ? 40 : 48));
  const half = v128.load64_splat(NUMBERS, 8), none = v128.load64_splat(NUMBERS, 16), end = ROWS + (<usize>n << 3);
  if (indexed) for (let row = ROWS; row < end; row += 8) v128.store(row, f64x2.splat(<f64>load<T>(e + load<i32>(row, CELL))), OWN);
  for (let row = ROWS; row < end; row += 16) {
    const factor = v128.load(row, FACTOR), others = v128.load(row, OTHERS), d = f64x2.add(one, others), inverse = v128.load(row, INVERSE);
    const qTop = v128.load(row, Q_TOP), qOthers = v128.load(row, Q_OTHERS), q = f64x2.add(qTop, qOthers);
    // Times the inverse would be one rounding more.
    let share = f64x2.div(blended ? q : f64x2.mul(factor, q), d);
    const top = f64x2.mul(factor, f64x2.sub(qOthers, f64x2.div(f64x2.mul(q, others), d)));
    if (blended) {
      // The rounding errors of Q and d are up to an ulp of every gradient of the row.
      const lost = f64x2.sub(lostBy(qTop, qOthers, q), f64x2.mul(share, lostBy(one, others, d)));
      share = f64x2.add(share, f64x2.mul(lost, inverse));
      v128.store(row, v128.bitselect(expOf0, none, f64x2.lt(others, half)), TOP);
      v128.store(row, top, TOP_GRADIENT);
    }
    v128.store(row, f64x2.mul(share, unscale), SHARE);
    if (!indexed) continue;
    const own = f64x2.mul(v128.load(row, OWN), unscale);
    const plain = f64x2.sub(f64x2.mul(f64x2.mul(q, own), inverse), f64x2.mul(v128.load(row, WEIGHT), ownShare));
    const isTop = v128.and(f64x2.eq(own, one), f64x2.lt(others, one));
    v128.store(row, v128.bitselect(top, f64x2.mul(factor, plain), isTop), OWN);
  }
}

/** Bytes from chunk to chunk: 0 for an absent array. */
function stepOf(x: usize): usize {
  return x == ZEROS || x == ONES ? 0 : CHUNK;
}

/** DOT = Σ q (m − x), Q_TOP = Σ q where x = m, Q_OTHERS = Σ q elsewhere; q = w·(keep·t + spread). */
function panelTargets<T>(x: usize, t: usize, w: usize, tiles: i32, bytes: usize, layout: Layout, keep: T, spread: T): void {
  const keeps = v128.splat<T>(keep), spreads = v128.splat<T>(spread), zero = v128.load(ZEROS);
  const tStep = stepOf(t), wStep = stepOf(w), weight = w, alone = layout == ALONE;
  for (let tile: usize = 0; tile < <usize>tiles; tile++) {
    const row = ROWS + tile * perTile<T>(), max = loadLanes<T>(row + MAX, layout != NARROW);
    let dotL = f64x2.splat(0), dotH = dotL, topL = dotL, topH = dotL, othersL = dotL, othersH = dotL;
    w = weight;
    let end = x + wholeChunks(bytes);
    for (let rest = restOf(bytes); ; rest = 0) {
      for (; x < end; x += CHUNK, t += tStep, w += wStep) {
        const q0 = target<T>(t, w, keeps, spreads), q1 = target<T>(t + 16, w + 16, keeps, spreads);
        const q2 = target<T>(t + 32, w + 32, keeps, spreads), q3 = target<T>(t + 48, w + 48, keeps, spreads);
        const d0 = v128.sub<T>(max, v128.load(x)), d1 = v128.sub<T>(max, v128.load(x, 16));
        const d2 = v128.sub<T>(max, v128.load(x, 32)), d3 = v128.sub<T>(max, v128.load(x, 48));
        const dot = tree<T>(product<T>(q0, d0, zero), product<T>(q1, d1, zero), product<T>(q2, d2, zero), product<T>(q3, d3, zero));
        dotH = addHigh<T>(dotH, dotL, dot, alone), dotL = addLow<T>(dotL, dot, alone);
        // The classes below the maximum. If that is infinite, d may be NaN and on either side: the whole row is NaN anyway.
        const b0 = exceeds<T>(d0, zero), b1 = exceeds<T>(d1, zero), b2 = exceeds<T>(d2, zero), b3 = exceeds<T>(d3, zero);
        const top = tree<T>(v128.andnot(q0, b0), v128.andnot(q1, b1), v128.andnot(q2, b2), v128.andnot(q3, b3));
        topH = addHigh<T>(topH, topL, top, alone), topL = addLow<T>(topL, top, alone);
        const o0 = v128.and(q0, b0), o1 = v128.and(q1, b1), o2 = v128.and(q2, b2), o3 = v128.and(q3, b3);
        if (sizeof<T>() == 4) {
          const others = tree<T>(o0, o1, o2, o3);
          othersH = addHigh<T>(othersH, othersL, others, alone), othersL = addLow<T>(othersL, others, alone);
        } else {
          // In short rows the roundings of a tree would cost every gradient two ulp.
          othersH = allHigh<T>(othersH, othersL, o0, o1, o2, o3, alone), othersL = allLow<T>(othersL, o0, o1, o2, o3, alone);
        }
      }
      if (!rest) break;
      x = INPUT_REST, w = CLASSES_REST, end = x + CHUNK;
      if (tStep) t = SECOND_REST;
    }
    storeSum<T>(row + DOT, dotL, dotH, 1, layout == WIDE);
    storeSum<T>(row + Q_TOP, topL, topH, 1, layout == WIDE);
    storeSum<T>(row + Q_OTHERS, othersL, othersH, 1, layout == WIDE);
  }
}

/** q = w·(keep·t + spread) */
function target<T>(t: usize, w: usize, keep: v128, spread: v128): v128 {
  return v128.mul<T>(v128.load(w), mulAdd<T>(v128.load(t), keep, spread));
}

/** q · d, and 0 where q is 0 although d may be Infinity. */
function product<T>(q: v128, d: v128, zero: v128): v128 {
  return v128.and(v128.mul<T>(q, d), v128.ne<T>(q, zero));
}

/** e ← (e · SHARE − q) · FACTOR, in place; TOP_GRADIENT where e = TOP. */
function panelResidual<T>(e: usize, t: usize, w: usize, tiles: i32, bytes: usize, layout: Layout, keep: T, spread: T): void {
  const keeps = v128.splat<T>(-keep), spreads = v128.splat<T>(-spread), tStep = stepOf(t), wStep = stepOf(w), weight = w;
  for (let tile: usize = 0; tile < <usize>tiles; tile++) {
    const row = ROWS + tile * perTile<T>(), oneRow = layout != NARROW;
    const share = loadLanes<T>(row + SHARE, oneRow), factor = loadLanes<T>(row + FACTOR, oneRow);
    const top = loadLanes<T>(row + TOP, oneRow), gradient = loadLanes<T>(row + TOP_GRADIENT, oneRow);
    w = weight;
    let end = e + wholeChunks(bytes);
    for (let rest = restOf(bytes); ; rest = 0) {
      for (; e < end; e += CHUNK, t += tStep, w += wStep) {
        v128.store(e, residual<T>(v128.load(e), target<T>(t, w, keeps, spreads), share, factor, top, gradient));
        v128.store(e, residual<T>(v128.load(e, 16), target<T>(t + 16, w + 16, keeps, spreads), share, factor, top, gradient), 16);
        v128.store(e, residual<T>(v128.load(e, 32), target<T>(t + 32, w + 32, keeps, spreads), share, factor, top, gradient), 32);
        v128.store(e, residual<T>(v128.load(e, 48), target<T>(t + 48, w + 48, keeps, spreads), share, factor, top, gradient), 48);
      }
      if (!rest) break;
      e = OUTPUT_REST, w = CLASSES_REST, end = e + CHUNK;
      if (tStep) t = SECOND_REST;
    }
  }
}

function residual<T>(e: v128, minusQ: v128, share: v128, factor: v128, top: v128, gradient: v128): v128 {
  return v128.bitselect(gradient, v128.mul<T>(mulAdd<T>(e, share, minusQ), factor), v128.eq<T>(e, top));
}
