// The backends under test: the built entry points, and how each of them rounds.
import * as simd from "softmargin";
import * as baseline from "softmargin/baseline";
import * as relaxed from "softmargin/relaxed";
import { describe } from "vitest";
import type { Container } from "../inputs/values.js";
import { DOUBLE, SINGLE } from "../oracle/expectClose.js";
import type { Rounding } from "../oracle/oracle.js";

export type Api = typeof baseline;

export interface Backend {
  readonly name: "baseline" | "simd" | "relaxed";
  readonly api: Api;
  /** False where the engine cannot run it, so that the entry point has fallen back to another backend. */
  readonly runs: boolean;
}

export const backends: readonly Backend[] = [
  { name: "baseline", api: baseline, runs: true },
  { name: "simd", api: simd, runs: true },
  { name: "relaxed", api: relaxed, runs: relaxed.backend.name === "relaxed" },
];

/** The same tests for each backend; one that the engine cannot run is reported as skipped. */
export function onEveryBackend(tests: (backend: Backend) => void): void {
  for (const backend of backends) describe.skipIf(!backend.runs)(backend.name, () => tests(backend));
}

/** Plain loops over the engine's Math.exp and Math.log. */
const SERIAL: Rounding = { ...DOUBLE, sumExp: Number.POSITIVE_INFINITY, sum: Number.POSITIVE_INFINITY, shift: true };

/** The baseline computes f32 in f64. */
export function roundingOf({ name }: Backend, container: Container): Rounding {
  if (container === "Float32Array") return SINGLE;
  return name === "baseline" ? SERIAL : DOUBLE;
}
