// The losses of all rows: their total, and each of them if there is room.

import { Total } from "../functions/reduction.js";
import type { FloatArray } from "../kernels.js";

export class Losses {
  private readonly sum = new Total();
  private readonly perRow: FloatArray | undefined;

  constructor(perRow: FloatArray | undefined) {
    this.perRow = perRow;
  }

  /** Each row once, in their order. + 0: a weight of −0 makes a loss −0. */
  set(row: number, loss: number): void {
    this.sum.add(loss);
    if (this.perRow !== undefined) this.perRow[row] = loss + 0;
  }

  get total(): number {
    return this.sum.value;
  }
}
