// assembly/ → build/*.wasm → build/*.js (the bytes as text; abi.js, what they export) → dist/*.js and *.d.ts

import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { build, type Plugin } from "rolldown";
import { minify } from "terser";
import { toLiteral } from "../src/wasm/text.js";
import { constantFunctions } from "./constantFunctions.js";
import { LOADER, leanLoader } from "./leanLoader.js";

const run = (script: string, ...args: string[]): void => {
  execFileSync(process.execPath, [script, ...args], { stdio: "inherit" });
};

rmSync("build", { recursive: true, force: true });
rmSync("dist", { recursive: true, force: true });
mkdirSync("build");
mkdirSync("dist");

for (const target of ["simd", "relaxed"] as const) {
  const asc = ["node_modules/assemblyscript/bin/asc.js", "--target", target];
  const { status, stderr } = spawnSync(process.execPath, asc, { encoding: "utf8" });
  // asc ends with 0 where it has warned
  if (status !== 0 || stderr !== "") throw new Error(`asc --target ${target}\n${stderr}`);
  if (target === "simd") writeAbi(readFileSync("build/simd.d.ts", "utf8"));
  const bytes = readFileSync(`build/${target}.wasm`);
  writeFileSync(`build/${target}.js`, `export const ${target.toUpperCase()} = "${placeholder(target)}";\n`);
  writeFileSync(`build/${target}.d.ts`, `export declare const ${target.toUpperCase()}: string;\n`);
  copyFileSync(`build/${target}.wasm`, `dist/${target}.wasm`);
  // What importing the file gives differs by runtime: its exports, a module, a path.
  writeFileSync(`dist/${target}.wasm.d.ts`, "declare const module: unknown;\nexport default module;\n");
  console.log(`${target}.wasm  ${bytes.length} bytes  sha256 ${createHash("sha256").update(bytes).digest("hex")}`);
}

/** What both modules export: the compiler's signatures, its own types above them, and the names for who looks whether they are there. */
function writeAbi(bindings: string): void {
  const declarations = bindings.replaceAll(/^ {2}/gm, "").replaceAll("export function", "export declare function");
  const signatures = declarations.match(/\/\*\*\n \* assembly\/.*?;\n/gs)!;
  const names = signatures.map((signature) => signature.match(/(?<=function )\w+/)![0]);
  writeFileSync("build/abi.d.ts", `${signatures.join("")}export declare const NAMES: readonly string[];\n`);
  writeFileSync("build/abi.js", `export const NAMES = ${JSON.stringify(names)};\n`);
}

/** What stands for a module until its text is put there: no tool is to write that in another way. */
function placeholder(target: string): string {
  return `the bytes of ${target}.wasm`;
}

function inlined(code: string): string {
  return code.replace(/"the bytes of (\w+)\.wasm"/g, (_, target) => toLiteral(readFileSync(`build/${target}.wasm`)));
}

const lean: Plugin = {
  name: "lean-loader",
  transform: { filter: { id: LOADER }, handler: leanLoader },
};

/** The entry points that differ in their engine only: what src/index.ts is with another one. */
const ENGINES = ["relaxed", "baseline"];

for (const name of ["index", ...ENGINES, "wasm"]) {
  const file = `dist/${name}.js`;
  const isOther = ENGINES.includes(name);
  await build({
    input: isOther ? "src/index.ts" : `src/${name}.ts`,
    // What a module declares as `const` stays that: V8 compiles calls of a function better where it cannot change (a call on one row takes a
    // tenth less, Node 24).
    output: { file, format: "esm", codeSplitting: false, comments: false },
    platform: "neutral",
    resolve: { mainFields: ["module", "main"], conditionNames: ["import"] },
    plugins: [
      lean,
      {
        name: "engine",
        resolveId: {
          filter: { id: /engines\/simd\.js$/ },
          handler: () => (isOther ? resolve(`src/engines/${name}.ts`) : null),
        },
      },
    ],
    logLevel: "warn",
  });
  const { code } = await minify(constantFunctions(readFileSync(file, "utf8")), {
    module: true,
    ecma: 2020,
    // A function that is called once stays one: put into its caller it would be made anew at each call. None is a constructor, so those in object
    // literals can be methods ("unsafe"); as arrow functions they would be half a percent smaller, but take V8 a third longer to import (Node 24). The last
    // three are smaller after gzip.
    compress: {
      reduce_funcs: false,
      inline: 1,
      unsafe_methods: true,
      passes: 2,
      sequences: false,
      lhs_constants: false,
    },
    // One character outside of Latin-1 would make V8 keep and scan all of the file in two bytes each.
    format: { comments: false, ascii_only: true },
  });
  if (!code) throw new Error(`nothing left of ${file}`);
  writeFileSync(file, inlined(code));
  if (isOther) writeFileSync(`dist/${name}.d.ts`, 'export * from "./index.js";\n');
}

run("node_modules/typescript/bin/tsc", "-p", "scripts/tsconfig.dist.json");

/** The declarations that an entry point's needs, itself included; users have no use for others. */
function reached(path: string, found: Set<string> = new Set()): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  for (const [, to] of readFileSync(path, "utf8").matchAll(/"(\.[^"]+)\.js"/g))
    reached(join(dirname(path), `${to}.d.ts`), found);
  return found;
}

const needed = ["index", ...ENGINES, "wasm"].flatMap((name) => [...reached(`dist/${name}.d.ts`)]);
for (const file of readdirSync("dist", { recursive: true, encoding: "utf8" })) {
  if (/(?<!\.wasm)\.d\.ts$/.test(file) && !needed.includes(join("dist", file))) rmSync(join("dist", file));
}
