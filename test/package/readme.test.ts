// README and docs are true: their examples run and print what their comments say, their figures are those of the results, their links lead somewhere,
// and README's commands are those that .ci/run runs.

import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { transformSync } from "esbuild";
import { afterAll, expect, test } from "vitest";
import { FIGURES, withFigures } from "../../bench/figures.js";
import { DOCUMENTS, keptResults, withTables } from "../accuracy/tables.js";

const folder = mkdtempSync(join(tmpdir(), "softmargin-readme-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
mkdirSync(join(folder, "node_modules"));
symlinkSync(resolve("."), join(folder, "node_modules", "softmargin"), "dir");
symlinkSync(resolve("node_modules/pure-rand"), join(folder, "node_modules", "pure-rand"), "dir");

const text = (path: string): string => readFileSync(path, "utf8");
const blocks = (path: string, language: string): string[] =>
  [...text(path).matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "gm"))].map((match) => match[1]!);
const documents = ["README.md", ...readdirSync("docs").map((name) => `docs/${name}`)];

const examples = documents.flatMap((path) => blocks(path, "ts").map((code, i) => [path, i + 1, code] as const));

test.each(examples)("%s: example %i prints what it says", (_, __, code) => {
  writeFileSync(join(folder, "example.mjs"), transformSync(code, { loader: "ts" }).code);
  const printed = execFileSync(process.execPath, ["example.mjs"], { cwd: folder, encoding: "utf8" });
  // Every number in the comment behind a console.log, up to an ellipsis or in full, in the order of the output; what follows = or : explains.
  const said = [...code.matchAll(/^console\.log\(.*\); \/\/ ([^=:\n]*)/gm)].flatMap(
    ([, comment]) => comment!.match(/(?<![\w.])\d+(?:\.\d+)?/g) ?? [],
  );
  expect(said.length).toBeGreaterThan(0);
  let at = 0;
  for (const number of said) {
    const found = printed.indexOf(number, at);
    expect(found, `${number} in\n${printed.slice(at)}`).toBeGreaterThanOrEqual(0);
    at = found + number.length;
  }
});

test.each([
  ...documents,
  "SECURITY.md",
  "CONTRIBUTING.md",
  "examples/mnist/README.md",
  "examples/transformers/README.md",
  "examples/distributed/README.md",
])("what %s points to is there", (path) => {
  for (const [, link] of text(path).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
    expect(existsSync(join(dirname(path), link!)), link).toBe(true);
  }
  for (const [, file] of text(path).matchAll(/`(test\/[\w/.-]+)`/g)) expect(existsSync(file!), file).toBe(true);
});

test("README is short", () => {
  expect(text("README.md").split("\n").length).toBeLessThanOrEqual(121);
  expect(blocks("README.md", "ts")[0]!.split("\n").length).toBeLessThanOrEqual(16);
});

test("every command of README is run by .ci/run", () => {
  const ci = text(".ci/run").split("\n");
  for (const line of blocks("README.md", "sh").flatMap((block) => block.trim().split("\n"))) {
    const command = line.replace(/\s+#.*/, "");
    // npm run check-package packs and installs.
    if (/npm pack$|^npm install /.test(command)) continue;
    expect(
      ci.some((step) => step === command || step.startsWith(`${command} `)),
      command,
    ).toBe(true);
  }
});

test.each(FIGURES)("the figures in %s are those of bench/results", (path) => {
  // npm run bench:report writes them
  expect(withFigures(text(path))).toBe(text(path));
});

test.each(DOCUMENTS)("the tables of errors in %s are those of bench/results", (path) => {
  // npm run accuracy -- --kept --write writes them
  expect(withTables(text(path), keptResults())).toBe(text(path));
});
