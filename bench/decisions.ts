// npm run bench:decisions -- [--ms N]
//
// The time to choose among C classes, f32, arrays copied in, one line per way: this library, its baseline, the best loop that one writes by hand, and what
// people write (softmax, objects, sort). Results are checked first; the ways take turns, and the fastest of their rounds count.

import { parseArgs } from "node:util";
import * as simd from "softmargin";
import * as baseline from "softmargin/baseline";

const { values } = parseArgs({ options: { ms: { type: "string", default: "300" } } });
const ROUND_MS = Number(values.ms);

type Way = () => unknown;

let state = 1;
/** mulberry32 (Tommy Ettinger, public domain). */
function uniform(): number {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());

/** Logits as a language model has them: a few tokens far above the others. */
const peaked = (classes: number): Float32Array =>
  Float32Array.from({ length: classes }, (_, j) => 2 * normal() + (j % 5003 === 77 ? 12 : 0));

// ---- by hand ----

function argmaxLoop(x: Float32Array): number {
  let best = 0;
  for (let j = 1; j < x.length; j++) if (x[j]! > x[best]!) best = j;
  return best;
}

/** A threshold and insertion. */
function topKLoop(x: Float32Array, k: number): Int32Array {
  const ids = new Int32Array(k);
  const top = new Float32Array(k).fill(-Infinity);
  for (let j = 0; j < x.length; j++) {
    const value = x[j]!;
    if (!(value > top[k - 1]!)) continue;
    let at = k - 1;
    for (; at > 0 && top[at - 1]! < value; at--) {
      top[at] = top[at - 1]!;
      ids[at] = ids[at - 1]!;
    }
    top[at] = value;
    ids[at] = j;
  }
  return ids;
}

const e = new Float64Array(1 << 18);
function exponentials(x: Float32Array): number {
  const max = x[argmaxLoop(x)]!;
  let sum = 0;
  for (let j = 0; j < x.length; j++) sum += e[j] = Math.exp(x[j]! - max);
  return sum;
}
function pick(ids: ArrayLike<number> | undefined, n: number, u: number, sum: number): number {
  let left = u * sum;
  for (let i = 0; i < n; i++) {
    const j = ids ? ids[i]! : i;
    left -= e[j]!;
    if (left < 0) return j;
  }
  return ids ? ids[n - 1]! : n - 1;
}

/** Only what can be needed is sorted. */
function topPLoop(x: Float32Array, topP: number, u: number): number {
  const sum = exponentials(x);
  const least = ((1 - topP) * sum) / x.length;
  const ids: number[] = [];
  for (let j = 0; j < x.length; j++) if (e[j]! >= least) ids.push(j);
  ids.sort((i, j) => e[j]! - e[i]!);
  let kept = 0;
  let mass = 0;
  while (mass < topP * sum) mass += e[ids[kept++]!]!;
  const left = ids.slice(0, kept).sort((i, j) => i - j);
  return pick(left, kept, u, mass);
}

// ---- what people write ----

function bySorting(x: Float32Array, topP: number, u: number): number {
  const sum = exponentials(x);
  const all = Array.from(x, (_, j) => ({ j, p: e[j]! / sum })).sort((a, b) => b.p - a.p);
  let mass = 0;
  const kept: typeof all = [];
  for (const one of all) {
    kept.push(one);
    mass += one.p;
    if (mass >= topP) break;
  }
  let left = u * mass;
  for (const one of kept) {
    left -= one.p;
    if (left < 0) return one.j;
  }
  return kept.at(-1)!.j;
}

// ---- the table ----

/** Microseconds of the fastest round of each way. */
function time(ways: Record<string, Way>): Record<string, number> {
  const best: Record<string, number> = {};
  const end = performance.now() + ROUND_MS * Object.keys(ways).length;
  for (const way of Object.values(ways)) for (let i = 0; i < 3; i++) way();
  do {
    for (const [name, way] of Object.entries(ways)) {
      let calls = 0;
      const start = performance.now();
      do {
        way();
        calls++;
      } while (performance.now() - start < 1);
      best[name] = Math.min(best[name] ?? Infinity, ((performance.now() - start) * 1000) / calls);
    }
  } while (performance.now() < end);
  return best;
}

