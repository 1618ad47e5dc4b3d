// The benchmark's tables, as text.

import { disturbed, type LineResult } from "./run.js";

const JOB = 55;
const CELL = 26;
/** Below this many elements a call is too short for a time per element to mean anything. */
const FEW = 1000;

export function heading(section: string, names: readonly string[]): string {
  return `\n${section.padEnd(JOB)}${names.map((name) => name.padEnd(CELL)).join("")}target`;
}

/** A job, its time on each entrant with the spread, how many times as fast as the first it is, and what it should be. */
export function row(result: LineResult, names: readonly string[]): string {
  const { job, type, shape, times, speedups, targets } = result;
  const [outer, classes, inner] = shape;
  const elements = outer * classes * inner;
  const size = inner > 1 ? `C = ${classes}` : `${outer} × ${classes}`;
  const cells = names.map((name, i) => {
    const time = times[name];
    if (!time) return "–".padEnd(CELL);
    const per = elements < FEW ? `${time.median.toFixed(0)} ns/call` : `${(time.median / elements).toFixed(3)} ns`;
    const spread = `±${((time.mad / time.median) * 100).toFixed(0)}%`;
    return `${per} ${spread}${i === 0 ? "" : ` ${figure(speedups[name]!)}×`}`.padEnd(CELL);
  });
  const goals = targets.map(
    ({ contender, over, atLeast, measured, met }) =>
      `${contender} ≥ ${atLeast}×${over === names[0] ? "" : ` ${over}`}${met ? " ✓" : ` ✗ ${figure(measured)}`}`,
  );
  return `  ${`${job}, ${size}${type === "f64" ? ", f64" : ""}`.padEnd(JOB - 3)} ${cells.join("")}${goals.join(", ")}`;
}

/** How many targets were met, and which lines were measured while the machine was slower than with others of the same list. */
export function tally(...lists: (readonly LineResult[])[]): string {
  const targets = lists.flat().flatMap((result) => result.targets);
  const met = `${targets.filter(({ met }) => met).length} of ${targets.length} targets met`;
  const slow = lists
    .flatMap(disturbed)
    .map(({ section, job, type, shape }) => `${section}: ${job}, ${type}, ${shape.join(" × ")}`);
  return [met, ...(slow.length > 0 ? ["measured while the machine was busy with something else:"] : []), ...slow].join(
    "\n  ",
  );
}

export function figure(ratio: number): string {
  return ratio >= 9.95 ? ratio.toFixed(1) : ratio.toFixed(2);
}
