// A slice of what `npm run accuracy` measures, held against the bounds.
import type { Functions } from "softmargin";
import { describe, expect, it } from "vitest";
import { backends } from "./contenders.js";
import { INPUTS, sampleExp, sweepExp } from "./exp.js";
import { measureLayer, SIZES } from "./layer.js";
import { measure, RANGES } from "./measure.js";
import { boundOf } from "./report.js";
import type { Errors } from "./ulp.js";

it.each(backends.flatMap(({ name, functions }) => SIZES.map((size) => ({ name, functions, size }))))(
  "$name: the products of a layer of $size are within n u Σ |x·w|",
  ({ functions, size }) => {
    for (const type of ["f32", "f64"] as const)
      for (const [what, error] of Object.entries(measureLayer(functions, type, size)))
        expect(error, `${what}, ${type}`).toBeLessThanOrEqual(1);
  },
);

const deterministic = backends.filter(({ name }) => name !== "baseline");

function expectWithin({ max, subnormal, at }: Errors, bound: number): void {
  expect(max, at).toBeLessThanOrEqual(bound);
  expect(subnormal, "below the normal range").toBeLessThanOrEqual(bound);
}

describe.each(deterministic)("$name", (contender) => {
  it("e^x of slices of all f32 in [−104, −0] is within its bound", () => {
    const bound = boundOf({ figure: "exp core", type: "f32" });
    for (let i = 0; i < 64; i++) {
      const from = Math.floor((INPUTS * i) / 64);
      expectWithin(sweepExp(contender.functions, from, from + 20_000), bound);
    }
    expectWithin(sweepExp(contender.functions, INPUTS - 20_000, INPUTS), bound);
  });

  it("e^x of many f64 in [−745, 0] is within its bound", () => {
    expectWithin(sampleExp(contender.functions, 20_000), boundOf({ figure: "exp core", type: "f64" }));
  });

  it("one NaN among many right exponentials is seen", () => {
    const { logSoftmaxGrad } = contender.functions;
    const spoiled: Functions["logSoftmaxGrad"] = (...given) => {
      const result = logSoftmaxGrad(...given);
      result[1000] = Number.NaN;
      return result;
    };
    const functions = { ...contender.functions, logSoftmaxGrad: spoiled };
    expect(sweepExp(functions, 0, 20_000).max).toBe(Number.POSITIVE_INFINITY);
    expect(sweepExp(functions, INPUTS - 20_000, INPUTS).subnormal).toBe(Number.POSITIVE_INFINITY);
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
