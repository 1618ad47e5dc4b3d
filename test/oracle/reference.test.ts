// The reference that everything is measured against (real.ts, oracle.ts), itself held against decimal.js: the textbook formulas, written
// once more without any care, in as many digits as that takes.
import { Decimal } from "decimal.js";
import { describe, expect, it } from "vitest";
import { drawLossArguments, drawLossOptions } from "../inputs/draw.js";
import { random } from "../inputs/random.js";
import { drawRow } from "../inputs/values.js";
import * as oracle from "./oracle.js";
import { exp, log1p, type Real, real } from "./real.js";

const D = Decimal.clone({ minE: -9e15, maxE: 9e15 });
type D = Decimal;
const ZERO = new D(0);
const ONE = new D(1);
/** The oracle's own unit roundoff; its errors are counted in this where terms cancel. */
const U = 2 ** -104;
const EXACT: oracle.Rounding = { u: U, tiny: 0, sumExp: 1, sum: 1, shift: false };

/** A double, exactly: decimal.js would take the shortest decimal that reads as the same double. */
function decimal(x: number): D {
  let power = 0;
  for (; !Number.isInteger(x); x *= 2) power++;
  return new D(BigInt(x).toString()).div(new D(2).pow(power));
}

/** |got − want| in units of |want|, or of the terms that have cancelled in it; as many digits as 10^−x. */
function error(got: Real, want: D): number {
  const scale = D.max(want.abs(), D.min(got.err, 1e300));
  const off = decimal(got.hi).plus(decimal(got.lo)).minus(want).abs();
  return off.isZero() ? 0 : off.div(scale).toNumber();
}

const sum = (terms: readonly D[]): D => terms.reduce((a, b) => a.plus(b), ZERO);
const dot = (a: readonly D[], b: readonly D[]): D => sum(a.map((ai, i) => ai.times(b[i]!)));

// ---- the textbook ----

function softmax(x: readonly D[], temperature: D): D[] {
  const e = x.map((xj) => xj.div(temperature).exp());
  const total = sum(e);
  return e.map((ej) => ej.div(total));
}

interface RowLoss {
  readonly loss: D;
  readonly grad: D[];
  readonly weight: D;
}

function crossEntropy(x: D[], t: D[], w: D[], given: oracle.LossOptions): RowLoss {
  const [temperature, smoothing] = [decimal(given.temperature ?? 1), decimal(given.labelSmoothing ?? 0)];
  const p = softmax(x, temperature);
  const spread = smoothing.div(x.length);
  const q = t.map((tj, j) => w[j]!.times(ONE.minus(smoothing).times(tj).plus(spread)));
  return {
    loss: dot(
      q,
      p.map((pj) => pj.ln().neg()),
    ),
    grad: p.map((pj, j) => pj.times(sum(q)).minus(q[j]!).div(temperature)),
    weight: dot(w, t),
  };
}

function hinge(x: D[], y: number, w: D[], given: oracle.LossOptions): RowLoss {
  const { form = "weston-watkins", margin = 1, p = 1, perClass = false } = given;
  const scale = perClass ? w[y]!.div(x.length) : w[y]!;
  let violations = x.map((xj, j) => (j === y ? ZERO : D.max(0, decimal(margin).plus(xj).minus(x[y]!))));
  if (form === "crammer-singer") {
    const largest = D.max(...violations);
    const at = violations.findIndex((z) => z.eq(largest));
    violations = violations.map((z, j) => (j === at ? z : ZERO));
  }
  const slope = violations.map((z) => (z.isZero() ? ZERO : p === 1 ? ONE : z.times(2)));
  slope[y] = sum(slope).neg();
  return {
    loss: scale.times(sum(violations.map((z) => z.pow(p)))),
    grad: slope.map((s) => s.times(scale)),
    weight: w[y]!,
  };
}

