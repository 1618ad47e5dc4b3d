// One hash over what the functions return for a fixed set of inputs: equal wherever the deterministic build runs.
//
// The set goes through every function, kind of array, option and special value, from 1 class to 131,073. Its inputs come from an integer
// generator and + − × ÷ alone, because engines differ in Math.exp and the like, and NaN counts as one value, whatever its bits.
// Plain TypeScript, for Node, Bun, Deno, workers and pages alike. After a change that is meant to change bits, or to this file or the list
// of functions: npm run digest -- --write
import type { Functions } from "softmargin";
import { invoke } from "../catalogue/calls.js";
import { drawable } from "../catalogue/entries/decisions.js";
import { type Arguments, allSignatures, type Signature, together } from "../catalogue/functions.js";
import { LAYER_CLASSES, type Right } from "../catalogue/right.js";

type Values = Float32Array | Float64Array | number[];

const kinds = ["f32", "f64", "numbers"] as const;
const fills = ["plain", "grid", "equal", "dominant", "offset", "masked", "tail", "edge", "special", "huge"] as const;
type Kind = (typeof kinds)[number];
type Fill = (typeof fills)[number];

/** [outer, classes, inner]: wherever the layout of rows changes, other axes, several blocks. */
type Layout = readonly [outer: number, classes: number, inner: number];
const LAYOUTS: readonly Layout[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19].map((c): Layout => [5, c, 1]),
  ...[23, 24, 25, 31, 32, 33, 47, 48, 49, 63, 64, 65, 66, 95, 127, 128, 129, 257].map((c): Layout => [2, c, 1]),
  ...[1, 2, 3, 10, 17, 50, 65].flatMap((c) => [3, 4, 7].map((inner): Layout => [1, c, inner])),
  [1, 2, 1],
  [100, 10, 1],
  [2, 5, 40],
  [1, 1021, 1],
];
const LARGE: readonly Layout[] = [
  [4000, 10, 1],
  [1, 3, 9001],
  [20, 2048, 1],
  [1, 16385, 2],
  [1, 131073, 1],
];

/** Where e^x over- and underflows: the largest number, the smallest normal one, the smallest of all. */
const EDGES = {
  f32: [88.72284, -87.33655, -103.97208],
  f64: [709.782712893384, -708.3964185322641, -745.1332191019411],
};

/** 128 bits in hexadecimal. */
export function digest(functions: Functions): string {
  const total = new Hash();
  for (const [name, hash] of Object.entries(digestByFunction(functions))) {
    total.add(Array.from(name + hash, (letter) => letter.charCodeAt(0)));
  }
  return total.toString();
}

/** One such hash for each function, to see which of them differs. */
export function digestByFunction(functions: Functions): { [name: string]: string } {
  const draw = new Draw(20261123);
  const hashes = new Map<string, Hash>();
  const add = (batch: Batch) => {
    for (const signature of allSignatures) {
      const hash = hashes.get(signature.name) ?? new Hash();
      for (const what of ["", ...(signature.variants ?? []).filter((variant) => !variant.endsWith("BigInt64Array"))]) {
        for (const numbers of arraysIn(invoke(functions, signature, batch.draw(signature, what, functions))))
          hash.add(numbers);
      }
      hashes.set(signature.name, hash);
    }
  };

  for (const kind of kinds) {
    for (const layout of LAYOUTS) {
      const chosen = kind === "numbers" ? draw.pick(fills) : undefined; // numbers are computed as f64: one fill each is enough
      for (const fill of chosen ? [chosen] : fills) add(new Batch(draw, layout, kind, fill));
    }
  }
  // several blocks, in f32 and in f64 by turns
  for (const [i, layout] of LARGE.entries()) add(new Batch(draw, layout, i % 2 ? "f64" : "f32", "plain"));
  return Object.fromEntries(Array.from(hashes, ([name, hash]) => [name, hash.toString()]));
}

