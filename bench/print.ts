// The benchmark's full tables, as text.

import { disturbed, type LineResult } from "./run.js";

const JOB = 55;
const CELL = 34;
/** Below this many elements a call is too short for a time per element to mean anything. */
const FEW = 1000;
/** So many lines that were disturbed are named. */
const MANY = 10;

export function heading(section: string, names: readonly string[], aims = true): string {
  return `\n${section.padEnd(JOB)}${names.map((name) => name.padEnd(CELL)).join("")}${aims ? "aim" : ""}`.trimEnd();
}

/** A job, on each entrant its median and fastest time, the spread, page faults per call, how many times as fast as the first it is; and the aims. */
export function row(result: LineResult, names: readonly string[], aims = true): string {
  const { job, type, shape, logits, features, times, speedups, targets } = result;
  const [outer, classes, inner] = shape;
  const elements = outer * classes * inner;
  const size = inner > 1 ? `C = ${classes}` : `${outer} × ${features === undefined ? "" : `${features} × `}${classes}`;
  const cells = names.map((name, i) => {
    const time = times[name];
    if (!time) return "–".padEnd(CELL);
    const [unit, digits] = elements < FEW ? [1, 0] : [elements, 3];
    const per = `${(time.median / unit).toFixed(digits)} (${(time.min / unit).toFixed(digits)})`;
    const spread = `±${((time.mad / time.median) * 100).toFixed(0)}%`;
    const faults = time.faults && time.faults >= 1 ? ` ${time.faults.toFixed(0)}pf` : "";
    return `${per} ${spread}${faults}${i === 0 ? "" : ` ${figure(speedups[name]!)}×`}`.padEnd(CELL);
  });
  const goals = (aims ? targets : []).map(
    ({ contender, over, atLeast, measured, met }) =>
      `${contender} ≥ ${atLeast}×${over === names[0] ? "" : ` ${over}`}${met ? " ✓" : ` ✗ ${figure(measured)}`}`,
  );
  const title = `${job}, ${size}${type === "f64" ? ", f64" : ""}${logits ? `, ${logits}` : ""}`.padEnd(JOB - 3);
  return `  ${title} ${cells.join("")}${goals.join(", ")}`.trimEnd();
}

/** How many aims were met, if they are asked for, and which lines were measured while the machine was slower than with others of the same list. */
export function tally(lists: readonly (readonly LineResult[])[], aims = true): string {
  const targets = lists.flat().flatMap((result) => result.targets);
  const met = aims ? [`${targets.filter(({ met }) => met).length} of ${targets.length} aims met`] : [];
  const slow = lists
    .flatMap(disturbed)
    .map(({ section, job, type, shape }) => `${section}: ${job}, ${type}, ${shape.join(" × ")}`);
  const busy =
    slow.length > 0
      ? [`measured while the machine was busy with something else, ${slow.length} of ${lists.flat().length}:`]
      : [];
  return [...met, ...busy, ...slow.slice(0, MANY), ...(slow.length > MANY ? ["…"] : [])].join("\n  ");
}

export function figure(ratio: number): string {
  return ratio >= 9.95 ? ratio.toFixed(1) : ratio.toFixed(2);
}
