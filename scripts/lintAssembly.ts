// The last part of npm run lint: what assembly/ imports or declares for nothing. Biome cannot read AssemblyScript's decorators on functions, so it is
// given a copy in which their lines are empty.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const biome = resolve("node_modules/@biomejs/biome/bin/biome");
const rules = ["noUnusedImports", "noUnusedVariables", "noUnusedFunctionParameters", "noUnreachable"];
const copy = mkdtempSync(join(tmpdir(), "softmargin-lint-"));
try {
  writeFileSync(join(copy, "biome.json"), '{ "root": true }');
  for (const folder of ["assembly", "bench/assembly"]) {
    mkdirSync(join(copy, folder), { recursive: true });
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".ts"))) {
      const source = readFileSync(join(folder, file), "utf8");
      writeFileSync(join(copy, folder, file), source.replace(/^\/\/ @ts-ignore: decorator$|^@\w+$/gm, ""));
    }
  }
  const only = rules.map((rule) => `--only=correctness/${rule}`);
  execFileSync(process.execPath, [biome, "lint", "--error-on-warnings", ...only, "."], { cwd: copy, stdio: "inherit" });
} catch {
  process.exitCode = 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}
