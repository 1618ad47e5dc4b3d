// Times contenders that take turns: a round is one short batch of each, so that a drift of the machine meets all of them, and a ratio is taken
// within each round. tinybench, which by itself would run one contender after the other, times the batches: some milliseconds each, since
// the same code runs in browsers, whose clocks tick in milliseconds.

import { Bench } from "tinybench";

export interface Contender {
  readonly name: string;
  /** One call. What it returns is kept, so that no engine may drop the call. An async function is waited for. */
  readonly run: () => unknown;
}

export interface Pace {
  readonly rounds: number;
  /** What a batch takes at least, unless one call takes longer. */
  readonly batchMs: number;
  /** How long each contender runs before the first round: past the first compiler tiers. */
  readonly warmupMs: number;
  /** What is done before each batch and not timed. */
  readonly prepare?: () => void;
}

/** Of the batches, in nanoseconds per call; `mad` is the median absolute deviation from the median. */
export interface Timing {
  readonly median: number;
  readonly min: number;
  readonly mad: number;
  /** Page faults per call, where the runtime counts them: a call that gets new memory each time has another speed than one that does not. */
  readonly faults?: number;
}

const NUMBERS = Float64Array.from({ length: 4096 }, (_, i) => 1 + i / 4096);

/**
 * Work that is always the same and needs nothing but the processor's units: where it takes longer than it did, the machine is busy with something
 * else, a core's other thread perhaps, and not all contenders suffer alike.
 */
export const yardstick: Contender = {
  name: "yardstick",
  run() {
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let i = 0; i < NUMBERS.length; i += 4) {
      a += NUMBERS[i]! * NUMBERS[i]!;
      b += NUMBERS[i + 1]! * NUMBERS[i + 1]!;
      c += NUMBERS[i + 2]! * NUMBERS[i + 2]!;
      d += NUMBERS[i + 3]! * NUMBERS[i + 3]!;
    }
    return a + b + c + d;
  },
};

/** Nanoseconds per call: one number per round and contender. */
export type Rounds = Readonly<Record<string, readonly number[]>>;

/** The page faults of this process so far; undefined in browsers. */
const pageFaults = (): number | undefined => globalThis.process?.resourceUsage?.().minorPageFault;

/** `faults`, if given, gets the page faults per call of each contender. */
export async function measure(
  contenders: readonly Contender[],
  pace: Pace,
  faults: Record<string, number> = {},
): Promise<Rounds> {
  const calls = new Map<Contender, number>();
  for (const contender of contenders) calls.set(contender, await warmUp(contender, pace));
  const rounds: Record<string, number[]> = Object.fromEntries(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < pace.rounds; round++) {
    // Each round begins with another one, so that none always follows the same neighbour's use of the cache.
    for (let i = 0; i < contenders.length; i++) {
      const contender = contenders[(round + i) % contenders.length]!;
      const n = calls.get(contender)!;
      let ms = 0;
      let done = 0;
      pace.prepare?.();
      const before = pageFaults();
      // Once more where n was found too small: on a slow stretch of the machine in the warm-up.
      for (; ms < pace.batchMs / 2; done += n) ms += await batch(contender, n);
      rounds[contender.name]!.push((ms * 1e6) / done);
      if (before === undefined) continue;
      faults[contender.name] = (faults[contender.name] ?? 0) + (pageFaults()! - before) / done / pace.rounds;
    }
  }
  return rounds;
}

export function timing(samples: readonly number[]): Timing {
  const center = median(samples);
  return { median: center, min: Math.min(...samples), mad: median(samples.map((s) => Math.abs(s - center))) };
}

/** How many times as fast as the other a contender is: the median of the rounds' ratios. */
export function speedup(rounds: Rounds, contender: string, over: string): number {
  return median(rounds[contender]!.map((own, round) => rounds[over]![round]! / own));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Runs a contender in growing batches for as long as `pace` says; how many calls make a batch. */
async function warmUp(contender: Contender, { batchMs, warmupMs }: Pace): Promise<number> {
  const start = performance.now();
  for (let n = 1; ; ) {
    const ms = await batch(contender, n);
    const enough = ms >= batchMs / 2;
    if (enough && performance.now() - start >= warmupMs) return Math.max(1, Math.ceil((n * batchMs) / ms));
    if (!enough) n *= 2;
  }
}

/** What the last call returned. */
export let kept: unknown;

/** Milliseconds that n calls take. */
async function batch({ name, run }: Contender, n: number): Promise<number> {
  const async = run.constructor.name === "AsyncFunction";
  const calls = async
    ? async () => {
        for (let i = 0; i < n; i++) kept = await run();
      }
    : () => {
        for (let i = 0; i < n; i++) kept = run();
      };
  const [task] = await new Bench({ iterations: 1, time: 0, warmup: false, throws: true })
    .add(name, calls, { async })
    .run();
  if (task?.result.state !== "completed") throw new Error(`${name} was not timed: ${task?.result.state}`);
  return task.result.totalTime;
}
