import { expect, it } from "vitest";
import { onEveryBackend } from "../catalogue/backends.js";
import { expectNear } from "../oracle/expectClose.js";

onEveryBackend(({ api: { initialLoss, crossEntropy, hinge } }) => {
  it("is log C for cross-entropy", () => {
    expectNear(initialLoss("crossEntropy", 10), Math.LN10, 4e-16);
    expect(initialLoss("crossEntropy", 1)).toBe(0);
  });

  it("is what hinge costs when all scores are equal", () => {
    expect(initialLoss("hinge", 10)).toBe(9);
    expect(initialLoss("hinge", 10, { margin: 2, p: 2 })).toBe(36);
    expect(initialLoss("hinge", 10, { form: "crammer-singer", margin: 3 })).toBe(3);
    expect(initialLoss("hinge", 10, { form: "crammer-singer", margin: 3, p: 2 })).toBe(9);
    expect(initialLoss("hinge", 10, { perClass: true })).toBe(0.9);
    expect(initialLoss("hinge", 1)).toBe(0);
    expect(initialLoss("hinge", 1, { form: "crammer-singer" })).toBe(0);
  });

  it("is the loss of equal scores, whatever the options", () => {
    for (const classes of [2, 3, 10, 100]) {
      const scores = new Float64Array(classes).fill(0.3);
      expectNear(initialLoss("crossEntropy", classes), crossEntropy(scores, [1]), 4e-16);
      for (const form of ["weston-watkins", "crammer-singer"] as const) {
        for (const p of [1, 2] as const) {
          for (const perClass of [false, true]) {
            const options = { form, p, perClass, margin: 1.5 };
            expectNear(initialLoss("hinge", classes, options), hinge(scores, [1], options), 4e-16);
          }
        }
      }
    }
  });

  it("is log 2 for binary cross-entropy, and less by a focal factor", () => {
    expect(initialLoss("binaryCrossEntropy")).toBe(Math.LN2);
    expect(initialLoss("binaryCrossEntropy", 20)).toBe(Math.LN2);
    expect(initialLoss("binaryCrossEntropy", 20, { gamma: 2 })).toBe(Math.LN2 / 4);
    expectNear(initialLoss("crossEntropy", 4, { gamma: 2 }), crossEntropy([1, 1, 1, 1], [0], { gamma: 2 }), 4e-16);
    expect(() => initialLoss("binaryCrossEntropy", 0)).toThrow(/^initialLoss: classes/);
    expect(() => initialLoss("binaryCrossEntropy", 3, { gamma: -1 })).toThrow(/^initialLoss: gamma/);
    expect(() => initialLoss("binaryCrossEntropy", 3, { p: 1 } as object)).toThrow(/p/);
  });

  it("refuses what is no loss or no number of classes", () => {
    expect(() => initialLoss("mse" as "hinge", 10)).toThrow(TypeError);
    for (const classes of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => initialLoss("hinge", classes)).toThrow(RangeError);
    }
    expect(() => initialLoss("hinge", "10" as never)).toThrow(/^initialLoss: classes/);
    expect(() => initialLoss("hinge", 10, { slack: 1 } as object)).toThrow(/slack/);
    expect(() => initialLoss("hinge", 10, { margin: -1 })).toThrow(/^initialLoss: margin/);
    expect(() => initialLoss("crossEntropy", 10, { labelSmoothing: 2 })).toThrow(/^initialLoss: labelSmoothing/);
    expect(() => initialLoss("crossEntropy", 10, { labelSmoothing: 0.1, gamma: 2 })).toThrow(
      "initialLoss: gamma must be absent with labelSmoothing, got 2",
    );
    expect(() => initialLoss("crossEntropy", 10, { temperature: 0 })).toThrow(/^initialLoss: temperature/);
  });
});
