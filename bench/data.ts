// What the contenders are given: seeded logits that look like a network's (roughly normal, standard deviation 4), targets, and an array for the
// result, which is used again at every call.

export type FloatArray = Float32Array | Float64Array;
export type Type = "f32" | "f64";

/** What the logits of a row are like: a network's, a language model's, and what may be hard for a selection. */
export type Logits =
  | "normal"
  | "peaked"
  | "flat"
  | "ascending"
  | "descending"
  | "two-valued"
  | "all equal"
  | "Zipf"
  | "half floats";

const LOGITS: Readonly<Record<Logits, (normal: () => number, j: number, classes: number) => number>> = {
  normal: (normal) => normal(),
  peaked: (normal, j) => normal() / 2 + (j % 5003 === 77 ? 12 : 0),
  flat: (normal) => normal() / 400,
  ascending: (_, j, classes) => j / classes,
  descending: (_, j, classes) => -j / classes,
  "two-valued": (_, j) => j & 1,
  "all equal": () => 1.5,
  Zipf: (_, j, classes) => -1.1 * Math.log(((j * 7919) % classes) + 1),
  "half floats": (normal) => toHalf(normal()),
};

/** Arrays are [outer, classes, inner], row-major; inner > 1 are the positions of an image, or the like. */
export interface Size {
  readonly outer: number;
  readonly classes: number;
  readonly inner: number;
  /** Normal, if not given. */
  readonly logits?: Logits;
  /** Of a linear layer, whose input x is [outer, features]. */
  readonly features?: number;
}

export interface Data extends Size {
  readonly type: Type;
  readonly rows: number;
  /** Row r is the same as row r − distinct: enough of them that nothing can learn the data, few enough for the oracle. */
  readonly distinct: number;
  readonly x: FloatArray;
  readonly targets: Int32Array;
  /** Of a layer: [classes, features]. */
  readonly weight?: FloatArray;
  /** Where results go. */
  readonly out: FloatArray;
  /** And where they are one class per row. */
  readonly picks: Int32Array;
}

/** Makes the arrays that a contender works on: ordinary ones, or a workspace's. */
export interface Maker {
  floats(type: Type, length: number): FloatArray;
  int32(length: number): Int32Array;
}

export const ordinary: Maker = {
  floats: (type, length) => (type === "f32" ? new Float32Array(length) : new Float64Array(length)),
  int32: (length) => new Int32Array(length),
};

const DISTINCT_ELEMENTS = 50_000;

export function makeData(type: Type, size: Size, maker: Maker = ordinary): Data {
  const { outer, classes, inner, features, logits = "normal" } = size;
  if (features !== undefined) return makeLayer(type, { ...size, features }, maker);
  const rows = outer * inner;
  const distinct = Math.min(rows, Math.ceil(DISTINCT_ELEMENTS / classes));
  const next = uniform(rows * 31 + classes);
  // A sum of four uniforms has variance 1/3.
  const normal = (): number => (next() + next() + next() + next() - 2) * Math.sqrt(3) * 4;
  const x = maker.floats(type, rows * classes);
  const targets = maker.int32(rows);
  for (let r = 0; r < rows; r++) {
    const like = r - distinct;
    for (let j = 0; j < classes; j++)
      x[at(size, r, j)] = like < 0 ? LOGITS[logits](normal, j, classes) : x[at(size, like, j)]!;
    targets[r] = like < 0 ? Math.floor(next() * classes) : targets[like]!;
  }
  const [out, picks] = [maker.floats(type, rows * classes), maker.int32(rows)];
  return { ...size, type, rows, distinct, x, targets, out, picks };
}

/** A layer, and room for its logits, or the gradient of its weight. Its numbers have few bits, so that logits are exact. */
function makeLayer(type: Type, size: Size & { readonly features: number }, maker: Maker): Data {
  const { outer: rows, classes, features } = size;
  const next = uniform(rows * 31 + classes);
  const draw = (length: number, scale: number): FloatArray => {
    const values = maker.floats(type, length);
    for (let i = 0; i < length; i++) values[i] = (scale * Math.round(16 * (2 * next() - 1))) / 16;
    return values;
  };
  const targets = maker.int32(rows);
  for (let r = 0; r < rows; r++) targets[r] = Math.floor(next() * classes);
  const [x, weight] = [draw(rows * features, 1), draw(classes * features, 1 / 16)];
  const [out, picks] = [maker.floats(type, classes * Math.max(rows, features)), maker.int32(0)];
  return { ...size, type, rows, distinct: rows, x, targets, weight, out, picks };
}

/** Where class j of row r lies. */
export function at({ classes, inner }: Size, r: number, j: number): number {
  return inner === 1 ? r * classes + j : (Math.floor(r / inner) * classes + j) * inner + (r % inner);
}

/** A number near x, |x| < 16, that a half float holds. */
export const toHalf = (x: number): number => Math.round(x * 64) / 64;

/** Mulberry32: 32 bits of state, the same numbers everywhere. */
function uniform(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
