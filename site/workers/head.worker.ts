// Fetches the digits, makes their features, trains a head on them and judges it, all off the page's thread. One request; to stop it, end the worker.

import { createWorkspace } from "softmargin";
import { createRandom, shuffle } from "../../examples/mnist/random.js";
import { featuresOf, randomLayer } from "../../examples/mnist/randomLayer.js";
import { CLASSES, judge, step, untrained } from "../shown/head.js";

const PIXELS = 28 * 28;
const EPOCHS = 20;
const BATCH = 100;
const RATE = 4; // of the first step; it falls linearly to 0
/** Every so many steps the page hears of them. */
const HEARD = 10;
const CHUNK = 500;

export interface Request {
  /** Features of each digit. */
  readonly width: number;
  /** So many digits to test on are judged already while it trains. */
  readonly shown: number;
}
export interface Digits {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}
/** What the head says of the first digits to test on, or of all, and how sure it is. */
export interface Judgement {
  readonly guesses: Int32Array;
  readonly confidence: Float32Array;
}
export interface Progress {
  readonly steps: number;
  readonly of: number;
  /** Of the first step, or the mean since the last answer. */
  readonly loss: number;
  readonly digitsPerSecond: number;
}
export type Answer =
  | ({ readonly kind: "digits" } & Digits)
  | { readonly kind: "features"; readonly part: number }
  | ({ readonly kind: "steps" } & Progress & Judgement)
  | ({ readonly kind: "done" } & Judgement)
  | { readonly kind: "failed"; readonly message: string };

const say = (answer: Answer): void => postMessage(answer);

addEventListener("message", async ({ data }: MessageEvent<Request>) => {
  try {
    const [train, test] = await Promise.all([fetchDigits("train"), fetchDigits("test")]);
    say({ kind: "digits", ...test });
    run(train, test, data);
  } catch (error) {
    say({ kind: "failed", message: String(error) });
  }
});

/** A byte for the class of each digit, and then its pixels; gzip (generator/digits.ts). */
async function fetchDigits(name: "train" | "test"): Promise<Digits> {
  const { ok, status, body } = await fetch(new URL(`../digits-${name}.bin`, import.meta.url));
  if (!ok) throw new Error(`the digits are not to be had: ${status}`);
  const bytes = new Uint8Array(await new Response(body!.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
  const count = bytes.length / (1 + PIXELS);
  const digits = { images: new Uint8Array(count * PIXELS), labels: new Uint8Array(count) };
  for (let r = 0, at = 0; r < count; r++, at += 1 + PIXELS) {
    digits.labels[r] = bytes[at];
    digits.images.set(bytes.subarray(at + 1, at + 1 + PIXELS), r * PIXELS);
  }
  return digits;
}

function run(train: Digits, test: Digits, { width, shown }: Request): void {
  const random = createRandom(1);
  const count = train.labels.length;
  const digits = count + test.labels.length;
  const workspace = createWorkspace({ bytes: 4 * (digits * width + 2 * CLASSES * (width + 1)) + 64 });
  const layer = randomLayer(width, inked(train.images.subarray(0, CHUNK * PIXELS)), random);
  let made = 0;
  const features = ({ images, labels }: Digits): Float32Array => {
    const x = workspace.float32(labels.length * width);
    for (let r = 0; r < labels.length; r += CHUNK, made += CHUNK) {
      say({ kind: "features", part: made / digits });
      const chunk = inked(images.subarray(r * PIXELS, (r + CHUNK) * PIXELS));
      featuresOf(chunk, layer, x.subarray(r * width, (r + CHUNK) * width));
    }
    return x;
  };
  const x = features(train);
  const testX = features(test);

  const head = untrained(workspace, width);
  const batches = Int32Array.from({ length: count / BATCH }, (_, i) => i);
  const of = EPOCHS * batches.length;
  const start = performance.now();
  let steps = 0;
  let sum = 0;
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    shuffle(batches, random);
    for (const batch of batches) {
      const [from, to] = [batch * BATCH, (batch + 1) * BATCH];
      const labels = train.labels.subarray(from, to);
      sum += step(workspace, head, x.subarray(from * width, to * width), labels, RATE * (1 - steps / of));
      if (steps % HEARD === 0) {
        const digitsPerSecond = ((steps + 1) * BATCH * 1000) / (performance.now() - start);
        const loss = steps === 0 ? sum : sum / HEARD;
        const judgement = judge(workspace, head, testX.subarray(0, shown * width));
        say({ kind: "steps", steps, of, loss, digitsPerSecond, ...judgement });
        sum = 0;
      }
      steps++;
    }
  }
  say({ kind: "done", ...judge(workspace, head, testX) });
}

const inked = (bytes: Uint8Array): Float32Array => Float32Array.from(bytes, (byte) => byte / 255);
