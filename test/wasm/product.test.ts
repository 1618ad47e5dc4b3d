// The products of assembly/product.ts, to the last bit where two roundings are promised, and within the bound of any order where they may be one.
// Each array lies once at the very end of linear memory, where a byte read or written too far traps; the others between bytes that must stay.
import { describe, expect, it } from "vitest";
import { random } from "../inputs/random.js";
import { type Matrix, product, productOfBlocks } from "../oracle/product.js";
import { type Memory, modules } from "./modules.js";

interface Exports extends Memory {
  linear(...args: number[]): void;
  linearGradX(...args: number[]): void;
  linearGradWeight(...args: number[]): void;
  linearGradBias(...args: number[]): void;
}

const types = [
  ["f32", Float32Array, Math.fround],
  ["f64", Float64Array, (value: number) => value],
] as const;

// Every size up to two tiles and more, what is deeper than a panel, higher than a block, wider than a strip, and a power of two apart.
const shapes: (readonly [rows: number, features: number, classes: number])[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 16, 17].flatMap((n) => [
    [n, 5, 3] as const,
    [5, n, 10] as const,
    [3, 6, n] as const,
    [n, n, n] as const,
  ]),
  [1, 1, 300],
  [1, 300, 1],
  [256, 1, 1],
  [250, 3, 2],
  [6, 513, 9],
  [9, 12, 600],
  [31, 64, 256],
  [17, 512, 10],
  [241, 7, 5],
  [2, 3, 290],
];

const names = ["x", "weight", "bias", "g", "gradX", "gradWeight", "gradBias"] as const;
type Name = (typeof names)[number];
const GUARD = 32;

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);

describe.each(modules)("$name", ({ name, runs, instantiate }) => {
  describe.skipIf(!runs).each(types)("%s", (_, T, round) => {
    const exports = runs ? instantiate<Exports>() : ({} as Exports);
    if (runs) exports.memory.grow(64);
    const size = T.BYTES_PER_ELEMENT;

    /** All arrays of a shape, `last` at the end of the memory, and a question whether anything beside them has changed. */
    function arrays(rows: number, features: number, classes: number, stride: number, last: Name | undefined) {
      const { buffer } = exports.memory;
      const draw = random(rows + 7 * features + 31 * classes);
      const lengths: Record<Name, number> = {
        x: rows * features,
        weight: classes * features,
        bias: classes,
        g: (rows - 1) * stride + classes,
        gradX: rows * features,
        gradWeight: classes * features,
        gradBias: classes,
      };
      let next = exports.heapBase();
      const guards: Uint8Array[] = [];
      const place = (name: Name) => {
        const length = lengths[name] * size;
        // Not at multiples of a vector: nothing may depend on it.
        const at = name === last ? buffer.byteLength - length : Math.ceil((next + GUARD) / size) * size;
        if (name !== last) next = at + length + GUARD;
        guards.push(new Uint8Array(buffer, at - GUARD, GUARD));
        if (name !== last) guards.push(new Uint8Array(buffer, at + length, GUARD));
        return new T(buffer, at, lengths[name]);
      };
      const views = Object.fromEntries(names.map((name) => [name, place(name)])) as Record<Name, Float32Array>;
      for (const guard of guards) guard.fill(0xa5);
      for (const view of Object.values(views)) for (let i = 0; i < view.length; i++) view[i] = draw.uniform(-1, 1);
      return { views, guarded: () => guards.every((guard) => guard.every((byte) => byte === 0xa5)) };
    }

    function expectEqual(
      got: Float32Array,
      want: number[],
      a: Matrix,
      b: Matrix,
      cols: number,
      depth: number,
      what: string,
    ) {
      if (name === "simd") {
        expect(Buffer.compare(bytesOf(got), bytesOf(T.from(want))), what).toBe(0);
        return;
      }
      // Any order, any number of roundings: Higham 2002, §3.1.
      const u = size === 4 ? 2 ** -24 : 2 ** -53;
      const isClose = (value: number, at: number) => {
        let magnitude = 1;
        for (let k = 0; k < depth; k++) magnitude += Math.abs(a(Math.floor(at / cols), k) * b(k, at % cols));
        return Math.abs(got[at]! - value) <= 2 * (depth + 2) * u * magnitude;
      };
      expect(got.length === want.length && want.every(isClose), what).toBe(true);
    }

    it("are sums over ascending index, and touch nothing else, wherever the arrays lie", () => {
      for (const [rows, features, classes] of shapes) {
        for (const stride of [classes, classes + 3]) {
          for (const last of [undefined, ...names]) {
            const { views, guarded } = arrays(rows, features, classes, stride, last);
            const { x, weight, bias, g, gradX, gradWeight, gradBias } = views;
            const what = `${rows} × ${features} × ${classes}, stride ${stride}, ${last} last`;
            const before = Object.fromEntries(names.map((name) => [name, Array.from(views[name])])) as Record<
              Name,
              number[]
            >;
            const sizes = [rows, features, classes, stride];
            const G: Matrix = (r, c) => before.g[r * stride + c]!;
            const W: Matrix = (c, d) => before.weight[c * features + d]!;
            const X: Matrix = (r, d) => before.x[r * features + d]!;
            const transposed =
              (m: Matrix): Matrix =>
              (i, j) =>
                m(j, i);
            const zero = () => 0;

            for (const add of [0, 1]) {
              const start: Matrix = add ? (r, d) => before.gradX[r * features + d]! : zero;
              gradX.set(before.gradX);
              exports.linearGradX(size, gradX.byteOffset, g.byteOffset, weight.byteOffset, ...sizes, add);
              const want = product(round, rows, features, classes, G, W, start);
              expectEqual(gradX, want, G, W, features, classes, `gradX of ${what}`);
            }

            exports.linearGradWeight(size, gradWeight.byteOffset, g.byteOffset, x.byteOffset, ...sizes);
            const old: Matrix = (c, d) => before.gradWeight[c * features + d]!;
            const wantWeight = productOfBlocks(round, classes, features, rows, transposed(G), X, old, 256);
            expectEqual(gradWeight, wantWeight, transposed(G), X, features, rows, `gradWeight of ${what}`);

            exports.linearGradBias(size, gradBias.byteOffset, g.byteOffset, rows, classes, stride);
            const one = () => 1;
            const wantBias = productOfBlocks(round, 1, classes, rows, one, G, (_, c) => before.gradBias[c]!, 256);
            expectEqual(gradBias, wantBias, one, G, classes, rows, `gradBias of ${what}`);

            for (const at of [0, bias.byteOffset]) {
              const start: Matrix = at ? (_, c) => before.bias[c]! : zero;
              exports.linear(size, g.byteOffset, x.byteOffset, weight.byteOffset, at, ...sizes);
              const want = product(round, rows, classes, features, X, transposed(W), start);
              const got = new T(rows * classes);
              for (let r = 0; r < rows; r++) got.set(g.subarray(r * stride, r * stride + classes), r * classes);
              expectEqual(got as Float32Array, want, X, transposed(W), classes, features, `linear of ${what}`);
              const between = Array.from(g).filter((_, i) => i % stride >= classes);
              expect(between).toEqual(before.g.filter((_, i) => i % stride >= classes));
            }
            for (const input of ["x", "weight", "bias"] as const)
              expect(Array.from(views[input])).toEqual(before[input]);
            expect(guarded(), what).toBe(true);
          }
        }
      }
    });
  });
});
