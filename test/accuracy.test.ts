// A slice of what `npm run accuracy` measures, held against the bounds.
import { describe, expect, it } from "vitest";
import { backends } from "./accuracy/contenders.js";
import { INPUTS, sampleExp, sweepExp } from "./accuracy/exp.js";
import { measure, RANGES } from "./accuracy/measure.js";
import { boundOf } from "./accuracy/report.js";

const deterministic = backends.filter(({ name }) => name !== "baseline");

describe.each(deterministic)("$name", (contender) => {
  it("e^x of slices of all f32 in [−104, −0] is within its bound", () => {
    const bound = boundOf({ figure: "exp core", type: "f32" });
    for (let i = 0; i < 64; i++) {
      const from = Math.floor((INPUTS * i) / 64);
      const { max, at } = sweepExp(contender.functions, from, from + 20_000);
      expect(max, at).toBeLessThanOrEqual(bound);
    }
    const last = sweepExp(contender.functions, INPUTS - 20_000, INPUTS);
    expect(Math.max(last.max, last.subnormal)).toBeLessThanOrEqual(bound);
  });

  it("e^x of many f64 in [−745, 0] is within its bound", () => {
    const { max, at } = sampleExp(contender.functions, 20_000);
    expect(max, at).toBeLessThanOrEqual(boundOf({ figure: "exp core", type: "f64" }));
  });

  describe.each(["f32", "f64"] as const)("%s", (type) => {
    it.each(RANGES)("every function on logits $name is within its bound", async (range) => {
      for (const classes of [2, 10, 100, 1000]) {
        for (const figure of await measure([contender], type, classes, range, 1000)) {
          expect(figure.max, `${figure.figure}, ${classes} classes: ${figure.at}`).toBeLessThanOrEqual(boundOf(figure));
        }
      }
    });
  });
});