/** The arrays of a result, which may be a number, an array, or an object of these. */
function arraysIn(result: unknown): ArrayLike<number>[] {
  if (typeof result === "number") return [[result]];
  const isArray = Array.isArray(result) || ArrayBuffer.isView(result);
  return isArray ? [result as Values] : Object.values(result as object).flatMap(arraysIn);
}

/** Logits of one layout, and whatever a function may be given along with them. */
class Batch {
  private readonly random: Draw;
  private readonly kind: Kind;
  private readonly x: Values;
  private readonly outer: number;
  private readonly classes: number;
  private readonly inner: number;
  private readonly rows: number;

  constructor(random: Draw, [outer, classes, inner]: Layout, kind: Kind, fill: Fill) {
    this.random = random;
    this.kind = kind;
    this.outer = outer;
    this.classes = classes;
    this.inner = inner;
    this.rows = outer * inner;
    this.x = this.values(fill);
  }

  /** The arguments of a call by name: about half of the options that are right together. */
  draw({ name, first, positional, options, own }: Signature, what: string, functions: Functions): Arguments {
    const { random, rows, classes, outer, inner } = this;
    const isLayer = positional.includes("weight");
    const shape = isLayer ? [rows, classes] : inner === 1 ? [outer, classes] : [outer, classes, inner];
    const layout = { shape, axis: 1 };
    const chosen = options.filter((option) => random.integer(2) || option in layout || option === "random");
    const given: { [name: string]: unknown } = {};
    const isBinary = name.startsWith("binary");
    const isWidening = first === "bits";
    /** Each argument by its name; `reduction` comes before what depends on it. */
    const all: Right = {
      // a product is one with what its function has returned
      x: () => {
        if (name === "sample") return drawable(this.x.slice(), { classes, inner });
        if (isWidening) return Uint16Array.from({ length: rows * classes }, () => random.integer(1 << 16));
        return first === "y" ? functions[name.replace("Grad", "") as "softmax"](this.x, layout) : this.x;
      },
      dy: () => this.values("plain"),
      targets: () => (isBinary ? this.units() : this.targets(what, isLayer ? LAYER_CLASSES : classes)),
      shape: () => layout.shape,
      axis: () => layout.axis,
      temperature: () =>
        random.pick([1, 0.5, 0.7, 3, 10, ...(positional.includes("targets") ? [] : [1e-3, 1e4, 1e-30, 1e30])]),
      k: () => 1 + random.integer(Math.min(classes, 100)),
      values: () => random.pick(["logProbabilities", "logits"]),
      topK: () => 1 + random.integer(Math.min(classes, 100)),
      topP: () => random.pick([0.01, 0.3, 0.5, 0.9, 0.99]),
      minP: () => random.pick([1e-9, 0.01, 0.1, 0.5, 1]),
      random: () => () => random.uniform(0, 1),
      reduction: () => random.pick(["none", "sum", "mean"]),
      weight: () => (isLayer ? this.plain(LAYER_CLASSES * classes) : this.weights(classes)),
      bias: () => this.plain(LAYER_CLASSES),
      classWeight: () => this.weights(LAYER_CLASSES),
      l2: () => random.pick([0.1, 3]),
      gradWeight: () => this.plain(LAYER_CLASSES * classes),
      gradBias: () => this.plain(LAYER_CLASSES),
      gradX: () => this.plain(rows * classes),
      sampleWeight: () => this.weights(rows),
      ignoreIndex: () => random.pick([-100, [-100], [-100, 0], [-100, classes - 1, 1]]),
      meanOver: () => random.pick(["weights", "count", "all"]),
      emptyMean: () => 0,
      labelSmoothing: () => random.pick([0.1, 0.5, 1]),
      posWeight: () => this.weights(classes),
      // Of a class only without smoothing; and other powers are the engine's.
      gamma: () => (isBinary || !(chosen.includes("labelSmoothing") || what) ? random.pick([1, 2]) : 0),
      form: () => random.pick(["weston-watkins", "crammer-singer"]),
      margin: () => random.pick([0, 0.3, 10]),
      p: () => random.pick([1, 2]),
      perClass: () => true,
      gradOutput: () =>
        given["reduction"] === "none" ? this.weights(isBinary ? this.x.length : rows) : random.pick([-2.5, 0.3]),
      accumulate: () => true,
      out: () => {
        const right = own?.["out"]?.({ rows, classes });
        if (right instanceof Int32Array) return right;
        if (isLayer) return this.plain(rows * LAYER_CLASSES);
        if (isWidening) return new Float32Array(rows * classes);
        return this.x.slice(0, right instanceof Float32Array ? right.length : undefined);
      },
      grad: () => (random.integer(2) ? this.values("plain") : this.x.slice()),
    };
    for (const key of [...positional, ...together(chosen, what)]) {
      const make = all[key] ?? own?.[key];
      if (make === undefined) throw new Error(`test/digest/digest.ts does not draw ${key}, of ${name}`);
      given[key] = make({ rows, classes });
    }
    return given;
  }

