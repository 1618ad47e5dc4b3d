// The loops that one writes by hand, for every job: what a user has without this library. The logits' largest value is subtracted, nothing else is
// taken care of. A row begins at `start`; its classes are `step` numbers apart.

import { at, type Data, type FloatArray } from "./data.js";
import { AS_WRITTEN, DECISIONS } from "./decisions.js";
import { binaryTargets, halfBits, isIgnored, type JobName, probabilityArray } from "./jobs.js";
import type { Entrant, Prepared } from "./run.js";

export type Loop = (data: Data) => Prepared["run"];
export type Loops = { readonly [job in JobName]?: Loop };

/** Where row r begins. */
const startOf = (data: Data, r: number): number => at(data, r, 0);

const crossEntropyGrad =
  (ignores: boolean): Loop =>
  (data) => {
    const { x, rows, classes, inner: step, targets, out: grad } = data;
    const ignored = targets.map((_, r) => (ignores && isIgnored(data, r) ? 1 : 0));
    const count = ignored.filter((i) => i === 0).length;
    return () => {
      let loss = 0;
      for (let r = 0; r < rows; r++) {
        const start = startOf(data, r);
        const end = start + classes * step;
        if (ignored[r]) {
          for (let i = start; i < end; i += step) grad[i] = 0;
          continue;
        }
        const own = start + targets[r]! * step;
        const logit = x[own]!;
        const max = largest(x, start, end, step);
        let sum = 0;
        for (let i = start; i < end; i += step) sum += grad[i] = Math.exp(x[i]! - max);
        for (let i = start; i < end; i += step) grad[i]! /= sum * count;
        grad[own]! -= 1 / count;
        loss += Math.log(sum) + max - logit;
      }
      return { loss: loss / count, grad };
    };
  };

const binaryGrad =
  (gamma: number): Loop =>
  (data) => {
    const { x, out: grad } = data;
    const targets = binaryTargets(data);
    const n = x.length;
    return () => {
      let loss = 0;
      for (let i = 0; i < n; i++) {
        const p = 1 / (1 + Math.exp(-x[i]!));
        // The probability of what is there, and its sign.
        const sign = targets[i]! * 2 - 1;
        const own = targets[i] === 1 ? p : 1 - p;
        const log = Math.max(-sign * x[i]!, 0) + Math.log(1 + Math.exp(-Math.abs(x[i]!)));
        if (gamma === 0) {
          loss += log;
          grad[i] = (p - targets[i]!) / n;
        } else {
          const scale = (1 - own) ** gamma;
          loss += scale * log;
          grad[i] = (-sign * scale * (1 - own + gamma * own * log)) / n;
        }
      }
      return { loss: loss / n, grad };
    };
  };

