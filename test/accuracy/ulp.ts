// Errors in units in the last place of the result's own type, and what is kept of them.
import type { Real } from "../oracle/real.js";

export type Type = "f32" | "f64";

const words = new Uint32Array(2);
const double = new Float64Array(words.buffer);
const spacing = {
  f32: Float64Array.from({ length: 2048 }, (_, exponent) => 2 ** Math.max(exponent - 1023 - 23, -149)),
  f64: Float64Array.from({ length: 2048 }, (_, exponent) => 2 ** Math.max(exponent - 1023 - 52, -1074)),
};
export const SMALLEST_NORMAL: { readonly [type in Type]: number } = { f32: 2 ** -126, f64: 2 ** -1022 };

/** The distance between the numbers of a type around x. */
export function ulp(x: number, type: Type): number {
  double[0] = x;
  return spacing[type][(words[1]! >>> 20) & 2047]!;
}

/** The largest and the mean error of many results, where the largest was, and the largest below the normal range. */
export class Errors {
  max = 0;
  at = "";
  subnormal = 0;
  private total = 0;
  private count = 0;

  get mean(): number {
    return this.count ? this.total / this.count : 0;
  }

  /**
   * `terms` is the size of the largest term that goes into the result, where terms cancel. Infinity and NaN must be met exactly: missing one is
   * an infinite error.
   */
  see(got: number, want: Real, type: Type, at: () => string, terms = 0): void {
    const off = Number.isFinite(got)
      ? Math.abs(got - want.hi - want.lo)
      : got === want.hi
        ? 0
        : Number.POSITIVE_INFINITY;
    const size = Math.max(Math.abs(want.hi), terms);
    const error = off / ulp(size, type);
    if (size < SMALLEST_NORMAL[type]) {
      this.subnormal = Math.max(this.subnormal, error);
      return;
    }
    this.total += error;
    this.count++;
    if (error > this.max) {
      this.max = error;
      this.at = at();
    }
  }

  /** The same for a reference that is good enough as a double: a billion of them take half a minute. */
  seeDouble(got: number, want: number, type: Type, x: number): void {
    const off = Math.abs(got - want) / ulp(want, type);
    // As a NaN it would be less than nothing, and be forgotten.
    const error = Number.isNaN(off) ? Number.POSITIVE_INFINITY : off;
    if (want < SMALLEST_NORMAL[type]) {
      if (error > this.subnormal) this.subnormal = error;
      return;
    }
    this.total += error;
    this.count++;
    if (error > this.max) {
      this.max = error;
      this.at = `x = ${x}: ${got}, not ${want}`;
    }
  }

  /** Takes up what another has seen. */
  join(other: Errors): void {
    if (other.max > this.max) [this.max, this.at] = [other.max, other.at];
    this.subnormal = Math.max(this.subnormal, other.subnormal);
    this.total += other.total;
    this.count += other.count;
  }

  /** Takes up a bare figure, one that has no subnormal range and no type. */
  seeFigure(figure: number, at: () => string): void {
    this.see(figure, { hi: 0, lo: 0, err: 0 }, "f64", at, 2 ** 52);
  }
}
