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
// total: see total.ts; x, grad, t: [outer, cols, inner]; loss, targets, sampleWeight, gradOutput: one per row; weight: [cols]. Absent arrays are 0.

import { expOfZero, expTable, panelExp } from "./exp";
import { ALONE, Layout, NARROW, WIDE } from "./layout";
import { logs } from "./log";
import {
  REST_W, REST_X, REST_Y, REST_Z, STATISTIC, W, X, Y, Z, classStep, fillSpecialRows, findInRow, groupAt, isClass, layoutOf, nextInPanel,
  panelFor, panelIn, panelOut, panelRows, restIn, restOf, rowAddress, spreadRow, tileBytes, tileCount, wholeChunks,
} from "./panel";
import { panelMax, panelScaleOut, perTile, tree } from "./passes";
import { LOST, lostBy } from "./total";
import { CHUNK, ZERO, addHigh, addLow, exceeds, loadLanes, loadPair, mulAdd, pair, storePair, storeSum, sumHigh, sumLow, swapLanes } from "./simd";

// The statistics of the rows of a panel: one f64 per row of each, so that an address is that of the row and a constant offset.
const ROWS = memory.data(16 * STATISTIC, 16);
const MAX: usize = 0;
const OTHERS: usize = 1 * STATISTIC; // Σ e^((x − m)/T) without one maximum: d − 1
const LOG: usize = 2 * STATISTIC; // ln d
const INVERSE: usize = 3 * STATISTIC; // 1 / d
const TARGET: usize = 4 * STATISTIC; // x_y
const WEIGHT: usize = 5 * STATISTIC; // w_y
const ROW_WEIGHT: usize = 6 * STATISTIC; // u, 0 for a row that is ignored
const DOT: usize = 7 * STATISTIC; // Σ q_j (m − x_j)  over the smoothed or given distribution
const Q_TOP: usize = 8 * STATISTIC; // Σ q_j  over the classes at the maximum
const Q_OTHERS: usize = 9 * STATISTIC; // Σ q_j  over the others
const Q: usize = 10 * STATISTIC; // Σ q
const FACTOR: usize = 11 * STATISTIC; // of the whole gradient of a row; then grad_j = e_j · E_FACTOR − q_j · FACTOR
const E_FACTOR: usize = 12 * STATISTIC;
// The one class of a row whose gradient is computed by itself: where it is in a panel (an i32), its e, its gradient.
const CELL: usize = 13 * STATISTIC;
const OWN: usize = 14 * STATISTIC; // e, then the gradient
const SHIFT: usize = 15 * STATISTIC; // as panelMax leaves it
// With class probabilities: which class that is, an i32 for each row, −1 for none.
const COLUMNS = memory.data(STATISTIC, 16);
// What stands for an absent array: one chunk, read over and over, so that there are no variants of the loops without it.
const ZEROS = memory.data(64, 16);
// Constants of the loops over rows: see log.ts.
const NUMBERS = memory.data<f64>([1, Infinity, 1 / 16777216.0, 1 / 18014398509481984.0]);
const ONES = memory.data(64, 16);

