// npm run test:bundlers: the packed package in the apps of examples/, built by each bundler and run, in headless Chromium or in Node. Each row
// states which backend must be seen; the results are compared with known values, and those of the SIMD build with each other, bit for bit.
// `-- --fast` takes esbuild and Vite only, `-- next bun` the bundlers that are named.

import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { documentAt, FileServer, findChromium, withServer } from "./chromium.js";
import { pack, project, run } from "./scratch.js";

type Backend = "simd" | "baseline";
interface Row {
  readonly what: string;
  readonly expected: Backend;
  /** A page of the app, at a path below `root`; */
  readonly page?: string;
  readonly root?: string;
  readonly csp?: string;
  /** or of a server that this command starts on $PORT; `fetched` without a browser; */
  readonly server?: string;
  readonly fetched?: boolean;
  /** or a script for Node. */
  readonly script?: string;
}
interface App {
  readonly name: string;
  /** After installation, and to build. */
  readonly prepare?: string;
  readonly build?: readonly string[];
  readonly rows: readonly Row[];
}

const index: Row = { what: "build", expected: "simd", page: "/index.html" };
const wasm: Row = { what: "./wasm, module as a file", expected: "simd", page: "/wasm.html" };
const STRICT = "default-src 'self'";

const next = (how: string): Row[] => {
  const server = "npx next start -p $PORT";
  return [
    { what: `${how}, server component`, expected: "simd", server, page: "/", fetched: true },
    { what: `${how}, client component`, expected: "simd", server, page: "/client" },
  ];
};
const edge: Row = { ...next("Turbopack")[0]!, what: "Turbopack, edge route", expected: "baseline", page: "/edge" };

const apps: readonly App[] = [
  {
    name: "esbuild",
    rows: [
      { what: "esm", expected: "simd", page: "/esm.html" },
      { what: "iife", expected: "simd", page: "/iife.html" },
      { what: "cjs, in Node", expected: "simd", script: "dist/index.cjs" },
      wasm,
    ],
  },
  {
    name: "vite",
    rows: [
      {
        what: "dev server",
        expected: "simd",
        server: "npx vite --port $PORT --strictPort --host 127.0.0.1",
        page: "/",
      },
      { ...index, root: "dist" },
      { ...index, root: "dist", what: "CSP without wasm-unsafe-eval", expected: "baseline", csp: STRICT },
      { ...index, root: "dist", what: "CSP with it", csp: `${STRICT}; script-src 'self' 'wasm-unsafe-eval'` },
      { ...wasm, root: "dist" },
    ],
  },
  { name: "webpack", rows: [index, wasm] },
  { name: "rspack", rows: [index, wasm] },
  { name: "rollup", rows: [index] },
  { name: "rolldown", rows: [index] },
  {
    name: "parcel",
    rows: [
      { ...index, root: "dist" },
      { ...wasm, root: "dist" },
    ],
  },
  // puts the binary that came with the package where npm's scripts look for it
  { name: "bun", prepare: "node node_modules/bun/install.js", rows: [index, wasm] },
  { name: "next", rows: [...next("Turbopack"), edge] },
  // Next 16.4 with webpack cannot build any edge route, not even one that imports nothing
  { name: "next", build: ["rm -r app/edge", "npx next build --webpack"], rows: next("webpack") },
];

// To 40 digits with Python's decimal, then rounded.
const KNOWN: Record<string, number[]> = {
  softmax: [0.09003057317038046, 0.24472847105479764, 0.6652409557748218],
  loss: [1.0898310608444601],
  grad: [
    0.1447165551971323, 0.15993652816795983, -0.30465308336509217, 0.19534691663490786, -0.3552834448028677,
    0.15993652816795983,
  ],
};
const TOLERANCE = 1e-15;
const RESULTS = /\{"backend":.*?\}/;
/** What the SIMD build gives for each of them, from the first row that ran it. */
const bits = new Map<string, string>();

