// npm run mutate -- [--count N] [--seed S] [--in assembly | src | a file] [--line N]: do the tests notice?
//
// Changes one constant, operator, comparison, lane, offset or bound at a time (mutants.ts), drawn by a seed, and runs tests until one fails.
// A mutant of assembly/ is compiled here and first judged by the conformance tests' problems (judge.ts), then by the fast test files; a
// mutant of src/ by the test files. What passes all of them has survived: it becomes a test, or is explained in explained.ts. Mutants
// that do not compile, or compile to the very same module, are not counted.

import { type ChildProcess, fork, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { random } from "../../test/inputs/random.js";
import { explanations } from "./explained.js";
import type { Verdict } from "./judge.js";
import { applied, lineOf, type Mutant, mutantsOf } from "./mutants.js";

/** The part of AssemblyScript's API that is used; its own types declare a whole language as globals. */
interface Compiler {
  main(
    argv: string[],
    host: {
      stdout: object;
      stderr: object;
      readFile(name: string): string | null;
      writeFile(name: string, contents: Uint8Array | string): void;
    },
  ): Promise<{ error: Error | null }>;
  createMemoryStream(): object;
}
const COMPILER = "assemblyscript/asc";
const asc = ((await import(COMPILER)) as { default: Compiler }).default;

const SECONDS = { judging: 15, testing: 15, first: 600 };
/** A mutant that takes so many times longer than the original is taken not to end. */
const PATIENCE = 10;

/** In this order, until one fails. */
const QUICK = [
  "crossEntropy",
  "hinge",
  "softmax",
  "logSoftmax",
  "logSumExp",
  "exp",
  "sums",
  "kernels",
  "known-bugs",
  "workspace",
  "gradient",
];
/** Of these, the ones that take more than a second. */
const SLOWER = new Set(["crossEntropy", "workspace", "gradient"]);
const KERNEL_TESTS = [QUICK, ["properties", "special"]];
/** Seconds, then ever longer. Not those that hold src/ against dist/: a mutant must be found to be wrong, not to be different. */
const WRAPPER_TESTS = [
  [
    "errors",
    "options",
    "entries",
    "overlaps",
    "initialLoss",
    "text",
    "arena",
    ...QUICK.filter((name) => !SLOWER.has(name)),
  ],
  ["arrays", "lists", ...SLOWER],
  ["loading"], // imports anew, which others would be confused by
  ["callFaults", "streaming"],
  ["properties"],
  ["special"],
];

const { values: options } = parseArgs({
  options: {
    count: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
    in: { type: "string", default: "assembly" },
    line: { type: "string" },
  },
});
const count = Number(options.count);
const folder = mkdtempSync(join(tmpdir(), "softmargin-mutate-"));

const root = options.in.startsWith("src") ? "src" : "assembly";
const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
const sources = new Map(files.sort().map((file) => [`${root}/${file}`, readFileSync(`${root}/${file}`, "utf8")]));
const all = [...sources]
  .filter(([file]) => file.startsWith(options.in))
  .flatMap(([file, source]) => mutantsOf(file, source))
  .filter((mutant) => [undefined, `${lineOf(mutant, sources.get(mutant.file)!).number}`].includes(options.line));
const draw = random(Number(options.seed));
const drawn = all
  .map((mutant) => ({ mutant, order: draw.uniform() }))
  .sort((a, b) => a.order - b.order)
  .map(({ mutant }) => mutant);
console.log(
  `${all.length} mutants in ${options.in}, ${Math.min(count, all.length)} of them drawn with seed ${options.seed}`,
);

for (const [file, source] of sources) {
  const lines = mutantsOf(file, source).map((mutant) => lineOf(mutant, source).after);
  for (const { mutated } of explanations[file] ?? []) {
    if (!lines.some((line) => mutated.test(line)))
      console.log(`${file}: no mutant is explained by ${mutated} any more`);
  }
}

// ---- kernels ----

/** The module, or undefined if it does not compile. */
async function compile(mutant?: Mutant): Promise<Uint8Array | undefined> {
  let module: Uint8Array | undefined;
  const { error } = await asc.main(["--target", "simd", "--outFile", "mutant.wasm"], {
    stdout: asc.createMemoryStream(),
    stderr: asc.createMemoryStream(),
    readFile: (name) => {
      if (name === mutant?.file) return applied(mutant, sources.get(name)!);
      try {
        return readFileSync(name, "utf8");
      } catch {
        return null;
      }
    },
    writeFile: (name, contents) => {
      if (name === "mutant.wasm" && typeof contents !== "string") module = contents.slice();
    },
  });
  return error ? undefined : module;
}

/** `ready` with the seconds that the unchanged module took. */
let judge: { process: ChildProcess; ready: Promise<number> } | undefined;

async function verdict(module: Uint8Array): Promise<Verdict> {
  judge ??= startJudge();
  const { process, ready } = judge;
  const answer = nextMessage<Verdict>(process, Math.max(SECONDS.judging, PATIENCE * (await ready)));
  process.send(module);
  const found = await answer;
  if (found !== undefined) return found;
  process.kill("SIGKILL");
  judge = undefined;
  return { fault: "does not end", differs: true };
}

function startJudge(): { process: ChildProcess; ready: Promise<number> } {
  const process = fork(new URL("judge.ts", import.meta.url), {
    execArgv: ["--import", "tsx"],
    serialization: "advanced",
  });
  const ready = (async () => {
    await nextMessage(process);
    const answer = nextMessage<Verdict>(process);
    const start = performance.now();
    process.send(original!);
    const { fault } = (await answer)!;
    if (fault !== undefined) throw new Error(`the unchanged module fails: ${fault}`);
    return (performance.now() - start) / 1000;
  })();
  return { process, ready };
}

function nextMessage<T>(process: ChildProcess, seconds = 300): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), seconds * 1000);
    process.once("message", (message) => {
      clearTimeout(timer);
      resolve(message as T);
    });
  });
}

