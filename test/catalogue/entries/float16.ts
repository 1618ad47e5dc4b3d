import type { Entries } from "./entry.js";

/** All 65,536 of its values are tested (test/functions/float16.test.ts). */
export const float16: Entries<"float16ToFloat32"> = {
  float16ToFloat32: {
    first: "bits",
    positional: ["x"],
    options: ["out"],
    // Bits of half floats, no infinities nor NaN.
    own: { x: ({ rows, classes }) => Uint16Array.from({ length: rows * classes }, (_, i) => (i * 40_503) & 0xbfff) },
    ops: [],
    measured: [],
  },
};
