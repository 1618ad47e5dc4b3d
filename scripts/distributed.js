// Sets up examples/distributed like the root, and runs it, or its tests: `npm run distributed`, `npm run test:distributed`.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { install, root } from "./setup.js"; // importing it sets up the root

const [first, ...rest] = process.argv.slice(2);
const example = join(root, "examples", "distributed");
install(join(root, "examples", "mnist")); // whose digits it reads
install(example);
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const args = first === "test" ? [vitest, "run", ...rest] : ["--import", "tsx", "story.ts", ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, args, { cwd: example, stdio: "inherit" });
process.exitCode = status ?? 1;
