// Linear memory, as it is after calls of growing size, the size of what is shipped, and what an import takes.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import type { Softmargin } from "../src/api.js";
import { makeData } from "./data.js";
import { JOBS } from "./jobs.js";
import { median } from "./measure.js";

export interface Limit {
  readonly what: string;
  readonly bytes?: number;
  readonly ms?: number;
  readonly atMost?: number;
}

const MIB = 1024 * 1024;
const CLASSES = 10;

export async function footprint(): Promise<Limit[]> {
  return [...(await linearMemory()), ...sizes(), ...importTimes()];
}

/** Milliseconds that `import` takes in a fresh process: medians of 20, of the one and the other in turn. */
export function importTimes(): Limit[] {
  const [own, plain]: [number[], number[]] = [[], []];
  for (let pair = 0; pair < 20; pair++) {
    own.push(importTime("dist/index.js"));
    plain.push(importTime("dist/baseline.js"));
  }
  const round = (ms: number): number => Number(ms.toFixed(2));
  return [
    { what: "import of softmargin", ms: round(median(own)), atMost: round(median(plain) + 3) },
    { what: "import of softmargin/baseline", ms: round(median(plain)) },
  ];
}

function importTime(file: string): number {
  const code = `const start = performance.now(); await import(${JSON.stringify(pathToFileURL(file).href)}); console.log(performance.now() - start);`;
  return Number(execFileSync(process.execPath, ["--input-type=module", "--eval", code], { encoding: "utf8" }));
}

function sizes(): Limit[] {
  const gzip = (file: string): number => gzipSync(readFileSync(file), { level: 9 }).length;
  return [
    { what: "dist/index.js, gzip", bytes: gzip("dist/index.js"), atMost: 40_000 },
    { what: "dist/baseline.js, gzip", bytes: gzip("dist/baseline.js"), atMost: 15_000 },
  ];
}

async function linearMemory(): Promise<Limit[]> {
  const { api, bytes } = await freshCopy();
  const all = (rows: number, classes: number): number => {
    const data = makeData("f32", { outer: rows, classes, inner: 1 });
    for (const job of Object.values(JOBS)) if (job.layer === undefined) job.prepare(api, data)();
    // What needs most: class probabilities beside the logits, and a gradient that is added to.
    const { x, out } = data;
    api.crossEntropyGrad(
      x,
      x.map(() => 1 / classes),
      { shape: [rows, classes], grad: out, accumulate: true },
    );
    return bytes();
  };
  const few = all(1000, CLASSES);
  return [
    {
      what: `all jobs on 1,000,000 rows of ${CLASSES}, f32: as for 1000 rows`,
      bytes: all(1_000_000, CLASSES),
      atMost: few,
    },
    { what: "all jobs on one row of 262,144 classes, f32", bytes: all(1, 262_144), atMost: 4 * MIB },
  ];
}

/** The library anew, with its memory in sight: what its one instance exports. */
async function freshCopy(): Promise<{ api: Softmargin; bytes: () => number }> {
  const { Instance } = WebAssembly;
  const instances: WebAssembly.Instance[] = [];
  WebAssembly.Instance = class extends Instance {
    constructor(...args: ConstructorParameters<typeof Instance>) {
      super(...args);
      instances.push(this);
    }
  };
  try {
    const api: Softmargin = await import(`${pathToFileURL("dist/index.js")}?fresh`);
    const memories = instances.map(({ exports }) => exports["memory"] as WebAssembly.Memory);
    return { api, bytes: () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0) };
  } finally {
    WebAssembly.Instance = Instance;
  }
}
