// Draws, counts and times off the page's thread. A request that came later ends the one before.

import { topK } from "softmargin";
import { createRandom } from "../../examples/mnist/random.js";
import { type Choice, draw, drawBySorting, entropy, left, VOCABULARY } from "../shown/token.js";

const DRAWS = 1000;
const BATCH = 50;
const SHOWN = 12;

export interface Request {
  readonly id: number;
  readonly choice: Choice;
}
/** What is known so far. */
export interface Answer {
  readonly id: number;
  readonly left?: number;
  readonly entropy?: number;
  readonly tokens?: readonly { token: number; p: number; after: number }[];
  readonly counts?: readonly number[];
  readonly draws?: number;
  /** Nanoseconds. */
  readonly sample?: number;
  readonly sort?: number;
}

const random = createRandom(1);
const logits = makeLogits();
let latest = 0;

addEventListener("message", ({ data }: MessageEvent<Request>) => {
  latest = data.id;
  answer(data);
});

async function answer({ id, choice }: Request): Promise<void> {
  const say = (more: Omit<Answer, "id">): void => postMessage({ id, ...more } satisfies Answer);
  const isOld = async (): Promise<boolean> => {
    await new Promise((resolve) => setTimeout(resolve));
    return id !== latest;
  };
  if (await isOld()) return;
  const top = topK(logits, SHOWN, { temperature: choice.temperature });
  const kept = left(logits, choice);
  const mass = kept.p.reduce((a, b) => a + b, 0);
  const tokens = [...top.indices].map((token, i) => ({
    token,
    p: top.values[i],
    after: i < kept.tokens.length ? top.values[i] / mass : 0,
  }));
  say({ left: kept.tokens.length, entropy: entropy(logits, kept.tokens, choice.temperature), tokens });

  // The last count is that of all the others.
  const counts = new Array<number>(SHOWN + 1).fill(0);
  for (let draws = 0; draws < DRAWS; ) {
    if (await isOld()) return;
    for (let i = 0; i < BATCH; i++, draws++) {
      const at = top.indices.indexOf(draw(logits, choice, random));
      counts[at < 0 ? SHOWN : at]++;
    }
    say({ counts, draws });
  }
  if (await isOld()) return;
  say({ sample: time(() => draw(logits, choice, random), 60) });
  if (await isOld()) return;
  say({ sort: time(() => drawBySorting(logits, choice, random), 250) });
}

/** Nanoseconds per call, of as many calls as take so many milliseconds. */
function time(run: () => unknown, ms: number): number {
  run();
  let calls = 0;
  const start = performance.now();
  do {
    run();
    calls++;
  } while (performance.now() - start < ms);
  return ((performance.now() - start) * 1e6) / calls;
}

/** As a language model has them: 200 tokens that follow Zipf's law, and a floor of all others, each unlikely. */
function makeLogits(): Float32Array {
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const x = Float32Array.from({ length: VOCABULARY }, () => 2 * normal());
  for (let rank = 1; rank <= 200; rank++) x[(rank * 48_271) % VOCABULARY] = 18 - 1.2 * Math.log(rank) + 0.2 * normal();
  return x;
}
