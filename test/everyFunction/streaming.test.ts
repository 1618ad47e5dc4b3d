// Inputs many times larger than any block that is computed at once: what comes out is what the rows give one by one, and memory
// does not grow with their number.
import { afterEach, describe, expect, it, vi } from "vitest";
import { onEveryBackend } from "../catalogue/backends.js";
import { rowLosses } from "../catalogue/functions.js";
import { random } from "../inputs/random.js";
import { ONE, real, subtract, sum } from "../oracle/real.js";

/** Logits of a cheap distribution, a few of them far out. */
function logitsOf(n: number, seed: number): Float32Array {
  const draw = random(seed);
  return Float32Array.from({ length: n }, () => draw.uniform(-8, 8) * (draw.chance(0.01) ? 10 : 1));
}

/** What a gradient finds in the array that it is given, if it is given one, and whether it is added to that. */
const DESTINATIONS = [
  { before: undefined, accumulate: false },
  { before: 2, accumulate: false },
  { before: 2, accumulate: true },
] as const;
const filled = (before: number | undefined, n: number) =>
  before === undefined ? {} : { grad: new Float32Array(n).fill(before) };

onEveryBackend(({ api, name }) => {
  const { softmax, logSoftmax, logSumExp, crossEntropy, crossEntropyGrad, hingeGrad } = api;

  /** Bit for bit on the deterministic backend, to rounding on the others. */
  function expectRow(
    got: ArrayLike<number>,
    start: number,
    stride: number,
    want: ArrayLike<number>,
    row: number,
  ): void {
    for (let j = 0; j < want.length; j++) {
      const [a, b] = [got[start + j * stride]!, want[j]!];
      if (name === "simd" ? !Object.is(a, b) : !(Math.abs(a - b) <= 2 ** -20 * Math.max(1, Math.abs(b)))) {
        expect(`row ${row}, class ${j}: ${a}`).toBe(`row ${row}, class ${j}: ${b}`);
      }
    }
  }

  describe("300,000 rows of 10", () => {
    const [rows, classes] = [300_000, 10];
    const x = logitsOf(rows * classes, 1);
    const targets = Uint8Array.from({ length: rows }, (_, r) => (r * 7) % classes);
    const options = { shape: [rows, classes] };
    const rowOf = (r: number) => x.subarray(r * classes, (r + 1) * classes);

    it.each([
      ["softmax", softmax],
      ["logSoftmax", logSoftmax],
    ])("%s", (_, f) => {
      const y = f(x, options);
      for (let r = 0; r < rows; r += 3) expectRow(y, r * classes, 1, f(rowOf(r)), r);
    });

    it("logSumExp", () => {
      const lse = logSumExp(x, options);
      for (let r = 0; r < rows; r += 7) expectRow(lse, r, 1, logSumExp(rowOf(r)), r);
    });

    it.each(rowLosses)("%sGrad", (name) => {
      const f = api[`${name}Grad`];
      const { loss, grad } = f(x, targets, { reduction: "none" });
      for (let r = 0; r < rows; r += 7) {
        const row = f(rowOf(r), [targets[r]!], { reduction: "none" });
        expectRow(loss, r, 1, row.loss, r);
        expectRow(grad, r * classes, 1, row.grad, r);
      }
    });

    it("class probabilities, weights, an accumulated gradient", () => {
      const t = softmax(logitsOf(rows * classes, 2), options);
      const weight = Float32Array.from({ length: classes }, (_, j) => 1 + j / 8);
      const sampleWeight = Float32Array.from({ length: rows }, (_, r) => (r % 5) / 4);
      const common = { reduction: "none", weight, labelSmoothing: 0.1 } as const;
      const grad = new Float32Array(rows * classes).fill(1);
      crossEntropyGrad(x, t, { ...options, ...common, sampleWeight, grad, accumulate: true });
      for (let r = 0; r < rows; r += 17) {
        const own = new Float32Array(classes).fill(1);
        const row = { grad: own, accumulate: true, sampleWeight: sampleWeight.subarray(r, r + 1) };
        crossEntropyGrad(rowOf(r), t.subarray(r * classes, (r + 1) * classes), { shape: [classes], ...common, ...row });
        expectRow(grad, r * classes, 1, own, r);
      }
    });

    it("a mean in row order in f64", () => {
      const losses = crossEntropy(Float64Array.from(x), targets, { reduction: "none" });
      let sum = 0;
      for (const loss of losses) sum += loss;
      expect(crossEntropy(Float64Array.from(x), targets, { reduction: "sum" }) / sum).toBeCloseTo(1, 12);
      expect(crossEntropy(Float64Array.from(x), targets) / (sum / rows)).toBeCloseTo(1, 12);
    });

    it("in place", () => {
      const y = softmax(x, options);
      const z = x.slice();
      expect(softmax(z, { ...options, out: z })).toBe(z);
      expectRow(z, 0, 1, y, 0);
    });
  });

  describe.each([
    [100_000, 10],
    [1000, 700],
  ])("%i rows of %i, hinge", (rows, classes) => {
    const x = logitsOf(rows * classes, 5);
    const targets = Int32Array.from({ length: rows }, (_, r) => (r % 9 === 0 ? -100 : (r * 7) % classes));
    const sampleWeight = Float32Array.from({ length: rows }, (_, r) => (r % 5) / 4);
    x[7 * classes] = Number.NaN;

    it.each(["weston-watkins", "crammer-singer"] as const)("%s: the gradient new, given, accumulated", (form) => {
      for (const { before, accumulate } of DESTINATIONS) {
        const options = { form, accumulate, reduction: "sum" } as const;
        const { grad } = hingeGrad(x, targets, { ...options, ...filled(before, rows * classes), sampleWeight });
        for (let r = 0; r < rows; r += 1 + (r >> 6)) {
          const row = x.subarray(r * classes, (r + 1) * classes);
          const own = { ...options, ...filled(before, classes), sampleWeight: sampleWeight.subarray(r, r + 1) };
          expectRow(grad, r * classes, 1, hingeGrad(row, [targets[r]!], own).grad, r);
        }
      }
    });
  });

  describe("rows of 262,144", () => {
    const [rows, classes] = [3, 262_144];
    const x = logitsOf(rows * classes, 3);

    it.each(["Float32Array", "Float64Array"])("%s", (kind) => {
      const values = (kind === "Float32Array" ? x : Float64Array.from(x)) as Float32Array;
      const y = softmax(values, { shape: [rows, classes] });
      const { grad } = crossEntropyGrad(values, [0, 5, classes - 1], { reduction: "sum" });
      for (let r = 0; r < rows; r++) {
        const row = values.subarray(r * classes, (r + 1) * classes);
        expectRow(y, r * classes, 1, softmax(row), r);
        const target = [0, 5, classes - 1][r]!;
        expectRow(grad, r * classes, 1, crossEntropyGrad(row, [target]).grad, r);
        // summed in 30 digits
        const total = sum(Array.from(y.subarray(r * classes, (r + 1) * classes), real));
        const off = Math.abs(subtract(total, ONE).hi);
        if (name === "simd") expect(off).toBeLessThan(kind === "Float32Array" ? 4e-7 : 1e-15);
      }
    });
  });

  describe("(2, 21, 200, 200) along axis 1", () => {
    const shape = [2, 21, 200, 200];
    const [outer, classes, inner] = [2, 21, 40_000];
    const x = logitsOf(outer * classes * inner, 4);
    const targets = Int32Array.from({ length: outer * inner }, (_, r) => (r % 9 === 0 ? 255 : r % classes));

    it("softmax and the losses of every pixel", () => {
      const y = softmax(x, { shape, axis: 1 });
      const options = { shape, ignoreIndex: 255, reduction: "none" } as const;
      const losses = rowLosses.map((name) => [api[`${name}Grad`](x, targets, options), api[`${name}Grad`]] as const);
      const pixel = new Float32Array(classes);
      for (let r = 0; r < outer * inner; r += 7) {
        const start = Math.floor(r / inner) * classes * inner + (r % inner);
        for (let j = 0; j < classes; j++) pixel[j] = x[start + j * inner]!;
        expectRow(y, start, inner, softmax(pixel), r);
        for (const [all, f] of losses) {
          const own = f(pixel, [targets[r]!], { ignoreIndex: 255, reduction: "none" });
          expectRow(all.loss, r, 1, own.loss, r);
          expectRow(
            all.grad,
            start,
            inner,
            own.grad.map((g) => g + 0),
            r,
          );
        }
      }
    });
  });

  describe("(2, 60, 1500) along axis 1, more classes than are computed side by side", () => {
    const shape = [2, 60, 1500];
    const [outer, classes, inner] = [2, 60, 1500];
    const x = logitsOf(outer * classes * inner, 6);
    const targets = Int32Array.from({ length: outer * inner }, (_, r) => (r % 9 === 0 ? -100 : (r * 7) % classes));
    const common = { shape, reduction: "sum" } as const;

    it.each([
      ...rowLosses.map((name) => [name, name, {}] as const),
      ["Crammer–Singer", "hinge", { form: "crammer-singer" }],
    ] as const)("%s: the gradient new, given, accumulated", (_, name, kind) => {
      const f = api[`${name}Grad`];
      for (const { before, accumulate } of DESTINATIONS) {
        const { grad } = f(x, targets, { ...common, ...kind, accumulate, ...filled(before, x.length) });
        for (let r = 0; r < outer * inner; r += 7) {
          const start = Math.floor(r / inner) * classes * inner + (r % inner);
          const row = Float32Array.from({ length: classes }, (_, j) => x[start + j * inner]!);
          const own = f(row, [targets[r]!], { reduction: "sum", ...kind, accumulate, ...filled(before, classes) });
          expectRow(grad, start, inner, own.grad, r);
        }
      }
    });
  });

  describe("memory", () => {
    const { Memory } = Reflect.get(globalThis, "WebAssembly") as {
      Memory: { prototype: { grow(pages: number): number } };
    };
    afterEach(() => {
      vi.restoreAllMocks();
    });

    it("does not grow with the number of rows, nor twice for the same row", () => {
      const long = new Float32Array(400_000);
      const warm = () => {
        softmax(long);
        for (const name of rowLosses) api[`${name}Grad`](long, [3]);
      };
      warm();
      const grow = vi.spyOn(Memory.prototype, "grow");
      for (const rows of [1, 1000, 400_000]) {
        const x = new Float32Array(rows * 10);
        softmax(x, { shape: [rows, 10] });
        softmax(x, { shape: [10, rows], axis: 0 });
        for (const name of rowLosses) {
          api[`${name}Grad`](x, new Int32Array(rows));
          api[`${name}Grad`](Float64Array.from(x), new Int32Array(rows));
        }
      }
      warm();
      expect(grow).not.toHaveBeenCalled();
    });

    it.skipIf(name === "baseline")("that cannot grow is a RangeError or no matter, and the next call is right", () => {
      const x = logitsOf(3_000_000, 5);
      const want = softmax(x.subarray(0, 1000));
      vi.spyOn(Memory.prototype, "grow").mockImplementation(() => {
        throw new RangeError("WebAssembly.Memory.grow(): Maximum memory size exceeded");
      });
      const grad = new Float32Array(x.length).fill(5);
      try {
        expect(crossEntropyGrad(x, [7], { grad }).loss).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        expect((error as RangeError).message).toMatch(/memory/i);
        expect(grad.every((g) => g === 5)).toBe(true);
      }
      expectRow(softmax(x.subarray(0, 1000)), 0, 1, want, 0);
      vi.restoreAllMocks();
      expectRow(softmax(x), 0, 1, softmax(x), 0);
      expectRow(softmax(x.subarray(0, 1000)), 0, 1, want, 0);
    });
  });
});
