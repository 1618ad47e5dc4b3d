// `reduction: "parts"`: the sum and the denominator that a mean is made of, of every loss and gradient.
import { describe, expect, it } from "vitest";
import { onEveryBackend } from "../catalogue/backends.js";
import { invoke } from "../catalogue/calls.js";
import { type Arguments, allArguments, type Signature, signatures, together } from "../catalogue/functions.js";

type Parts = { readonly sum: number; readonly denominator: number };
type LossOf = { readonly loss: number | Parts } & Readonly<Record<string, unknown>>;

const cases = signatures
  .filter(({ options }) => options.includes("reduction"))
  .flatMap((signature) => ["", ...(signature.variants ?? [])].map((variant) => [signature, variant] as const))
  .map(([signature, variant]) => ({ name: `${signature.name} ${variant}`, signature, variant }));

/** All options of a right call but those that go without the parts. */
function argumentsOf({ positional, options, ...rest }: Signature, variant: string): Arguments {
  const kept = together(options, variant).filter(
    (name) => !["reduction", "gradOutput", "l2", "meanOver"].includes(name),
  );
  return allArguments({ positional, options, ...rest }, undefined, variant, [...positional, ...kept]);
}

onEveryBackend(({ api }) => {
  describe.each(cases)("$name", ({ signature, variant }) => {
    const call = (options: Arguments): LossOf => {
      const result = invoke(api, signature, { ...argumentsOf(signature, variant), ...options });
      return typeof result === "object" && "loss" in result! ? (result as LossOf) : { loss: result as number };
    };

    it.each(signature.options.includes("meanOver") ? ["weights", "count", "all", undefined] : [undefined])(
      "over %s: those of the mean, with the gradient of the sum",
      (meanOver) => {
        const over = meanOver === undefined ? {} : { meanOver };
        const parts = call({ ...over, reduction: "parts" });
        const { sum, denominator } = parts.loss as Parts;
        expect({ ...parts, loss: sum }).toEqual(call({ ...over, reduction: "sum" }));
        expect(sum / denominator).toBe(call({ ...over, reduction: "mean" }).loss);
        expect(Object.keys(parts.loss)).toEqual(["sum", "denominator"]);
      },
    );
  });

  it("of nothing are 0 and 0", () => {
    const nothing = { sum: 0, denominator: 0 };
    const none = new Float32Array(0);
    expect(api.crossEntropy(none, [], { shape: [0, 3], reduction: "parts", emptyMean: 7 })).toEqual(nothing);
    expect(api.hingeGrad([5, 6], [-100], { reduction: "parts" })).toEqual({ loss: nothing, grad: [0, 0] });
    expect(api.binaryCrossEntropy(none, [], { shape: [0, 3], reduction: "parts" })).toEqual(nothing);
    expect(api.crossEntropy(none, [], { shape: [0, 3], reduction: "parts", meanOver: "all" })).toEqual(nothing);
  });

  it("have a sum, and a gradient, where the denominator is 0", () => {
    const options = { weight: [1, 0], labelSmoothing: 0.5, reduction: "parts" } as const;
    const { loss, grad } = api.crossEntropyGrad([0, 0], [1], options);
    expect(loss.denominator).toBe(0);
    expect(loss.sum).toBeCloseTo(0.25 * Math.LN2, 15);
    expect(grad).toEqual([-0.125, 0.125]);
  });

  it("have weights at the ends of their range as they are", () => {
    const weight = Float64Array.of(2 ** -1000, 2 ** -1001);
    const parts = api.crossEntropy([0, 0, 0, 0], [0, 1], { weight, reduction: "parts" });
    expect(parts.denominator).toBe(3 * 2 ** -1001);
    expect(parts.sum / parts.denominator).toBeCloseTo(Math.LN2, 15);
  });

  it("of batches add up to the mean over all rows", () => {
    const [rows, classes] = [1000, 7];
    const logits = Float32Array.from({ length: rows * classes }, (_, i) => 3 * Math.sin(i * i));
    const targets = Int32Array.from({ length: rows }, (_, r) => (r % 5 === 2 ? -100 : (r * 3) % classes));
    const weight = Float32Array.from({ length: classes }, (_, j) => 1 + j / 2);
    const options = { weight, labelSmoothing: 0.1 };
    const grad = new Float32Array(rows * classes);
    let [sum, denominator] = [0, 0];
    for (let first = 0; first < rows; first += 300) {
      const batch = targets.subarray(first, first + 300);
      const at = [first * classes, (first + batch.length) * classes] as const;
      const into = { grad: grad.subarray(...at), reduction: "parts" } as const;
      const { loss } = api.crossEntropyGrad(logits.subarray(...at), batch, { ...options, ...into });
      sum += loss.sum;
      denominator += loss.denominator;
    }
    const whole = api.crossEntropyGrad(logits, targets, options);
    expect(Math.abs(sum / denominator / whole.loss - 1)).toBeLessThan(4 * 2 ** -53);
    grad.forEach((g, i) => {
      expect(Math.abs(g / denominator - whole.grad[i]!)).toBeLessThanOrEqual(2 ** -22 * Math.abs(whole.grad[i]!));
    });
  });

  it("have no penalty of weights", () => {
    const call = () => api.linearHinge([1, 2], [0, 0, 0, 0], [1], { reduction: "parts", l2: 1 });
    expect(call).toThrow(/l2 must be absent with reduction "parts"/);
    expect(call).toThrow(TypeError);
    expect(api.linearHinge([1, 2], [0, 0, 0, 0], [1], { reduction: "parts", l2: 0 })).toEqual({
      sum: 1,
      denominator: 1,
    });
  });
});
