// Every function is drawn and measured, in its entry or in that of its loss.
import { readFileSync } from "node:fs";
import * as simd from "softmargin";
import { expect, it } from "vitest";
import { keptResults } from "../accuracy/tables.js";
import { random } from "../inputs/random.js";
import { allSignatures, measured, ops, signatures } from "./functions.js";

/** A layer is held against the loss of its logits, bit by bit (test/functions/linear.test.ts). */
const names = signatures.filter(({ positional }) => !positional.includes("weight")).map(({ name }) => name as string);

it("the reference has every function", () => {
  const called: PropertyKey[] = [];
  const get = (target: typeof simd, name: PropertyKey) => called.push(name) && (Reflect.get(target, name) as unknown);
  const api = new Proxy(simd, { get });
  const layout = { outer: 2, classes: 3, inner: 1 };
  for (const op of ops) op.draw({ layout, container: "Float64Array", values: "normal", random: random(1) }).run(api);
  expect(names.filter((name) => !called.includes(name))).toEqual([]);
});

it("the accuracy of every function is measured, but for what chooses among classes", () => {
  const figures = measured.map(({ name }) => name.split(",")[0]!);
  // topK: within what the reference allows, as everywhere
  expect(names.filter((name) => !figures.includes(name))).toEqual(["argmax", "topK", "sample"]);
});

it("what was measured of every function is kept: npm run accuracy -- --write", () => {
  const kept = new Set(keptResults().figures.map(({ figure }) => figure));
  expect(measured.map(({ name }) => name).filter((name) => !kept.has(name))).toEqual([]);
});

it.each(["README.md", "docs/api.md", "CHANGELOG.md"])("%s has every function", (file) => {
  const text = readFileSync(file, "utf8");
  const isThere = (name: string) => new RegExp(`\\b${name}\\b`).test(text);
  expect(allSignatures.map(({ name }) => name.replace(/Grad$/, "")).filter((name) => !isThere(name))).toEqual([]);
});