const LOOPS: Loops = {
  ...DECISIONS,
  float16ToFloat32: (data) => {
    const bits = halfBits(data);
    const { out: y } = data;
    return () => {
      for (let i = 0; i < bits.length; i++) {
        const exponent = (bits[i]! >> 10) & 31;
        const fraction = bits[i]! & 1023;
        let value = exponent === 31 ? (fraction ? Number.NaN : Number.POSITIVE_INFINITY) : fraction * 2 ** -24;
        if (exponent > 0 && exponent < 31) value = 2 ** (exponent - 15) * (1 + fraction / 1024);
        y[i] = bits[i]! & 0x8000 ? -value : value;
      }
      return y;
    };
  },
  "log-sigmoid":
    ({ x, out: y }) =>
    () => {
      for (let i = 0; i < x.length; i++) y[i] = Math.min(x[i]!, 0) - Math.log(1 + Math.exp(-Math.abs(x[i]!)));
      return y;
    },
  linear: ({ x, weight, rows, classes, features = 0 }) => {
    const z = x instanceof Float32Array ? new Float32Array(rows * classes) : new Float64Array(rows * classes);
    return () => {
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < classes; c++) {
          let sum = 0;
          for (let d = 0; d < features; d++) sum += x[r * features + d]! * weight![c * features + d]!;
          z[r * classes + c] = sum;
        }
      }
      return z;
    };
  },
  "linear cross-entropy + gradient": ({ x, weight, rows, classes, features = 0, targets, out: grad }) => {
    const p = new Float64Array(classes);
    return () => {
      let loss = 0;
      grad.fill(0);
      for (let r = 0; r < rows; r++) {
        let max = Number.NEGATIVE_INFINITY;
        for (let c = 0; c < classes; c++) {
          let sum = 0;
          for (let d = 0; d < features; d++) sum += x[r * features + d]! * weight![c * features + d]!;
          p[c] = sum;
          if (sum > max) max = sum;
        }
        const own = p[targets[r]!]!;
        let total = 0;
        for (let c = 0; c < classes; c++) total += p[c] = Math.exp(p[c]! - max);
        loss += Math.log(total) + max - own;
        for (let c = 0; c < classes; c++) {
          const g = (p[c]! / total - (c === targets[r] ? 1 : 0)) / rows;
          for (let d = 0; d < features; d++) grad[c * features + d]! += g * x[r * features + d]!;
        }
      }
      return { loss: loss / rows, grad };
    };
  },
  sigmoid:
    ({ x, out: y }) =>
    () => {
      for (let i = 0; i < x.length; i++) y[i] = 1 / (1 + Math.exp(-x[i]!));
      return y;
    },
  "binary cross-entropy + gradient": binaryGrad(0),
  "focal loss + gradient": binaryGrad(2),
  softmax: (data) => () => {
    const { x, rows, classes, inner: step, out: y } = data;
    for (let r = 0; r < rows; r++) {
      const start = startOf(data, r);
      const end = start + classes * step;
      const max = largest(x, start, end, step);
      let sum = 0;
      for (let i = start; i < end; i += step) sum += y[i] = Math.exp(x[i]! - max);
      for (let i = start; i < end; i += step) y[i]! /= sum;
    }
    return y;
  },
  "log-softmax": (data) => () => {
    const { x, rows, classes, inner: step, out: y } = data;
    for (let r = 0; r < rows; r++) {
      const start = startOf(data, r);
      const end = start + classes * step;
      const log = logSumExp(x, start, end, step);
      for (let i = start; i < end; i += step) y[i] = x[i]! - log;
    }
    return y;
  },
  "log-sum-exp": (data) => () => {
    const { x, rows, classes, inner: step, out: y } = data;
    for (let r = 0; r < rows; r++) {
      const start = startOf(data, r);
      y[r] = logSumExp(x, start, start + classes * step, step);
    }
    return y;
  },
  "softmax gradient": (data) => {
    const y = probabilityArray(data);
    return () => {
      const { x: dy, rows, classes, inner: step, out: dx } = data;
      for (let r = 0; r < rows; r++) {
        const start = startOf(data, r);
        const end = start + classes * step;
        let dot = 0;
        for (let i = start; i < end; i += step) dot += y[i]! * dy[i]!;
        for (let i = start; i < end; i += step) dx[i] = y[i]! * (dy[i]! - dot);
      }
      return dx;
    };
  },
  "log-softmax gradient": (data) => {
    const y = probabilityArray(data, Math.log);
    return () => {
      const { x: dy, rows, classes, inner: step, out: dx } = data;
      for (let r = 0; r < rows; r++) {
        const start = startOf(data, r);
        const end = start + classes * step;
        let sum = 0;
        for (let i = start; i < end; i += step) sum += dy[i]!;
        for (let i = start; i < end; i += step) dx[i] = dy[i]! - Math.exp(y[i]!) * sum;
      }
      return dx;
    };
  },
  "soft cross-entropy + gradient": (data) => {
    const t = probabilityArray(data);
    return () => {
      const { x, rows, classes, inner: step, out: grad } = data;
      let loss = 0;
      for (let r = 0; r < rows; r++) {
        const start = startOf(data, r);
        const end = start + classes * step;
        const log = logSumExp(x, start, end, step);
        for (let i = start; i < end; i += step) {
          loss += t[i]! * (log - x[i]!);
          grad[i] = (Math.exp(x[i]! - log) - t[i]!) / rows;
        }
      }
      return { loss: loss / rows, grad };
    };
  },
  "cross-entropy": (data) => () => {
    const { x, rows, classes, inner: step, targets } = data;
    let loss = 0;
    for (let r = 0; r < rows; r++) {
      const start = startOf(data, r);
      loss += logSumExp(x, start, start + classes * step, step) - x[start + targets[r]! * step]!;
    }
    return loss / rows;
  },
  "cross-entropy + gradient": crossEntropyGrad(false),
  "cross-entropy + gradient, 1/10 ignored": crossEntropyGrad(true),
  "Weston–Watkins": (data) => () => {
    const { x, rows, classes, inner: step, targets } = data;
    let loss = 0;
    for (let r = 0; r < rows; r++) {
      const start = startOf(data, r);
      const own = start + targets[r]! * step;
      for (let i = start; i < start + classes * step; i += step) {
        if (i !== own) loss += Math.max(0, x[i]! - x[own]! + 1);
      }
    }
    return loss / rows;
  },
  "Weston–Watkins + gradient": (data) => () => {
    const { x, rows, classes, inner: step, targets, out: grad } = data;
    let loss = 0;
    for (let r = 0; r < rows; r++) {
      const start = startOf(data, r);
      const own = start + targets[r]! * step;
      let violations = 0;
      for (let i = start; i < start + classes * step; i += step) {
        const z = x[i]! - x[own]! + 1;
        grad[i] = 0;
        if (i === own || z <= 0) continue;
        loss += z;
        grad[i] = 1 / rows;
        violations++;
      }
      grad[own] = -violations / rows;
    }
    return { loss: loss / rows, grad };
  },
  "Crammer–Singer": (data) => () => {
    const { x, rows, classes, inner: step, targets } = data;
    let loss = 0;
    for (let r = 0; r < rows; r++) {
      const start = startOf(data, r);
      const own = start + targets[r]! * step;
      const other = rival(x, start, start + classes * step, step, own);
      loss += Math.max(0, x[other]! - x[own]! + 1);
    }
    return loss / rows;
  },
  "Crammer–Singer + gradient": (data) => () => {
    const { x, rows, classes, inner: step, targets, out: grad } = data;
    grad.fill(0);
    let loss = 0;
    for (let r = 0; r < rows; r++) {
      const start = startOf(data, r);
      const own = start + targets[r]! * step;
      const other = rival(x, start, start + classes * step, step, own);
      const z = x[other]! - x[own]! + 1;
      if (z <= 0) continue;
      loss += z;
      grad[other] = 1 / rows;
      grad[own] = -1 / rows;
    }
    return { loss: loss / rows, grad };
  },
};

