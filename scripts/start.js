// The main job: sets up examples/mnist like the root, and runs it with the arguments given here (npm start -- --quick).

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { install, root } from "./setup.js"; // importing it sets up the root

const example = join(root, "examples", "mnist");
install(example);
const { status } = spawnSync(process.execPath, ["--import", "tsx", "index.ts", ...process.argv.slice(2)], {
  cwd: example,
  stdio: "inherit",
});
process.exitCode = status ?? 1;
