// assembly/ → build/*.wasm → build/*.js (the bytes as text) → dist/*.js and *.d.ts

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { build, type Plugin } from "esbuild";

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
  writeFileSync(`build/${target}.js`, `export const ${target.toUpperCase()} = "${bytes.toString("hex")}";\n`);
  writeFileSync(`build/${target}.d.ts`, `export declare const ${target.toUpperCase()}: string;\n`);
  copyFileSync(`build/${target}.wasm`, `dist/${target}.wasm`);
  // What importing the file gives differs by runtime: its exports, a module, a path.
  writeFileSync(`dist/${target}.wasm.d.ts`, "declare const module: unknown;\nexport default module;\n");
  console.log(`${target}.wasm  ${bytes.length} bytes  sha256 ${createHash("sha256").update(bytes).digest("hex")}`);
}

/**
 * The loader as it is needed in a bundle without side effects: it fills in Object.hasOwn, which every engine with SIMD has, and makes a
 * TextDecoder at import, which some engines lack, for strings that the kernels do not have.
 */
const pureLoader: Plugin = {
  name: "pure-loader",
  setup({ onLoad }) {
    onLoad({ filter: /@assemblyscript[\\/]loader[\\/]index\.js$/ }, ({ path }) => {
      let contents = readFileSync(path, "utf8");
      const replace = (from: RegExp, to: string): void => {
        if (!from.test(contents)) throw new Error(`the loader has changed: no ${from}`);
        contents = contents.replace(from, to);
      };
      replace(/^Object\.hasOwn = [^}]*};/m, "");
      replace(/^const utf16 = new TextDecoder\(.*$/m, "const utf16 = undefined;");
      return { contents, loader: "js" };
    });
  },
};

await build({
  entryPoints: ["index", "relaxed", "baseline", "wasm"].map((name) => `src/${name}.ts`),
  outdir: "dist",
  bundle: true,
  splitting: false,
  format: "esm",
  target: "es2022",
  platform: "neutral",
  mainFields: ["module", "main"],
  conditions: ["import"],
  minify: true,
  legalComments: "none",
  plugins: [pureLoader],
  logLevel: "warning",
});

run("node_modules/typescript/bin/tsc", "-p", "scripts/tsconfig.dist.json");
