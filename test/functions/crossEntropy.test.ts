import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { onEveryBackend } from "../catalogue/backends.js";
import { rowLosses } from "../catalogue/functions.js";
import { random } from "../inputs/random.js";
import { toContainer } from "../inputs/values.js";
import { expectClose, expectNear, expectSameBits, SINGLE } from "../oracle/expectClose.js";
import { flatten, crossEntropy as oracle, rowsOf } from "../oracle/oracle.js";

interface OnnxOptions {
  readonly reduction?: "none" | "sum" | "mean";
  readonly weight?: number[];
  readonly ignoreIndex?: number;
}

const INF = Number.POSITIVE_INFINITY;
const NAN = Number.NaN;

onEveryBackend(({ api }) => {
  const { crossEntropy, crossEntropyGrad } = api;

  describe("goldens", () => {
    it.each([2, 3, 10, 1000])("of %i equal logits is log C", (classes) => {
      for (const value of [0, 3, -1e4, 1e8]) {
        const logits = Array<number>(classes).fill(value);
        expectNear(crossEntropy(logits, [1]), Math.log(classes), 4e-16);
        expectNear(crossEntropy(Float32Array.from(logits), [1]), Math.log(classes), 1.2e-7);
      }
    });

    it("keeps differences under a huge common offset (pytorch#11752: 0)", () => {
      expectNear(crossEntropy(new Float32Array([1e8, 1e8]), [0]), Math.LN2, 1e-7);
      // google-deepmind/optax#1792: 0
      expectNear(crossEntropy([1e8, 1e8, 1e8], [2]), Math.log(3), 1e-15);
      expectNear(crossEntropy([1e4 + 2, 1e4 - 1], [0]), 0.04858735157374206, 1e-14);
    });

    it("is not −0, be a weight so, nor its gradient", () => {
      for (const x of [Float32Array.of(1, 2, 3), Float64Array.of(1, 2, 3)])
        for (const labelSmoothing of [0, 0.1])
          for (const given of [{ weight: [-0, -0, -0] }, { sampleWeight: [-0] }]) {
            const weight = given.weight && (x instanceof Float32Array ? Float32Array.from(given.weight) : given.weight);
            const { loss, grad } = crossEntropyGrad(x, [1], { ...given, weight, labelSmoothing, reduction: "none" });
            expect([...loss, ...grad]).toEqual([0, 0, 0, 0]);
          }
    });

    it("keeps full precision as the probability approaches 1", () => {
      // naive: 0
      const { loss, grad } = crossEntropyGrad(new Float32Array([20, 0, 0]), [0]);
      expectNear(loss, 4.1223072e-9, 2e-7);
      expectNear(grad, [-4.1223072e-9, 2.0611536e-9, 2.0611536e-9], 2e-7);
      // tensorflow#126525: the components do not sum to 0
      expectNear(crossEntropyGrad([40, 0], [0]).grad, [-4.248354255291589e-18, 4.248354255291589e-18], 1e-15);
      expectNear(crossEntropy(new Float32Array([87, 0]), [0]), Math.exp(-87), 1e-6);
      // also where the class is given as probabilities
      for (const others of [1, 100]) {
        const rest = Array.from({ length: others }, () => 0);
        const { grad } = crossEntropyGrad([...rest, 40], new Float64Array([...rest, 1]), { shape: [others + 1] });
        expectNear(grad[others] as number, -4.248354255291589e-18 * others, 1e-13);
      }
    });

    it("with class weights divides by their sum over the targets (pytorch#25571)", () => {
      const logits = [0.2, 0.3, 0.5, 0.5, 0.2, 0.3];
      const weight = [2, 4, 6];
      for (const container of ["Float32Array", "number[]"] as const) {
        const x = toContainer(logits, container);
        expectNear(crossEntropy(x, [2, 1], { weight, reduction: "none" }), [5.639, 4.9593], 1e-5);
        expectNear(crossEntropy(x, [2, 1], { weight, reduction: "sum" }), 10.5983, 1e-5);
        expectNear(crossEntropy(x, [2, 1], { weight }), 1.0598, 3e-5);
        expectNear(crossEntropy(x, [2, 1], { weight, meanOver: "count" }), 10.5983 / 2, 1e-5);
      }
    });

    it("of the three images of the CS231n notes", () => {
      const scores = [3.2, 5.1, -1.7, 1.3, 4.9, 2, 2.2, 2.5, -3.1];
      expectNear(crossEntropy(scores, [0, 1, 2], { reduction: "none" }), [2.040355, 0.079132, 6.156477], 1e-5);
    });

    it("is 0 · (−log 0) = 0 for a probability of 0 on a masked class (google-deepmind/optax#896: NaN)", () => {
      const { loss, grad } = crossEntropyGrad([1, -INF, 1], new Float64Array([0.5, 0, 0.5]), { shape: [3] });
      expectNear(loss, Math.LN2, 1e-15);
      expectNear(grad.map(Math.abs), [0, 0, 0]);
    });

    it("is +0 where the class weight is 0 or −0, be the target masked", () => {
      for (const weight of [
        [0, 1],
        [-0, 1],
      ]) {
        const options = { weight, reduction: "none" } as const;
        expect(crossEntropy([-INF, 0], [0], options)).toEqual([0]);
        expect(crossEntropy([1, 2], [0], options)).toEqual([0]);
        expect(crossEntropy(new Float32Array([-INF, 0]), [0], options)).toEqual(new Float32Array([0]));
      }
    });

    it("has a gradient of +0 where the weight of the sample is 0 or −0, be the row NaN", () => {
      for (const x of [
        [1, 2],
        [Number.NaN, 0],
      ])
        for (const sampleWeight of [[0], [-0]]) {
          expect(crossEntropyGrad(x, [0], { sampleWeight }).grad).toEqual([0, 0]);
          expect(crossEntropyGrad(x, new Float64Array([0.5, 0.5]), { shape: [2], sampleWeight }).grad).toEqual([0, 0]);
        }
    });

    it("with smoothing mixes in ε/C of every class, not ε/(C − 1)", () => {
      // tinygrad#3570, paiml/aprender#2199; 0.9 log(1 + 2/e) + 0.1/3 (log(1 + 2/e) + 2 log(e + 2))
      const nll = Math.log1p(2 / Math.E);
      const loss = 0.9 * nll + (0.1 / 3) * (nll + 2 * (nll + 1));
      expectNear(crossEntropy([1, 0, 0], [0], { labelSmoothing: 0.1 }), loss, 1e-15);
      expectNear(
        crossEntropy([1, 0, 0], new Float64Array([1, 0, 0]), { shape: [3], labelSmoothing: 0.1 }),
        loss,
        1e-15,
      );
    });
  });

  // The configurations of ONNX's published cases for SoftmaxCrossEntropyLoss: uniform logits in [0, 1) of this shape, uniform
  // labels in [0, 5), the first label replaced by the ignored one where there is one.
  describe("ONNX SoftmaxCrossEntropyLoss", () => {
    const w1 = [0.9, 0.7, 0.8, 0.9, 0.9];
    const w2 = [0.2, 0.3, 0.6, 0.1, 0.5];
    it.each<[string, number[], OnnxOptions]>([
      ["none", [3, 5], { reduction: "none" }],
      ["none_weights", [3, 5], { reduction: "none", weight: w1 }],
      ["sum", [3, 5], { reduction: "sum" }],
      ["mean", [3, 5], {}],
      ["mean_3d", [3, 5, 2], {}],
      ["mean_weight", [3, 5], { weight: w1 }],
      ["mean_weight_ii", [3, 5], { weight: w1, ignoreIndex: 0 }],
      ["mean_no_weight_ii", [3, 5], { ignoreIndex: 2 }],
      ["mean_weight_ii_3d", [3, 5, 2], { weight: w2, ignoreIndex: 1 }],
      ["mean_no_weight_ii_3d", [3, 5, 2], { ignoreIndex: 2 }],
      ["mean_weight_ii_4d", [3, 5, 2, 7], { weight: w2, ignoreIndex: 2 }],
      ["mean_no_weight_ii_4d", [3, 5, 2, 7], { ignoreIndex: 2 }],
      ["NCd1_mean_weight_negative_ii", [3, 5, 6], { weight: w2, ignoreIndex: -1 }],
      ["NCd1d2d3_none_no_weight_negative_ii", [3, 5, 6, 6, 5], { reduction: "none", ignoreIndex: -5 }],
      ["NCd1d2d3_sum_weight_high_ii", [3, 5], { reduction: "sum", weight: w2, ignoreIndex: 10 }],
      ["NCd1d2d3d4d5_mean_weight", [3, 5, 6, 6, 5, 3, 4], { weight: w2 }],
      ["NCd1d2d3d4d5_none_no_weight", [3, 5, 6, 6, 5, 3, 4], { reduction: "none" }],
    ])("sce_%s", (_, shape, options) => {
      const draw = random(0);
      const [outer = 0, classes = 0, ...rest] = shape;
      const layout = { outer, classes, inner: rest.reduce((a, b) => a * b, 1) };
      const rows = outer * layout.inner;
      const x = Float32Array.from({ length: rows * classes }, () => draw.uniform());
      const labels = Array.from({ length: rows }, () => draw.integer(0, 4));
      if (options.ignoreIndex !== undefined) labels[0] = options.ignoreIndex;
      const given = { ...options, shape };

      const want = oracle(rowsOf(x, layout), labels, options, SINGLE);
      const { loss, grad } = crossEntropyGrad(x, BigInt64Array.from(labels, BigInt), given);
      expectClose(typeof loss === "number" ? [loss] : loss, want.loss, SINGLE, () => "loss");
      expectClose(grad, flatten(want.grad, layout), SINGLE, () => "grad");
    });
  });

  describe("targets", () => {
    const logits = new Float32Array([1, 2, 3, 4, 5, 6]);

    it.each([Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array])(
      "may be a %o",
      (Kind) => {
        expect(crossEntropy(logits, Kind.from([2, 0]))).toBe(crossEntropy(logits, [2, 0]));
      },
    );

    it("may be a BigInt64Array or a BigUint64Array", () => {
      expect(crossEntropy(logits, new BigInt64Array([2n, 0n]))).toBe(crossEntropy(logits, [2, 0]));
      expect(crossEntropy(logits, new BigUint64Array([2n, 0n]))).toBe(crossEntropy(logits, [2, 0]));
    });

    it("may be of another realm, a single one in the middle of its buffer", () => {
      const targets = runInNewContext("new Int32Array([9, 2, 9]).subarray(1, 2)") as Int32Array;
      expect(crossEntropy(new Float32Array([1, 2, 4]), targets)).toBe(crossEntropy(new Float32Array([1, 2, 4]), [2]));
    });

    it("default to the shape [targets.length, C]", () => {
      expect(crossEntropy(logits, [1, 2])).toBe(crossEntropy(logits, [1, 2], { shape: [2, 3] }));
      expect(crossEntropy(logits, [1, 0, 1])).toBe(crossEntropy(logits, [1, 0, 1], { shape: [3, 2] }));
    });

    it("have the classes along the second of more than two dimensions", () => {
      // (N, C, d) = (1, 3, 2): columns [1, 3, 5] and [2, 4, 6]
      const columns = crossEntropy([1, 3, 5, 2, 4, 6], [2, 0], { reduction: "none" });
      expect(crossEntropy([1, 2, 3, 4, 5, 6], [2, 0], { shape: [1, 3, 2], reduction: "none" })).toEqual(columns);
    });
  });

  describe("reduction", () => {
    const logits = new Float64Array([1, 2, 3, 4, 0, 0]);
    const [first, second] = [Math.log1p(Math.exp(-1)), Math.log1p(Math.exp(-1)) + 1];

    it("is the mean unless said otherwise", () => {
      expectNear(crossEntropy(logits, [1, 0, 0]), (first + second + Math.LN2) / 3, 1e-15);
    });

    it("none gives an array of the logits' kind", () => {
      expect(crossEntropy(logits, [1, 0, 0], { reduction: "none" })).toBeInstanceOf(Float64Array);
      expect(crossEntropy(Float32Array.from(logits), [1, 0, 0], { reduction: "none" })).toBeInstanceOf(Float32Array);
      const list = crossEntropy(Array.from(logits), [1, 0, 0], { reduction: "none" });
      expect(Array.isArray(list)).toBe(true);
      expectNear(list, [first, second, Math.LN2], 1e-15);
      expect(crossEntropyGrad(Array.from(logits), [1, 0, 0], { reduction: "none" }).loss).toEqual(list);
    });

    it.each<[{ meanOver: "weights" | "count" | "all" }, number]>([
      [{ meanOver: "weights" }, 2 * 3 + 1 * 0.5],
      [{ meanOver: "count" }, 2],
      [{ meanOver: "all" }, 3],
    ])("%o", (options, denominator) => {
      // the second row is ignored
      const given = { ...options, weight: [0.5, 3], sampleWeight: [2, 9, 1], ignoreIndex: 7 };
      const sum = 2 * 3 * first + 1 * 0.5 * Math.LN2;
      expectNear(crossEntropy(logits, [1, 7, 0], given), sum / denominator, 1e-15);
    });

    it("of probabilities divides by all rows (pytorch#107680) unless told to use the weights", () => {
      const t = new Float64Array([0, 1, 0, 0.5, 1, 0]);
      const options = { shape: [3, 2], weight: [1, 3], sampleWeight: [1, 2, 0] };
      const sum = 3 * first + 2 * 0.5 * 3 * (second - 1);
      expectNear(crossEntropy(logits, t, options), sum / 3, 1e-15);
      expectNear(crossEntropy(logits, t, { ...options, meanOver: "weights" }), sum / (3 + 2 * 1.5), 1e-15);
      expectNear(crossEntropy(logits, t, { ...options, meanOver: "count" }), sum / 3, 1e-15);
    });

    it.each([10, 3000, 100_000])("of %i classes divides by an accurate sum of the probabilities", (classes) => {
      const t = new Float64Array(classes).fill(1 / classes);
      const options = { shape: [1, classes], meanOver: "weights" } as const;
      expectNear(crossEntropy(new Float64Array(classes), t, options), Math.log(classes), 4 * 2 ** -52);
    });

    it.each([1, 2, 10])("of more rows of %i classes than fit into a block, with factors for each", (classes) => {
      const rows = 30_000;
      const draw = random(classes);
      const logits = Float32Array.from({ length: rows * classes }, () => draw.uniform());
      const targets = Int32Array.from({ length: rows }, () => draw.integer(0, classes - 1));
      const [sampleWeight, gradOutput] = [0, 1].map(() => Float64Array.from({ length: rows }, () => draw.uniform()));
      const part = (from: number, to: number) => ({
        logits: logits.slice(from * classes, to * classes),
        targets: targets.slice(from, to),
        options: {
          reduction: "none",
          sampleWeight: sampleWeight!.slice(from, to),
          gradOutput: gradOutput!.slice(from, to),
        } as const,
      });
      // whose memory is as small as can be
      const workspace = api.createWorkspace({ bytes: 1024 });
      for (const name of rowLosses) {
        const f = workspace[`${name}Grad`];
        const all = part(0, rows);
        const whole = f(all.logits, all.targets, all.options);
        for (let from = 0; from < rows; from += 100) {
          const some = part(from, from + 100);
          const { loss, grad } = f(some.logits, some.targets, some.options);
          expectSameBits(whole.loss.slice(from, from + 100), loss, () => `loss of rows from ${from}`);
          expectSameBits(
            whole.grad.slice(from * classes, (from + 100) * classes),
            grad,
            () => `grad of rows from ${from}`,
          );
        }
      }
    });

    it("of nothing: no rows, all ignored, no weight (pytorch#75181)", () => {
      const cases = [
        [new Float32Array(0), [], { shape: [0, 4] }],
        [new Float32Array(0), [], {}],
        [new Float32Array(8).fill(NAN), [-100, -100], {}],
        [new Float32Array(8), [1, 2], { weight: [1, 0, 0, 1] }],
        [new Float32Array(8), [1, 2], { sampleWeight: [0, 0] }],
      ] as const;
      for (const [x, targets, options] of cases) {
        const zeros = Array<number>(x.length).fill(0);
        expect(crossEntropy(x, targets, options)).toBeNaN();
        expect(crossEntropy(x, targets, { ...options, emptyMean: 0 })).toBe(0);
        expect(crossEntropy(x, targets, { ...options, reduction: "sum" })).toBe(0);
        const none = crossEntropy(x, targets, { ...options, reduction: "none" });
        expect(none).toEqual(new Float32Array(targets.length));
        const grad = new Float32Array(x.length).fill(5);
        expect(crossEntropyGrad(x, targets, { ...options, grad, emptyMean: -1 })).toEqual({ loss: -1, grad });
        expect(Array.from(grad, Math.abs)).toEqual(zeros);
        grad.fill(5);
        crossEntropyGrad(x, targets, { ...options, grad, accumulate: true });
        expect(Array.from(grad)).toEqual(zeros.map(() => 5));
      }
    });

    it("of a million equal losses is that loss (pytorch#55657)", () => {
      const rows = 2 ** 20 + 1;
      const loss = crossEntropy(new Float32Array(rows * 2), new Uint8Array(rows));
      expect(loss).toBe(crossEntropy(new Float32Array(2), [0]));
    });
  });

  describe("special rows", () => {
    it("an ignored row, or one of weight 0, gives exactly 0 whatever it holds", () => {
      for (const junk of [NAN, INF, -INF, 3e38]) {
        for (const options of [{ ignoreIndex: 1 }, { ignoreIndex: [5, 1] }, { sampleWeight: [1, 0, 1] }]) {
          const x = new Float32Array([1, 2, junk, junk, 1, 2]);
          const { loss, grad } = crossEntropyGrad(x, [0, 1, 0], { ...options, reduction: "none" });
          const alone = crossEntropyGrad(new Float32Array([1, 2]), [0], { reduction: "none" });
          expectSameBits(loss, [alone.loss[0]!, 0, alone.loss[0]!], () => "loss");
          expect(Array.from(grad.subarray(2, 4), Math.abs)).toEqual([0, 0]);
          expectSameBits(grad.subarray(4), alone.grad, () => "grad");
        }
      }
    });

    it("a target at −Infinity costs +Infinity, and its gradient is finite", () => {
      const { loss, grad } = crossEntropyGrad([0, -INF, 0], [1]);
      expect(loss).toBe(INF);
      expectNear(grad, [0.5, -1, 0.5], 1e-15);
    });

    it("a share of the target at −Infinity costs +Infinity, and its gradient is minus that share: rows sum to 0", () => {
      const row = [0, -INF, 1];
      const p = api.softmax([0, 1]);
      const smoothed = crossEntropyGrad(row, [0], { labelSmoothing: 0.3, weight: [1, 2, 4] });
      expect(smoothed.loss).toBe(INF);
      // (1 − ε)·w_y + (ε/C)·Σ w = 0.7 + 0.7; divided by w_y = 1
      expectNear(smoothed.grad, [1.4 * p[0]! - 0.8, -0.2, 1.4 * p[1]! - 0.4], 1e-12);
      const mixed = crossEntropyGrad(row, Float64Array.of(0.5, 0.2, 0.3), { shape: [3] });
      expect(mixed.loss).toBe(INF);
      expectNear(mixed.grad, [p[0]! - 0.5, -0.2, p[1]! - 0.3], 1e-12);
      const without = crossEntropyGrad(row, Float64Array.of(0.5, 0, 0.5), { shape: [3] });
      expectNear(without.loss, Math.log1p(Math.E) - 0.5, 1e-12);
      expectNear(without.grad, [p[0]! - 0.5, 0, p[1]! - 0.5], 1e-12);
    });

    it("one class costs +0", () => {
      for (const x of [7, -3e38, 0]) {
        const { loss, grad } = crossEntropyGrad(new Float32Array([x, x]), [0, 0], { reduction: "none" });
        expectSameBits(loss, [0, 0], () => "loss");
        expectSameBits(grad, [0, 0], () => "grad");
      }
      expect(crossEntropy([5, 3], new Float64Array([1, 0.5]), { shape: [2, 1] })).toBe(0);
      for (const target of [new Int32Array([0]), new Float64Array([1])]) {
        const { loss, grad } = crossEntropyGrad(new Float64Array([NAN]), target, { shape: [1, 1] });
        expect([loss, ...grad]).toEqual([NAN, NAN]);
      }
    });

    it("of f32 logits at the ends of their range is finite", () => {
      const logits = new Float32Array([3e38, -3e38, 0]);
      expectNear(crossEntropy(logits, [1]), 6e38, 1e-7);
      expectNear(crossEntropy(logits, [1], { temperature: 0.5 }), 12e38, 1e-7);
    });

    it("is +0, not −0, where the target leads by more than the type can tell", () => {
      expect(crossEntropy(new Float32Array([1000, 0]), [0])).toBe(0);
      expect(crossEntropy([1000, 0], [0])).toBe(0);
      expect(crossEntropy([1000, 0], new Float64Array([1, 0]), { shape: [2] })).toBe(0);
      expect(crossEntropy([1, 2], [0], { weight: [0, 1], reduction: "sum" })).toBe(0);
    });
  });

  describe("grad", () => {
    const logits = new Float32Array([1, 2, 3, 4, 0, 1]);
    const want = crossEntropyGrad(logits, [1, 0]).grad.slice();

    it("may be the logits themselves", () => {
      const x = logits.slice();
      const result = crossEntropyGrad(x, [1, 0], { grad: x });
      expect(result.grad).toBe(x);
      expect(result.loss).toBe(crossEntropy(logits, [1, 0]));
      expectSameBits(x, want, () => "grad === logits");
    });

    it("may lie over the targets", () => {
      const memory = new ArrayBuffer(24);
      const targets = new Int32Array(memory, 0, 2);
      targets.set([1, 0]);
      expectSameBits(crossEntropyGrad(logits, targets, { grad: new Float32Array(memory) }).grad, want, () => "indices");

      const t = new Float32Array([0, 1, 0, 0.5, 0.25, 0.25]);
      const soft = crossEntropyGrad(logits, t, { shape: [6] }).grad;
      expectSameBits(crossEntropyGrad(logits, t, { shape: [6], grad: t }).grad, soft, () => "probabilities");
    });

    it("may lie over many targets", () => {
      const rows = 20_000;
      const memory = new ArrayBuffer(rows * 2 * 4);
      const x = Float32Array.from({ length: rows * 2 }, (_, i) => (i % 7) - 3);
      const targets = new Int32Array(memory, 0, rows);
      targets.forEach((_, r) => {
        targets[r] = r % 3 === 0 ? 1 : 0;
      });
      const { grad } = crossEntropyGrad(x, targets.slice());
      const over = crossEntropyGrad(x, targets, { grad: new Float32Array(memory) }).grad;
      expectSameBits(over, grad, () => "grad over targets");
    });

    it("may lie over the weights", () => {
      const memory = new Float32Array([2, 3, 4, 5, 6, 7]);
      const options = { weight: [2, 3, 4], sampleWeight: [5, 6] };
      const expected = crossEntropyGrad(logits, [1, 0], options).grad;
      const { grad } = crossEntropyGrad(logits, [1, 0], {
        weight: memory.subarray(0, 3),
        sampleWeight: memory.subarray(3, 5),
        grad: memory,
      });
      expectSameBits(grad, expected, () => "weights");
    });

    it.each([-7, -1, 1, 6])("may overlap the logits, %i elements away", (shift) => {
      for (const [rows, classes] of [
        [2, 3],
        [30000, 10],
        [2, 70000],
      ] as const) {
        const n = rows * classes;
        const memory = new Float32Array(n + 16);
        const x = memory.subarray(8, 8 + n);
        const draw = random(rows);
        x.forEach((_, i) => {
          x[i] = draw.normal();
        });
        const targets = new Uint16Array(rows).fill(1);
        const expected = crossEntropyGrad(x.slice(), targets);
        const got = crossEntropyGrad(x, targets, { grad: memory.subarray(8 + shift, 8 + shift + n) });
        expect(got.loss).toBe(expected.loss);
        expectSameBits(got.grad, expected.grad, () => `${rows} rows`);
      }
    });

    it("is added to what is there", () => {
      const grad = new Float32Array(6).fill(100);
      expect(crossEntropyGrad(logits, [1, 0], { grad, accumulate: true }).grad).toBe(grad);
      expectNear(
        grad,
        Array.from(want, (g) => 100 + g),
        1e-7,
      );
      const list = [1, 1];
      expect(crossEntropyGrad([0, 0], [0], { grad: list, accumulate: true }).grad).toBe(list);
      expect(list).toEqual([0.5, 1.5]);
    });

    it("keeps its digits at a certain true class under smoothing and weights", () => {
      // p = [1, 0]: only the smoothing is left, ε/2 (Σ w − w_y)
      for (const weight of [
        [1.375, 0.375],
        [1000, 1],
      ]) {
        const options = { labelSmoothing: 0.1, weight, reduction: "sum" } as const;
        const g = 0.05 * weight[1]!;
        expectNear(crossEntropyGrad([800, 0], [0], options).grad, [g, -g], 1e-15);
        expectNear(crossEntropyGrad(new Float32Array([800, 0]), [0], options).grad, [g, -g], 3e-7);
      }
    });

    it("is multiplied by the upstream gradient", () => {
      const options = { reduction: "none", gradOutput: [2, -3] } as const;
      expect(crossEntropyGrad([0, 0, 0, 0], [0, 1], options).grad).toEqual([-1, 1, -1.5, 1.5]);
      expect(crossEntropyGrad([0, 0, 0, 0], [0, 1], { gradOutput: 8 }).grad).toEqual([-2, 2, 2, -2]);
    });

    it("of a hopeless row is −1 at the target, not 0 (keras#9664)", () => {
      expectNear(crossEntropyGrad(new Float32Array([0, 1000]), [0]).grad, [-1, 1], 0);
    });

    it("is 1/T of that of the divided logits", () => {
      expectNear(
        crossEntropyGrad([2, 4], [0], { temperature: 2 }).grad,
        [-0.3655292893150025, 0.3655292893150025],
        1e-15,
      );
    });
  });

  describe("where p·Q − q would cancel", () => {
    const q = 0.05 / (1 + Math.exp(20)); // (0.05·1 + 0.95·0)·e^−20 / (1 + e^−20)

    it("at the largest wrong class, whose target has no weight", () => {
      const options = { labelSmoothing: 0.1, weight: [1, 0], reduction: "sum" } as const;
      expectNear(crossEntropyGrad([20, 0], [1], options).grad, [-q, q], 1e-15);
      expectNear(crossEntropyGrad(Float32Array.of(20, 0), [1], options).grad, [-q, q], 3e-7);
    });

    it.each([3, 30, 90, 500])("the same among %i classes, alone and among other rows, in both layouts", (classes) => {
      // The target and most of the others weigh nothing; all rest is at the class ahead of them.
      const weight = Array.from({ length: classes }, (_, j) => (j === 2 ? 3 : j === 1 ? 2 ** -60 : 0));
      const ahead = 25;
      const row = Array.from({ length: classes }, (_, j) => (j === 2 ? ahead : 0));
      const others = (classes - 1) * Math.exp(-ahead);
      const spread = 0.5 / classes;
      // q_1 − Q·(1 − p) at class 2
      const mass = spread * (3 + 2 ** -60) + 0.5 * 2 ** -60;
      const want = spread * 2 ** -60 + 0.5 * 2 ** -60 - (mass * others) / (1 + others);
      for (const Kind of [Float32Array, Float64Array]) {
        for (const rows of [1, 3]) {
          for (const axis of [0, 1]) {
            const x = Kind.from(
              Array.from({ length: rows * classes }, (_, i) => row[axis ? i % classes : Math.floor(i / rows)]!),
            );
            const { grad } = crossEntropyGrad(x, Array<number>(rows).fill(1), {
              shape: axis ? [rows, classes] : [classes, rows],
              axis,
              labelSmoothing: 0.5,
              weight,
              reduction: "sum",
            });
            const at = axis ? 2 : 2 * rows;
            expectNear(grad[at]!, want, Kind === Float32Array ? 5e-7 : 1e-14);
          }
        }
      }
    });
  });

  describe("a weighted mean", () => {
    const x = Float64Array.of(1, 2, 3, 3, 1, 0.5);
    const options = { shape: [2, 3] };

    it.each([1e-310, 2 ** -1074, 1e-200, 1e200, 1e308])("does not depend on the scale of its weights, %d", (scale) => {
      const want = crossEntropyGrad(x, [0, 2], { ...options, sampleWeight: [1, 1] });
      const got = crossEntropyGrad(x, [0, 2], { ...options, sampleWeight: [scale, scale] });
      expectNear(got.loss, want.loss, 1e-15);
      expectNear(got.grad, Array.from(want.grad), 2e-15);
      const weighted = crossEntropyGrad(x, [0, 2], { ...options, weight: [scale, scale, scale] });
      expectNear(weighted.loss, want.loss, 1e-15);
      expectNear(weighted.grad, Array.from(want.grad), 2e-15);
      const both = crossEntropyGrad(x, [0, 2], {
        ...options,
        weight: [scale, scale, scale],
        sampleWeight: [scale, scale],
      });
      expectNear(both.grad, Array.from(want.grad), 2e-15);
    });
  });

  describe("a factor that is not finite multiplies the gradient as any other:", () => {
    const signs = (values: ArrayLike<number>) => Array.from(values, Math.sign);
    it.each([
      ["class", [1], {}],
      ["class, smoothed", [1], { labelSmoothing: 0.1 }],
      ["probabilities", "Float", {}],
      ["probabilities, smoothed", "Float", { labelSmoothing: 0.1 }],
    ] as const)("%s", (_, target, given) => {
      for (const Kind of [Float32Array, Float64Array]) {
        for (const classes of [3, 30, 90, 500]) {
          const x = new Kind(classes).map((_, j) => Math.sin(5 * j));
          const t = new Kind(classes).map((_, j) => (j % 2 ? 2 / classes : 0.1 / classes));
          const targets = target === "Float" ? t : [1];
          const options = { ...given, shape: [1, classes], reduction: "none" } as const;
          const plain = crossEntropyGrad(x, targets, options).grad;
          for (const factor of [INF, -INF, NAN]) {
            const { grad } = crossEntropyGrad(x, targets, { ...options, gradOutput: [factor] });
            expect(Array.from(grad)).toEqual(signs(plain).map((sign) => sign * factor));
          }
        }
      }
    });
  });
});
