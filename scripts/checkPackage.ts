// npm run check-package: what would be published is what is meant to be, and the modules in it need nothing from outside.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";

const packed = JSON.parse(
  execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { encoding: "utf8" }),
);
const files: string[] = packed[0].files.map(({ path }: { path: string }) => path).sort();
const isDeclaration = (path: string): boolean => path.startsWith("dist/") && path.endsWith(".d.ts");
assert.deepEqual(
  files.filter((path) => !isDeclaration(path)),
  [
    "CHANGELOG.md",
    "LICENSE",
    "NOTICE",
    "README.md",
    "dist/baseline.js",
    "dist/index.js",
    "dist/relaxed.js",
    "dist/relaxed.wasm",
    "dist/simd.wasm",
    "dist/wasm.js",
    "package.json",
  ],
);
for (const entry of ["index", "relaxed", "baseline", "wasm", "simd.wasm", "relaxed.wasm"]) {
  assert(files.includes(`dist/${entry}.d.ts`), `dist/${entry}.d.ts is missing`);
}

for (const name of ["simd", "relaxed"]) {
  const bytes = readFileSync(`dist/${name}.wasm`);
  assert.deepEqual(WebAssembly.Module.imports(new WebAssembly.Module(readFileSync("dist/simd.wasm"))), []);
  // Node 20 has no relaxed SIMD; the text form says the same of both.
  assert.doesNotMatch(readFileSync(`build/${name}.wat`, "utf8"), /^ \(import /m, `${name}.wasm has imports`);
  assert(
    readFileSync("dist/relaxed.js", "utf8").includes(bytes.toString("hex")),
    `dist/relaxed.js does not hold ${name}.wasm`,
  );
}
assert(readFileSync("dist/index.js", "utf8").includes(readFileSync("dist/simd.wasm").toString("hex")));
assert.doesNotMatch(readFileSync("dist/baseline.js", "utf8"), /WebAssembly/);

for (const file of ["dist/index.js", "dist/relaxed.js", "dist/baseline.js", "dist/wasm.js"]) {
  console.log(`${file}  ${gzipSync(readFileSync(file), { level: 9 }).length} bytes gzip`);
}

// The package as a user gets it, in a folder of its own.
const folder = mkdtempSync(join(tmpdir(), "softmargin-"));
try {
  const [{ filename }] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], { encoding: "utf8" }),
  );
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  execFileSync("npm", ["install", "--no-audit", "--no-fund", resolve(folder, filename)], {
    cwd: folder,
    stdio: "pipe",
  });
  const example = /```ts\n([\s\S]*?)```/.exec(readFileSync("README.md", "utf8"))?.[1];
  assert(example, "README.md has no example");
  writeFileSync(join(folder, "example.mjs"), example);
  console.log(execFileSync(process.execPath, ["example.mjs"], { cwd: folder, encoding: "utf8" }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log("package: as intended");
