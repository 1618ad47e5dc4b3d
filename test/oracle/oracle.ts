// The formulas, evaluated row by row in 30-digit arithmetic: what the library should return, and how far off it may be.
//
// Written for clarity, from the mathematics, and sharing nothing with src/. Notation for one row: x logits, T temperature,
// m = max x, d_j = (x_j − m)/T, e_j = exp(d_j), p_j = e_j / Σ e, y the class, C classes, w class weights, t class
// probabilities, u the row's sample weight, ε the label smoothing.

import {
  add,
  difference,
  divide,
  exp,
  expm1,
  log1p,
  multiply,
  NOT_A_NUMBER,
  negate,
  ONE,
  parameter,
  power,
  type Real,
  real,
  subtract,
  sum,
  withError,
  ZERO,
} from "./real.js";

/** How the implementation under test rounds. */
export interface Rounding {
  /** Half the distance from 1 to the next number: 2^-24 or 2^-53. Errors are counted in it. */
  readonly u: number;
  /** The smallest number above 0: below the normal range this is the spacing, and an e^x may be off by one. */
  readonly tiny: number;
  /** The relative error granted to Σ e^x, in u; Infinity for a loop that adds one term after the other in the type itself. */
  readonly sumExp: number;
  /** The same for every other sum. */
  readonly sum: number;
  /** Whether x − m may be rounded before it is exponentiated, which costs |x − m| u in exp(x − m). */
  readonly shift: boolean;
}

/** As good as exact: what gradients of the reference itself are taken with. */
export const EXACT: Rounding = { u: 2 ** -53, tiny: 0, sumExp: 1, sum: 1, shift: false };

export interface LossOptions {
  readonly temperature?: number;
  readonly reduction?: "none" | "sum" | "mean" | "parts";
  readonly weight?: ArrayLike<number>;
  readonly sampleWeight?: ArrayLike<number>;
  readonly ignoreIndex?: number | readonly number[];
  readonly labelSmoothing?: number;
  readonly meanOver?: "weights" | "count" | "all";
  readonly emptyMean?: number;
  readonly gradOutput?: number | ArrayLike<number>;
  readonly form?: "weston-watkins" | "crammer-singer";
  readonly margin?: number;
  readonly p?: 1 | 2;
  readonly perClass?: boolean;
  readonly gamma?: number;
  readonly posWeight?: ArrayLike<number>;
}

export interface Loss {
  /** One value for `mean` and `sum`, sum and denominator for `parts`, one per row for `none`. */
  readonly loss: Real[];
  /** A row of derivatives per row of logits. */
  readonly grad: Real[][];
  /** What `grad` is the gradient of: the loss times the upstream gradient, summed. */
  readonly objective: Real;
}

// ---- softmax and its relatives ----

export function softmax(x: readonly number[], temperature: number, rounding: Rounding): Real[] {
  const row = exponentials(x, temperature, rounding);
  return row === undefined ? x.map(() => NOT_A_NUMBER) : row.p;
}

export function logSoftmax(x: readonly number[], temperature: number, rounding: Rounding): Real[] {
  const row = exponentials(x, temperature, rounding);
  return row === undefined ? x.map(() => NOT_A_NUMBER) : row.d.map((d) => negate(negativeLog(d, row.logSum)));
}

export function logSumExp(x: readonly number[], temperature: number, rounding: Rounding): Real {
  if (x.some(Number.isNaN)) return NOT_A_NUMBER;
  const max = x[argmax(x)]!;
  if (!Number.isFinite(max)) return real(max);
  return add(divide(real(max), parameter(temperature)), exponentials(x, temperature, rounding)!.logSum);
}

/** dx_j = y_j (dy_j − Σ dy_k y_k), from the softmax y. */
export function softmaxGrad(y: readonly number[], dy: readonly number[], _: Rounding): Real[] {
  const dot = signedSum(y.map((yk, k) => multiply(real(yk), real(dy[k]!))));
  return y.map((yj, j) => multiply(real(yj), subtract(real(dy[j]!), dot)));
}

