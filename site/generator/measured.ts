// What was measured of a function: its largest errors and its times, from bench/results.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { JobName } from "../../bench/jobs.js";
import type { Results } from "../../bench/results.js";
import { root } from "../../scripts/setup.js";
import { boundOf } from "../../test/accuracy/report.js";
import { keptResults } from "../../test/accuracy/tables.js";

const { about, figures } = keptResults();
const bench: Results = JSON.parse(readFileSync(join(root, "bench", "results", "bench.json"), "utf8"));

export function accuracyOf(figure: string | undefined): string {
  const own = figures.filter((one) => one.contender === "simd" && one.figure === figure);
  const lines = (["f32", "f64"] as const).flatMap((type) => {
    const worst = own.filter((one) => one.type === type).sort((a, b) => b.max - a.max)[0];
    if (!worst) return [];
    const where = `C = ${worst.classes.toLocaleString("en-US")}, logits ${worst.range}`;
    return `<li>${type}: at most ${boundOf(worst)} ulp promised, ${worst.max.toPrecision(2)} the worst measured (${where})</li>`;
  });
  return lines.length > 0
    ? `<ul>${lines.join("")}</ul><p class="muted">Node ${about.node}, <code>npm run accuracy</code>; how, and what is not promised: <a href="../docs/numerics.html">Numerics</a>.</p>`
    : '<p>Held against the reference of 30 digits by the tests, for every combination of options. <a href="../docs/numerics.html">Numerics</a> has what was measured.</p>';
}

/** A sentence, or nothing where it was not measured. */
export function timeOf(job: JobName | undefined): string {
  const line = bench.lines.find(
    ({ job: name, type, shape: [outer, classes, inner] }) =>
      name === job && type === "f32" && classes === 1000 && inner === 1 && outer * classes >= 500_000,
  );
  if (!line) return "";
  const [outer, classes] = line.shape;
  const each = line.times["simd"]!.median / (outer * classes);
  return ` Measured at ${outer} × ${classes}, f32: ${each.toFixed(2)} ns a number, ${line.speedups["simd"]!.toFixed(1)} times as fast as plain TypeScript (Node ${bench.versions["node"]}, ${bench.machine.cpu}).`;
}
