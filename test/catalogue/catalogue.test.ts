// What is listed by function, beside the list of functions, has each of them.
import * as simd from "softmargin";
import { expect, it } from "vitest";
import { FUNCTIONS } from "../accuracy/functions.js";
import { random } from "../inputs/random.js";
import { signatures } from "./functions.js";
import { ops } from "./ops.js";

/** A layer is held against the loss of its logits, bit by bit (test/functions/linear.test.ts). */
const names = signatures.filter(({ positional }) => !positional.includes("weight")).map(({ name }) => name as string);

it("the reference has every function (ops.ts)", () => {
  const called = new Set<string>();
  const api = new Proxy(simd, {
    get(target, name) {
      called.add(String(name));
      return Reflect.get(target, name) as unknown;
    },
  });
  const layout = { outer: 2, classes: 3, inner: 1 };
  for (const op of ops) op.draw({ layout, container: "Float64Array", values: "normal", random: random(1) }).run(api);
  expect(names.filter((name) => !called.has(name))).toEqual([]);
});

it("the accuracy of every function is measured (test/accuracy/functions.ts), but for what chooses among classes", () => {
  const measured = FUNCTIONS.map(({ name }) => name.split(",")[0]!);
  // topK: within what the reference allows, as everywhere
  expect(names.filter((name) => !measured.includes(name))).toEqual(["argmax", "topK", "sample"]);
});
