// What can go wrong while the library is loaded, each in a process of its own: the import never throws, `backend` says what runs and why,
// the results are right.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as simd from "softmargin";
import * as baseline from "softmargin/baseline";
import * as relaxed from "softmargin/relaxed";
import { describe, expect, it } from "vitest";
import type { Api } from "../catalogue/backends.js";

const run = promisify(execFile);
const dist = (name: string) => new URL(`../../dist/${name}.js`, import.meta.url).href;

/** Some of everything, as text that is the same for the same bits. */
function sample(api: Api): string {
  const results = [Float32Array, Float64Array].flatMap((Kind) =>
    [3, 70].map((classes) => {
      const x = new Kind(5 * classes).map((_: number, i: number) => ((i * 37) % 101) / 8 - 6) as Float32Array;
      const targets = [0, 1, 2, 0, 1];
      const options = { shape: [5, classes] };
      return [
        api.softmax(x, options),
        api.logSoftmax(x, options),
        api.logSumExp(x, { ...options, temperature: 0.5 }),
        api.softmaxGrad(x, x, options),
        api.logSoftmaxGrad(x, x, options),
        api.crossEntropyGrad(x, targets, { labelSmoothing: 0.1 }).grad,
        api.hingeGrad(x, targets, { form: "crammer-singer" }).grad,
        [api.crossEntropy(x, targets), api.hinge(x, targets, { p: 2 })],
      ].map((values) => Array.from(values).join());
    }),
  );
  return results.flat().join(";");
}

interface Fault {
  readonly what: string;
  /** Code that runs before the import, with `wasm` for WebAssembly. */
  readonly before?: string;
  readonly flags?: readonly string[];
  readonly entry?: "index" | "relaxed" | "baseline";
  readonly runs: "simd" | "relaxed" | "baseline";
  /** The reason's name and message; none is expected where there is none here. */
  readonly reason?: RegExp;
}

const refuse = (name: string, error: string) => `wasm.${name} = function () { throw ${error}; };`;
const onBytes = (change: string) =>
  `const Module = wasm.Module; wasm.Module = function (bytes) { ${change}; return new Module(bytes); };`;
const firstOnly = (name: string, error: string) =>
  `const Whole = wasm.${name}; let calls = 0;
  wasm.${name} = function (...args) { if (calls++ === 0) throw ${error}; return new Whole(...args); };`;
const CSP = `new wasm.CompileError("Wasm code generation disallowed by embedder")`;
const noGrowth = (from: number) => `
  let grown = 0;
  const grow = wasm.Memory.prototype.grow;
  wasm.Memory.prototype.grow = function (pages) {
    if (++grown >= ${from}) throw new RangeError("WebAssembly.Memory.grow(): Unable to grow instance memory");
    return grow.call(this, pages);
  };`;

