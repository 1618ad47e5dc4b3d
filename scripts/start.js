// Sets up an example like the root, and runs it: start.js mnist/index.ts, with the arguments given here (npm start -- --quick).

import { spawnSync } from "node:child_process";
import { basename, dirname, join } from "node:path";
import { install, root } from "./setup.js"; // importing it sets up the root

const [, , file, ...args] = process.argv;
const example = join(root, "examples", dirname(file));
install(example);
const { status } = spawnSync(process.execPath, ["--import", "tsx", basename(file), ...args], {
  cwd: example,
  stdio: "inherit",
});
process.exitCode = status ?? 1;
