// README is true: its examples run and print what their comments say, and its commands are those that .ci/run runs.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { transformSync } from "esbuild";
import { expect, test } from "vitest";
import { withFigures } from "../../bench/readme.js";
import { DOCUMENTS, keptResults, withTables } from "../accuracy/tables.js";

const readme = readFileSync("README.md", "utf8");
const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map((match) => match[1]!);

test.each(blocks("ts").map((code, i) => [i + 1, code] as const))("example %i prints what it says", (_, code) => {
  const folder = mkdtempSync(join(tmpdir(), "softmargin-readme-"));
  try {
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(resolve("."), join(folder, "node_modules", "softmargin"), "dir");
    writeFileSync(join(folder, "example.mjs"), transformSync(code, { loader: "ts" }).code);
    const printed = execFileSync(process.execPath, ["example.mjs"], { cwd: folder, encoding: "utf8" });
    // Every number in the comment behind a console.log, up to an ellipsis or in full, in the order of the output.
    const said = [...code.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].flatMap(
      ([, comment]) => comment!.match(/\d+\.\d+/g) ?? [],
    );
    expect(said.length).toBeGreaterThan(0);
    let at = 0;
    for (const number of said) {
      at = printed.indexOf(number, at);
      expect(at, `${number} in\n${printed}`).toBeGreaterThanOrEqual(0);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("every command is run by .ci/run", () => {
  const ci = readFileSync(".ci/run", "utf8").split("\n");
  const commands = blocks("sh").flatMap((block) => block.trim().split("\n"));
  for (const line of commands) {
    const command = line.replace(/\s+#.*/, "");
    // From the tarball, in npm run check-package.
    if (command === "npm install softmargin") continue;
    expect(
      ci.some((step) => step === command || step.startsWith(`${command} `)),
      command,
    ).toBe(true);
  }
});

test("the figures are those of bench/results", () => {
  // npm run bench:report writes them
  expect(withFigures(readme)).toBe(readme);
});

test.each(DOCUMENTS)("the tables of errors in %s are those of bench/results", (path) => {
  // npm run accuracy -- --kept --write writes them
  const document = readFileSync(path, "utf8");
  expect(withTables(document, keptResults())).toBe(document);
});