function reduced(
  rows: readonly (RowLoss | undefined)[],
  given: oracle.LossOptions,
  byDefault: string,
  classes: number,
) {
  const { reduction = "mean", meanOver = byDefault, gradOutput = 1 } = given;
  const u = rows.map((_, r) => decimal(given.sampleWeight?.[r] ?? 1));
  const counted = rows.filter((row) => row !== undefined);
  const weights = sum(rows.map((row, r) => (row ? row.weight.times(u[r]!) : ZERO)));
  const over = meanOver === "weights" ? weights : new D(meanOver === "all" ? rows.length : counted.length);
  const denominator = reduction === "mean" ? over : ONE;
  if (denominator.isZero()) return undefined;
  const losses = rows.map((row, r) => (row ? row.loss.times(u[r]!) : ZERO));
  return {
    loss: reduction === "none" ? losses : reduction === "parts" ? [sum(losses), over] : [sum(losses).div(denominator)],
    grad: rows.map((row, r) => {
      const factor = u[r]!.times(decimal(typeof gradOutput === "number" ? gradOutput : gradOutput[r]!)).div(
        denominator,
      );
      return row ? row.grad.map((g) => g.times(factor)) : Array<D>(classes).fill(ZERO);
    }),
  };
}

// ---- the comparison ----

const CASES = 25;
const draw = random(20261123);
const problem = () => ({
  layout: { outer: 3, classes: draw.integer(1, 6), inner: 1 },
  container: "Float64Array" as const,
  values: draw.pick(["normal", "grid", "equal", "dominant", "offset", "tail", "edge"] as const),
  random: draw,
});

/**
 * A row cut off at e^−650, below which the second double of a Real runs out of digits; and so many digits for the textbook that 1 − p and
 * the logarithm of 1 + e^−650 keep a hundred.
 */
function prepared(row: readonly number[], temperature: number): number[] {
  const max = Math.max(...row);
  const least = Math.max(Math.min(...row), max - 650 * temperature);
  D.set({ precision: 100 + Math.ceil((max - least) / temperature / Math.LN10) });
  return row.map((x) => Math.max(x, least));
}

function expectEqual(got: readonly Real[], want: readonly D[], what: () => string): void {
  expect(got.length).toBe(want.length);
  want.forEach((w, i) => {
    if (!(error(got[i]!, w) < 1e-30)) expect.fail(`${what()} [${i}]: ${error(got[i]!, w)}`);
  });
}

