// npm run test:engines: the package as it would be published, installed from its tarball and run in every place of places.ts. Prints a row
// for each as it comes back, two at a time; ends with 1 if any does not show what it must. `--fast`: those that CI visits on each change,
// with one digest each; any other argument: those whose name contains it. A run of all of them writes results.json and the table of
// docs/running.md; `--table` only the latter, from the former.

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { install } from "../../scripts/setup.js"; // importing it sets up the root
import { chromium, firefox, installBrowsers, webKitGtk } from "./browsers.js";
import type { Findings } from "./conformance.js";
import { type Place, places } from "./places.js";
import { columns, type PlaceResult, type Results, withTable } from "./table.js";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const resultsFile = here("results.json");
const docsFile = here("../../docs/running.md");
/** A place that starts, or waits, leaves its core to another. */
const AT_ONCE = 2;
/** Of the deterministic build, in every place. */
const digest = readFileSync(here("../digest/digest.txt"), "utf8").trim();

const { values: only, positionals } = parseArgs({
  allowPositionals: true,
  options: { fast: { type: "boolean" }, table: { type: "boolean" } },
});
if (only.table) writeTable(JSON.parse(readFileSync(resultsFile, "utf8")));
else await main();

async function main(): Promise<void> {
  install(here("runtimes"));
  installBrowsers([chromium, firefox, webKitGtk]);
  const chosen = places.filter(
    ({ name, fast }) =>
      (fast || !only.fast) && (positionals.length === 0 || positionals.some((word) => name.includes(word))),
  );
  const width = Math.max(...chosen.map(({ name }) => name.length));
  /** By the place's index: they do not come back in order. */
  const results = new Map<number, PlaceResult>();
  let bad = 0;
  const folder = mkdtempSync(join(tmpdir(), "softmargin-engines-"));
  try {
    await installPackage(folder);
    const queue = chosen.entries();
    const visitor = async () => {
      for (const [i, place] of queue) {
        const start = performance.now();
        const { cells, faults, result } = await goTo(place, folder);
        const seconds = ((performance.now() - start) / 1000).toFixed(1);
        const failed = faults.map((fault) => `FAILED: ${fault}`);
        console.log([place.name.padEnd(width), ...cells, ...failed, `${seconds} s`].join("  "));
        if (faults.length > 0) bad++;
        else if (result) results.set(i, result);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, visitor));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const visited = [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
  console.log(`${chosen.length} places: ${visited.length} as they must be, ${bad} not, the others not run`);
  if (bad > 0 || visited.length === 0) process.exitCode = 1;
  else if (visited.length === places.length) {
    const all: Results = { date: new Date().toISOString().slice(0, 10), digest, places: visited };
    writeFileSync(resultsFile, `${JSON.stringify(all, null, 2)}\n`);
    writeTable(all);
  }
}

/** What to print of a place, what is wrong with it, and what to keep if nothing is; nothing to keep where it could not be visited. */
interface Outcome {
  readonly cells: readonly string[];
  readonly faults: readonly string[];
  readonly result?: PlaceResult;
}

async function goTo({ name, expected, visit }: Place, folder: string): Promise<Outcome> {
  try {
    const shown = await visit(folder);
    if (typeof shown === "string") return { cells: [`not run: ${shown}`], faults: [] };
    const { version, findings } = shown;
    const backends = columns.map((column) => findings[column]?.backend ?? "");
    const digests = new Set(Object.values(findings).flatMap((finding) => finding.digest ?? []));
    const cells = [version, ...backends, ...digests];
    return { cells, faults: faultsOf(expected, findings), result: { name, version, findings } };
  } catch (error) {
    return { cells: [], faults: [String(error)] };
  }
}

/** What a place must show and does not. */
function faultsOf(expected: Place["expected"], findings: Findings): string[] {
  return Object.entries(expected).flatMap(([entry, backend]) => {
    const finding = findings[entry];
    if (!finding) return [`nothing of ${entry}`];
    const faults = finding.failed.map((fault) => `${entry}: ${fault}`);
    if (finding.backend !== backend) faults.push(`${entry}: ${finding.backend} (${finding.reason}), not ${backend}`);
    if (finding.digest !== undefined && finding.digest !== digest) faults.push(`${entry}: digest ${finding.digest}`);
    return faults;
  });
}

/** The package from its tarball, and the scripts that visit it, in one folder. */
async function installPackage(folder: string): Promise<void> {
  const npm = (cwd: string, ...args: string[]): string =>
    execFileSync("npm", [...args, "--ignore-scripts", "--loglevel=error"], { cwd, encoding: "utf8" });
  const [{ filename }] = JSON.parse(npm(here("../.."), "pack", "--json", "--pack-destination", folder));
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  npm(folder, "install", "--no-audit", "--no-fund", join(folder, filename));
  for (const name of readdirSync(here("visits"))) copyFileSync(here(`visits/${name}`), join(folder, name));
  await build({
    entryPoints: [here("conformance.ts")],
    outfile: join(folder, "conformance.js"),
    bundle: true,
    format: "esm",
    target: "es2022",
    define: { EVERY_DIGEST: String(!only.fast) },
    logLevel: "warning",
  });
}

function writeTable(results: Results): void {
  writeFileSync(docsFile, withTable(readFileSync(docsFile, "utf8"), results));
}
