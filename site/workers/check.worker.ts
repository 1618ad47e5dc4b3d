// The repository's own checks, in this tab: its digest, its reference of 30 digits, its benchmark.

import type { Functions } from "softmargin";
import * as softmargin from "softmargin";
import * as baseline from "softmargin/baseline";
import * as relaxed from "softmargin/relaxed";
import { byHand } from "../../bench/byHand.js";
import { coreLines } from "../../bench/lines.js";
import type { Pace } from "../../bench/measure.js";
import { type LineResult, onArrays, runLine } from "../../bench/run.js";
import { measure, RANGES } from "../../test/accuracy/measure.js";
import { digest } from "../../test/digest/digest.js";
import { loops } from "../shown/loops.js";

export interface Request {
  readonly check: "bits" | "accuracy" | "speed";
  /** Of the speed: a minute instead of some seconds. */
  readonly thorough: boolean;
}

/** The largest error of each contender, in ulp. */
export interface ErrorsOf {
  readonly figure: string;
  readonly errors: Readonly<Record<string, number>>;
}
export type Answer =
  | { readonly kind: "progress"; readonly text: string; readonly part?: number }
  | { readonly kind: "bits"; readonly digest: string; readonly backend: string; readonly ms: number }
  | { readonly kind: "accuracy"; readonly errors: readonly ErrorsOf[] }
  | { readonly kind: "line"; readonly line: LineResult }
  | { readonly kind: "speed"; readonly backend: string }
  | { readonly kind: "failed"; readonly message: string };

const say = (answer: Answer): void => postMessage(answer);
const backend = softmargin.backend.name;

addEventListener("message", async ({ data }: MessageEvent<Request>) => {
  try {
    if (data.check === "bits") bits();
    else if (data.check === "accuracy") await accuracy();
    else await speed(data.thorough);
  } catch (error) {
    say({ kind: "failed", message: String(error) });
  }
});

function bits(): void {
  const start = performance.now();
  let calls = 0;
  const counted = Object.entries(softmargin).map(([name, f]) => [
    name,
    typeof f !== "function"
      ? f
      : (...args: unknown[]) => {
          if (++calls % 1000 === 0) say({ kind: "progress", text: `${calls} calls` });
          return (f as (...args: unknown[]) => unknown)(...args);
        },
  ]);
  const found = digest(Object.fromEntries(counted) as Functions);
  say({ kind: "bits", digest: found, backend, ms: performance.now() - start });
}

const FIGURES = ["softmax", "logSoftmax", "logSumExp", "crossEntropy", "crossEntropyGrad"];
const CLASSES = 10;
const ROWS = 1000;

async function accuracy(): Promise<void> {
  const types = ["f32"] as const;
  const contenders = [
    { name: "softmargin", functions: softmargin as Functions, only: FIGURES, types },
    { name: "by hand", functions: loops as unknown as Functions, only: FIGURES, types },
  ];
  const errors = FIGURES.map((figure) => ({ figure, errors: {} as Record<string, number> }));
  for (const [i, range] of RANGES.entries()) {
    say({ kind: "progress", text: `logits ${range.name}`, part: i / RANGES.length });
    for (const { contender, figure, max } of await measure(contenders, "f32", CLASSES, range, CLASSES * ROWS)) {
      const own = errors.find((entry) => entry.figure === figure)?.errors;
      if (own) own[contender] = Math.max(own[contender] ?? 0, max);
    }
  }
  say({ kind: "accuracy", errors });
}

// Browsers' clocks tick in up to a millisecond.
const SHORT: Pace = { rounds: 3, batchMs: 10, warmupMs: 40 };
const THOROUGH: Pace = { rounds: 11, batchMs: 30, warmupMs: 300 };

async function speed(thorough: boolean): Promise<void> {
  const entrants = [byHand, onArrays("baseline", baseline)];
  if (backend !== "baseline") entrants.push(onArrays(backend, softmargin));
  if (relaxed.backend.name === "relaxed") entrants.push(onArrays("relaxed", relaxed));
  const lines = coreLines(thorough ? 1_000_000 : 100_000);
  for (const [i, line] of lines.entries()) {
    say({ kind: "progress", text: `${line.job}, C = ${line.classes}`, part: i / lines.length });
    say({ kind: "line", line: await runLine(line, entrants, thorough ? THOROUGH : SHORT) });
  }
  say({ kind: "speed", backend });
}
