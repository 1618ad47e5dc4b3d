// The products of a linear layer. An output adds up n terms, each of which is rounded at most n times on its way: its error is at most n·u times the sum
// of their absolute values, u = 2^−24 or 2^−53. Largest errors in that unit, for gradients of a hinge, which are whole numbers: what is measured is
// the product's own.
import type { Functions } from "softmargin";
import type { Floats } from "../catalogue/entries/entry.js";
import { random } from "../inputs/random.js";
import { add, multiply, type Real, real, subtract } from "../oracle/real.js";
import type { Type } from "./ulp.js";

/** Rows, features, classes. */
export const SIZES: readonly (readonly [number, number, number])[] = [
  [600, 4, 3],
  [20, 784, 10],
  [3, 4096, 5],
  [3, 20, 2000],
];

export type LayerErrors = Readonly<Record<"linear" | "gradWeight" | "gradX", number>>;

export function measureLayer(functions: Functions, type: Type, size: readonly [number, number, number]): LayerErrors {
  const [rows, features, classes] = size;
  const { uniform } = random(rows + features + classes);
  const Kind = type === "f32" ? Float32Array : Float64Array;
  // All bits of a double.
  const draw = (n: number) => new Kind(n).map(() => uniform(-1, 1) + uniform(0, 2 ** -31)) as Float32Array;
  const [x, weight] = [draw(rows * features), draw(classes * features)];
  const targets = Int32Array.from({ length: rows }, (_, r) => r % classes);
  const logits = functions.linear(x, weight, { shape: [rows, features] });
  const reduction = "sum";
  const { grad } = functions.hingeGrad(logits, targets, { reduction });
  const { gradWeight, gradX } = functions.linearHingeGrad(x, weight, targets, { reduction, gradX: true });
  return {
    linear: worst(type, logits, features, (i, k) => [
      x[Math.floor(i / classes) * features + k]!,
      weight[(i % classes) * features + k]!,
    ]),
    gradWeight: worst(type, gradWeight, rows, (i, k) => [
      grad[k * classes + Math.floor(i / features)]!,
      x[k * features + (i % features)]!,
    ]),
    gradX: worst(type, gradX!, classes, (i, k) => [
      grad[Math.floor(i / features) * classes + k]!,
      weight[k * features + (i % features)]!,
    ]),
  };
}

/** The largest |error| / n u Σ |a b| of sums of n products. */
function worst(type: Type, got: Floats, n: number, term: (i: number, k: number) => readonly [number, number]): number {
  const u = type === "f32" ? 2 ** -24 : 2 ** -53;
  let largest = 0;
  for (let i = 0; i < got.length; i++) {
    let exact: Real = real(0);
    let size = 0;
    for (let k = 0; k < n; k++) {
      const [a, b] = term(i, k);
      exact = add(exact, multiply(real(a), real(b)));
      size += Math.abs(a * b);
    }
    const error = Math.abs(subtract(real(got[i]!), exact).hi);
    largest = Math.max(
      largest,
      error === 0 ? 0 : Number.isNaN(error) ? Number.POSITIVE_INFINITY : error / (n * u * size),
    );
  }
  return largest;
}
