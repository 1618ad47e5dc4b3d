// A small seeded generator, so that a failure can be repeated from the seed in its message.

export interface Random {
  /** In [from, to). */
  uniform(from?: number, to?: number): number;
  /** One of from, …, to. */
  integer(from: number, to: number): number;
  /** Mean 0, variance 1. */
  normal(): number;
  /** True with this probability. */
  chance(probability?: number): boolean;
  pick<T>(choices: readonly T[]): T;
}

/** mulberry32 (Tommy Ettinger, public domain). */
export function random(seed: number): Random {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  const uniform = (from = 0, to = 1) => from + (to - from) * next();
  const integer = (from: number, to: number) => Math.floor(uniform(from, to + 1));
  return {
    uniform,
    integer,
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    chance: (probability = 0.5) => next() < probability,
    pick: (choices) => choices[integer(0, choices.length - 1)]!,
  };
}