const U = 0.4;
const random = () => U;

function jobs(x: Float32Array): Record<string, Record<string, Way>> {
  const workspace = simd.createWorkspace({ bytes: x.length * 4 });
  const inside = workspace.float32(x.length);
  inside.set(x);
  const local = { ...baseline, ...workspace } as typeof baseline;
  const of = (f: (api: typeof baseline, x: Float32Array) => unknown): Record<string, Way> => ({
    softmargin: () => f(simd, x),
    "in a workspace": () => f(local, inside),
    baseline: () => f(baseline, x),
  });
  const drawn = (options: object) => of((api, x) => api.sample(x, { ...options, random }));
  return {
    "log-sum-exp": of((api, x) => api.logSumExp(x)),
    argmax: { ...of((api, x) => api.argmax(x)), "by hand": () => argmaxLoop(x) },
    "topK 5, logits": {
      ...of((api, x) => api.topK(x, 5, { values: "logits" }).indices),
      "by hand": () => topKLoop(x, 5),
    },
    "topK 50, logits": {
      ...of((api, x) => api.topK(x, 50, { values: "logits" }).indices),
      "by hand": () => topKLoop(x, 50),
      sort: () =>
        Int32Array.from(
          Array.from(x.keys())
            .sort((i, j) => x[j]! - x[i]!)
            .slice(0, 50),
        ),
    },
    sample: { ...drawn({}), "by hand": () => pick(undefined, x.length, U, exponentials(x)) },
    "sample, topK 50": drawn({ topK: 50 }),
    "sample, minP 0.05": drawn({ minP: 0.05 }),
    "sample, topP 0.9": {
      ...drawn({ topP: 0.9 }),
      "by hand": () => topPLoop(x, 0.9, U),
      sort: () => bySorting(x, 0.9, U),
    },
  };
}

/** A row of the table, if all ways agree: what people write draws in another order. */
function report(name: string, ways: Record<string, Way>): void {
  const results = Object.entries(ways).filter(([way]) => way !== "sort" || name.startsWith("topK"));
  const isExact = !name.startsWith("log") && !name.startsWith("sample");
  const [[, first]] = results as [[string, Way]];
  for (const [way, f] of results)
    if (isExact && String(f()) !== String(first())) throw new Error(`${name}: ${way} gives ${f()}, not ${first()}`);
  const times = time(ways);
  const cells = ["softmargin", "in a workspace", "baseline", "by hand", "sort"].map((way) =>
    times[way] === undefined ? "" : times[way].toFixed(times[way] < 100 ? 1 : 0),
  );
  console.log(`| ${name.padEnd(24)} | ${cells.map((cell) => cell.padStart(14)).join(" | ")} |`);
}

const SHAPES: Record<string, (j: number, classes: number) => number> = {
  flat: () => 1.5,
  normal: () => 2 * normal(),
  ascending: (j, classes) => j / classes,
  descending: (j, classes) => -j / classes,
  "two-valued": (j) => j & 1,
  "Zipf-like": (j, classes) => -1.1 * Math.log(((j * 7919) % classes) + 1),
};

console.log(`Node ${process.versions.node}, ${simd.backend.name}; microseconds a call\n`);
for (const classes of [1000, 32_000, 151_936, 262_144]) {
  console.log(
    `| C = ${String(classes).padEnd(20)} | softmargin     | in a workspace | baseline       | by hand        | sort           |`,
  );
  console.log(`| ------------------------ | ${Array(5).fill("-------------:").join(" | ")} |`);
  for (const [name, ways] of Object.entries(jobs(peaked(classes)))) report(name, ways);
  console.log();
}
console.log(
  `| topP 0.9 of 151,936      | softmargin     | in a workspace | baseline       | by hand        | sort           |`,
);
console.log(`| ------------------------ | ${Array(5).fill("-------------:").join(" | ")} |`);
for (const [shape, logit] of Object.entries(SHAPES)) {
  const x = Float32Array.from({ length: 151_936 }, (_, j) => logit(j, 151_936));
  report(`sample of ${shape}`, jobs(x)["sample, topP 0.9"]!);
}