const faults: readonly Fault[] = [
  { what: "nothing at all", runs: "simd" },
  { what: "no WebAssembly", before: "delete globalThis.WebAssembly;", runs: "baseline", reason: /Error/ },
  {
    what: "no WebAssembly, since V8 may not make code (--jitless)",
    flags: ["--jitless"],
    runs: "baseline",
    reason: /Error/,
  },
  {
    what: "no SIMD (a processor without SSE4.1)",
    flags: ["--no-enable-sse4-1"],
    runs: "baseline",
    reason: /CompileError/,
  },
  {
    what: "a WebAssembly object without anything in it",
    before: "globalThis.WebAssembly = {};",
    runs: "baseline",
    reason: /TypeError/,
  },
  {
    what: "a WebAssembly that is no object",
    before: "globalThis.WebAssembly = 1;",
    runs: "baseline",
    reason: /TypeError/,
  },
  {
    what: "compilation refused by a content security policy",
    before: refuse("Module", CSP),
    runs: "baseline",
    reason: /CompileError.*disallowed by embedder/,
  },
  {
    what: "compilation on the main thread limited to 4 kB (Chrome before 114)",
    before: onBytes(
      'if (bytes.length > 4096) throw new RangeError("WebAssembly.Compile is disallowed on the main thread, if the buffer size is larger than 4KB")',
    ),
    runs: "baseline",
    reason: /RangeError.*4KB/,
  },
  {
    what: "compilation that throws what is no Error",
    before: refuse("Module", '"refused"'),
    runs: "baseline",
    reason: /refused/,
  },
  {
    what: "instantiation refused",
    before: refuse("Instance", 'new wasm.LinkError("no")'),
    runs: "baseline",
    reason: /LinkError/,
  },
  {
    what: "no memory for an instance",
    before: refuse("Instance", 'new RangeError("Out of memory: Cannot allocate Wasm memory for new instance")'),
    runs: "baseline",
    reason: /RangeError.*memory/,
  },
  {
    what: "memory that cannot grow to hold the arena",
    before: noGrowth(1),
    runs: "baseline",
    reason: /RangeError.*bytes of/,
  },
  { what: "memory that cannot grow any more once it is loaded", before: noGrowth(2), runs: "simd" },
  ...[0, 3, 7, 100, 5000, 30000].map(
    (length): Fault => ({
      what: `a module cut off after ${length} bytes`,
      before: onBytes(`bytes = bytes.subarray(0, ${length})`),
      runs: "baseline",
      reason: /CompileError/,
    }),
  ),
  ...[0, 4, 8, 9].map(
    (at): Fault => ({
      what: `a module with byte ${at} changed`,
      before: onBytes(`bytes = bytes.map((byte, i) => (i === ${at} ? byte ^ 0xff : byte))`),
      runs: "baseline",
      reason: /CompileError/,
    }),
  ),
  {
    what: "a module with nothing in it",
    before: onBytes("bytes = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)"),
    runs: "baseline",
    reason: /TypeError.*not a softmargin module/,
  },
  {
    what: "relaxed: compilation refused by a content security policy",
    entry: "relaxed",
    before: refuse("Module", CSP),
    runs: "baseline",
    reason: /CompileError.*disallowed by embedder/,
  },
  {
    what: "relaxed: the first compilation refused",
    entry: "relaxed",
    before: firstOnly("Module", CSP),
    runs: "simd",
    reason: /CompileError.*disallowed by embedder/,
  },
  {
    what: "relaxed: no WebAssembly",
    entry: "relaxed",
    before: "delete globalThis.WebAssembly;",
    runs: "baseline",
    reason: /Error/,
  },
  { what: "baseline: no WebAssembly", entry: "baseline", before: "delete globalThis.WebAssembly;", runs: "baseline" },
  ...[
    "SharedArrayBuffer",
    "Atomics",
    "TextDecoder",
    "Buffer",
    "atob",
    "fetch",
    "Response",
    "performance",
    "process",
  ].map((name): Fault => ({ what: `no ${name}`, before: `delete globalThis.${name};`, runs: "simd" })),
  { what: "frozen intrinsics", flags: ["--frozen-intrinsics", "--no-warnings"], runs: "simd" },
  { what: "no __proto__", flags: ["--disable-proto=delete"], runs: "simd" },
  { what: "no code from strings", flags: ["--disallow-code-generation-from-strings"], runs: "simd" },
  { what: "little room for the heap", flags: ["--max-old-space-size=12"], runs: "simd" },
  { what: "a short stack", flags: ["--stack-size=120"], runs: "simd" },
  {
    what: "a polluted Object.prototype",
    before: "Object.prototype.env = { abort: 1 }; Object.prototype.shape = [1];",
    runs: "simd",
  },
  ...(["index", "baseline"] as const).map(
    (entry): Fault => ({
      what: `${entry}: an Object.prototype that looks like a property descriptor`,
      entry,
      // What Node needs for an import it must have loaded before.
      before: 'await import("node:fs/promises"); Object.prototype.get = Object.prototype.set = 1;',
      runs: entry === "index" ? "simd" : "baseline",
    }),
  ),
];

describe("a fault while loading", () => {
  it.each(faults.map((fault) => [fault.what, fault] as const))("%s", async (_, fault) => {
    const { before = "", flags = [], entry = "index", runs, reason } = fault;
    const code = `
      const wasm = globalThis.WebAssembly;
      const { stdout } = process; // console.log is not up to every fault
      ${before}
      const api = await import(${JSON.stringify(dist(entry))});
      ${sample}
      const { name, reason } = api.backend;
      const { loss } = api.crossEntropyGrad([1, 2, 3], [1]);
      let refused = "";
      try { api.softmax([1, "2"]); } catch (error) { refused = String(error); }
      stdout.write(JSON.stringify({ name, reason: reason && String(reason), isError: reason instanceof Error, refused, loss, sample: sample(api) }));
    `;
    const { stdout } = await run(process.execPath, [...flags, "--input-type=module", "--eval", code], { env: {} });
    const got = JSON.parse(stdout) as Record<string, unknown>;
    expect(got["name"]).toBe(runs);
    if (reason === undefined) expect(got["reason"]).toBeUndefined();
    else {
      expect(got["reason"]).toMatch(reason);
      expect(got["isError"]).toBe(true);
    }
    const ordinary = { baseline, simd, relaxed }[runs];
    expect(got["sample"]).toBe(sample(ordinary));
    expect(got["refused"]).toMatch(/^TypeError: softmax: x\[1\] must be a number/);
  });
});