  private values(fill: Fill): Values {
    const { random, classes, rows } = this;
    const single = this.kind === "f32";
    const edges = EDGES[single ? "f32" : "f64"];
    const special = random.integer(classes);
    const common = random.pick([0, 1, -1, 0.1, 88.72, 1e4, -1e4, 1e8, -1e8]);
    const next: { [fill in Fill]: (j: number) => number } = {
      plain: () => random.uniform(-5.3, 7.1),
      // few bits, so that sums and differences are exact and ties happen
      grid: () => random.integer(64) / 16 - 2,
      equal: () => common,
      dominant: (j) => random.uniform(-5.3, 7.1) + (j === special ? (single ? 50 : 300) : 0),
      offset: () => random.uniform(-5.3, 7.1) + common,
      masked: (j) => (j !== special && random.integer(2) ? Number.NEGATIVE_INFINITY : random.uniform(-5.3, 7.1)),
      // the largest is 0, the others have probabilities around the smallest normal and subnormal numbers
      tail: (j) => (j === special ? 0 : single ? random.uniform(-110, -84) : random.uniform(-750, -700)),
      edge: () => random.pick([0, 0, ...edges]) * (1 + (random.integer(7) - 3) * (single ? 2 ** -23 : 2 ** -52)),
      // about every third row has one, at a position of its own
      special: () =>
        random.integer(3 * classes) === 0
          ? random.pick([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0])
          : random.uniform(-5.3, 7.1),
      // from the smallest subnormal numbers to the largest
      huge: () =>
        random.uniform(-1, 1) * random.pick(single ? [1e-44, 1e-38, 1, 1e20, 3.4e38] : [1e-322, 1e-307, 1, 1.7e308]),
    };
    const fillNext = next[fill];
    return this.filled(rows * classes, (i) => fillNext(i % classes));
  }

  private plain(length: number): Values {
    return this.filled(length, () => this.random.uniform(-1, 1));
  }

  /** By a loop: with Array.from a digest takes an eighth longer. */
  private filled(length: number, next: (i: number) => number): Values {
    const x = new { f32: Float32Array, f64: Float64Array, numbers: Array<number> }[this.kind](length);
    for (let i = 0; i < length; i++) x[i] = next(i);
    return x;
  }

  private targets(what: string, classes: number): unknown {
    const { random, rows } = this;
    if (what.endsWith("probabilities")) {
      const total = random.pick([1, classes]);
      const t = Array.from({ length: rows * classes }, () => random.integer(3) * random.uniform(0, 1) * (1 / total));
      return this.kind === "f32" ? Float32Array.from(t) : Float64Array.from(t);
    }
    const y = Array.from({ length: rows }, () => (random.integer(9) === 0 ? -100 : random.integer(classes)));
    return random.pick([() => y, () => Int32Array.from(y), () => BigInt64Array.from(y, BigInt)])();
  }