/** dx_j = dy_j − exp(y_j) Σ dy_k, from the log-softmax y. */
export function logSoftmaxGrad(y: readonly number[], dy: readonly number[], _: Rounding): Real[] {
  const total = signedSum(dy.map(real));
  return y.map((yj, j) => subtract(real(dy[j]!), multiply(exp(real(yj)), total)));
}

/**
 * Σ terms of both signs. They may cancel, so a sum is not granted an error for each of them as those of positive terms are: a millionth of a rounding,
 * and one of the result.
 */
function signedSum(terms: readonly Real[]): Real {
  const total = sum(terms, 1e-6);
  return withError(total, Math.abs(total.hi));
}

interface Exponentials {
  readonly d: Real[];
  readonly e: Real[];
  readonly p: Real[];
  readonly sum: Real;
  readonly logSum: Real;
}

/** Undefined where the softmax does not exist: a NaN, +Infinity, or nothing but −Infinity. */
function exponentials(x: readonly number[], temperature: number, rounding: Rounding): Exponentials | undefined {
  const top = argmax(x);
  if (x.some(Number.isNaN) || !Number.isFinite(x[top])) return undefined;
  const d = x.map((xj) => shifted(xj, x[top]!, temperature, rounding));
  const e = d.map((dj) => (dj.hi < -1000 ? ZERO : rounded(exp(dj), rounding)));
  const total = sum(e, rounding.sumExp);
  const others = e.filter((_, j) => j !== top);
  return {
    d,
    e,
    p: e.map((ej) => (ej === ZERO ? ZERO : rounded(divide(ej, total), rounding))),
    sum: total,
    logSum: log1p(sum(others, rounding.sumExp)),
  };
}

/** Below the normal range numbers have an absolute error. */
function rounded(a: Real, { tiny, u }: Rounding): Real {
  return withError(a, tiny / u);
}

function shifted(x: number, max: number, temperature: number, rounding: Rounding): Real {
  const d = difference(x, max);
  if (!Number.isFinite(d.hi)) return d;
  if (temperature === 1) return withError(d, rounding.shift ? Math.abs(d.hi) : 0);
  // rounded are the difference, 1/T, and the product of both
  const quotient = divide(d, parameter(temperature));
  return withError(quotient, 2 * Math.abs(quotient.hi));
}

/** −log p_j = log Σ e − d_j: two terms ≥ 0. */
function negativeLog(d: Real, logSum: Real): Real {
  return subtract(logSum, d);
}

function argmax(x: readonly number[]): number {
  let top = 0;
  for (let j = 1; j < x.length; j++) if (x[j]! > x[top]!) top = j;
  return top;
}

// ---- losses ----

export function crossEntropy(
  rows: readonly number[][],
  targets: readonly number[],
  options: LossOptions,
  rounding: Rounding,
): Loss {
  return reduce(rows, options, "weights", (x, r) =>
    isIgnored(targets[r]!, options) ? undefined : crossEntropyRow(x, targets[r]!, options, rounding),
  );
}

export function crossEntropyOfProbabilities(
  rows: readonly number[][],
  targets: readonly number[][],
  options: LossOptions,
  rounding: Rounding,
): Loss {
  return reduce(rows, options, "all", (x, r) => crossEntropyOfProbabilitiesRow(x, targets[r]!, options, rounding));
}

export function hinge(
  rows: readonly number[][],
  targets: readonly number[],
  options: LossOptions,
  rounding: Rounding,
): Loss {
  return reduce(rows, options, "count", (x, r) =>
    isIgnored(targets[r]!, options) ? undefined : hingeRow(x, targets[r]!, options, rounding),
  );
}

