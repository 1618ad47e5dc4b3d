// From the losses of the rows to what the caller asked for. Sums are taken in f64, in row order, with the rounding errors summed apart
// (Neumaier 1974), so that the mean over millions of equal losses is that loss.

export type Reduction = "none" | "sum" | "mean" | "parts";
export const REDUCTIONS: readonly Reduction[] = ["none", "sum", "mean", "parts"];

/** A mean before it is divided: means over several batches are made of these. */
export interface LossParts {
  sum: number;
  denominator: number;
}

/** A loss in any of these forms: one number for `mean` and `sum`, both parts for `parts`, one value per row for `none`. */
export type LossValue = number | LossParts | Float32Array | Float64Array | number[];

/** The denominator of a mean: the total weight, the rows that are not ignored, or all rows. */
export type MeanOver = "weights" | "count" | "all";
export const MEANS: readonly MeanOver[] = ["weights", "count", "all"];

/** A sum, and its rounding errors. */
export class Total {
  private sum = 0;
  private lost = 0;

  add(value: number): void {
    const next = this.sum + value;
    const added = next - this.sum;
    this.lost += this.sum - (next - added) + (value - added);
    this.sum = next;
  }

  get value(): number {
    return totalOf(this.sum, this.lost);
  }
}

export function totalOf(sum: number, lost: number): number {
  return Number.isFinite(sum) ? sum + lost : sum;
}

/** Σ values[i] for i < length. */
export function sum(values: ArrayLike<number>, length: number): number {
  const total = new Total();
  for (let i = 0; i < length; i++) total.add(values[i]!);
  return total.value;
}
