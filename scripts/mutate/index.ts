// npm run mutate -- [--count N] [--seed S] [--from M] [--in assembly | src | a file]: do the tests notice?
//
// Changes one place at a time (mutants.ts), drawn by a seed, and runs tests until one fails; ends with 1 where fewer than 95 % of the mutants are killed.
// A mutant of assembly/ is judged by the conformance tests' problems first (judge.ts), then by test files, those named after its file before
// others; one of src/ by test files. They run in a copy of the repository. Not counted: what does not compile, or compiles to the very same
// module. Not run: tests of what is the same rather than of what is right (digest, sizes). `--from M` goes on at the mutant with this number.

import { type ChildProcess, execFileSync, fork, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type BuildOptions, build } from "esbuild";
import { toLiteral } from "../../src/wasm/text.js";
import { random } from "../../test/inputs/random.js";
import { LOADER, leanLoader } from "../leanLoader.js";
import { type Mutant, mutantsOf } from "./mutants.js";

/** The part of AssemblyScript's API that is used; its own types declare a whole language as globals. */
interface Compiler {
  main(argv: string[], host: object): Promise<{ error: Error | null }>;
  createMemoryStream(): object;
}
const COMPILER = "assemblyscript/asc";
const asc = ((await import(COMPILER)) as { default: Compiler }).default;

const { values: options } = parseArgs({
  options: {
    count: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
    in: { type: "string", default: "assembly" },
  },
});
const isKernel = !options.in.startsWith("src");
const root = isKernel ? "assembly" : "src";

const files = (folder: string, ...names: string[]) => names.map((name) => `test/${folder}/${name}.test.ts`);
/** Groups of files, those that most often notice first. What the judge has tried is not tried again. */
const KERNEL_TESTS = [
  ["test/functions", ...files("wasm", "kernels", "product", "exp"), "test/known-bugs"],
  files("everyFunction", "special", "sums", "workspace", "properties"),
];
const WRAPPER_TESTS = [
  ["test/functions", "test/known-bugs", ...files("arguments", "errors"), ...files("package", "entries")],
  ["test/arguments", ...files("wasm", "callFaults"), ...files("everyFunction", "workspace", "sums")],
  [...files("package", "loading"), ...files("everyFunction", "special", "streaming", "properties")],
];
/** Milliseconds for the tests of a group, and so many times what the judge took for what is unchanged. */
const PATIENCE = { tests: 600_000, judge: 10 };

const sources = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => `${root}/${file}`)
  .filter((file) => file.startsWith(options.in))
  .sort();
const draw = random(Number(options.seed));
const mutants = sources
  .flatMap((file) => mutantsOf(file, readFileSync(file, "utf8")))
  .map((mutant) => ({ mutant, order: draw.uniform() }))
  .sort((a, b) => a.order - b.order)
  .map(({ mutant }) => mutant);
console.log(`${mutants.length} mutants in ${options.in}, ${options.count} of them drawn with seed ${options.seed}`);

const copy = mkdtempSync(join(tmpdir(), "softmargin-mutate-"));
const tracked = execFileSync("git", ["ls-files"], { encoding: "utf8" }).trim().split("\n");
for (const path of [...tracked, "build", "dist"]) cpSync(path, join(copy, path), { recursive: true });
symlinkSync(resolve("node_modules"), join(copy, "node_modules"));

/** The module, or undefined where it does not compile. */
async function compile(mutant?: Mutant): Promise<Uint8Array | undefined> {
  let module: Uint8Array | undefined;
  const { error } = await asc.main(["--target", "simd", "--outFile", "mutant.wasm"], {
    stdout: asc.createMemoryStream(),
    stderr: asc.createMemoryStream(),
    readFile: (name: string) => {
      if (name === mutant?.file) return mutant.text;
      try {
        return readFileSync(name, "utf8");
      } catch {
        return null;
      }
    },
    writeFile: (name: string, contents: Uint8Array) => {
      if (name === "mutant.wasm") module = contents.slice();
    },
  });
  return error ? undefined : module;
}

let judge: ChildProcess | undefined;
let patience = PATIENCE.tests;