export function crossEntropy<T>(
  total: usize, loss: usize, grad: usize, x: usize, targets: usize, probabilities: usize, weight: usize, sampleWeight: usize, gradOutput: usize,
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
    const ys = indexed ? targets + (<usize>r << 2) : 0, us = sampleWeight ? sampleWeight + (<usize>r << 3) : 0;
    panelMax<T>(ROWS + MAX, ROWS + SHIFT, xs, tiles, bytes, layout);

    // grad may be x itself: what is needed of x is taken before es is written.
    gatherTargets<T>(xs, ys, us, weight, n, cols, bytes, layout);
    if (blended) panelTargets<T>(xs, ts, ws, tiles, bytes, layout, <T>keep, <T>spread);
    panelExp<T>(ROWS + OTHERS, es, xs, ROWS + SHIFT, tiles, cols, layout, true, table);
    logs(ROWS + LOG, ROWS + INVERSE, ROWS + OTHERS, n);
    const special = losses(total, loss ? loss + (<usize>r << 3) : 0, n, keep, perT, blended);
    if (!grad) continue;

    factors(gradOutput ? gradOutput + (<usize>r << 3) : 0, n, gradUnit);
    if (indexed) gradientsOfTargets<T>(es, n, keep, spread, blended);
    else gradientsOfMaxima<T>(es, n, cols, layout);
    if (blended) {
      panelResidual<T>(es, ts, ws, tiles, bytes, layout, <T>keep, <T>spread);
      panelOut<T>(grad, es, r, n, cols, inner, layout);
    } else panelScaleOut<T>(grad, es, ROWS + E_FACTOR, r, n, cols, inner, layout);
    ownGradients<T>(rowAddress<T>(grad, r, cols, inner), indexed ? ys : COLUMNS, n, cols, inner, special);
  }
}

// Per row there is a little to look up and a little to compute. The former is done row by row, the latter two rows at a time and without
// branches: which of two formulas holds is as good as random, and a wrong guess costs more than both.

/** The weights of the classes as the rows of a panel lie; ones where they are absent. */
function classWeights<T>(weight: usize, cols: i32, layout: Layout): usize {
  if (weight != 0 || layout != WIDE) return spreadRow<T>(W, weight, cols, layout);
  for (let i: usize = 0; i < CHUNK; i += 16) v128.store(ONES + i, v128.splat<T>(1));
  // What is in front of a rest weighs nothing, and so is left out of every sum.
  restIn<T>(W, ONES + CHUNK - tileBytes<T>(cols, layout), cols, 0);
  return ONES;
}

/** CELL, TARGET, WEIGHT and ROW_WEIGHT. With class probabilities (no targets) only the last has a value, and no class counts by itself. */
function gatherTargets<T>(x: usize, targets: usize, sampleWeight: usize, weight: usize, n: i32, cols: i32, bytes: usize, layout: Layout): void {
  const step = classStep<T>(layout), toTarget: usize = targets ? 4 : 0, toWeight: usize = sampleWeight ? 8 : 0;
  const absent: f64 = targets ? 1 : 0, panel = x;
  if (!targets) targets = ZEROS, weight = 0;
  if (!sampleWeight) sampleWeight = NUMBERS;
  for (let row = ROWS, end = ROWS + (<usize>n << 3); row < end; row += 8, targets += toTarget, sampleWeight += toWeight) {
    const column = load<i32>(targets), counts = isClass(column, cols), y = counts ? column : 0;
    const cell = layout == ALONE ? groupAt<T>(x, y) : x + <usize>y * step;
    store<i32>(row, <i32>(cell - panel), CELL);
    store<f64>(row, <f64>load<T>(cell), TARGET);
    store<f64>(row, weight ? <f64>load<T>(weight + <usize>y * sizeof<T>()) : absent, WEIGHT);
    store<f64>(row, counts ? load<f64>(sampleWeight) : 0, ROW_WEIGHT);
    x = nextInPanel<T>(x, bytes);
  }
}