/** The same with `exp` in place of Math.exp. A loop of its own: one that is given either compiles to a call of what it is given, 11 ns instead of 4. */
const OWN_EXP: Loops = {
  softmax:
    ({ x, classes, out: y }) =>
    () => {
      for (let start = 0; start < x.length; start += classes) {
        const end = start + classes;
        const max = largest(x, start, end, 1);
        let sum = 0;
        for (let i = start; i < end; i++) sum += y[i] = exp(x[i]! - max);
        for (let i = start; i < end; i++) y[i]! /= sum;
      }
      return y;
    },
};

function largest(x: FloatArray, start: number, end: number, step: number): number {
  let max = x[start]!;
  for (let i = start + step; i < end; i += step) if (x[i]! > max) max = x[i]!;
  return max;
}

function logSumExp(x: FloatArray, start: number, end: number, step: number): number {
  const max = largest(x, start, end, step);
  let sum = 0;
  for (let i = start; i < end; i += step) sum += Math.exp(x[i]! - max);
  return Math.log(sum) + max;
}

/** Where the largest score but that at `own` is. */
function rival(x: FloatArray, start: number, end: number, step: number, own: number): number {
  let other = start === own ? start + step : start;
  for (let i = other + step; i < end; i += step) if (x[i]! > x[other]! && i !== own) other = i;
  return other;
}

const ROOTS = Float64Array.from({ length: 64 }, (_, j) => 2 ** (j / 64));
const LEAST = -1074;
const POWERS = Float64Array.from({ length: 1 - LEAST }, (_, k) => 2 ** (k + LEAST));
const STEP_HIGH = 0.010830424695086549; // ln 2 / 64, its first 33 bits
const STEP_LOW = Math.LN2 / 64 - STEP_HIGH;
const ROUND = 1.5 * 2 ** 52;

/** e^x for −744 < x ≤ 0 as plain TypeScript can have it: 2^(n/64) from two tables, the rest from a polynomial (Tang 1989), within 3e-14. */
function exp(x: number): number {
  const n = x * (64 * Math.LOG2E) + ROUND - ROUND;
  const r = x - n * STEP_HIGH - n * STEP_LOW;
  const power = ROOTS[n & 63]! * POWERS[(n >> 6) - LEAST]!;
  return power + power * (r + r * r * (1 / 2 + r * (1 / 6) + r * r * (1 / 24 + r * (1 / 120))));
}

function entrant(name: string, loops: Loops): Entrant {
  return {
    name,
    tolerance: { f32: 1e-6, f64: 1e-12 },
    prepare({ job, inner }, data) {
      const loop = loops !== LOOPS && inner > 1 ? undefined : loops[job];
      return loop && { run: loop(data) };
    },
  };
}

export const byHand: Entrant = entrant("by hand", LOOPS);
export const ownExp: Entrant = entrant("own exp", OWN_EXP);
export const asWritten: Entrant = entrant("as written", AS_WRITTEN);
