// One line of the benchmark: each entrant prepares itself, its result is checked against the oracle, and then they take turns.
// Nothing here needs a particular runtime: browsers run it too.

import type { Functions, Softmargin } from "../src/api.js";
import { type Data, type Logits, makeData, ordinary, type Type } from "./data.js";
import { errorOf, expectedOf, JOBS, type Result } from "./jobs.js";
import type { Line, Target } from "./lines.js";
import {
  type Contender,
  measure,
  median,
  type Pace,
  type Rounds,
  speedup,
  type Timing,
  timing,
  yardstick,
} from "./measure.js";

export interface Entrant {
  readonly name: string;
  /** The largest error, relative to the largest value of the result, with which the job still counts as done. */
  readonly tolerance: Readonly<Record<Type, number>>;
  /** Everything that is done once; undefined where this entrant has no such job. What comes back does all that each call costs a user. */
  prepare(line: Line, data: Data): Prepared | undefined | Promise<Prepared | undefined>;
}

export interface Prepared {
  readonly run: () => Result | Promise<Result>;
  /** Whether its result answers another question: it draws with a generator of its own, say. */
  readonly isOther?: boolean;
  /** Of this job alone, where a library is known to be further off. */
  readonly tolerance?: number;
  dispose?(): void;
}

export interface LineResult {
  readonly section: string;
  readonly job: string;
  readonly type: Type;
  readonly shape: readonly [outer: number, classes: number, inner: number];
  readonly logits?: Logits;
  /** Of a layer. */
  readonly features?: number;
  /** Nanoseconds per call. */
  readonly times: Readonly<Record<string, Timing>>;
  /** What the same work took as with every other line: see `yardstick`. */
  readonly yardstick: number;
  /** How many times as fast as the first entrant. */
  readonly speedups: Readonly<Record<string, number>>;
  /** How many times as fast as each of the others the one in question is, if there is one. */
  readonly ahead?: Readonly<Record<string, number>>;
  /** The largest error, relative to the largest value of the result. */
  readonly errors: Readonly<Record<string, number>>;
  readonly targets: readonly (Target & { readonly measured: number; readonly met: boolean })[];
}

const STRICT = { f32: 1e-6, f64: 1e-12 };

/** A backend on ordinary arrays. Its results go to the same array at each call; or, as those of other libraries do, to a `fresh` one. */
export function onArrays(name: string, api: Functions, fresh = false): Entrant {
  return { name, tolerance: STRICT, prepare: ({ job }, data) => ({ run: JOBS[job].prepare(api, data, fresh) }) };
}

/** A backend on a Float16Array, where there is such a thing, for the lines whose logits are half floats. */
export function onHalfFloats(name: string, api: Functions): Entrant {
  const { Float16Array } = globalThis as { Float16Array?: new (x: ArrayLike<number>) => unknown };
  return {
    name,
    tolerance: STRICT,
    prepare({ job, logits }, data) {
      if (!Float16Array || logits !== "half floats" || job === "float16ToFloat32") return undefined;
      return { run: JOBS[job].prepare(api, { ...data, x: new Float16Array(data.x) as Float32Array }) };
    },
  };
}

/** What draws are held against: the log-sum-exp of the same rows. */
export function logSumExp(api: Functions): Entrant {
  return {
    name: "log-sum-exp",
    tolerance: STRICT,
    prepare: ({ job }, data) =>
      job.startsWith("sample") ? { run: JOBS["log-sum-exp"].prepare(api, data), isOther: true } : undefined,
  };
}

/** A backend on arrays of its workspace, for the lines that ask for it. */
export function inWorkspace(name: string, { createWorkspace }: Softmargin): Entrant {
  return {
    name,
    tolerance: STRICT,
    prepare(line, { type, rows, classes }) {
      if (!line.workspace) return undefined;
      const bytes = 2 * rows * classes * (type === "f32" ? 4 : 8) + 2 * rows * 4 + 64;
      const workspace = createWorkspace({ bytes });
      const data = makeData(type, line, {
        floats: (type, length) => (type === "f32" ? workspace.float32(length) : workspace.float64(length)),
        int32: (length) => workspace.int32(length),
      });
      return { run: JOBS[line.job].prepare(workspace, data) };
    },
  };
}

