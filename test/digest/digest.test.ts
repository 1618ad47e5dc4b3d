// The deterministic build gives the same bits whatever the circumstances: the digest, which goes through every function, option and special
// value, comes out as it is kept in the repository each time.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import * as simd from "softmargin";
import { describe, expect, it } from "vitest";
import { afterOtherCalls, atOddAddresses, inPlace, inWorkspace, rowByRow } from "../inputs/circumstances.js";
import { digest, digestByFunction } from "./digest.js";

const kept = readFileSync(new URL("digest.txt", import.meta.url), "utf8").trim();

describe("the digest", () => {
  it("is the one in digest.txt (after a change that is meant to change bits: npm run digest -- --write)", () => {
    expect(simd.backend.name).toBe("simd");
    expect(digest(simd)).toBe(kept);
  });

  it("is the one in docs/numerics.md", () => {
    expect(readFileSync(new URL("../../docs/numerics.md", import.meta.url), "utf8")).toContain(kept);
  });

  it("notices one bit", () => {
    const softmax: typeof simd.softmax = (x, options) => {
      const y = simd.softmax(x, options);
      if (y.length === 1021) y[1020] = -y[1020]!;
      return y;
    };
    expect(digest({ ...simd, softmax })).not.toBe(kept);
  });

  let byFunction: ReturnType<typeof digestByFunction> | undefined;
  it.each([
    ["in a workspace", inWorkspace],
    ["at odd addresses", atOddAddresses],
    ["in place", inPlace],
    ["after other calls", afterOtherCalls],
    ["row by row", rowByRow],
  ])("is the same %s", (_, circumstances) => {
    byFunction ??= digestByFunction(simd);
    expect(digestByFunction(circumstances(simd))).toEqual(byFunction);
  });

  // Flags of V8 that Node 20 to 26 know. Compiled by Liftoff alone, by the optimising compiler alone, with and without replacing code while
  // it runs; the wrapper interpreted; machine code for processors without AVX (two-operand SSE) and without FMA.
  it.each([
    "--liftoff-only",
    "--no-liftoff",
    "--no-wasm-tier-up",
    "--no-wasm-dynamic-tiering",
    "--no-opt",
    "--no-enable-avx",
    "--no-enable-fma3",
  ])("is the same with %s", async (flag) => {
    const script = `
      import * as simd from "softmargin";
      import { digest } from "./test/digest/digest.js";
      console.log(simd.backend.name, digest(simd));`;
    const args = [flag, "--import", "tsx", "--input-type=module", "--eval", script];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(stdout).toBe(`simd ${kept}\n`);
  });
});
