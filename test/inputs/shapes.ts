// The shapes that every function is tried at: C around every multiple of a vector, an unrolled loop, a block, and where rows are laid
// out in another way; no rows, one, some, more than a block of vectors holds; the class axis last and in the middle.
import type { Layout } from "../oracle/oracle.js";

const lengths = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

const CLASSES = [
  ...lengths(1, 17),
  24,
  25,
  31,
  32,
  33,
  47,
  48,
  49,
  63,
  64,
  65,
  79,
  ...lengths(103, 105),
  ...lengths(127, 137),
  ...lengths(255, 264),
  271,
  272,
];
const ROWS = [0, 1, 2, 3, 4, 5, 17];
const INNER = [3, 4, 7];

export const shapes: Record<string, Layout[]> = {
  "a row": CLASSES.map((classes) => ({ outer: 1, classes, inner: 1 })),
  "a batch": CLASSES.flatMap((classes) => ROWS.map((outer) => ({ outer, classes, inner: 1 }))),
  "an inner axis": CLASSES.flatMap((classes, i) => [
    { outer: ROWS[i % ROWS.length]!, classes, inner: INNER[i % INNER.length]! },
    { outer: 1, classes, inner: INNER[(i + 1) % INNER.length]! },
  ]),
  // 64 rows of f32 and 32 of f64 are the most that are worked on at a time
  "many rows": [
    { outer: 64, classes: 1, inner: 1 },
    { outer: 130, classes: 2, inner: 1 },
    { outer: 65, classes: 4, inner: 1 },
    { outer: 33, classes: 9, inner: 1 },
    { outer: 70, classes: 10, inner: 1 },
    { outer: 97, classes: 16, inner: 1 },
    { outer: 2, classes: 3, inner: 67 },
    { outer: 1, classes: 20, inner: 65 },
  ],
  "long rows": [
    { outer: 2, classes: 4096, inner: 1 },
    { outer: 1, classes: 2999, inner: 1 },
    { outer: 1, classes: 2999, inner: 3 },
  ],
};