/** The losses of n rows, added to the total and stored if they are asked for; and Q. Returns whether there may be rows that are ignored. */
function losses(total: usize, loss: usize, n: i32, keep: f64, perT: f64, blended: bool): bool {
  const zero = f64x2.splat(0), infinity = v128.load64_splat(NUMBERS, 8), keeps = f64x2.splat(keep), perTs = f64x2.splat(perT);
  let ignored = zero, sum = load<f64>(total), lost = load<f64>(total, LOST);
  for (let row = ROWS; n > 0; n -= 2, row += 16) {
    const log = v128.load(row, LOG), b = f64x2.mul(keeps, v128.load(row, WEIGHT));
    const nll = f64x2.add(log, f64x2.mul(f64x2.sub(v128.load(row, MAX), v128.load(row, TARGET)), perTs));
    // 0 · (−ln 0) counts as 0.
    let value = v128.andnot(f64x2.mul(b, nll), v128.and(f64x2.eq(b, zero), f64x2.eq(nll, infinity))), q = b;
    if (blended) {
      const spread = f64x2.add(v128.load(row, Q_TOP), v128.load(row, Q_OTHERS));
      value = f64x2.add(f64x2.add(f64x2.mul(spread, log), f64x2.mul(v128.load(row, DOT), perTs)), value);
      q = f64x2.add(spread, b);
    }
    const u = v128.load(row, ROW_WEIGHT);
    let isIgnored = f64x2.eq(u, zero);
    // A weight of −0 would make it −0.
    value = f64x2.add(v128.andnot(f64x2.mul(u, value), isIgnored), zero);
    v128.store(row, q, Q);

    // Behind the last row anything may lie.
    if (n == 1) value = f64x2.replace_lane(value, 1, 0), isIgnored = f64x2.replace_lane(isIgnored, 1, 0);
    ignored = v128.or(ignored, isIgnored);
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
  return v128.any_true(ignored);
}

/** FACTOR */
function factors(gradOutput: usize, n: i32, unit: f64): void {
  let g = f64x2.splat(1);
  for (let row = ROWS; n > 0; n -= 2, row += 16) {
    if (gradOutput) {
      g = loadPair(gradOutput, n);
      gradOutput += 16;
    }
    v128.store(row, f64x2.mul(f64x2.mul(f64x2.splat(unit), v128.load(row, ROW_WEIGHT)), g), FACTOR);
  }
}

/**
 * E_FACTOR, and OWN for the class of each row. Where p comes near 1, p·Q − q is (Q − q) − (1 − p)·Q. Where p ≤ ½ nothing is near; above,
 * y is the only maximum, and Q − q was summed as Q_OTHERS.
 */
function gradientsOfTargets<T>(e: usize, n: i32, keep: f64, spread: f64, blended: bool): void {
  const end = ROWS + (<usize>n << 3);
  for (let row = ROWS; row < end; row += 8) v128.store(row, f64x2.splat(<f64>load<T>(e + load<i32>(row, CELL))), OWN);
  const one = v128.load64_splat(NUMBERS), unscale = v128.load64_splat(NUMBERS + (sizeof<T>() == 4 ? 16 : 24));
  const ownShare = f64x2.splat(blended ? keep + spread : keep);
  for (let row = ROWS; row < end; row += 16) {
    const factor = v128.load(row, FACTOR), q = v128.load(row, Q), inverse = v128.load(row, INVERSE), others = v128.load(row, OTHERS);
    // Divided, not times the inverse, which would be one rounding more for the whole row.
    v128.store(row, f64x2.mul(f64x2.div(f64x2.mul(factor, q), f64x2.add(one, others)), unscale), E_FACTOR);
    const own = f64x2.mul(v128.load(row, OWN), unscale);
    // (1 − p)·d
    const otherMass = v128.bitselect(others, f64x2.sub(f64x2.add(one, others), own), f64x2.eq(own, one));
    const plain = f64x2.sub(f64x2.mul(f64x2.mul(q, own), inverse), f64x2.mul(v128.load(row, WEIGHT), ownShare));
    const qOthers = blended ? v128.load(row, Q_OTHERS) : f64x2.splat(0);
    const near1 = f64x2.sub(qOthers, f64x2.mul(f64x2.mul(q, otherMass), inverse));
    v128.store(row, f64x2.mul(factor, v128.bitselect(plain, near1, f64x2.le(own, otherMass))), OWN);
  }
}

/** The same for class probabilities, where p at the maximum is more than ⅔ and the maximum is alone. */
function gradientsOfMaxima<T>(e: usize, n: i32, cols: i32, layout: Layout): void {
  for (let i = 0, row = ROWS; i < n; i++, row += 8) {
    const factor = load<f64>(row, FACTOR), q = load<f64>(row, Q), others = load<f64>(row, OTHERS), inverse = load<f64>(row, INVERSE);
    // Q / d, corrected by what the sums Q and d = 1 + others have lost: up to an ulp of every gradient of the row.
    const d = 1 + others, share = q / d;
    const errors = lostBy(pair(load<f64>(row, Q_TOP), 1), pair(load<f64>(row, Q_OTHERS), others), pair(q, d));
    const lost = f64x2.extract_lane(errors, 0) - share * f64x2.extract_lane(errors, 1);
    store<f64>(row, factor * (share + lost / d) * (1 / expOfZero<T>()), E_FACTOR);
    // A row of −Infinity has no maximum (others = −1).
    store<i32>(COLUMNS + (i << 2), others >= 0 && others < 0.5 ? findInRow<T>(e, i, cols, layout, <T>expOfZero<T>()) : -1);
    store<f64>(row, factor * (load<f64>(row, Q_OTHERS) - q * others * inverse), OWN);
  }
}

/** Puts OWN into n rows of the gradient that begin at g, and 0 into those that are ignored (`special`). `columns`: an i32 for each row. */
function ownGradients<T>(g: usize, columns: usize, n: i32, cols: i32, inner: i32, special: bool): void {
  const toClass = <usize>inner * sizeof<T>(), toRow = inner == 1 ? <usize>cols * sizeof<T>() : sizeof<T>();
  if (special) fillSpecialRows(g, ROWS + ROW_WEIGHT, OWN - ROW_WEIGHT, n, cols, inner, sizeof<T>());
  for (let row = ROWS, end = ROWS + (<usize>n << 3); row < end; row += 8, columns += 4, g += toRow) {
    const column = load<i32>(columns);
    // No target that is out of range gets further.
    if (isClass(column, cols)) store<T>(g + <usize>column * toClass, <T>load<f64>(row, OWN));
  }
}

/** From chunk to chunk of an array that may be absent. */
// @ts-ignore: decorator
@inline
function stepOf(x: usize): usize {
  return x == ZEROS || x == ONES ? 0 : CHUNK;
}

/** DOT = Σ q (m − x), Q_TOP = Σ q where x = m, Q_OTHERS = Σ q elsewhere; q = w·(keep·t + spread). */
function panelTargets<T>(x: usize, t: usize, w: usize, tiles: i32, bytes: usize, layout: Layout, keep: T, spread: T): void {
  const keeps = v128.splat<T>(keep), spreads = v128.splat<T>(spread), zero = v128.load(ZERO);
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
        const x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
        const d0 = v128.sub<T>(max, x0), d1 = v128.sub<T>(max, x1), d2 = v128.sub<T>(max, x2), d3 = v128.sub<T>(max, x3);
        const dot = tree<T>(product<T>(q0, d0, zero), product<T>(q1, d1, zero), product<T>(q2, d2, zero), product<T>(q3, d3, zero));
        // Below the maximum. Where that is infinite d may be NaN, and so on either side: the whole row is NaN then.
        const b0 = exceeds<T>(d0, zero), b1 = exceeds<T>(d1, zero), b2 = exceeds<T>(d2, zero), b3 = exceeds<T>(d3, zero);
        const top = tree<T>(v128.andnot(q0, b0), v128.andnot(q1, b1), v128.andnot(q2, b2), v128.andnot(q3, b3));
        let o0 = v128.and(q0, b0), o1 = v128.and(q1, b1), o2 = v128.and(q2, b2), o3 = v128.and(q3, b3);
        const others = tree<T>(o0, o1, o2, o3);
        // Asked once for all sums: 2 % (f32, C = 1000, Node 24).
        if (alone) {
          dotH = addHigh<T>(dotH, dotL, dot, true), dotL = addLow<T>(dotL, dot, true);
          topH = addHigh<T>(topH, topL, top, true), topL = addLow<T>(topL, top, true);
          if (sizeof<T>() == 4) othersH = addHigh<T>(othersH, othersL, others, true), othersL = addLow<T>(othersL, others, true);
        } else {
          dotH = sumHigh<T>(dotH, dotL, dot), dotL = sumLow<T>(dotL, dot);
          topH = sumHigh<T>(topH, topL, top), topL = sumLow<T>(topL, top);
          if (sizeof<T>() == 4) othersH = sumHigh<T>(othersH, othersL, others), othersL = sumLow<T>(othersL, others);
        }
        if (sizeof<T>() == 4) continue;
        // In short rows the roundings of a tree would cost every gradient two ulp.
        for (let lane = alone ? 2 : 1; lane > 0; lane--) {
          othersH = sumHigh<T>(othersH, othersL, o3), othersL = sumLow<T>(othersL, o3);
          othersH = sumHigh<T>(othersH, othersL, o2), othersL = sumLow<T>(othersL, o2);
          othersH = sumHigh<T>(othersH, othersL, o1), othersL = sumLow<T>(othersL, o1);
          othersH = sumHigh<T>(othersH, othersL, o0), othersL = sumLow<T>(othersL, o0);
          if (alone) o0 = swapLanes(o0), o1 = swapLanes(o1), o2 = swapLanes(o2), o3 = swapLanes(o3);
        }
      }
      if (!rest) break;
      x = REST_X, w = REST_W, end = x + CHUNK;
      if (tStep) t = REST_Z;
    }
    storeSum<T>(row + DOT, dotL, dotH, 1, layout == WIDE);
    storeSum<T>(row + Q_TOP, topL, topH, 1, layout == WIDE);
    storeSum<T>(row + Q_OTHERS, othersL, othersH, 1, layout == WIDE);
  }
}

