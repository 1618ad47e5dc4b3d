// What runs on every engine (npm run bench:engines), bundled into one script without imports: prints its results, or posts them to where the page
// came from.

import * as simd from "softmargin";
import * as baseline from "softmargin/baseline";
import * as relaxed from "softmargin/relaxed";
import { engineLines } from "./lines.js";
import type { Pace } from "./measure.js";
import { type Entrant, type LineResult, onArrays, runLine } from "./run.js";

/** What an engine sends back. */
export type Findings = { readonly lines: readonly LineResult[] } | { readonly error: string };

/** Put here by the bundler. */
declare const ELEMENTS: number;
declare const PACE: Pace;

async function core(): Promise<Findings> {
  try {
    const entrants: Entrant[] = [onArrays("baseline", baseline)];
    if (simd.backend.name !== "simd") throw new Error(`no SIMD here: ${simd.backend.reason}`);
    entrants.push(onArrays("simd", simd));
    if (relaxed.backend.name === "relaxed") entrants.push(onArrays("relaxed", relaxed));
    const lines: LineResult[] = [];
    for (const line of engineLines(ELEMENTS)) lines.push(await runLine(line, entrants, PACE));
    return { lines };
  } catch (error) {
    return { error: String(error) };
  }
}

const findings = JSON.stringify(await core());
if ("document" in globalThis) await fetch("/", { method: "POST", body: findings });
else console.log(findings);
