// Every place that test:engines visits, what must run there, and how to get there. README and docs claim nothing that is not in this table.

import { chromium, firefox, visitBy, webKitGtk } from "./browsers.js";
import type { Findings } from "./conformance.js";
import { runtime, type Visit, workerd } from "./runtimes.js";

export interface Place {
  readonly name: string;
  /** In CI, on each change. */
  readonly fast: boolean;
  /** The backend of each entry point there. */
  readonly expected: Readonly<Record<"softmargin" | "relaxed" | "wasm" | "baseline", string>>;
  readonly visit: Visit<Findings>;
}
type Expected = Place["expected"];

const baseline = "baseline";
const everything: Expected = { softmargin: "simd", relaxed: "relaxed", wasm: "simd", baseline };
const notRelaxed: Expected = { ...everything, relaxed: "simd" };
/** No compilation at run time, but a module that was compiled before can be passed in. */
const onlyModules: Expected = { ...everything, softmargin: baseline, relaxed: baseline };
const noCompilation: Expected = { ...onlyModules, wasm: "refused" };
const onlyAsynchronous: Expected = {
  ...everything,
  softmargin: "baseline, simd after ready()",
  relaxed: "baseline, relaxed after ready()",
};

const fast = (name: string, expected: Expected, visit: Visit<Findings>): Place => ({
  name,
  fast: true,
  expected,
  visit,
});
const slow = (name: string, expected: Expected, visit: Visit<Findings>): Place => ({
  name,
  fast: false,
  expected,
  visit,
});

const bun = "@oven/bun-linux-x64/bin/bun";
const deno = "@deno/linux-x64-glibc/deno";
/** Reading is for the visit itself, which takes softmargin/simd.wasm from a file. */
const denoRun = ["run", "--allow-read=.", "--no-prompt"];

export const places: readonly Place[] = [
  // ---- Node ----
  ...[20, 22, 24, 26].flatMap((version) => {
    const expected = version === 20 ? notRelaxed : everything;
    const node = `node${version}/bin/node`;
    const inOldest = version === 20 ? fast : slow;
    return [
      fast(`Node ${version}, import`, expected, runtime(node, ["module.js"])),
      inOldest(`Node ${version}, require`, expected, runtime(node, ["require.cjs"])),
    ];
  }),
  ...[24, 26].map((version) =>
    slow(`Node ${version}, import source`, everything, runtime(`node${version}/bin/node`, ["importSource.js"])),
  ),
  ...[20, 26].flatMap((version) => {
    const expected = version === 20 ? notRelaxed : everything;
    const node = `node${version}/bin/node`;
    return [
      slow(`Node ${version}, worker_threads`, expected, runtime(node, ["workerThread.js"])),
      slow(`Node ${version}, --jitless: no WebAssembly`, noCompilation, runtime(node, ["--jitless", "module.js"])),
      slow(
        `Node ${version}, --no-enable-sse4-1: no SIMD`,
        noCompilation,
        runtime(node, ["--no-enable-sse4-1", "module.js"]),
      ),
    ];
  }),

  // ---- other servers ----
  fast("Bun", everything, runtime(bun, ["module.js"])),
  fast("Deno", everything, runtime(deno, [...denoRun, "module.js"])),
  slow("Deno, import source", everything, runtime(deno, [...denoRun, "importSource.js"])),
  slow("workerd, compatibility date 2026-10-01", everything, workerd("2026-10-01")),
  slow("workerd, compatibility date 2025-05-01", onlyModules, workerd("2025-05-01")),

  // ---- browsers ----
  ...[
    { name: "Chromium", browser: chromium, expected: everything },
    { name: "Firefox", browser: firefox, expected: everything },
    { name: "WebKitGTK", browser: webKitGtk, expected: notRelaxed },
  ].flatMap(({ name, browser, expected }) => {
    const allowed = "script-src 'self' 'wasm-unsafe-eval'";
    return [
      fast(name, expected, visitBy(browser)),
      fast(`${name}, CSP script-src 'self'`, noCompilation, visitBy(browser, { csp: "script-src 'self'" })),
      slow(`${name}, CSP ${allowed}`, expected, visitBy(browser, { csp: allowed })),
    ];
  }),
  slow(
    "Chromium, synchronously only 4 kB, as up to 114",
    onlyAsynchronous,
    visitBy(chromium, { before: "sizeLimit.js" }),
  ),
];
