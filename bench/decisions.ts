// Decisions without this library: the best loops that one writes by hand, and what people write instead, a sort of all classes. The classes of a row
// are `step` numbers apart, its first one is at `start`.

import type { Loop, Loops } from "./byHand.js";
import { at, type Data, type FloatArray } from "./data.js";
import { DRAWS, halfBits, largestOf, U } from "./jobs.js";

/** For each row a class. */
const perRow = (data: Data, choose: (start: number) => number): ReturnType<Loop> => {
  const { rows, picks } = data;
  return () => {
    for (let r = 0; r < rows; r++) picks[r] = choose(at(data, r, 0));
    return picks;
  };
};

function argmax({ x, classes, inner: step }: Data, start: number): number {
  let best = 0;
  let max = x[start]!;
  for (let j = 1, i = start + step; j < classes; j++, i += step) {
    if (x[i]! > max) {
      max = x[i]!;
      best = j;
    }
  }
  return best;
}

/** A threshold, and insertion of the few that pass it; the classes from the largest logit on. */
function largestInto(ids: Int32Array, logits: FloatArray, { x, classes, inner: step }: Data, start: number): void {
  const last = ids.length - 1;
  logits.fill(Number.NEGATIVE_INFINITY);
  for (let j = 0, i = start; j < classes; j++, i += step) {
    const logit = x[i]!;
    if (!(logit > logits[last]!)) continue;
    let place = last;
    for (; place > 0 && logits[place - 1]! < logit; place--) {
      logits[place] = logits[place - 1]!;
      ids[place] = ids[place - 1]!;
    }
    logits[place] = logit;
    ids[place] = j;
  }
}

const topKLoop =
  (most: number): Loop =>
  (data) => {
    const k = largestOf(data, most);
    const logits = data.x.slice(0, k);
    return () => {
      const result = new Int32Array(data.rows * k);
      for (let r = 0; r < data.rows; r++)
        largestInto(result.subarray(r * k, (r + 1) * k), logits, data, at(data, r, 0));
      return result;
    };
  };

/** e^(x − max) of a row; their sum. */
function exponentials(e: Float64Array, data: Data, start: number): number {
  const { x, classes, inner: step } = data;
  const max = x[start + argmax(data, start) * step]!;
  let sum = 0;
  for (let j = 0, i = start; j < classes; j++, i += step) sum += e[j] = Math.exp(x[i]! - max);
  return sum;
}

/** The class in which the U-th part of the sum ends. */
function pick(e: Float64Array, ids: ArrayLike<number>, sum: number): number {
  let left = U * sum;
  for (let n = 0; n < ids.length; n++) {
    left -= e[ids[n]!]!;
    if (left < 0) return ids[n]!;
  }
  return ids[ids.length - 1]!;
}

const drawLoop: Loop = (data) => {
  const e = new Float64Array(data.classes);
  return perRow(data, (start) => {
    let left = U * exponentials(e, data, start);
    for (let j = 0; j < e.length; j++) {
      left -= e[j]!;
      if (left < 0) return j;
    }
    return e.length - 1;
  });
};

/** Nothing but the k largest needs an exponential. */
const drawTopK: Loop = (data) => {
  const ids = new Int32Array(largestOf(data, DRAWS["sample, topK 50"].topK));
  const logits = data.x.slice(0, ids.length);
  const e = new Float64Array(data.classes);
  return perRow(data, (start) => {
    largestInto(ids, logits, data, start);
    let sum = 0;
    for (let n = 0; n < ids.length; n++) sum += e[ids[n]!] = Math.exp(logits[n]! - logits[0]!);
    return pick(e, ids.sort(), sum);
  });
};

/** The largest exponential is 1. */
const drawMinP: Loop = (data) => {
  const e = new Float64Array(data.classes);
  return perRow(data, (start) => {
    exponentials(e, data, start);
    const ids: number[] = [];
    let sum = 0;
    for (let j = 0; j < e.length; j++) {
      if (e[j]! < DRAWS["sample, minP 0.05"].minP) continue;
      ids.push(j);
      sum += e[j]!;
    }
    return pick(e, ids, sum);
  });
};

/** Only what can be needed is sorted: not what has less than its share of 1 − P. */
const drawTopP: Loop = (data) => {
  const { topP } = DRAWS["sample, topP 0.9"];
  const e = new Float64Array(data.classes);
  return perRow(data, (start) => {
    const sum = exponentials(e, data, start);
    const least = ((1 - topP) * sum) / e.length;
    const ids: number[] = [];
    for (let j = 0; j < e.length; j++) if (e[j]! >= least) ids.push(j);
    ids.sort((i, j) => e[j]! - e[i]!);
    let kept = 0;
    let mass = 0;
    while (mass < topP * sum) mass += e[ids[kept++]!]!;
    return pick(
      e,
      ids.slice(0, kept).sort((i, j) => i - j),
      mass,
    );
  });
};

export const DECISIONS: Loops = {
  argmax: (data) => perRow(data, (start) => argmax(data, start)),
  "topK 5": topKLoop(5),
  "topK 50": topKLoop(50),
  sample: drawLoop,
  "sample, topK 50": drawTopK,
  "sample, topP 0.9": drawTopP,
  "sample, minP 0.05": drawMinP,
};

const sortedK =
  (most: number): Loop =>
  (data) =>
  () => {
    const { x, rows, classes } = data;
    const result: number[] = [];
    for (let r = 0; r < rows; r++) {
      const start = at(data, r, 0);
      const sorted = Array.from({ length: classes }, (_, j) => j).sort((i, j) => x[start + j]! - x[start + i]!);
      result.push(...sorted.slice(0, most));
    }
    return result;
  };

const { Float16Array } = globalThis as { Float16Array?: new (bits: ArrayBufferLike) => ArrayLike<number> };

/** What people write, classes last: objects with a probability each, all of them sorted. */
export const AS_WRITTEN: Loops = {
  ...(Float16Array && {
    float16ToFloat32: (data) => {
      const halves = new Float16Array(halfBits(data).buffer);
      return () => Float32Array.from(halves);
    },
  }),
  "topK 5": sortedK(5),
  "topK 50": sortedK(50),
  "sample, topP 0.9": (data) => {
    const { topP } = DRAWS["sample, topP 0.9"];
    const e = new Float64Array(data.classes);
    return perRow(data, (start) => {
      const sum = exponentials(e, data, start);
      const sorted = Array.from(e, (ej, id) => ({ id, p: ej / sum })).sort((a, b) => b.p - a.p);
      const isKept = new Uint8Array(data.classes);
      let mass = 0;
      for (let n = 0; mass < topP; n++) {
        mass += sorted[n]!.p;
        isKept[sorted[n]!.id] = 1;
      }
      // In the order of the classes, where they would take that of the sort: so the result can be checked.
      let left = U * mass;
      for (let j = 0; j < e.length; j++) {
        if (isKept[j]) left -= e[j]! / sum;
        if (left < 0) return j;
      }
      return sorted[0]!.id;
    });
  },
};
