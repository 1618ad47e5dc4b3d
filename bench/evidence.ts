// docs/evidence.md's figures: what is promised beside the worst that was measured, from the results that are kept.

import { readFileSync } from "node:fs";
import { type Figure, CLASSES as LENGTHS, RANGES } from "../test/accuracy/measure.js";
import { boundOf } from "../test/accuracy/report.js";
import { keptResults } from "../test/accuracy/tables.js";
import type { Type } from "../test/accuracy/ulp.js";
import { functionBugs } from "../test/known-bugs/functions.js";
import { lossBugs } from "../test/known-bugs/losses.js";
import { sigmoidBugs } from "../test/known-bugs/sigmoids.js";

import type { Results } from "./results.js";
import { ratio, table } from "./table.js";

/** What the accuracy run measures, as a claim. Those of both types are rows of their own. */
const CLAIMS: readonly (readonly [claim: string, figures: readonly string[], unit?: string])[] = [
  ["softmax, log-softmax and log-sum-exp are accurate", ["softmax", "logSoftmax", "logSumExp"]],
  ["so is cross-entropy", ["crossEntropy", "crossEntropy, smoothed", "crossEntropy, probabilities"]],
  ["and its gradient", ["crossEntropyGrad", "crossEntropyGrad, smoothed", "crossEntropyGrad, probabilities"]],
  ["a hinge and its gradient", ["hinge", "hingeGrad, p = 2"]],
  ["probabilities sum to 1", ["|Σ p − 1|"], ""],
  ["a mean does not lose small terms", ["mean of 2^24 + 1 losses"]],
];

export function evidence({ lines, date, versions }: Results): string {
  const { about, figures } = keptResults();
  const measured = [about.date, `Node ${about.node}`].filter((part) => part !== undefined).join(", ");
  const own = figures.filter(({ contender }) => contender === "simd");
  const rows = CLAIMS.flatMap(([claim, names, unit = " ulp"]) =>
    (["f32", "f64"] as const).flatMap((type) => {
      const worst = worstOf(own, names, type);
      if (!worst) return [];
      const bounds = [...new Set(names.map((figure) => number(boundOf({ figure, type }))))].join(" and ");
      const input = `${worst.figure}, C = ${worst.classes}, logits ${worst.range}`;
      const how = worst.range === "equal" ? "one input" : "searched";
      return [
        [
          `${claim}, ${type}`,
          `${bounds}${unit}`,
          `${number(worst.max)}: ${input}`,
          "`npm run accuracy`",
          how,
          measured,
        ],
      ];
    }),
  );
  const exp = worstOf(own, ["exp core"], "f32")!;
  const places = placesWithDigest();
  const batches = lines.filter(({ shape: [outer, classes, inner] }) => outer * classes * inner >= 500_000);
  const slowest = batches.reduce((a, b) => (a.speedups["simd"]! < b.speedups["simd"]! ? a : b));
  const searched =
    `Searched: ${LENGTHS.length} numbers of classes from ${LENGTHS[0]} to ${LENGTHS.at(-1)}, each with ${RANGES.length} ranges of logits and ` +
    `${about.elements} numbers.`;
  const rowsOfTable = table(
    ["claim", "bound", "worst measured, with its input", "command", "exhaustive or searched", "date"],
    [
      [
        "e^x, f32",
        `${number(boundOf(exp))} ulp`,
        number(exp.max),
        "`npm run accuracy -- --exhaustive`",
        about.exhaustive ? "exhaustive: all f32 in [−104, −0]" : "searched",
        measured,
      ],
      ...rows,
      [
        "the same bits everywhere",
        "one hash",
        `\`${places.digest}\` in ${places.same} of ${places.all} places with the SIMD build`,
        "`npm run test:engines`",
        "the places of [running.md](running.md)",
        places.date,
      ],
      [
        "large batches are faster than plain TypeScript",
        "1 times",
        `${ratio(slowest.speedups["simd"]!)} times: ${slowest.job}, ${slowest.type}, ${slowest.shape[0]} × ${slowest.shape[1]}`,
        "`npm run bench -- --all`",
        `${batches.length} lines`,
        `${date.slice(0, 10)}, Node ${versions["node"]}`,
      ],
    ].map((row) => row.map((cell) => cell.replaceAll("|", "\\|"))),
  );
  return [...rowsOfTable, "", searched].join("\n");
}

/** What other projects had to mend, as tests. */
export function bugs(): string {
  const all = [...functionBugs, ...lossBugs, ...sigmoidBugs];
  const projects = new Set(all.flatMap(({ threads }) => threads.map((thread) => thread.replace(/#.*/, ""))));
  return `${all.length} mistakes that were reported to ${projects.size} other projects are tests here, each with the thread in which it was reported.`;
}

function worstOf(own: readonly Figure[], names: readonly string[], type: Type): Figure | undefined {
  return own
    .filter((figure) => names.includes(figure.figure) && figure.type === type)
    .sort((a, b) => b.max / boundOf(b) - a.max / boundOf(a))[0];
}

interface Places {
  readonly date: string;
  readonly digest: string;
  readonly places: readonly { readonly findings: Readonly<Record<string, { backend?: string; digest?: string }>> }[];
}

function placesWithDigest(): { date: string; digest: string; same: number; all: number } {
  const { date, digest, places }: Places = JSON.parse(readFileSync("test/engines/results.json", "utf8"));
  const found = places.map(({ findings }) => findings["softmargin"]).filter((finding) => finding?.backend === "simd");
  return { date, digest, all: found.length, same: found.filter((finding) => finding!.digest === digest).length };
}

const number = (x: number): string => (x < 1e-3 ? x.toExponential(0) : x.toFixed(1));
