// What losses do once per row. Lookups go row by row; computations go two rows at a time and without branches: which of two formulas holds is close to
// random, and a mispredicted branch costs more than both.
//
// The statistics of the rows of a panel: one f64 per row each, at a constant offset from the row's address.

import { Layout, STATISTIC, cellOffset, classStep, nextInPanel } from "./panel";
import { loadPair, lostBy, pair } from "./simd";

export const ROWS = memory.data(20 * STATISTIC, 16);
export const CELL: usize = 0; // where x_y is in the panel, an i32
export const TARGET: usize = 1 * STATISTIC; // x_y
export const WEIGHT: usize = 2 * STATISTIC; // w_y / divisor
export const ROW_WEIGHT: usize = 3 * STATISTIC; // u, 0 for a row that is ignored
export const FACTOR: usize = 4 * STATISTIC; // of the gradient
export const OWN: usize = 5 * STATISTIC; // the gradient of the class y
/** Where the statistics of each loss begin. */
export const MORE: usize = 6 * STATISTIC;

/** Whether y is a class. −1 marks an ignored row; any other y out of range must not address memory either. */
function isClass(y: i32, cols: i32): bool {
  return <u32>y < <u32>cols;
}

/** The class at `target`, or class 0 where the row is ignored. */
export function classOf(target: usize, cols: i32): i32 {
  const y = load<i32>(target);
  return isClass(y, cols) ? y : 0;
}

/**
 * CELL and TARGET of the n rows in the panel x; `hide`: −Infinity takes the place of x_y. Each TARGET is stored as a vector: see STATISTIC. Returns
 * whether any x_y is −Infinity.
 */
export function gatherTargets<T>(x: usize, targets: usize, n: i32, cols: i32, bytes: usize, layout: Layout, hide: bool): bool {
  const step = classStep<T>(layout);
  let first: usize = 0, least = f64x2.splat(0);
  for (let row = ROWS, end = ROWS + (<usize>n << 3); row < end; row += 8, targets += 4) {
    const cell = first + cellOffset<T>(classOf(targets, cols), step, layout);
    store<i32>(row, <i32>cell, CELL);
    const value = f64x2.splat(<f64>load<T>(x + cell));
    v128.store(row, value, TARGET);
    least = f64x2.pmin(least, value);
    if (hide) store<T>(x + cell, <T>-Infinity);
    first = nextInPanel<T>(first, bytes);
  }
  return f64x2.extract_lane(least, 0) == -Infinity;
}

/** WEIGHT and ROW_WEIGHT. Without targets WEIGHT is 0: no class counts by itself. */
export function rowWeights<T>(targets: usize, weight: usize, sampleWeight: usize, n: i32, cols: i32, divisor: f64): void {
  const classes = i32x4.splat(cols);
  let u = f64x2.splat(1), w = f64x2.splat(targets ? 1 / divisor : 0), ignored = f64x2.splat(0);
  for (let row = ROWS; n > 0; n -= 2, row += 16) {
    if (sampleWeight) {
      u = loadPair(sampleWeight, n);
      sampleWeight += 16;
    }
    if (targets) {
      ignored = i64x2.extend_low_i32x4_s(i32x4.ge_u(n > 1 ? v128.load64_zero(targets) : v128.load32_zero(targets), classes));
      if (weight) {
        const both = pair(weightOf<T>(weight, targets, cols), weightOf<T>(weight, n > 1 ? targets + 4 : targets, cols));
        w = f64x2.div(both, f64x2.splat(divisor));
      }
      targets += 8;
    }
    v128.store(row, w, WEIGHT);
    v128.store(row, v128.andnot(u, ignored), ROW_WEIGHT);
  }
}

/** The weight of the class at `target`. */
function weightOf<T>(weight: usize, target: usize, cols: i32): f64 {
  return <f64>load<T>(weight + <usize>classOf(target, cols) * sizeof<T>());
}

/** FACTOR = ROW_WEIGHT · unit · gradOutput; `weighted`: times WEIGHT. */
export function factors(gradOutput: usize, n: i32, unit: f64, weighted: bool): void {
  let g = f64x2.splat(1);
  for (let row = ROWS; n > 0; n -= 2, row += 16) {
    if (gradOutput) {
      g = loadPair(gradOutput, n);
      gradOutput += 16;
    }
    const u = v128.load(row, ROW_WEIGHT), weight = weighted ? f64x2.mul(v128.load(row, WEIGHT), u) : u;
    v128.store(row, f64x2.mul(weight, f64x2.mul(f64x2.splat(unit), g)), FACTOR);
  }
}

// The total of the losses of all rows, in their order, is two f64: the sum, and its rounding errors, LOST (Neumaier 1974). Each call adds to the total of
// the calls before. The loops that compute losses add them up as they go: a loop of its own takes 7 % of a hinge of ten classes (Node 24).

export const LOST: usize = 8;

export function plusBoth(sum: f64, losses: v128): f64 {
  return sum + f64x2.extract_lane(losses, 0) + f64x2.extract_lane(losses, 1);
}

/** The rounding errors of plusBoth. */
export function lostByBoth(sum: f64, losses: v128): f64 {
  const first = sum + f64x2.extract_lane(losses, 0), second = first + f64x2.extract_lane(losses, 1);
  const errors = lostBy(pair(sum, first), losses, pair(first, second));
  return f64x2.extract_lane(errors, 0) + f64x2.extract_lane(errors, 1);
}

/**
 * Rows that are ignored or NaN: where ROW_WEIGHT is 0 or NaN, so become OWN and all of the row of g. That spares the loops over rows a branch: 10 % of a
 * hinge with gradient (C = 10, Node 24).
 */
export function fillSpecialRows(g: usize, n: i32, cols: i32, inner: i32, size: usize): void {
  const toClass = <usize>inner * size, toRow = inner == 1 ? <usize>cols * size : size;
  for (let row = ROWS, end = ROWS + (<usize>n << 3); row < end; row += 8, g += toRow) {
    // Not −0.
    const weight = load<f64>(row, ROW_WEIGHT) + 0;
    if (weight > 0) continue;
    store<f64>(row, weight, OWN);
    // All bits set: a NaN. Stored by halves, which coincide for f32. (memory.fill is a call: 1.3 to 3.5 times as long.)
    const bits = -<i32>(weight != 0);
    for (let j = 0, at = g; j < cols; j++, at += toClass) {
      store<i32>(at, bits);
      store<i32>(at + size - 4, bits);
    }
  }
}

/** Stores one gradient of each of n rows into g, at the class in `classes`, an i32 every `toNext` bytes. */
export function scatter<T>(g: usize, classes: usize, toNext: usize, values: usize, n: i32, cols: i32, inner: i32): void {
  const toClass = <usize>inner * sizeof<T>(), toRow = inner == 1 ? <usize>cols * sizeof<T>() : sizeof<T>();
  for (const end = values + (<usize>n << 3); values < end; values += 8, classes += toNext, g += toRow) {
    store<T>(g + <usize>classOf(classes, cols) * toClass, <T>load<f64>(values));
  }
}