/** What is wrong with the results of an app, which are JSON somewhere in a text; nothing if nothing is. */
function fault(text: string, expected: Backend): string | undefined {
  const json = RESULTS.exec(text)?.[0];
  if (json === undefined) return `no result in ${JSON.stringify(text.slice(0, 500))}`;
  const { backend, ...results } = JSON.parse(json);
  if (backend !== expected) return `${backend} instead of ${expected}`;
  if (!("softmax" in results)) return "no softmax";
  for (const [name, result] of Object.entries(results)) {
    const values = [result].flat();
    const known = KNOWN[name];
    if (values.length !== known?.length || !known.every((x, i) => Math.abs(x - Number(values[i])) <= TOLERANCE)) {
      return `${name} is ${JSON.stringify(result)}`;
    }
    if (backend === "baseline") continue;
    const seen = JSON.stringify(result);
    if (seen !== (bits.get(name) ?? seen)) return `${name} differs from that of the rows above in its last bits`;
    bits.set(name, seen);
  }
  return undefined;
}

/** Runs a row; its output, and the size of the code that was loaded where that says something. */
async function runRow(row: Row, folder: string): Promise<{ text: string; size?: string }> {
  const size = (bytes: number, gzipped: number): string => `${kilobytes(bytes)}, gzip ${kilobytes(gzipped)}`;
  if (row.script !== undefined) {
    const code = readFileSync(join(folder, row.script));
    return { text: run(`node ${row.script}`, folder), size: size(code.length, gzipSync(code, { level: 9 }).length) };
  }
  if (row.server !== undefined) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}${row.page}`;
    return withServer(row.server.replace("$PORT", String(port)), folder, url, async () => ({
      text: row.fetched ? withoutMarkup(await (await fetch(url)).text()) : await documentAt(chromium!, url, RESULTS),
    }));
  }
  const server = new FileServer(join(folder, row.root ?? "."), row.csp);
  try {
    const text = await documentAt(chromium!, (await server.start()) + row.page, RESULTS);
    return { text, size: size(server.bytes, server.gzipped) };
  } finally {
    server.stop();
  }
}

function withoutMarkup(html: string): string {
  return html.replaceAll("&quot;", '"');
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

const wanted = process.argv.slice(2);
const isFast = wanted.includes("--fast");
const chosen = apps.filter(({ name }) =>
  isFast ? ["esbuild", "vite"].includes(name) : wanted.length === 0 || wanted.includes(name),
);
const chromium = findChromium();
const tarball = pack();
const folders = new Map<string, string>();
const count = { ok: 0, failed: 0, "not run": 0 };

function report(outcome: keyof typeof count, name: string, row: Row, detail: string): void {
  count[outcome]++;
  console.log(`${outcome.padEnd(8)} ${name.padEnd(9)} ${row.what.padEnd(30)} ${row.expected.padEnd(9)} ${detail}`);
}

for (const { name, prepare, build = ["npm run build"], rows } of chosen) {
  let folder: string;
  try {
    folder = folders.get(name) ?? project(`examples/${name}`, tarball);
    if (prepare !== undefined) run(prepare, folder);
    folders.set(name, folder);
  } catch (error) {
    rows.forEach((row, i) => {
      report("not run", name, row, i === 0 ? `cannot be installed: ${error}` : "as above");
    });
    continue;
  }
  try {
    for (const command of build) run(command, folder);
  } catch (error) {
    rows.forEach((row, i) => {
      report("failed", name, row, i === 0 ? String(error) : "as above");
    });
    continue;
  }
  for (const row of rows) {
    if (row.page !== undefined && !row.fetched && chromium === undefined) {
      report("not run", name, row, "no Chromium");
      continue;
    }
    try {
      const { text, size = "" } = await runRow(row, folder);
      const wrong = fault(text, row.expected);
      report(wrong === undefined ? "ok" : "failed", name, row, wrong ?? size);
    } catch (error) {
      report("failed", name, row, String(error));
    }
  }
}
console.log(`bundlers: ${count.ok} rows as stated, ${count.failed} failed, ${count["not run"]} not run`);
// Any bundler may be missing somewhere, but not those of the fast selection, which CI relies on.
const isMissing = isFast ? count["not run"] > 0 : count.ok === 0;
process.exitCode = count.failed > 0 || isMissing ? 1 : 0;
