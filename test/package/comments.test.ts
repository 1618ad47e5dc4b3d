// The examples in the comments of src/api.ts, which editors and the reference show, run and come to what they say: on both backends.
import { readFileSync } from "node:fs";
import * as simd from "softmargin";
import * as baseline from "softmargin/baseline";
import { describe, expect, it } from "vitest";

/** Each `@example` up to the next tag or the comment's end, with the function that follows. */
const examples = [
  ...readFileSync("src/api.ts", "utf8").matchAll(/@example\s([\s\S]*?)\n +\*(?:\/\n +| @\w[\s\S]*?\*\/\n +)(\w+)/g),
].map(([, example, name]) => [name!, example!.replace(/^ +\* ?/gm, "").trim()] as const);

it("belong to every function", () => {
  const functions = Object.entries(simd).filter(([, value]) => typeof value === "function");
  expect(examples.map(([name]) => name).sort()).toEqual(functions.map(([name]) => name).sort());
});

describe.each([
  ["simd", simd],
  ["baseline", baseline],
])("%s", (_, functions) => {
  it.each(examples)("%s: %s", async (_, example) => {
    const [code, said] = example.split(" // ") as [string, string?];
    const body = said === undefined ? code : `return (${code});`;
    const names = Object.keys(functions);
    const run = new Function(...names, `return (async () => { ${body} })()`);
    const got: unknown = await run(...names.map((name) => functions[name as "softmax"]));
    if (said === undefined) return;
    const cut = /^(\d+\.\d+)…$/.exec(said)?.[1];
    if (cut !== undefined) expect(String(got)).toMatch(new RegExp(`^${cut.replace(".", "\\.")}`));
    else expectNear(got, new Function(`return (${said})`)());
  });
});

/** The same but for the last bits, which the baseline need not share. */
function expectNear(got: unknown, said: unknown): void {
  if (typeof said === "number") expect(Math.abs((got as number) - said)).toBeLessThanOrEqual(4e-16 * Math.abs(said));
  else if (Array.isArray(said)) {
    expect((got as number[]).length).toBe(said.length);
    for (const [i, value] of said.entries()) expectNear((got as number[])[i], value);
  } else {
    expect(Object.keys(got as object)).toEqual(Object.keys(said as object));
    for (const [key, value] of Object.entries(said as object)) expectNear((got as Record<string, unknown>)[key], value);
  }
}
