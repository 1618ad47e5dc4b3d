// Rows of logits of every class that has hurt somebody, and the containers they come in.
import type { Random } from "./random.js";

export type Values = Float32Array | Float64Array | number[];

export const containers = ["Float32Array", "Float64Array", "number[]"] as const;
export type Container = (typeof containers)[number];

export function toContainer(values: ArrayLike<number>, container: Container): Values {
  if (container === "Float32Array") return Float32Array.from(values);
  return container === "Float64Array" ? Float64Array.from(values) : Array.from(values);
}

export function copyOf<T extends Values>(values: T): T {
  return values.slice() as T;
}

/** The nearest number that a container can hold. */
export function rounded(x: number, container: Container): number {
  return container === "Float32Array" ? Math.fround(x) : x;
}

export const valueClasses = [
  "normal",
  "grid",
  "equal",
  "dominant",
  "offset",
  "masked",
  "tail",
  "edge",
  "subnormal",
  "neighbours",
  "sorted",
  "special",
] as const;
export type ValueClass = (typeof valueClasses)[number];

/** Where e^x over- and underflows: f32 (maximum, smallest normal, smallest subnormal), then f64. */
const EDGES = [88.72284, -87.33655, -103.97208, 709.782712893384, -708.3964185322641, -745.1332191019411];

export function drawRow(random: Random, classes: number, values: ValueClass, container: Container): number[] {
  const single = container === "Float32Array";
  const normals = Array.from({ length: classes }, () => 3 * random.normal());
  const sign = random.pick([1, -1]);
  const special = random.integer(0, classes - 1);
  const draw: Record<ValueClass, () => number[]> = {
    normal: () => normals,
    // few bits, so that sums and differences of them are exact
    grid: () => normals.map((x) => Math.round(x * 256) / 256),
    equal: () => normals.fill(random.pick([0, 1, -1, 1e4, -1e8, 88.72, 0.1])),
    dominant: () =>
      normals.map((x, j) => (j === special ? x + random.pick(single ? [15, 50, 95] : [30, 200, 720]) : x)),
    offset: () => {
      const offset = random.pick([1e4, -1e4, 1e8, -1e8]);
      return normals.map((x) => x + offset);
    },
    masked: () => normals.map((x, j) => (j !== special && random.chance() ? Number.NEGATIVE_INFINITY : x)),
    // the largest is 0, the others have probabilities around the smallest normal and subnormal numbers
    tail: () => normals.map((_, j) => (j === special ? 0 : random.uniform(...(single ? [-110, -84] : [-750, -700])))),
    edge: () => {
      const base = random.pick([0, ...EDGES]);
      return normals.map(
        () => base + (random.chance(0.3) ? 0 : random.pick(EDGES) * (1 + random.integer(-3, 3) * 2 ** -23)),
      );
    },
    // numbers below the normal range, of both signs, and zeros of both signs
    subnormal: () => normals.map((x) => Math.round(100 * x) * (single ? 2 ** -149 : 2 ** -1074)),
    // a few units in the last place apart
    neighbours: () => {
      const base = random.pick([1, -1, 1e4, 88.72283, 0.1]);
      return normals.map((x) => base * (1 + Math.round(x) * (single ? 2 ** -23 : 2 ** -52)));
    },
    sorted: () => normals.sort((a, b) => sign * (a - b)),
    // one or two of what is not an ordinary number
    special: () => {
      for (let n = random.integer(1, 2); n > 0; n--) {
        normals[random.integer(0, classes - 1)] = random.pick([NaN, Infinity, -Infinity]);
      }
      return normals;
    },
  };
  return draw[values]().map((x) => rounded(x, container));
}