/** A row's loss and gradient before any reduction, and what it adds to the denominator "weights". */
interface RowLoss {
  readonly loss: Real;
  readonly grad: Real[];
  readonly weight: Real;
}

/** loss = w_y q^γ n with n = −log p_y and q = 1 − p_y,  d/dx_j = q^γ (1 + γ p_y n/q) times that of w_y n */
function focalRow(x: readonly number[], y: number, options: LossOptions, rounding: Rounding): RowLoss {
  const { temperature = 1, gamma = 0 } = options;
  const w = classWeights(x.length, options)[y]!;
  const row = exponentials(x, temperature, rounding);
  if (row === undefined) return notANumber(x, w);
  const n = negativeLog(row.d[y]!, row.logSum);
  const others = row.e.filter((_, j) => j !== y);
  // As good as either the sum of the others or n.
  const q = withError(divide(sum(others, rounding.sumExp), row.sum), row.p[y]!.hi === 0 ? 0 : row.p[y]!.hi * n.err);
  const scale = power(q, gamma);
  const slope = q.hi === 0 || row.p[y]!.hi === 0 ? ZERO : multiply(real(gamma), divide(multiply(row.p[y]!, n), q));
  const gradients = logitGradients(
    row,
    x.map((_, j) => (j === y ? w : ZERO)),
    y,
    temperature,
    rounding,
  );
  return {
    loss: nothingOr(multiply(scale, w), n),
    grad: gradients.map((g) => multiply(multiply(scale, add(ONE, slope)), g)),
    weight: w,
  };
}

/** loss = (1 − ε) w_y nll_y + ε/C Σ_k w_k nll_k,  d/dx_j = p_j Σ q − q_j with q_j = (ε/C) w_j + (1 − ε) w_y [j = y] */
function crossEntropyRow(x: readonly number[], y: number, options: LossOptions, rounding: Rounding): RowLoss {
  const { temperature = 1, labelSmoothing = 0, gamma = 0 } = options;
  if (gamma !== 0) return focalRow(x, y, options, rounding);
  const w = classWeights(x.length, options);
  const row = exponentials(x, temperature, rounding);
  if (row === undefined) return notANumber(x, w[y]!);

  const hard = multiply(subtract(ONE, parameter(labelSmoothing)), w[y]!);
  const spread = divide(parameter(labelSmoothing), real(x.length));
  const nll = row.d.map((d) => negativeLog(d, row.logSum));
  const q = w.map((wj, j) => (j === y ? add(multiply(spread, wj), hard) : multiply(spread, wj)));
  return {
    loss: sum(
      [nothingOr(hard, nll[y]!), ...nll.map((nllk, k) => nothingOr(multiply(spread, w[k]!), nllk))],
      rounding.sum,
    ),
    grad: logitGradients(row, q, labelSmoothing === 0 ? y : undefined, temperature, rounding),
    weight: w[y]!,
  };
}

/**
 * d/dx_j = (p_j Σ q − q_j) / T. Where p_j comes near 1, and at the only class with a q, that cancels: there it is Σ_{k ≠ j} q_k − (1 − p_j) Σ q, with
 * 1 − p_j from the other exponentials.
 */
function logitGradients(
  row: Exponentials,
  q: readonly Real[],
  only: number | undefined,
  temperature: number,
  rounding: Rounding,
): Real[] {
  const without = (terms: readonly Real[], j: number) => terms.filter((_, k) => k !== j);
  const mass = sum(q, rounding.sum);
  return row.p.map((p, j) => {
    const direct = subtract(multiply(p, mass), q[j]!);
    if (q[j]!.hi === 0 || (j !== only && !(p.hi > 2 / 3))) return divide(direct, parameter(temperature));
    const otherP = divide(sum(without(row.e, j), rounding.sumExp), row.sum);
    const others = j === only ? ZERO : sum(without(q, j), rounding.sum);
    return divide(subtract(others, multiply(otherP, mass)), parameter(temperature));
  });
}

