// The comparator: a computed array against Reals, each with its own tolerance, and bit-for-bit comparison.
import { assert, expect } from "vitest";
import type { Rounding } from "./oracle.js";
import type { Real } from "./real.js";

/**
 * Every got[i] must equal want[i] to within its err · u, and a rounding for storing it. NaN, +Infinity and −Infinity must be
 * met exactly, and so must a 0 that no rounding can have touched. `positiveZeros` refuses −0.
 */
export function expectClose(
  got: ArrayLike<number>,
  want: readonly Real[],
  rounding: Rounding,
  what: () => string,
  { positiveZeros = false }: { positiveZeros?: boolean } = {},
): void {
  if (got.length !== want.length) assert.fail(`${what()}: length ${got.length}, expected ${want.length}`);
  for (let i = 0; i < want.length; i++) {
    const fault = faultOf(got[i]!, want[i]!, rounding) ?? (positiveZeros && Object.is(got[i], -0) ? "−0" : undefined);
    if (fault !== undefined) {
      assert.fail(`${what()}\n  [${i}]: got ${got[i]}, expected ${want[i]!.hi}: ${fault}`);
    }
  }
}

function faultOf(got: number, want: Real, { u, tiny }: Rounding): string | undefined {
  const nearest = u === SINGLE.u ? Math.fround(want.hi) : want.hi;
  if (!Number.isFinite(nearest)) return Object.is(got, nearest) ? undefined : "special value missed";
  if (want.hi === 0 && want.err === 0) return got === 0 ? undefined : "must be exactly 0";
  const off = Math.abs(got - want.hi - want.lo);
  // below the normal range each of a few roundings may cost one step
  const allowed = (want.err + Math.abs(want.hi)) * u + 4 * tiny;
  return off <= allowed ? undefined : `off by ${(off / u).toPrecision(4)} u, allowed ${(allowed / u).toPrecision(4)} u`;
}

/** A golden: every value to the relative precision that its source gives; zeros and special values exactly. */
export function expectNear(got: ArrayLike<number> | number, want: readonly number[] | number, relative = 1e-6): void {
  const results = typeof got === "number" ? [got] : Array.from(got);
  const values = typeof want === "number" ? [want] : want;
  const near = results.map((x, i) => (Math.abs(x - values[i]!) <= relative * Math.abs(values[i]!) ? values[i] : x));
  expect(near).toEqual(values);
}

/** The same length and the same bits; one NaN is as good as another. */
export function expectSameBits(got: ArrayLike<number>, want: ArrayLike<number>, what: () => string): void {
  if (got.length !== want.length) assert.fail(`${what()}: length ${got.length}, expected ${want.length}`);
  for (let i = 0; i < want.length; i++) {
    if (!Object.is(got[i], want[i])) assert.fail(`${what()}\n  [${i}]: got ${got[i]}, expected exactly ${want[i]}`);
  }
}

export const SINGLE: Rounding = { u: 2 ** -24, tiny: 2 ** -149, sumExp: 1, sum: 4, shift: false };
export const DOUBLE: Rounding = { u: 2 ** -53, tiny: 2 ** -1074, sumExp: 1, sum: 4, shift: false };