/** Times a line. Speed-ups are over the first entrant, and of `subject` over all. Throws where a result is wrong. */
export async function runLine(
  line: Line,
  entrants: readonly Entrant[],
  pace: Pace,
  subject?: string,
): Promise<LineResult> {
  const data = makeData(line.type, line, ordinary);
  const expected = expectedOf(line.job, data);
  const errors: Record<string, number> = {};
  const prepared: { name: string; run: Prepared["run"]; dispose: () => void }[] = [];
  for (const { name, tolerance, prepare } of entrants) {
    const ready = await prepare(line, data);
    if (!ready) continue;
    data.out.fill(Number.NaN);
    const result = await ready.run();
    if (!ready.isOther) {
      const error = errorOf(result, expected, data);
      if (!(error <= (ready.tolerance ?? tolerance[line.type])))
        throw new Error(`${describe(line)}: ${name} is off by ${error}`);
      errors[name] = error;
    }
    prepared.push({ name, run: ready.run, dispose: () => ready.dispose?.() });
  }
  const { faults, rounds: all } = await measureUndisturbed(prepared, pace);
  const { [yardstick.name]: steps, ...rounds } = all;
  for (const { dispose } of prepared) dispose();

  const first = prepared[0]!.name;
  const has = (name: string): boolean => prepared.some((p) => p.name === name);
  return {
    section: line.section,
    job: line.job,
    type: line.type,
    shape: [line.outer, line.classes, line.inner],
    ...(line.logits ? { logits: line.logits } : {}),
    ...(line.features !== undefined && { features: line.features }),
    times: mapValues(rounds, (samples, name) => ({
      ...timing(samples),
      ...(faults[name] === undefined ? {} : { faults: faults[name] }),
    })),
    yardstick: median(steps!),
    speedups: mapValues(rounds, (_, name) => speedup(rounds, name, first)),
    ...(subject ? { ahead: mapValues(rounds, (_, name) => speedup(rounds, subject, name)) } : {}),
    errors,
    targets: line.targets
      .filter(({ contender, over }) => has(contender) && has(over))
      .map((target) => {
        const measured = speedup(rounds, target.contender, target.over);
        return { ...target, measured, met: measured >= target.atLeast };
      }),
  };
}

/** So much more than at best the yardstick takes where something else keeps the machine busy: otherwise it is some 3 %. */
const DISTURBED = 1.1;
let fastest = Number.POSITIVE_INFINITY;

/** Measures again, at most twice, while the machine is slower than it has been; the last result counts. */
async function measureUndisturbed(
  contenders: readonly Contender[],
  pace: Pace,
): Promise<{ rounds: Rounds; faults: Readonly<Record<string, number>> }> {
  for (let again = 2; ; again--) {
    const faults: Record<string, number> = {};
    const rounds = await measure([...contenders, yardstick], pace, faults);
    const step = median(rounds[yardstick.name]!);
    fastest = Math.min(fastest, step);
    if (again === 0 || step <= DISTURBED * fastest) return { rounds, faults };
  }
}

/** The lines that were measured while the machine was slower than with the others, although they were measured again. */
export function disturbed(lines: readonly LineResult[]): LineResult[] {
  const best = Math.min(...lines.map((line) => line.yardstick));
  return lines.filter((line) => line.yardstick > DISTURBED * best);
}

export function describe({ job, type, outer, classes, inner, features, logits }: Line): string {
  const depth = features === undefined ? "" : `${features} × `;
  return `${job}, ${type}, ${outer} × ${depth}${classes}${inner > 1 ? ` × ${inner}` : ""}${logits ? `, ${logits}` : ""}`;
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, f: (value: A, name: string) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value, name)]));
}
