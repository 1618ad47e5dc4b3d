// What is measured: for each function how to call it on a batch, what every result should be, and how large the terms are that may cancel in it.
import type { Functions } from "softmargin";
import { add, divide, exp, expm1, log1p, multiply, negate, type Real, real, subtract, sum } from "../oracle/real.js";
import type { Row } from "./row.js";

export type Floats = Float32Array | Float64Array;

/** Rows of logits with everything that the functions may need besides. Arrays are [rows, classes]. */
export interface Batch {
  readonly rows: number;
  readonly classes: number;
  readonly x: Floats;
  /** A softmax and a log-softmax, rounded, and an upstream gradient. */
  readonly y: Floats;
  readonly logY: Floats;
  readonly dy: Floats;
  readonly targets: Int32Array;
  readonly probabilities: Floats;
}

export interface Measured {
  readonly name: string;
  readonly temperature?: number;
  run(functions: Functions, batch: Batch): ArrayLike<number> | Promise<ArrayLike<number>>;
  /** The results of one row, with the size of the terms that may cancel in them. */
  want(row: Row, batch: Batch, r: number): { readonly value: Real; readonly terms?: number }[];
}

const SMOOTHING = 0.1;
const TEMPERATURE = 0.7;

const options = ({ rows, classes }: Batch) => ({ shape: [rows, classes] });
const perRow = { reduction: "none" } as const;

const logSoftmax = (row: Row) => row.d.map((d) => ({ value: subtract(d, row.logSum) }));
const softmax = (row: Row) => row.p.map((value) => ({ value }));

/** −Σ q_j log p_j */
function crossEntropy(row: Row, q: readonly Real[]): { value: Real }[] {
  return [{ value: sum(row.d.map((d, j) => multiply(q[j]!, subtract(row.logSum, d)))) }];
}

/** p_j Σ q − q_j; where p_j is near 1, Σ_{k ≠ j} q_k − (1 − p_j) Σ q */
function crossEntropyGrad(row: Row, q: readonly Real[]): { value: Real; terms: number }[] {
  const mass = sum(q);
  return row.p.map((p, j) => {
    const gained = multiply(p, mass);
    if (p.hi < 2 / 3) return { value: subtract(gained, q[j]!), terms: gained.hi };
    const others = sum(q.filter((_, k) => k !== j));
    const lost = multiply(divide(row.without(j), row.sum), mass);
    return { value: subtract(others, lost), terms: Math.max(others.hi, lost.hi) };
  });
}

const smoothed = (row: Row, y: number) =>
  row.d.map((_, j) => {
    const spread = divide(real(SMOOTHING), real(row.d.length));
    return j === y ? add(subtract(real(1), real(SMOOTHING)), spread) : spread;
  });

const part = (values: Floats, { classes }: Batch, r: number) =>
  Array.from(values.subarray(r * classes, (r + 1) * classes), real);

