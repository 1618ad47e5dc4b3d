// Places that are programs: they come as packages from npm (runtimes/package.json) and print what they found.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** Goes there, with the folder that the package is installed in; a string says why that is not possible here. */
export type Visit<Findings> = (folder: string) => Promise<{ version: string; findings: Findings } | string>;

const modules = fileURLToPath(new URL("runtimes/node_modules/", import.meta.url));
const run = promisify(execFile);

/** `program` is a path in runtimes/node_modules. */
export function runtime<Findings>(program: string, args: readonly string[]): Visit<Findings> {
  return async (folder) => {
    const path = join(modules, program);
    if (!existsSync(path)) return `no ${program} for ${process.platform} ${process.arch}`;
    // Warnings go to stderr, which is not asked for: require() of a module is experimental in the first Node that has it.
    const { stdout } = await run(path, args, { cwd: folder, timeout: 180_000 });
    const version = await run(path, ["--version"]);
    return { version: /\d[\d.-]*\d/.exec(version.stdout)![0], findings: JSON.parse(stdout) };
  };
}

/** What Cloudflare's workers run on, in which a compatibility date decides what is allowed. */
export function workerd<Findings>(compatibilityDate: string): Visit<Findings> {
  const dist = "node_modules/softmargin/dist";
  const config = `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = (
  compatibilityDate = "${compatibilityDate}",
  modules = [
    (name = "worker", esModule = embed "workerd.js"),
    (name = "conformance.js", esModule = embed "conformance.js"),
    (name = "softmargin", esModule = embed "${dist}/index.js"),
    (name = "softmargin/baseline", esModule = embed "${dist}/baseline.js"),
    (name = "softmargin/relaxed", esModule = embed "${dist}/relaxed.js"),
    (name = "softmargin/wasm", esModule = embed "${dist}/wasm.js"),
    (name = "softmargin/simd.wasm", wasm = embed "${dist}/simd.wasm"),
  ],
))]);
`;
  return async (folder) => {
    const name = `workerd-${compatibilityDate}.capnp`;
    await writeFile(join(folder, name), config);
    return runtime<Findings>("@cloudflare/workerd-linux-64/bin/workerd", ["test", name])(folder);
  };
}
