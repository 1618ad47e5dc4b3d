// npm run reproduce: a build in an empty folder gives the same bytes as dist/ here, which is another build, and the modules that the entry points
// carry inlined, whatever the encoding, are those beside them.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const SOURCES = ["assembly", "src", "scripts", "package.json", "asconfig.json", "tsconfig.json"];

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** The hash of every file of a folder. */
function hashes(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return Object.fromEntries(
    files
      .filter((file) => statSync(join(folder, file)).isFile())
      .map((file) => [file, sha256(readFileSync(join(folder, file)))]),
  );
}

function buildApart(): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), "softmargin-"));
  try {
    for (const source of SOURCES) cpSync(source, join(folder, source), { recursive: true });
    symlinkSync(resolve("node_modules"), join(folder, "node_modules"), "junction");
    execFileSync(process.execPath, ["--import", "tsx", "scripts/build.ts"], {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
    });
    return hashes(join(folder, "dist"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The hashes of what an entry point hands to WebAssembly when it is imported. */
async function compiledBy(entry: string): Promise<string[]> {
  const seen: string[] = [];
  const original = WebAssembly.Module;
  WebAssembly.Module = new Proxy(original, {
    construct(target, [bytes]: [Uint8Array<ArrayBuffer>]) {
      seen.push(sha256(bytes));
      return new target(bytes);
    },
  });
  try {
    await import(pathToFileURL(resolve("dist", entry)).href);
  } finally {
    WebAssembly.Module = original;
  }
  return seen;
}

const here = hashes("dist");
assert.deepEqual(buildApart(), here, "a clean build differs from dist/");

const [simd, relaxed] = [here["simd.wasm"]!, here["relaxed.wasm"]!];
assert.deepEqual(await compiledBy("index.js"), [simd]);
// An engine without relaxed SIMD refuses the first.
const [first, ...others] = await compiledBy("relaxed.js");
assert.equal(first, relaxed);
assert(others.every((hash) => hash === simd));

console.log(`simd.wasm     sha256 ${simd}\nrelaxed.wasm  sha256 ${relaxed}`);
console.log(
  `${Object.keys(here).length} files of a clean build and of dist/ are the same; the inlined modules are these two`,
);
