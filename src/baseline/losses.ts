// What a loss returns and leaves: the total of the losses of all rows, and each of them where that is wanted.

import { Total } from "../functions/reduction.js";
import type { FloatArray } from "../kernels.js";

export class Losses {
  private readonly sum = new Total();
  private readonly perRow: FloatArray | undefined;

  constructor(perRow: FloatArray | undefined) {
    this.perRow = perRow;
  }

  /** Each row once, in their order. A weight of −0 makes a loss −0, which + 0 is 0. */
  set(row: number, loss: number): void {
    this.sum.add(loss);
    if (this.perRow !== undefined) this.perRow[row] = loss + 0;
  }

  get total(): number {
    return this.sum.value;
  }
}