// ---- the test runner ----

/** How long each group of files takes on what is unchanged, which is tested first. */
const usual = new Map<string[], number>();

/** The first test that fails, of one group of files after the other. */
async function test(groups: string[][], env: Record<string, string>, only: string): Promise<string | undefined> {
  for (const files of groups) {
    const seconds = usual.get(files);
    const limit = seconds === undefined ? SECONDS.first : Math.max(SECONDS.testing, PATIENCE * seconds);
    const start = performance.now();
    const fault = await testFiles(files, env, only, limit);
    if (fault !== undefined) return fault;
    if (seconds === undefined) usual.set(files, (performance.now() - start) / 1000);
  }
  return undefined;
}

/** The part of vitest's report that is read. */
interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

function testFiles(
  names: string[],
  env: Record<string, string>,
  only: string,
  seconds: number,
): Promise<string | undefined> {
  const args = ["node_modules/vitest/vitest.mjs", "run", "--config", "scripts/mutate/vitest.config.ts"];
  const paths = names.map((name) => `test/${name}.test.ts`);
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...args, "--reporter=json", "-t", only, ...paths], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const stop = () => child.kill("SIGKILL");
    process.once("exit", stop);
    let output = "";
    child.stdout.on("data", (data) => {
      output += data;
    });
    const timer = setTimeout(stop, seconds * 1000);
    child.on("close", (code) => {
      clearTimeout(timer);
      process.off("exit", stop);
      if (code === 0) resolve(undefined);
      else if (code === null) resolve("does not end");
      else {
        const { testResults } = JSON.parse(output.slice(output.indexOf("{"))) as Report;
        const failed = testResults
          .flatMap(({ assertionResults }) => assertionResults)
          .find((t) => t.status === "failed");
        resolve(failed?.fullName ?? "does not load");
      }
    });
  });
}

// ---- the run ----

interface Result {
  readonly killed: string | undefined;
  readonly differs: boolean;
}

async function tryKernel(module: Uint8Array): Promise<Result> {
  const { fault, differs } = await verdict(module);
  if (fault !== undefined) return { killed: fault, differs };
  const path = join(folder, "mutant.wasm");
  writeFileSync(path, module);
  return { killed: await test(KERNEL_TESTS, { MUTANT_MODULE: path }, "simd"), differs };
}

async function tryWrapper(file: string, text: string): Promise<Result> {
  const path = join(folder, "mutant.ts");
  writeFileSync(path, text);
  return { killed: await test(WRAPPER_TESTS, { MUTANT_FILE: file, MUTANT_TEXT: path }, ""), differs: true };
}

const original = root === "assembly" ? await compile() : undefined;
// Tests that fail anyway would kill everything.
const { killed: fault } = original ? await tryKernel(original) : await tryWrapper(...[...sources][0]!);
if (fault !== undefined) throw new Error(`the tests fail on what is unchanged: ${fault}`);
const survivors: string[] = [];
let tried = 0;
let killed = 0;
let explained = 0;

async function report(mutant: Mutant, result: Promise<Result>): Promise<void> {
  const { killed: fault, differs } = await result;
  const line = lineOf(mutant, sources.get(mutant.file)!);
  const explanation = explanations[mutant.file]?.find(({ mutated }) => mutated.test(line.after));
  const place = `${mutant.file}:${line.number}`;
  let fate = fault?.split("\n").at(-1)?.trim().slice(0, 90);
  if (fault !== undefined) killed++;
  else if (explanation) {
    explained++;
    fate = `survived, as explained: ${explanation.why}`;
  } else {
    fate = "SURVIVED";
    const bits = differs ? "other bits" : "no bit of any result changed";
    survivors.push(`${place}, ${bits}\n- ${line.before}\n+ ${line.after}`);
  }
  console.log(`${++tried} ${place} ${mutant.before} → ${mutant.after || "nothing"}: ${fate}`);
}

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
try {
  let begun = 0;
  let running: Promise<void> | undefined;
  for (const mutant of drawn) {
    if (begun === count) break;
    // Compiled while the one before is judged.
    const module = root === "assembly" ? await compile(mutant) : undefined;
    if (root === "assembly" && (module === undefined || Buffer.compare(module, original!) === 0)) continue;
    await running;
    const source = sources.get(mutant.file)!;
    running = report(mutant, module ? tryKernel(module) : tryWrapper(mutant.file, applied(mutant, source)));
    begun++;
  }
  await running;
} finally {
  judge?.process.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}

for (const survivor of survivors) console.log(`\nSurvived: ${survivor}`);
const relevant = tried - explained;
console.log(
  `\n${tried} mutants: ${killed} killed, ${explained} survived as explained, ${survivors.length} survived; ` +
    `killed ${((100 * killed) / relevant).toFixed(1)} % of those that can be noticed`,
);
process.exitCode = killed < 0.95 * relevant ? 1 : 0;