/** loss = Σ_j q_j nll_j,  q_j = w_j ((1 − ε) t_j + ε/C),  d/dx_j = p_j Σ q − q_j */
function crossEntropyOfProbabilitiesRow(
  x: readonly number[],
  t: readonly number[],
  options: LossOptions,
  rounding: Rounding,
): RowLoss {
  const { temperature = 1, labelSmoothing = 0 } = options;
  const w = classWeights(x.length, options);
  const weight = sum(
    t.map((tj, j) => multiply(w[j]!, real(tj))),
    rounding.sum,
  );
  const row = exponentials(x, temperature, rounding);
  if (row === undefined) return notANumber(x, weight);

  const spread = divide(parameter(labelSmoothing), real(x.length));
  const kept = subtract(ONE, parameter(labelSmoothing));
  const q = t.map((tj, j) => multiply(w[j]!, add(multiply(kept, real(tj)), spread)));
  return {
    loss: sum(
      row.d.map((d, j) => nothingOr(q[j]!, negativeLog(d, row.logSum))),
      rounding.sum,
    ),
    grad: logitGradients(row, q, undefined, temperature, rounding),
    weight,
  };
}

const NO_GRADIENT = real(0);

/** loss = w_y Σ max(0, z_j)^p over j ≠ y, or over the largest other score only;  z_j = margin + x_j − x_y */
function hingeRow(x: readonly number[], y: number, options: LossOptions, rounding: Rounding): RowLoss {
  const { form = "weston-watkins", margin = 1, p = 1, perClass = false } = options;
  const { u } = rounding;
  const w = classWeights(x.length, options)[y]!;
  if (x.some(Number.isNaN)) return notANumber(x, w);
  const scale = perClass ? divide(w, real(x.length)) : w;

  const others = x.map((_, j) => j).filter((j) => j !== y);
  const largest = others[argmax(others.map((j) => x[j]!))];
  const compared = form === "weston-watkins" || largest === undefined ? others : [largest];

  const losses: Real[] = [];
  const grad = x.map(() => NO_GRADIENT);
  for (const j of compared) {
    const apart = difference(x[j]!, x[y]!);
    const z = add(parameter(margin), withError(apart, finite(Math.abs(apart.hi))));
    // nearer to the kink than rounding can tell, either side is right
    const undecided = Number.isFinite(z.hi) && Math.abs(z.hi) <= z.err * u;
    if (!(z.hi <= 0)) {
      losses.push(p === 1 ? z : multiply(z, z));
      grad[j] = p === 1 ? ONE : multiply(real(2), z);
    } else if (undecided) {
      losses.push(withError(ZERO, z.err));
    }
    if (undecided) grad[j] = withError(grad[j]!, p === 1 ? 1 / u : 2 * z.err);
  }
  grad[y] = grad.every((g) => g === NO_GRADIENT) ? NO_GRADIENT : negate(sum(grad, rounding.sum));
  // a weight of 0 on an infinite violation is NaN, as the formula evaluates
  return {
    loss: multiply(scale, sum(losses, rounding.sum)),
    grad: grad.map((g) => (g === NO_GRADIENT ? g : multiply(scale, g))),
    weight: w,
  };
}