  /** Targets of single elements. */
  private units(): unknown {
    const { random, x } = this;
    const t = Array.from(x, () => random.pick([0, 1, random.uniform(0, 1)]));
    return this.kind === "f32" ? Float32Array.from(t) : this.kind === "f64" ? Float64Array.from(t) : t;
  }

  private weights(length: number): Values {
    const { random } = this;
    const w = Array.from({ length }, () => random.pick([0, 1, random.uniform(0, 3)]));
    return random.pick([() => w, () => Float32Array.from(w), () => Float64Array.from(w)])();
  }
}

/** mulberry32 (Tommy Ettinger, public domain). */
class Draw {
  private state: number;

  constructor(seed: number) {
    this.state = seed;
  }

  private bits(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** In [from, to), with all bits of a double. */
  uniform(from: number, to: number): number {
    return from + (to - from) * ((this.bits() + this.bits() / 2 ** 32) / 2 ** 32);
  }

  /** One of 0, …, n − 1. */
  integer(n: number): number {
    return Math.floor((this.bits() / 2 ** 32) * n);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.integer(choices.length)]!;
  }
}

/** MurmurHash3 (x86, 128 bits; Austin Appleby, public domain) over the bits of doubles, two of them to a block. */
class Hash {
  private readonly h = new Int32Array(4);
  private readonly double = new Float64Array(2);
  private readonly k = new Int32Array(this.double.buffer);
  private blocks = 0;

  /** Adds values, and how many they are. */
  add(values: ArrayLike<number>): void {
    this.block(values.length, 0);
    for (let i = 0; i < values.length; i += 2) this.block(values[i]!, i + 1 < values.length ? values[i + 1]! : 0);
  }

  private block(a: number, b: number): void {
    const { h, k, double } = this;
    double[0] = a;
    double[1] = b;
    if (Number.isNaN(a)) k[1] = k[0] = 0x7ff80000;
    if (Number.isNaN(b)) k[3] = k[2] = 0x7ff80000;
    let [h0, h1, h2, h3] = [h[0]!, h[1]!, h[2]!, h[3]!];
    h0 ^= Math.imul(rotate(Math.imul(k[0]!, 0x239b961b), 15), 0xab0e9789);
    h0 = (Math.imul(rotate(h0, 19) + h1, 5) + 0x561ccd1b) | 0;
    h1 ^= Math.imul(rotate(Math.imul(k[1]!, 0xab0e9789), 16), 0x38b34ae5);
    h1 = (Math.imul(rotate(h1, 17) + h2, 5) + 0x0bcaa747) | 0;
    h2 ^= Math.imul(rotate(Math.imul(k[2]!, 0x38b34ae5), 17), 0xa1e38b93);
    h2 = (Math.imul(rotate(h2, 15) + h3, 5) + 0x96cd1c35) | 0;
    h3 ^= Math.imul(rotate(Math.imul(k[3]!, 0xa1e38b93), 18), 0x239b961b);
    h3 = (Math.imul(rotate(h3, 13) + h0, 5) + 0x32ac3b17) | 0;
    h[0] = h0;
    h[1] = h1;
    h[2] = h2;
    h[3] = h3;
    this.blocks++;
  }

  toString(): string {
    const h = this.h.map((word) => word ^ (16 * this.blocks));
    this.cross(h);
    for (let i = 0; i < 4; i++) h[i] = finish(h[i]!);
    this.cross(h);
    return Array.from(h, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  private cross(h: Int32Array): void {
    h[0] = h[0]! + h[1]! + h[2]! + h[3]!;
    for (let i = 1; i < 4; i++) h[i] = h[i]! + h[0]!;
  }
}

function rotate(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by));
}

function finish(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
