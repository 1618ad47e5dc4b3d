// vitest's browser mode, in Chromium: arrays of an iframe are those of another realm.
import { backend, crossEntropyGrad, softmax } from "softmargin";
import { backend as relaxed } from "softmargin/relaxed";
import { expect, test } from "vitest";

const frame = document.body.appendChild(document.createElement("iframe"));
const { Float32Array: ForeignFloat32Array, Int32Array: ForeignInt32Array } = frame.contentWindow;

test("the SIMD build runs, and where it is asked for the relaxed one", () => {
  expect(backend).toEqual({ name: "simd" });
  expect(relaxed).toEqual({ name: "relaxed" });
});

test("arrays of an iframe", () => {
  const logits = new ForeignFloat32Array([0, 0, 0, 0]);
  expect(logits).not.toBeInstanceOf(Float32Array);
  expect(Array.from(softmax(logits))).toEqual([0.25, 0.25, 0.25, 0.25]);
  const { loss, grad } = crossEntropyGrad(logits, new ForeignInt32Array([0, 1]), { grad: logits });
  expect(loss).toBeCloseTo(Math.LN2, 6);
  expect(grad).toBe(logits);
  expect(Array.from(grad)).toEqual([-0.25, 0.25, 0.25, -0.25]);
});