function reduce(
  rows: readonly number[][],
  options: LossOptions,
  defaultMeanOver: "weights" | "count" | "all",
  rowLoss: (x: readonly number[], r: number) => RowLoss | undefined,
): Loss {
  const { reduction = "mean", meanOver = defaultMeanOver, emptyMean = Number.NaN, gradOutput = 1 } = options;
  const results = rows.map((x, r) => {
    const result = rowLoss(x, r);
    return result && { ...result, u: parameter(options.sampleWeight?.[r] ?? 1) };
  });
  const losses = results.map((row) => (row ? nothingOr(row.u, row.loss) : ZERO));
  const upstream = rows.map((_, r) => parameter(typeof gradOutput === "number" ? gradOutput : gradOutput[r]!));

  const valid = results.filter((row) => row !== undefined);
  const counted =
    meanOver === "weights"
      ? sum(valid.map((row) => multiply(row.u, row.weight)))
      : real(meanOver === "count" ? valid.length : rows.length);
  const denominator = reduction === "mean" ? counted : ONE;
  if (denominator.hi === 0) {
    return { loss: [real(emptyMean)], grad: rows.map((x) => x.map(() => ZERO)), objective: ZERO };
  }
  return {
    loss:
      reduction === "none"
        ? losses
        : reduction === "parts"
          ? [sum(losses), counted]
          : [divide(sum(losses), denominator)],
    grad: results.map((row, r) => {
      if (row === undefined || row.u.hi === 0) return rows[r]!.map(() => ZERO);
      const factor = divide(multiply(row.u, upstream[r]!), denominator);
      // in whichever order the factors are multiplied
      const product = denominator === ONE ? factor : withError(factor, Math.abs(factor.hi));
      // no violation, no gradient, whatever it is multiplied by
      return row.grad.map((g) => (g === NO_GRADIENT ? ZERO : multiply(g, product)));
    }),
    objective: divide(sum(losses.map((loss, r) => multiply(upstream[r]!, loss))), denominator),
  };
}

function isIgnored(target: number, options: LossOptions): boolean {
  const { ignoreIndex = -100 } = options;
  return typeof ignoreIndex === "number" ? target === ignoreIndex : ignoreIndex.includes(target);
}

function classWeights(classes: number, options: LossOptions): Real[] {
  return Array.from({ length: classes }, (_, j) => parameter(options.weight?.[j] ?? 1));
}

/** factor · x, and 0 where the factor is 0, whatever x is. */
function nothingOr(factor: Real, x: Real): Real {
  return factor.hi === 0 ? ZERO : multiply(factor, x);
}

function notANumber(x: readonly number[], weight: Real): RowLoss {
  return { loss: NOT_A_NUMBER, grad: x.map(() => NOT_A_NUMBER), weight };
}

function finite(x: number): number {
  return Number.isFinite(x) ? x : 0;
}

// ---- sigmoids: one element ----

/** e = exp(−|x|), p = 1 / (1 + exp(−x)), c = 1 − p = 1 / (1 + exp(x)) */
function sigmoids(x: number, rounding: Rounding): { e: Real; p: Real; c: Real } {
  const e = Math.abs(x) > 1000 ? ZERO : rounded(exp(real(-Math.abs(x))), rounding);
  const small = divide(e, add(ONE, e));
  const large = divide(ONE, add(ONE, e));
  return x < 0 ? { e, p: small, c: large } : { e, p: large, c: small };
}

export function sigmoid(x: readonly number[], _: number, rounding: Rounding): Real[] {
  return x.map((xj) => sigmoids(xj, rounding).p);
}

/** min(x, 0) − log1p(e^−|x|) */
export function logSigmoid(x: readonly number[], _: number, rounding: Rounding): Real[] {
  return x.map((xj) => subtract(real(Math.min(xj, 0)), log1p(sigmoids(xj, rounding).e)));
}

/** dx = dy y (1 − y), from the sigmoid y. */
export function sigmoidGrad(y: readonly number[], dy: readonly number[]): Real[] {
  return y.map((yj, j) => multiply(real(dy[j]!), multiply(real(yj), subtract(ONE, real(yj)))));
}

/** dx = dy (1 − e^y), from the log-sigmoid y. */
export function logSigmoidGrad(y: readonly number[], dy: readonly number[]): Real[] {
  return y.map((yj, j) => multiply(real(dy[j]!), negate(expm1(real(yj)))));
}

/**
 * loss = w (a c^γ s + b p^γ z) with s = −log p, z = −log c, a = posWeight (t (1 − ε) + ε/2), b = (1 − t)(1 − ε) + ε/2; the derivatives of
 * c^γ s and p^γ z are −c^γ (c + γ p s) and p^γ (p + γ c z).
 */