export const FUNCTIONS: readonly Measured[] = [
  { name: "softmax", run: (f, b) => f.softmax(b.x, options(b)), want: softmax },
  {
    name: "softmax, temperature",
    temperature: TEMPERATURE,
    run: (f, b) => f.softmax(b.x, { ...options(b), temperature: TEMPERATURE }),
    want: softmax,
  },
  { name: "logSoftmax", run: (f, b) => f.logSoftmax(b.x, options(b)), want: logSoftmax },
  {
    name: "logSoftmax, temperature",
    temperature: TEMPERATURE,
    run: (f, b) => f.logSoftmax(b.x, { ...options(b), temperature: TEMPERATURE }),
    want: logSoftmax,
  },
  {
    name: "logSumExp",
    run: (f, b) => f.logSumExp(b.x, options(b)),
    want: ({ max, logSum }) => [{ value: add(max, logSum), terms: Math.abs(max.hi) }],
  },
  {
    name: "softmaxGrad",
    run: (f, b) => f.softmaxGrad(b.y, b.dy, options(b)),
    want(_, batch, r) {
      const [y, dy] = [part(batch.y, batch, r), part(batch.dy, batch, r)];
      const dot = sum(y.map((yj, j) => multiply(yj, dy[j]!)));
      // The largest one, not their sum: that would forgive a dot product that loses what its terms leave.
      const largest = y.reduce((a, yj, j) => Math.max(a, Math.abs(yj.hi * dy[j]!.hi)), Math.abs(dot.hi));
      return y.map((yj, j) => ({
        value: multiply(yj, subtract(dy[j]!, dot)),
        terms: yj.hi * Math.max(Math.abs(dy[j]!.hi), largest),
      }));
    },
  },
  {
    name: "logSoftmaxGrad",
    run: (f, b) => f.logSoftmaxGrad(b.logY, b.dy, options(b)),
    want(_, batch, r) {
      const [y, dy] = [part(batch.logY, batch, r), part(batch.dy, batch, r)];
      const total = sum(dy);
      return y.map((yj, j) => {
        const lost = multiply(exp(yj), total);
        return { value: subtract(dy[j]!, lost), terms: Math.max(Math.abs(dy[j]!.hi), Math.abs(lost.hi)) };
      });
    },
  },
  {
    name: "crossEntropy",
    run: (f, b) => f.crossEntropy(b.x, b.targets, perRow),
    want: (row, { targets }, r) => [{ value: subtract(row.logSum, row.d[targets[r]!]!) }],
  },
  {
    name: "crossEntropyGrad",
    run: (f, b) => f.crossEntropyGrad(b.x, b.targets, perRow).grad,
    want: (row, { targets }, r) =>
      row.p.map((p, j) => ({ value: j === targets[r] ? negate(divide(row.without(j), row.sum)) : p })),
  },
  {
    name: "crossEntropy, smoothed",
    run: (f, b) => f.crossEntropy(b.x, b.targets, { ...perRow, labelSmoothing: SMOOTHING }),
    want: (row, { targets }, r) => crossEntropy(row, smoothed(row, targets[r]!)),
  },
  {
    name: "crossEntropyGrad, smoothed",
    run: (f, b) => f.crossEntropyGrad(b.x, b.targets, { ...perRow, labelSmoothing: SMOOTHING }).grad,
    want: (row, { targets }, r) => crossEntropyGrad(row, smoothed(row, targets[r]!)),
  },
  {
    name: "crossEntropy, probabilities",
    run: (f, b) => f.crossEntropy(b.x, b.probabilities, { ...options(b), ...perRow }),
    want: (row, batch, r) => crossEntropy(row, part(batch.probabilities, batch, r)),
  },
  {
    name: "crossEntropyGrad, probabilities",
    run: (f, b) => f.crossEntropyGrad(b.x, b.probabilities, { ...options(b), ...perRow }).grad,
    want: (row, batch, r) => crossEntropyGrad(row, part(batch.probabilities, batch, r)),
  },
  {
    name: "hinge",
    run: (f, b) => f.hinge(b.x, b.targets, perRow),
    want(row, { targets }, r) {
      const z = violations(row, targets[r]!);
      return [{ value: sum(z.map((v) => v.value)), terms: z.reduce((a, v) => a + v.terms, 0) }];
    },
  },
  {
    name: "hingeGrad, p = 2",
    run: (f, b) => f.hingeGrad(b.x, b.targets, { ...perRow, p: 2 }).grad,
    want(row, { targets }, r) {
      const y = targets[r]!;
      const grad = violations(row, y).map(({ value, terms }) => ({ value: add(value, value), terms: 2 * terms }));
      const others = grad.filter((_, j) => j !== y);
      grad[y] = { value: negate(sum(others.map((g) => g.value))), terms: others.reduce((a, g) => a + g.terms, 0) };
      return grad;
    },
  },
  {
    name: "sigmoid",
    run: (f, b) => f.sigmoid(b.x),
    want: ({ x }) => Array.from(x, (xj) => ({ value: sigmoids(xj).p })),
  },
  {
    name: "sigmoidGrad",
    run: (f, b) => f.sigmoidGrad(b.y, b.dy),
    want(_, batch, r) {
      const [y, dy] = [part(batch.y, batch, r), part(batch.dy, batch, r)];
      return y.map((yj, j) => ({ value: multiply(dy[j]!, multiply(yj, subtract(real(1), yj))) }));
    },
  },
  {
    name: "logSigmoid",
    run: (f, b) => f.logSigmoid(b.x),
    want: ({ x }) => Array.from(x, (xj) => ({ value: subtract(real(Math.min(xj, 0)), log1p(sigmoids(xj).e)) })),
  },
  {
    name: "logSigmoidGrad",
    run: (f, b) => f.logSigmoidGrad(b.logY, b.dy),
    want(_, batch, r) {
      const [y, dy] = [part(batch.logY, batch, r), part(batch.dy, batch, r)];
      return y.map((yj, j) => ({ value: negate(multiply(dy[j]!, yj.hi < -1000 ? real(-1) : expm1(yj))) }));
    },
  },
  {
    name: "binaryCrossEntropy",
    run: (f, b) => f.binaryCrossEntropy(b.x, b.probabilities, { ...options(b), ...perRow }),
    want: ({ x }, batch, r) =>
      part(batch.probabilities, batch, r).map((t, j) => {
        const { logP, logC } = sigmoids(x[j]!);
        return { value: add(multiply(t, logP), multiply(subtract(real(1), t), logC)) };
      }),
  },
  {
    name: "binaryCrossEntropyGrad",
    run: (f, b) => f.binaryCrossEntropyGrad(b.x, b.probabilities, { ...options(b), ...perRow }).grad,
    want: ({ x }, batch, r) => part(batch.probabilities, batch, r).map((t, j) => binaryGradient(x[j]!, t.hi)),
  },
  {
    name: "crossEntropy, γ = 2",
    run: (f, b) => f.crossEntropy(b.x, b.targets, { ...perRow, gamma: 2 }),
    want: (row, { targets }, r) => [{ value: focalOf(row, targets[r]!).loss }],
  },
  {
    name: "crossEntropyGrad, γ = 2",
    run: (f, b) => f.crossEntropyGrad(b.x, b.targets, { ...perRow, gamma: 2 }).grad,
    want(row, { targets }, r) {
      const y = targets[r]!;
      const { factor, rest } = focalOf(row, y);
      return row.p.map((p, j) => ({ value: multiply(factor, j === y ? negate(rest) : p) }));
    },
  },
  {
    name: "binaryCrossEntropy, γ = 2",
    run: (f, b) => f.binaryCrossEntropy(b.x, b.probabilities, { ...options(b), ...perRow, gamma: 2 }),
    want: ({ x }, batch, r) =>
      part(batch.probabilities, batch, r).map((t, j) => {
        const { p, c, logP, logC } = sigmoids(x[j]!);
        const present = multiply(t, multiply(square(c), logP));
        return { value: add(present, multiply(subtract(real(1), t), multiply(square(p), logC))) };
      }),
  },
  {
    name: "binaryCrossEntropyGrad, γ = 2",
    run: (f, b) => f.binaryCrossEntropyGrad(b.x, b.probabilities, { ...options(b), ...perRow, gamma: 2 }).grad,
    want: ({ x }, batch, r) =>
      part(batch.probabilities, batch, r).map((t, j) => {
        const { p, c, logP, logC } = sigmoids(x[j]!);
        const slope = (q: Real, other: Real, log: Real) =>
          multiply(square(q), add(q, multiply(real(2), multiply(other, log))));
        const up = multiply(subtract(real(1), t), slope(p, c, logC));
        const down = multiply(t, slope(c, p, logP));
        return { value: subtract(up, down), terms: Math.max(up.hi, down.hi) };
      }),
  },
];

