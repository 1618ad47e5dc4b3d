// Makes a fresh clone ready, and an edited one up to date: installs the packages and builds dist/ where either is missing or
// older than what it is made from. Runs before `npm start`, `npm test` and `npm run bench`, hence with nothing but Node.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const oldestNode = [20, 19];
const sources = [
  "assembly",
  "src",
  "asconfig.json",
  "package.json",
  "package-lock.json",
  "scripts/build.ts",
  "scripts/leanLoader.ts",
  "scripts/tsconfig.dist.json",
  "tsconfig.json",
];

checkNode();
install(root);
build();

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  fail(`softmargin: needs Node ${oldestNode.join(".")} or later to build and test, this is ${process.versions.node}`);
}

/** Runs `npm ci` in a folder, unless its node_modules holds what its package-lock.json asks for. */
export function install(folder) {
  if (isInstalled(folder)) return;
  const where = relative(root, folder);
  // --ignore-scripts: the compilers come inside their packages, ready to run
  const command = "npm ci --ignore-scripts --include=dev --no-audit --loglevel=error";
  run(where ? `installing packages in ${where}` : "installing packages", command, folder);
}

// npm keeps a list of what it has installed in node_modules/.package-lock.json.
function isInstalled(folder) {
  const installed = packagesIn(join(folder, "node_modules", ".package-lock.json"));
  const wanted = packagesIn(join(folder, "package-lock.json"));
  if (!installed || !wanted) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    if (!path.startsWith("node_modules/")) return true;
    const found = installed[path];
    // an optional package may be one for another platform
    return found ? found.version === version && found.integrity === integrity : optional;
  });
}

function packagesIn(lockFile) {
  return existsSync(lockFile) ? JSON.parse(readFileSync(lockFile, "utf8")).packages : undefined;
}

/** Runs `npm run build`, unless every file that package.json exports is younger than all that it is made from. */
function build() {
  const oldest = Math.min(...exportedFiles().map((file) => modified(join(root, file))));
  const youngest = Math.max(...sources.map((source) => youngestIn(join(root, source))));
  if (oldest < youngest) run("building", "npm run build", root);
}

function exportedFiles() {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const files = (entry) => (typeof entry === "string" ? [entry] : Object.values(entry).flatMap(files));
  return files(exports).filter((file) => file.startsWith("./dist/"));
}

/** When a file, or anything in a folder, was last changed; a folder itself changes when a file in it is added or removed. */
function youngestIn(path) {
  if (!existsSync(path)) return 0;
  const own = modified(path);
  if (!statSync(path).isDirectory()) return own;
  return Math.max(own, ...readdirSync(path).map((name) => youngestIn(join(path, name))));
}

/** 0 for a file that does not exist: older than anything. */
function modified(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Runs a command whose output is worth showing only if it fails. */
function run(what, command, folder) {
  console.log(`softmargin: ${what} …`);
  const { status, stdout, stderr } = spawnSync(command, {
    cwd: folder,
    shell: true,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) fail(`${stdout}${stderr}\nsoftmargin: \`${command}\` failed in ${folder}`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