export function binaryCrossEntropy(
  rows: readonly number[][],
  targets: readonly number[][],
  options: LossOptions,
  rounding: Rounding,
): Loss {
  const { reduction = "mean", emptyMean = Number.NaN, gradOutput = 1, labelSmoothing = 0, gamma = 0 } = options;
  const count = rows.length * (rows[0]?.length ?? 0);
  const denominator = reduction === "mean" ? real(count) : ONE;
  const keep = subtract(ONE, parameter(labelSmoothing));
  const half = divide(parameter(labelSmoothing), real(2));
  const upstream = (at: number) => parameter(typeof gradOutput === "number" ? gradOutput : gradOutput[at]!);
  const elements = rows.map((row, r) =>
    row.map((x, j) => {
      const weights = [options.weight?.[j] ?? 1, options.sampleWeight?.[r] ?? 1] as const;
      if (weights.includes(0)) return { loss: ZERO, grad: ZERO };
      const weight = multiply(parameter(weights[0]), parameter(weights[1]));
      const { e, p, c } = sigmoids(x, rounding);
      const log = log1p(e);
      const [s, z] = [add(log, real(Math.max(-x, 0))), add(log, real(Math.max(x, 0)))];
      const t = real(targets[r]![j]!);
      const a = multiply(parameter(options.posWeight?.[j] ?? 1), add(multiply(keep, t), half));
      const b = add(multiply(keep, subtract(ONE, t)), half);
      const [ac, bp] = [multiply(a, power(c, gamma)), multiply(b, power(p, gamma))];
      const down = multiply(ac, add(c, multiply(real(gamma), nothingOr(p, s))));
      const up = multiply(bp, add(p, multiply(real(gamma), nothingOr(c, z))));
      return {
        loss: multiply(weight, add(nothingOr(ac, s), nothingOr(bp, z))),
        grad: divide(multiply(weight, subtract(up, down)), denominator),
      };
    }),
  );
  const losses = elements.map((row) => row.map(({ loss }) => loss));
  const C = rows[0]?.length ?? 0;
  const total = sum(losses.flat());
  return {
    loss:
      reduction === "none"
        ? losses.flat()
        : reduction === "parts"
          ? [total, real(count)]
          : [count === 0 && reduction === "mean" ? real(emptyMean) : divide(total, denominator)],
    grad: elements.map((row, r) => row.map(({ grad }, j) => multiply(grad, upstream(r * C + j)))),
    objective: divide(
      sum(losses.map((row, r) => sum(row.map((loss, j) => multiply(upstream(r * C + j), loss))))),
      denominator,
    ),
  };
}

// ---- layout ----

/** Where the classes lie: arrays are read as [outer, classes, inner], row-major; a row is what varies along the classes. */
export interface Layout {
  readonly outer: number;
  readonly classes: number;
  readonly inner: number;
}

export function rowsOf<T>(flat: ArrayLike<T>, layout: Layout): T[][] {
  return mapRows(layout, (at) => {
    const row: T[] = [];
    for (let j = 0; j < layout.classes; j++) row.push(flat[at(j)]!);
    return row;
  });
}

export function flatten<T>(rows: readonly T[][], layout: Layout): T[] {
  const flat = new Array<T>(layout.outer * layout.classes * layout.inner);
  mapRows(layout, (at, r) => {
    for (let j = 0; j < layout.classes; j++) flat[at(j)] = rows[r]![j]!;
  });
  return flat;
}

/** Calls `f` for each row r with where its class j lies. */
function mapRows<T>({ outer, classes, inner }: Layout, f: (at: (j: number) => number, r: number) => T): T[] {
  const results: T[] = [];
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) results.push(f((j) => (o * classes + j) * inner + i, results.length));
  }
  return results;
}
