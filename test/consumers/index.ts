// npm run test:consumers: the packed package as its users' tools see it. publint and attw look for faults of the package; applications
// in types/ are compiled by TypeScript 5.0 to 7.0 under each way to resolve modules, with nothing but the ES2020 library, and the errors about wrong
// arrays read; jest/ and browser/ are run. `-- types` and so on take the rows whose name begins so, `-- --fast` of TypeScript's versions the
// oldest and the newest.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findChromium } from "../package/chromium.js";
import { pack, project, run } from "../package/scratch.js";

const tarball = pack();
const folder = project("test/consumers", tarball);
const { values: only, positionals } = parseArgs({ allowPositionals: true, options: { fast: { type: "boolean" } } });
const [prefix = ""] = positionals;
const count = { ok: 0, failed: 0, "not run": 0 };

function row(name: string, check: string | (() => void) | undefined): void {
  if (!name.startsWith(prefix)) return;
  let outcome: keyof typeof count = "ok";
  let detail = "";
  try {
    if (check === undefined) outcome = "not run";
    else if (typeof check === "string") run(check, folder);
    else check();
  } catch (error) {
    outcome = "failed";
    detail = `\n${error}`;
  }
  count[outcome]++;
  console.log(`${outcome.padEnd(8)} ${name}${detail}`);
}

row("publint", `npx publint --strict "${tarball}"`);
// An ES module only: CommonJS gets it by import(), or by require() from Node 20.19 on, which attw cannot know.
row("attw", `npx attw "${tarball}" --ignore-rules cjs-resolves-to-esm`);

// [version, module, moduleResolution, files]
const esm = ["consumer.ts"];
const both = ["consumer.ts", "commonjs.cts"];
const withRequire = [...both, "require.cts"];
const compilations: [version: string, module: string, moduleResolution: string, files: string[]][] = [];
const versions = only.fast ? ["5.0", "7.0"] : ["5.0", "5.4", "5.9", "6.0", "7.0"];
for (const version of versions) {
  // Renamed in 5.0, deprecated in 6.0, gone in 7.0.
  if (version < "7") compilations.push([version, version < "6" ? "commonjs" : "es2022", "node10", esm]);
  compilations.push([version, "node16", "node16", version < "5.3" ? esm : both]);
  // require() of an ES module came with 5.8.
  compilations.push([version, "nodenext", "nodenext", version < "5.3" ? esm : version < "5.8" ? both : withRequire]);
  compilations.push([version, "es2022", "bundler", esm]);
}
/** The command that compiles files of types/ by a version of TypeScript. */
function tsc(version: string, module: string, moduleResolution: string, files: string[], lib: string): string {
  const config = {
    compilerOptions: {
      module,
      moduleResolution,
      target: "es2020",
      lib: [lib],
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      noEmit: true,
      ...(version >= "6" && moduleResolution === "node10" ? { ignoreDeprecations: "6.0" } : {}),
    },
    files: files.map((file) => `types/${file}`),
  };
  const project = `tsconfig.${version}.${moduleResolution}.${lib}.json`;
  writeFileSync(join(folder, project), JSON.stringify(config));
  return `node node_modules/typescript-${version}/bin/tsc -p ${project}`;
}

for (const [version, module, moduleResolution, files] of compilations) {
  const name = `types: TypeScript ${version}, ${moduleResolution}, ${files.join(" ")}`;
  row(name, tsc(version, module, moduleResolution, files, "es2020"));
}
for (const version of versions) row(`types: TypeScript ${version}, errors`, () => checkErrors(version));

/**
 * That the error about each wrong array has at most four lines, of targets, which may be many things, five; and that they speak of arrays, whatever
 * methods the newest library gives both.
 */
function checkErrors(version: string): void {
  const command = tsc(version, "nodenext", "nodenext", ["wrong.ts"], "es2023");
  const [, ...errors] = run(`${command} --pretty false || true`, folder).split(/^types\/wrong\.ts/m);
  const calls = readFileSync(join(folder, "types/wrong.ts"), "utf8").match(/^\w+\(.*\);$/gm);
  assert.equal(errors.length, calls?.length);
  const array = String.raw`Type '"?\w+Array(<\w+>)?"?' is`;
  const what = String.raw`not assignable to type '"?[^']*Array[^']*'|missing the following properties from type 'readonly number\[\]': .*`;
  const said = new RegExp(
    String.raw`^ +(${array} (${what})|Types of property '\[Symbol\.toStringTag\]' are incompatible)\.?$`,
  );
  for (const error of errors) {
    const lines = error.trimEnd().split("\n");
    const most = /ClassIndices|BinaryTargets/.test(lines[0]!) ? 5 : 4;
    assert(lines.length <= most && lines.slice(1).every((line) => said.test(line)), error);
  }
}

const vmModules = "node --experimental-vm-modules node_modules/jest/bin/jest.js";
row("jest, node, ES modules", `${vmModules} -c jest/node.config.json`);
row("jest, jsdom, ES modules", `${vmModules} -c jest/jsdom.config.json`);
row("jest, jsdom, Babel to CommonJS", "npx jest -c jest/commonjs.config.json");

const chromium = findChromium();
if (chromium !== undefined) process.env["CHROMIUM"] = run(`command -v ${chromium}`, folder).trim();
row("vitest, browser mode", chromium && "npx vitest run --root . --config browser/vitest.config.js");

console.log(`consumers: ${count.ok} rows as stated, ${count.failed} failed, ${count["not run"]} not run`);
process.exitCode = count.failed > 0 || count.ok === 0 ? 1 : 0;
