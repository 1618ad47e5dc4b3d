// What `npm run bench` prints by itself: one screen that says what is how much faster than what, and what is slower.

import { figure } from "./print.js";
import { disturbed, type LineResult } from "./run.js";

const TIMES = ["by hand", "baseline", "softmargin", "relaxed"];
const JOB = 40;
const TIME = 12;
const BAR = 24;
/** Eighths of a character. */
const PARTS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

export const screenHeading = (section: string): string =>
  `\n${section.padEnd(JOB)}${TIMES.map((name) => name.padStart(TIME)).join("")}  softmargin over by hand`;

/** A job, what it takes, and a bar: how many times as fast as loops by hand it is. The bar ends at `longest`. */
export function screenRow(result: LineResult, longest = 20): string {
  const cells = TIMES.map((name) => {
    const time = result.times[name];
    return (time ? duration(time.median) : "–").padStart(TIME);
  });
  const ratio = ahead(result);
  const eighths = Math.round((Math.min(ratio, longest) / longest) * BAR * 8);
  const bar = "█".repeat(eighths >> 3) + PARTS[eighths & 7];
  return `${title(result).padEnd(JOB)}${cells.join("")}  ${bar} ${figure(ratio)}×`;
}

/** What is slower than loops by hand, or than it need be, and how far all this can be trusted. */
export function remarks(lines: readonly LineResult[]): string[] {
  const busy = disturbed(lines).length;
  const slow = lines.filter((line) => ahead(line) < 1);
  const fresh = lines.filter(({ times }) => times["new array"]);
  return [
    slow.length === 0
      ? "Nothing here is slower than by hand."
      : `Slower than by hand: ${slow.map((line) => `${title(line)} (${figure(ahead(line))})`).join(", ")}. Checking the arguments takes longer than so few numbers do.`,
    ...fresh.map(
      ({ job, times }) =>
        `Into a new array a ${job} takes ${duration(times["new array"]!.median)}, into \`out\` ${duration(times["softmargin"]!.median)}.`,
    ),
    ...(busy > 0 ? [`During ${busy} of ${lines.length} lines the machine was busy with something else.`] : []),
  ];
}

const ahead = ({ speedups }: LineResult): number => speedups["softmargin"]! / speedups["by hand"]!;

function title({ job, type, shape: [outer, classes, inner], features }: LineResult): string {
  const depth = features === undefined ? "" : `${features} × `;
  const size = inner > 1 ? `[${outer}, ${classes}, ${inner}]` : `${outer} × ${depth}${classes}`;
  return `${job}, ${size}${type === "f64" ? ", f64" : ""}`;
}

function duration(ns: number): string {
  const [unit, name] = ns < 1e3 ? [1, "ns"] : ns < 1e6 ? [1e3, "µs"] : [1e6, "ms"];
  return `${(ns / unit).toPrecision(3)} ${name}`;
}
