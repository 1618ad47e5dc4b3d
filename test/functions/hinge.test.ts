import { describe, expect, it } from "vitest";
import { onEveryBackend } from "../catalogue/backends.js";
import { random } from "../inputs/random.js";
import { toContainer } from "../inputs/values.js";
import { expectNear } from "../oracle/expectClose.js";

const INF = Number.POSITIVE_INFINITY;

onEveryBackend(({ api: { createWorkspace, hinge, hingeGrad, logSoftmax, softmax } }) => {
  describe.each(["Float32Array", "number[]"] as const)("%s", (container) => {
    const given = (values: number[]) => toContainer(values, container);

    it("of the three images of the CS231n notes", () => {
      const scores = given([3.2, 5.1, -1.7, 1.3, 4.9, 2, 2.2, 2.5, -3.1]);
      const targets = [0, 1, 2];
      expectNear(hinge(scores, targets, { reduction: "none" }), [2.9, 0, 12.9], 1e-6);
      expectNear(hinge(scores, targets), 15.8 / 3, 1e-6);
      expectNear(hinge(scores, targets, { reduction: "none", form: "crammer-singer" }), [2.9, 0, 6.6], 1e-6);
    });

    it("per class is PyTorch's multi_margin_loss", () => {
      expectNear(hinge(given([0.1, 0.2, 0.4, 0.8]), [3], { perClass: true }), 0.325, 1e-6); // its documentation
      const scores = given([0.1, 0.2, 0.7, 0.9, 0.05, 0.05]);
      const options = { perClass: true, reduction: "none" } as const;
      expectNear(hinge(scores, [2, 0], options), [0.3, 0.1], 1e-6);
      expectNear(hinge(scores, [2, 0], { ...options, p: 2 }), [0.136667, 0.015], 3e-6);
    });

    it("of only negative wrong scores is 0 in both forms (keras#8083: 4)", () => {
      expect(hinge(given([-3, -5]), [0])).toBe(0);
      expect(hinge(given([-3, -5]), [0], { form: "crammer-singer" })).toBe(0);
    });

    it("weights the row outside the power (pytorch#104844)", () => {
      const weight = [3, 5];
      expect(hinge(given([1, 2]), [0], { p: 2, weight, reduction: "sum" })).toBe(3 * 4);
      expect(hingeGrad(given([1, 2]), [0], { p: 2, weight, reduction: "sum" }).grad).toEqual(given([-3 * 4, 3 * 4]));
    });

    it("divides the mean by the rows, not by their weights", () => {
      const options = { weight: [2, 4], ignoreIndex: 9 };
      expect(hinge(given([0, 0, 0, 0, 5, 5]), [0, 1, 9], options)).toBe((2 + 4) / 2);
      expect(hinge(given([0, 0, 0, 0, 5, 5]), [0, 1, 9], { ...options, meanOver: "weights" })).toBe(1);
      expect(hinge(given([0, 0, 0, 0, 5, 5]), [0, 1, 9], { ...options, meanOver: "all" })).toBe(2);
    });

    it("has the subgradient 0 at the kink", () => {
      // z is exactly 0 for class 1, and 1/2 for class 2
      const { loss, grad } = hingeGrad(given([2, 1, 1.5]), [0]);
      expect(loss).toBe(0.5);
      expect(grad).toEqual(given([-1, 0, 1]));
      expect(hingeGrad(given([2, 1, 1]), [0]).grad.map(Math.abs)).toEqual(given([0, 0, 0]));
      // at every class of a short and of a long row
      for (const classes of [20, 130]) {
        const { loss, grad } = hingeGrad(given([2, ...Array<number>(classes - 1).fill(1)]), [0]);
        expect(loss).toBe(0);
        expect(Array.from(grad, Math.abs)).toEqual(Array<number>(classes).fill(0));
      }
    });

    it("Crammer–Singer compares with the lowest of equal wrong scores, and with the target never", () => {
      const options = { form: "crammer-singer" } as const;
      expect(hingeGrad(given([1, 3, 0, 3]), [0], options)).toEqual({ loss: 3, grad: given([-1, 1, 0, 0]) });
      expect(hingeGrad(given([3, 1, 0, 3]), [3], options)).toEqual({ loss: 1, grad: given([1, 0, 0, -1]) });
      expect(hingeGrad(given([0, 0, 0]), [1], { ...options, p: 2, margin: 2 })).toEqual({
        loss: 4,
        grad: given([4, -4, 0]),
      });
    });

    it("of one class is +0", () => {
      expect(hinge(given([5, -7]), [0, 0], { reduction: "none" })).toEqual(given([0, 0]));
      for (const form of ["weston-watkins", "crammer-singer"] as const) {
        for (const score of [5, -INF, INF]) {
          const { loss, grad } = hingeGrad(given([score, score, score]), [0, 0, 0], { form, reduction: "none" });
          expect(loss).toEqual(given([0, 0, 0]));
          expect(Array.from(grad, Math.abs)).toEqual([0, 0, 0]);
        }
      }
    });

    it("keeps the margin under a huge common offset", () => {
      expect(hinge(given([1e8, 1e8, 1e8 + 64]), [0], { reduction: "sum" })).toBe(1 + 65);
      expect(hinge(given([1e8, 1e8 + 64]), [0], { form: "crammer-singer", margin: 0.5 })).toBe(64.5);
    });

    it("has a gradient of +0 where the weight of the sample is 0 or −0, be the row NaN", () => {
      for (const form of ["weston-watkins", "crammer-singer"] as const)
        for (const scores of [
          [1, 2, 3],
          [Number.NaN, 0, 1],
          [0, Number.NaN, 1],
        ])
          for (const sampleWeight of [[0], [-0]])
            expect(hingeGrad(given(scores), [0], { form, sampleWeight }).grad).toEqual(given([0, 0, 0]));
    });

    it("is not −0, be the margin or a weight so", () => {
      for (const form of ["weston-watkins", "crammer-singer"] as const) {
        for (const scores of [
          [0, -0, -1],
          [-0, 0, -1],
          [-0, -0, -0],
        ]) {
          expect(hinge(given(scores), [0], { form, margin: -0, reduction: "none" })).toEqual(given([0]));
          for (const weight of [[-0, 1, 1], given([-0, 1, 1])])
            expect(hinge(given(scores), [0], { form, weight, reduction: "none" })).toEqual(given([0]));
        }
      }
    });

    it("evaluates as its formula at infinities", () => {
      expect(hinge(given([INF, 0, 5]), [0])).toBe(0);
      expect(hinge(given([0, INF, 5]), [0])).toBe(INF);
      expect(hinge(given([0, -INF, 5]), [0])).toBe(6);
      expect(hinge(given([-INF, 0, 5]), [0])).toBe(INF);
    });

    // the formula says −Infinity − (−Infinity); Crammer–Singer looks at the highest wrong class only
    it("the target and another score at −Infinity: NaN where that difference counts", () => {
      for (const tail of [1, 50, 200]) {
        const others = Array.from({ length: tail }, () => 1);
        const { loss, grad } = hingeGrad(given([-INF, -INF, ...others]), [0]);
        expect(loss).toBeNaN();
        expect(Array.from(grad).every(Number.isNaN)).toBe(true);
        const highest = hingeGrad(given([-INF, -INF, ...others]), [0], { form: "crammer-singer" });
        expect(highest.loss).toBe(INF);
        expect(Array.from(highest.grad)).toEqual([-1, 0, 1, ...others.slice(1).fill(0)]);
        const none = hingeGrad(given([-INF, ...others.fill(-INF)]), [0], { form: "crammer-singer" });
        expect(none.loss).toBeNaN();
        expect(Array.from(none.grad).every(Number.isNaN)).toBe(true);
      }
    });

    it("is NaN where the target is −Infinity and another score that too, or NaN", () => {
      for (const [scores, target] of [
        [[-INF, -INF, 5], 0],
        [[-INF, 5, -INF], 0],
        [[-INF, 5, -INF], 2],
        [[-INF, 5, Number.NaN], 0],
        [[Number.NaN, 5, -INF], 2],
      ] as const) {
        const { loss, grad } = hingeGrad(given([...scores]), [target]);
        expect([loss, ...grad]).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
      }
    });

    it("may write the gradient over the scores", () => {
      const scores = given([1, 2, 3]);
      expect(hingeGrad(scores, [0], { grad: scores }).grad).toBe(scores);
      expect(scores).toEqual(given([-2, 1, 1]));
    });
  });

  it("has defaults", () => {
    const scores = [0.3, 0.1, -0.4, 1, 0.5, 0.25];
    const all = {
      form: "weston-watkins",
      margin: 1,
      p: 1,
      perClass: false,
      reduction: "mean",
      meanOver: "count",
    } as const;
    expect(hinge(scores, [2, 0])).toBe(hinge(scores, [2, 0], { ...all, ignoreIndex: -100, emptyMean: Number.NaN }));
  });

  it("of f32 scores at the ends of their range is finite, that of Crammer–Singer", () => {
    const scores = new Float32Array([3e38, -3e38, 0]);
    const options = { form: "crammer-singer" } as const;
    expectNear(hinge(scores, [1], options), 6e38, 1e-7);
    expectNear(hinge(scores, [1], { ...options, p: 2 }), 3.6e77, 1e-7);
  });

  it("has the derivative of a violation whose square is too small for a number", () => {
    // 2z = ±2e−170 beside z² = 1e−340
    for (const form of ["weston-watkins", "crammer-singer"] as const) {
      const { loss, grad } = hingeGrad([0, 1e-170], [0], { form, p: 2, margin: 0 });
      expect(loss).toBe(0);
      expect(grad).toEqual([-2e-170, 2e-170]);
    }
  });

  it("squared, has an infinite derivative where the true class is at −Infinity", () => {
    for (const scores of [new Float32Array([-INF, 0, 1]), new Float32Array(100).fill(-INF, 0, 1)]) {
      const { loss, grad } = hingeGrad(scores, [0], { p: 2 });
      expect(loss).toBe(INF);
      expect(Array.from(grad)).toEqual(Array.from(scores, (_, j) => (j === 0 ? -INF : INF)));
    }
  });

  it.each([3, 16, 100])("of many rows of %d classes is that of each", (classes) => {
    const draw = random(classes);
    const rows = 130;
    const scores = Float32Array.from({ length: rows * classes }, () => draw.normal());
    scores[0] = Number.NaN;
    const targets = Int32Array.from({ length: rows }, () => draw.integer(0, classes - 1));
    for (const form of ["weston-watkins", "crammer-singer"] as const) {
      const options = { form, reduction: "none" } as const;
      const { loss, grad } = hingeGrad(scores, targets, options);
      for (let r = 0; r < rows; r++) {
        const row = scores.slice(r * classes, (r + 1) * classes);
        const alone = hingeGrad(row, [targets[r]!], options);
        expect(loss[r]).toBe(alone.loss[0]);
        expect(grad.slice(r * classes, (r + 1) * classes)).toEqual(alone.grad);
      }
    }
  });

  it.each([10, 100, 20_000])("has a gradient of 0 in all of %d classes but two, whatever was in `grad`", (classes) => {
    const scores = new Float32Array(2 * classes).map((_, i) => (i % classes === 3 ? 1 : 0));
    const grad = new Float32Array(2 * classes).fill(7);
    hingeGrad(scores, [5, 4], { form: "crammer-singer", reduction: "sum", grad });
    const want = new Float32Array(2 * classes);
    want[3] = want[classes + 3] = 1;
    want[5] = want[classes + 4] = -1;
    expect(grad).toEqual(want);
  });

  it("does not depend on the rows of an earlier call", () => {
    const wide = new Float32Array(100).fill(-INF, 0, 1);
    const before = hingeGrad(wide, [0]).grad;
    hingeGrad(new Float32Array([1, 2, -INF, 2, -INF, 5]), [0, 0, 0], { sampleWeight: [7, 8, 9] });
    expect(hingeGrad(wide, [0]).grad).toEqual(before);
  });

  it("without a gradient writes nothing but losses", () => {
    const logits = Float32Array.from({ length: 100 }, (_, j) => j % 7);
    const others = () =>
      [1, 1.5].flatMap((temperature) => [
        softmax(logits, { temperature }),
        logSoftmax(Float64Array.from(logits), { temperature }),
      ]);
    const before = others();
    const scores = new Float32Array(70_001).fill(1);
    for (const classes of [...Array(400).keys()].map((i) => 49 + 15 * i).concat(scores.length)) {
      for (const p of [1, 2] as const) hinge(scores.subarray(0, classes), [0], { p });
      expect(others()).toEqual(before);
    }
  });

  it("of nothing", () => {
    expect(hinge([], [], { shape: [0, 3] })).toBeNaN();
    expect(hinge([0, 0], [-100], { emptyMean: 2 })).toBe(2);
    expect(hingeGrad([0, 0], [-100], { emptyMean: 2 }).grad.map(Math.abs)).toEqual([0, 0]);
  });

  it.each([Float32Array, Float64Array])("does not change its input, not even the kind of a NaN, %o", (Kind) => {
    const workspace = createWorkspace({ bytes: 1 << 16 });
    for (const classes of [3, 48, 49, 100, 131]) {
      const x = Kind === Float32Array ? workspace.float32(classes) : workspace.float64(classes);
      const bits = new Uint32Array(x.buffer, x.byteOffset, x.byteLength / 4);
      // the upper half of a signaling NaN, as the machine has it, at the true class
      const at = ((classes - 1) * x.BYTES_PER_ELEMENT) / 4 + (Kind === Float64Array ? 1 : 0);
      bits[at] = Kind === Float32Array ? 0x7f800001 : 0x7ff00001;
      const before = Array.from(bits);
      for (const form of ["weston-watkins", "crammer-singer"] as const) {
        workspace.hinge(x, [classes - 1], { form });
        expect(Array.from(bits)).toEqual(before);
      }
    }
  });

  describe.each([Float32Array, Float64Array])("%o", (Kind) => {
    it.each([3, 12, 60, 300])("no violation, no gradient, whatever the factor; %i classes", (classes) => {
      // Every third class violates the margin; the others are at it exactly, below it, or not there at all.
      const x = new Kind(classes).map((_, j) => [0.5, -1, -5, -INF][j % 4]!);
      x[0] = 0;
      x[4 % classes] = classes > 4 ? 0.25 : 0;
      for (const form of ["weston-watkins", "crammer-singer"] as const) {
        for (const p of [1, 2] as const) {
          for (const factor of [INF, -INF, Number.NaN, -1]) {
            const options = { form, p, reduction: "none", gradOutput: [factor] } as const;
            const want = hingeGrad(x, [0], { form, p }).grad;
            const { grad } = hingeGrad(x, [0], options);
            expect(Array.from(grad)).toEqual(Array.from(want, (g) => (g === 0 ? 0 : g * factor)));
            expect(Array.from(hingeGrad(x, [-100], options).grad)).toEqual(Array.from(want, () => 0));
          }
        }
      }
    });

    it.each([3, 12, 60, 300])("accumulates a gradient of 0 as 0: −0 becomes 0; %i classes", (classes) => {
      const x = new Kind(classes);
      x[1] = 10;
      for (const form of ["weston-watkins", "crammer-singer"] as const) {
        for (const targets of [[1], [-100]]) {
          for (const gradOutput of [1, -1]) {
            const grad = new Kind(classes).fill(-0);
            hingeGrad(x, targets, { form, grad, accumulate: true, emptyMean: 0, reduction: "sum", gradOutput });
            expect(Array.from(grad)).toEqual(Array<number>(classes).fill(0));
          }
        }
      }
    });
  });

  it.each([3, 40, 60, 300])("p = 2 keeps violations whose squares an f32 does not hold; %i classes", (classes) => {
    for (const size of [1e-20, 3e-22, 1e20]) {
      const x = Float32Array.from({ length: classes }, (_, j) => (j % 2 ? size : -size));
      const options = { p: 2, margin: 0, reduction: "sum", sampleWeight: [1e30 / size ** 2, 0] } as const;
      const rows = Float32Array.from([...x, ...x]);
      const z = Math.fround(x[1]! - x[0]!);
      const want = Math.floor(classes / 2) * z * z * (1e30 / size ** 2);
      expectNear(hinge(rows, [0, 0], { ...options, shape: [2, classes] }), want, 1e-12);
      const workspace = createWorkspace({ bytes: rows.byteLength });
      const inside = workspace.float32(rows.length);
      inside.set(rows);
      const { grad } = hingeGrad(rows, [0, 0], { ...options, shape: [2, classes] });
      for (const [run, array] of [[hingeGrad, rows] as const, [workspace.hingeGrad, inside] as const]) {
        const { loss } = run(array, [0, 0], { ...options, shape: [2, classes], grad: array });
        expectNear(loss, want, 1e-12);
        expect(array).toEqual(grad);
      }
    }
  });
});