const square = (x: Real): Real => multiply(x, x);

/** q = 1 − p_y, the loss −q² log p_y, and q² (1 − 2 p_y log p_y / q), which the gradient is times that of the cross-entropy. */
function focalOf(row: Row, y: number): { loss: Real; factor: Real; rest: Real } {
  const rest = divide(row.without(y), row.sum);
  const log = subtract(row.logSum, row.d[y]!);
  const loss = multiply(square(rest), log);
  // no term divides by q
  const factor = add(square(rest), multiply(real(2), multiply(row.p[y]!, multiply(rest, log))));
  return { loss, factor, rest };
}

/** e^−|x|, the sigmoids of x and −x, minus their logarithms. */
function sigmoids(x: number): { e: Real; p: Real; c: Real; logP: Real; logC: Real } {
  const e = Math.abs(x) > 1000 ? real(0) : exp(real(-Math.abs(x)));
  const log = log1p(e);
  const [logP, logC] = [add(log, real(Math.max(-x, 0))), add(log, real(Math.max(x, 0)))];
  const small = divide(e, add(real(1), e));
  const large = divide(real(1), add(real(1), e));
  return x < 0 ? { e, p: small, c: large, logP, logC } : { e, p: large, c: small, logP, logC };
}

/** (1 − t) p − t c and what cancels in it. */
function binaryGradient(x: number, t: number): { value: Real; terms: number } {
  const { p, c } = sigmoids(x);
  const up = multiply(subtract(real(1), real(t)), p);
  const down = multiply(real(t), c);
  return { value: subtract(up, down), terms: Math.max(up.hi, down.hi) };
}

/** max(0, 1 + x_j − x_y) for j ≠ y */
function violations({ x }: Row, y: number): { value: Real; terms: number }[] {
  return Array.from(x, (xj, j) => {
    const z = add(real(1), subtract(real(xj), real(x[y]!)));
    const counts = j !== y && z.hi > 0;
    return { value: counts ? z : real(0), terms: counts ? 1 + Math.abs(xj - x[y]!) : 0 };
  });
}
