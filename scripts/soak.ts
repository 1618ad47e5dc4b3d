// npm run soak [-- --calls N] [-- --seed N]: 10^6 calls of random functions, shapes and errors (test/soak/soak.ts). Prints what they left in
// linear memory and on the heap, and fails if that is anything.

import { parseArgs } from "node:util";
import { backend } from "softmargin";
import { backend as relaxed } from "softmargin/relaxed";
import { leaks, soak } from "../test/soak/soak.js";

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "1000000" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  },
});
const calls = Number(values.calls);
const seed = Number(values.seed);

for (const build of new Set([backend.name, relaxed.name])) {
  if (build === "baseline") continue;
  const began = performance.now();
  const result = soak(build, calls, seed, (done) => {
    if (done % (1000 * Math.ceil(calls / 10_000)) === 0) console.log(`${build}  ${done} of ${calls} calls`);
  });
  const { warm, end, errors, workspaces } = result;
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(
    `${build}  ${calls} calls, ${errors} of them wrong, ${workspaces} workspaces, seed ${seed}, ${seconds} s`,
  );
  for (const [key, what] of [
    ["linear", "linear memory"],
    ["heap", "JavaScript heap"],
    ["buffers", "array buffers"],
  ] as const) {
    const grown = end[key] - warm[key];
    console.log(`  ${what.padEnd(16)}${warm[key]} → ${end[key]} bytes, ${(grown / (0.9 * calls)).toFixed(3)} a call`);
  }
  for (const leak of leaks(result)) {
    console.error(`  leak: ${leak}`);
    process.exitCode = 1;
  }
}
