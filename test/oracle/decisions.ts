// Decisions by brute force: every class sorted, every sum taken over the sorted classes. Written from the definitions, sharing nothing with src/.

export interface SampleOptions {
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
}

/** The classes from the largest logit on: NaN first, equal ones by index. */
export function ranking(x: ArrayLike<number>): number[] {
  const above = (a: number, b: number) => (Number.isNaN(a) ? !Number.isNaN(b) : a > b);
  return Array.from(x, (_, j) => j).sort((i, j) => {
    if (above(x[i]!, x[j]!)) return -1;
    return above(x[j]!, x[i]!) ? 1 : i - j;
  });
}

/**
 * The classes that a draw with u may give. It is one, but where a sum, or the u-th part of one, is within `tolerance` of the total of a boundary: there
 * either side of it is right.
 */
export function sampleChoices(
  x: ArrayLike<number>,
  u: number,
  { temperature = 1, topK = x.length, topP = 1, minP = 0 }: SampleOptions,
  tolerance: number,
): Set<number> {
  const order = ranking(x);
  if (temperature === 0) return new Set(order.slice(0, 1));
  const e = Array.from(x, (xj) => Math.exp((xj - x[order[0]!]!) / temperature));
  const left = order.slice(0, topK);
  const choices = new Set<number>();
  for (const most of countsOf(left, e, topP, tolerance)) {
    for (const count of countsAbove(left.slice(0, most), e, minP, tolerance)) {
      const kept = left.slice(0, count).sort((i, j) => i - j);
      const total = sumOf(kept, e);
      let before = 0;
      for (const j of kept) {
        const after = before + e[j]!;
        const slack = tolerance * total;
        if (e[j]! > 0 && u * total >= before - slack && u * total < after + slack) choices.add(j);
        before = after;
      }
    }
  }
  return choices;
}

/** How many of the sorted classes may have the share topP of the sum, where fewer have not. */
function countsOf(left: readonly number[], e: readonly number[], topP: number, tolerance: number): number[] {
  if (topP === 1) return [left.length];
  const total = sumOf(left, e);
  const counts: number[] = [];
  let sum = 0;
  for (let n = 1; n <= left.length; n++) {
    const missed = topP * total - sum;
    sum += e[left[n - 1]!]!;
    if (missed > -tolerance * total && sum >= topP * total - tolerance * total) counts.push(n);
  }
  return counts;
}

/** How many of the sorted classes may have at least minP of the largest. */
function countsAbove(left: readonly number[], e: readonly number[], minP: number, tolerance: number): number[] {
  const certain = left.filter((j) => e[j]! >= minP * (1 + tolerance)).length;
  const possible = left.filter((j) => e[j]! >= minP * (1 - tolerance)).length;
  return Array.from({ length: possible - certain + 1 }, (_, i) => certain + i).filter((n) => n > 0);
}

function sumOf(classes: readonly number[], e: readonly number[]): number {
  return classes.reduce((sum, j) => sum + e[j]!, 0);
}