/** q = w·(keep·t + spread) */
// @ts-ignore: decorator
@inline
function target<T>(t: usize, w: usize, keep: v128, spread: v128): v128 {
  return v128.mul<T>(v128.load(w), mulAdd<T>(v128.load(t), keep, spread));
}

/** q · d, and 0 where q is 0 although d may be Infinity. */
// @ts-ignore: decorator
@inline
function product<T>(q: v128, d: v128, zero: v128): v128 {
  return v128.and(v128.mul<T>(q, d), v128.ne<T>(q, zero));
}

/** e ← e · E_FACTOR − q · FACTOR, in place. */
function panelResidual<T>(e: usize, t: usize, w: usize, tiles: i32, bytes: usize, layout: Layout, keep: T, spread: T): void {
  const keeps = v128.splat<T>(keep), spreads = v128.splat<T>(spread);
  const tStep = stepOf(t), wStep = stepOf(w), weight = w;
  for (let tile: usize = 0; tile < <usize>tiles; tile++) {
    const row = ROWS + tile * perTile<T>();
    const factor = loadLanes<T>(row + E_FACTOR, layout != NARROW);
    const minusFactor = v128.neg<T>(loadLanes<T>(row + FACTOR, layout != NARROW));
    w = weight;
    let end = e + wholeChunks(bytes);
    for (let rest = restOf(bytes); ; rest = 0) {
      for (; e < end; e += CHUNK, t += tStep, w += wStep) {
        v128.store(e, residual<T>(v128.load(e), target<T>(t, w, keeps, spreads), factor, minusFactor));
        v128.store(e, residual<T>(v128.load(e, 16), target<T>(t + 16, w + 16, keeps, spreads), factor, minusFactor), 16);
        v128.store(e, residual<T>(v128.load(e, 32), target<T>(t + 32, w + 32, keeps, spreads), factor, minusFactor), 32);
        v128.store(e, residual<T>(v128.load(e, 48), target<T>(t + 48, w + 48, keeps, spreads), factor, minusFactor), 48);
      }
      if (!rest) break;
      e = REST_Y, w = REST_W, end = e + CHUNK;
      if (tStep) t = REST_Z;
    }
  }
}

// @ts-ignore: decorator
@inline
function residual<T>(e: v128, q: v128, factor: v128, minusFactor: v128): v128 {
  return mulAdd<T>(e, factor, v128.mul<T>(q, minusFactor));
}