describe("the reference agrees with decimal.js to 30 digits:", () => {
  it("e^x and log(1 + x)", () => {
    D.set({ precision: 160 });
    for (let i = 0; i < 100; i++) {
      const x = draw.uniform(-650, 700);
      const s = 10 ** draw.uniform(-60, 60);
      expectEqual([exp(real(x))], [decimal(x).exp()], () => `e^${x}`);
      expectEqual([log1p(real(s))], [decimal(s).plus(1).ln()], () => `log(1 + ${s})`);
    }
  });

  it("softmax, log-softmax, log-sum-exp and their vector–Jacobian products", () => {
    for (let i = 0; i < CASES; i++) {
      const { layout, container, values } = problem();
      const temperature = draw.pick([1, 0.5, 0.7, 10]);
      const x = prepared(drawRow(draw, layout.classes, values, container), temperature);
      const dy = drawRow(draw, layout.classes, "normal", container);
      const what = () => `${values} [${x}] / ${temperature}`;
      const p = softmax(x.map(decimal), decimal(temperature));
      const log = p.map((pj) => pj.ln());
      expectEqual(oracle.softmax(x, temperature, EXACT), p, what);
      expectEqual(oracle.logSoftmax(x, temperature, EXACT), log, what);
      const lse = sum(x.map((xj) => decimal(xj).div(decimal(temperature)).exp())).ln();
      expectEqual([oracle.logSumExp(x, temperature, EXACT)], [lse], what);

      // from outputs that are doubles
      const y = p.map(Number);
      const [g, yd] = [dy.map(decimal), y.map(decimal)];
      const center = dot(yd, g);
      expectEqual(
        oracle.softmaxGrad(y, dy, EXACT),
        yd.map((yj, j) => yj.times(g[j]!.minus(center))),
        what,
      );
      const logY = log.map(Number);
      expectEqual(
        oracle.logSoftmaxGrad(logY, dy, EXACT),
        g.map((gj, j) => gj.minus(decimal(logY[j]!).exp().times(sum(g)))),
        what,
      );
    }
  });

  it.each(["classes", "probabilities"] as const)("cross-entropy of %s with every option", (form) => {
    for (let i = 0; i < CASES; i++) {
      const given = problem();
      const { classes } = given.layout;
      const options = {
        ...drawLossOptions(draw, given.layout),
        labelSmoothing: draw.pick([0, 0.1, 0.5, 1]),
        temperature: draw.pick([1, 0.5, 0.7, 10]),
      };
      const { x, targets } = drawLossArguments(given, form, false, { ...options, sampleWeight: [1, 1, 1] });
      const raw = oracle.rowsOf(x, given.layout).map((row) => row.map(finite));
      const rows = raw.map((row) => prepared(row, options.temperature));
      const w = Array.from({ length: classes }, (_, j) => decimal(options.weight?.[j] ?? 1));
      const textbook = rows.map((row, r) => {
        prepared(row, options.temperature);
        const y = targets.classes[r]!;
        if (form === "probabilities") {
          return crossEntropy(row.map(decimal), targets.probabilities[r]!.map(decimal), w, options);
        }
        return y === -100 ? undefined : ofClass(row.map(decimal), y, w, options);
      });
      const got =
        form === "classes"
          ? oracle.crossEntropy(rows, targets.classes, options, EXACT)
          : oracle.crossEntropyOfProbabilities(rows, targets.probabilities, options, EXACT);
      const want = reduced(textbook, options, form === "classes" ? "weights" : "all", classes);
      expectSame(got, want, () => `[${rows.join("; ")}] ${targets.classes} ${JSON.stringify(options)}`);
    }
  });

  it("both hinge losses with every option", () => {
    for (let i = 0; i < 10 * CASES; i++) {
      const given = problem();
      const options = {
        ...drawLossOptions(draw, given.layout),
        form: draw.pick(["weston-watkins", "crammer-singer"] as const),
        margin: draw.pick([0, 0.3, 1, 10]),
        p: draw.pick([1, 2] as const),
        perClass: draw.chance(),
      };
      const { x, targets } = drawLossArguments(given, "classes", false, { ...options, sampleWeight: [1, 1, 1] });
      const rows = oracle.rowsOf(x, given.layout).map((row) => row.map(finite));
      D.set({ precision: 100 });
      const w = Array.from({ length: given.layout.classes }, (_, j) => decimal(options.weight?.[j] ?? 1));
      const textbook = rows.map((row, r) => {
        const y = targets.classes[r]!;
        return y === -100 ? undefined : hinge(row.map(decimal), y, w, options);
      });
      const want = reduced(textbook, options, "count", given.layout.classes);
      expectSame(
        oracle.hinge(rows, targets.classes, options, EXACT),
        want,
        () => `[${rows.join("; ")}] ${targets.classes}`,
      );
    }
  });
});

/** A row that does not count may hold anything. */
const finite = (x: number): number => (Number.isFinite(x) ? x : 0);

/** As PyTorch defines smoothing with weights: w_y (1 − ε) nll_y + ε/C Σ w_k nll_k, and w_y into the denominator. */
function ofClass(x: D[], y: number, w: D[], options: oracle.LossOptions): RowLoss {
  const target = x.map((_, j) => (j === y ? ONE : ZERO));
  return { ...crossEntropy(x, target, w, options), weight: w[y]! };
}

function expectSame(got: oracle.Loss, want: ReturnType<typeof reduced>, what: () => string): void {
  if (want === undefined) return;
  expectEqual(got.loss, want.loss, what);
  expectEqual(got.grad.flat(), want.grad.flat(), what);
}
