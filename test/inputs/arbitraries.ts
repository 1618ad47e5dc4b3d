// What fast-check draws: shapes that crowd around the places where rows are laid out in another way, filled with rows of every class of
// values. Everything drawn follows from a few integers, so that a counterexample shrinks to a small shape and prints in a line.
import fc from "fast-check";
import type { Layout } from "../oracle/oracle.js";
import { defined, type Problem } from "./draw.js";
import { type Random, random } from "./random.js";
import {
  type Container,
  containers,
  drawRow,
  toContainer,
  type ValueClass,
  type Values,
  valueClasses,
} from "./values.js";

export const container: fc.Arbitrary<Container> = fc.constantFrom(...containers);
export const seed: fc.Arbitrary<number> = fc.nat();

/** 1 … 2 · lanes + 1 of both types, the sides of a chunk, of narrow and wide rows and of a panel, primes, and anything else. */
export const classCount: fc.Arbitrary<number> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 9 }) },
  { weight: 4, arbitrary: fc.integer({ min: 10, max: 40 }) },
  { weight: 4, arbitrary: fc.constantFrom(15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 95, 96, 97, 103, 104, 105) },
  { weight: 2, arbitrary: fc.constantFrom(127, 128, 129, 191, 192, 193, 255, 256, 257, 263, 500) },
  { weight: 1, arbitrary: fc.integer({ min: 41, max: 700 }) },
  { weight: 1, arbitrary: fc.constantFrom(1009, 1023, 1024, 1025, 2053) },
);

/** Among them more than are worked on at a time. */
const rowCount = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(1, 3, 4, 5, 17) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 20 }) },
  { weight: 1, arbitrary: fc.constantFrom(31, 33, 64, 65, 130) },
);
const values = fc.constantFrom(...valueClasses);

/** How many elements the oracle gets at once. */
const MOST = 6000;

/** A batch of rows of one class of values. */
export interface Batch {
  readonly rows: number[][];
  readonly x: Values;
  readonly shape: number[];
  readonly classes: number;
  readonly container: Container;
  readonly values: ValueClass;
  readonly draw: Random;
}

export function batchOf(classes: ValueClass[]): fc.Arbitrary<Batch> {
  return fc
    .record({ container, classes: classCount, rows: rowCount, seed, values: fc.constantFrom(...classes) })
    .map((given) => {
      const draw = random(given.seed);
      const count = Math.max(1, Math.min(given.rows, Math.floor(MOST / given.classes)));
      const rows = Array.from({ length: count }, () => drawRow(draw, given.classes, given.values, given.container));
      return { ...given, rows, x: toContainer(rows.flat(), given.container), shape: [count, given.classes], draw };
    });
}

export const batch: fc.Arbitrary<Batch> = batchOf([...valueClasses]);

/** What a function of the catalogue draws its arguments from. */
export const problem: fc.Arbitrary<Omit<Problem, "random"> & { seed: number }> = fc
  .record({
    container,
    classes: classCount,
    outer: fc.oneof(fc.constantFrom(0, 1, 3, 4, 5, 17), fc.integer({ min: 1, max: 9 })),
    inner: fc.oneof(fc.constant(1), fc.constantFrom(1, 3, 4, 7), fc.integer({ min: 1, max: 9 })),
    seed,
    values,
  })
  .map(({ outer, classes, inner, ...rest }) => ({ ...rest, layout: limited({ outer, classes, inner }) }));

function limited({ outer, classes, inner }: Layout): Layout {
  const across = Math.max(1, Math.min(inner, Math.floor(MOST / classes)));
  return { outer: Math.min(outer, Math.max(1, Math.floor(MOST / (classes * across)))), classes, inner: across };
}

/** Options of a loss and its gradient that say what the defaults say. */
export function nothing(rows: number, classes: number, container: Container): object {
  const ones = (n: number) => toContainer(Array<number>(n).fill(1), container);
  return defined({
    weight: ones(classes),
    sampleWeight: ones(rows),
    ignoreIndex: -100,
    axis: 1,
    reduction: "mean" as const,
    gradOutput: 1,
    accumulate: false,
  });
}