/** What is wrong with a module. */
async function judged(module: Uint8Array): Promise<string | undefined> {
  const answer = (child: ChildProcess, milliseconds: number) =>
    new Promise<{ fault?: string }>((resolve) => {
      const timer = setTimeout(() => resolve({ fault: "does not end" }), milliseconds);
      child.once("message", (message: { fault?: string }) => {
        clearTimeout(timer);
        resolve(message);
      });
    });
  if (judge === undefined) {
    const execArgv = ["--import", "tsx"];
    judge = fork(new URL("judge.ts", import.meta.url), { execArgv, serialization: "advanced" });
    await answer(judge, PATIENCE.tests);
  }
  const start = performance.now();
  const found = answer(judge, patience);
  judge.send(module);
  const { fault } = await found;
  if (module === original) patience = PATIENCE.judge * (performance.now() - start);
  if (fault === "does not end") {
    judge.kill("SIGKILL");
    judge = undefined;
  }
  return fault;
}

/** The first test that fails in the copy, where `file` was changed. */
function tested(file: string, groups: string[][], only: string): string | undefined {
  const own = ["functions", "wasm"].flatMap((folder) => files(folder, basename(file, ".ts"))).filter(existsSync);
  for (const group of own.length > 0 ? [own, ...groups] : groups) {
    const args = [
      "node_modules/vitest/vitest.mjs",
      "run",
      "--bail=1",
      "--typecheck.enabled=false",
      "-t",
      only,
      ...group,
    ];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: copy,
      encoding: "utf8",
      timeout: PATIENCE.tests,
      env: { ...process.env, NO_COLOR: "1" },
    });
    if (status === null) return "does not end";
    if (status !== 0) return / FAIL +(.*)/.exec(stdout + stderr)?.[1] ?? "does not load";
  }
  return undefined;
}

const original = await compile();

async function killerOfKernel({ file }: Mutant, module: Uint8Array): Promise<string | undefined> {
  const fault = await judged(module);
  if (fault !== undefined) return fault;
  writeFileSync(join(copy, "dist/simd.wasm"), module);
  const index = readFileSync("dist/index.js", "utf8");
  if (!index.includes(toLiteral(original!))) throw new Error("dist/ does not hold what assembly/ compiles to");
  writeFileSync(
    join(copy, "dist/index.js"),
    index.replace(toLiteral(original!), () => toLiteral(module)),
  );
  return tested(file, KERNEL_TESTS, "simd");
}

async function killerOfWrapper({ file, text }: Mutant): Promise<string | undefined> {
  const plugin: NonNullable<BuildOptions["plugins"]>[number] = {
    name: "lean-loader",
    setup: ({ onLoad }) =>
      onLoad({ filter: LOADER }, ({ path }) => ({ contents: leanLoader(readFileSync(path, "utf8")) })),
  };
  writeFileSync(join(copy, file), text);
  try {
    const entryPoints = ["index", "relaxed", "baseline", "wasm"].map((name) => join(copy, `src/${name}.ts`));
    const plugins = [plugin];
    await build({ entryPoints, bundle: true, format: "esm", outdir: join(copy, "dist"), plugins, logLevel: "silent" });
    return tested(file, WRAPPER_TESTS, "");
  } catch {
    return "does not build";
  } finally {
    cpSync(file, join(copy, file));
  }
}

const killer = (mutant: Mutant, module: Uint8Array | undefined) =>
  module ? killerOfKernel(mutant, module) : killerOfWrapper(mutant);

let tried = 0;
let survived = 0;
try {
  // Tests that fail anyway would kill everything.
  const file = sources[0]!;
  const unchanged = { file, line: 0, before: "", after: "", text: readFileSync(file, "utf8") };
  const fault = await killer(unchanged, isKernel ? original : undefined);
  if (fault !== undefined) throw new Error(`what is unchanged fails: ${fault}`);

  for (const [number, mutant] of mutants.entries()) {
    if (number < Number(options.from)) continue;
    if (tried === Number(options.count)) break;
    const module = isKernel ? await compile(mutant) : undefined;
    if (isKernel && (module === undefined || Buffer.compare(module, original!) === 0)) continue;
    tried++;
    const found = await killer(mutant, module);
    const { file, line, before, after } = mutant;
    if (found === undefined) {
      survived++;
      console.log(`${number} ${file}:${line} SURVIVED\n- ${before.trim()}\n+ ${after.trim()}`);
    } else console.log(`${number} ${file}:${line} killed: ${found.split("\n").at(-1)!.trim().slice(0, 90)}`);
  }
} finally {
  judge?.kill("SIGKILL");
  rmSync(copy, { recursive: true, force: true });
}

const killed = tried - survived;
console.log(`\n${tried} mutants, ${killed} killed, ${survived} survived: ${((100 * killed) / tried).toFixed(1)} %`);
process.exitCode = killed < 0.95 * tried ? 1 : 0;
