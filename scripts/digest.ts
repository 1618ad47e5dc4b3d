// npm run digest [-- --write]
//
// One line for each backend: its name, the hash over the fixed set of inputs of test/digest/digest.ts, what it is compared with. --write keeps that of
// the deterministic build in test/digest/digest.txt, where the tests look for it, and in docs/numerics.md.

import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import * as simd from "softmargin";
import * as baseline from "softmargin/baseline";
import * as relaxed from "softmargin/relaxed";
import { digest } from "../test/digest/digest.js";

const { values: flags } = parseArgs({ options: { write: { type: "boolean", default: false } } });
const file = new URL("../test/digest/digest.txt", import.meta.url);

if (simd.backend.name !== "simd") throw simd.backend.reason;
const found = digest(simd);
if (flags.write) {
  writeFileSync(file, `${found}\n`);
  const docs = new URL("../docs/numerics.md", import.meta.url);
  writeFileSync(docs, readFileSync(docs, "utf8").replace(/\b[0-9a-f]{32}\b/, found));
}
const kept = readFileSync(file, "utf8").trim();
console.log(
  `simd      ${found}  ${found === kept ? "as in test/digest/digest.txt" : `NOT as in test/digest/digest.txt: ${kept}`}`,
);
if (relaxed.backend.name === "relaxed") {
  console.log(`relaxed   ${digest(relaxed)}  not promised: depends on the processor`);
}
console.log(`baseline  ${digest(baseline)}  not promised: depends on the engine's Math.exp`);
if (found !== kept) process.exitCode = 1;
