// assembly/ → build/*.wasm → build/*.js (the bytes as text) → dist/*.js and *.d.ts

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { build, type Plugin } from "esbuild";
import { minify } from "terser";
import { toText } from "../src/wasm/text.js";
import { LOADER, leanLoader } from "./leanLoader.js";

const run = (script: string, ...args: string[]): void => {
  execFileSync(process.execPath, [script, ...args], { stdio: "inherit" });
};

rmSync("build", { recursive: true, force: true });
rmSync("dist", { recursive: true, force: true });
mkdirSync("build");
mkdirSync("dist");

for (const target of ["simd", "relaxed"] as const) {
  run("node_modules/assemblyscript/bin/asc.js", "--target", target);
  const bytes = readFileSync(`build/${target}.wasm`);
  writeFileSync(`build/${target}.js`, `export const ${target.toUpperCase()} = "${toText(bytes)}";\n`);
  writeFileSync(`build/${target}.d.ts`, `export declare const ${target.toUpperCase()}: string;\n`);
  copyFileSync(`build/${target}.wasm`, `dist/${target}.wasm`);
  // What importing the file gives differs by runtime: its exports, a module, a path.
  writeFileSync(`dist/${target}.wasm.d.ts`, "declare const module: unknown;\nexport default module;\n");
  console.log(`${target}.wasm  ${bytes.length} bytes  sha256 ${createHash("sha256").update(bytes).digest("hex")}`);
}

const lean: Plugin = {
  name: "lean-loader",
  setup({ onLoad }) {
    onLoad({ filter: LOADER }, ({ path }) => ({ contents: leanLoader(readFileSync(path, "utf8")), loader: "js" }));
  },
};

const entries = ["index", "relaxed", "baseline", "wasm"];
await build({
  entryPoints: entries.map((name) => `src/${name}.ts`),
  outdir: "dist",
  bundle: true,
  splitting: false,
  format: "esm",
  target: "es2022",
  platform: "neutral",
  minify: true,
  mainFields: ["module", "main"],
  conditions: ["import"],
  legalComments: "none",
  plugins: [lean],
  logLevel: "warning",
});

// a second time, by terser: 4 % smaller once compressed
for (const name of entries) {
  const { code } = await minify(readFileSync(`dist/${name}.js`, "utf8"), {
    module: true,
    ecma: 2020,
    compress: { passes: 3 },
    format: { comments: false },
  });
  if (!code) throw new Error(`nothing left of dist/${name}.js`);
  writeFileSync(`dist/${name}.js`, code);
}

run("node_modules/typescript/bin/tsc", "-p", "scripts/tsconfig.dist.json");
