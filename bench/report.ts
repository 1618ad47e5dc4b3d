// npm run bench:report: README's figures and the chart, from the results in bench/results.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { install, root } from "../scripts/setup.js";
import { read, withFigures } from "./readme.js";

writeFileSync("README.md", withFigures(readFileSync("README.md", "utf8")));
console.log("README.md");

const peers = read("peers");
if (peers) {
  install(join(root, "bench/peers"));
  // By a name that the compiler does not follow: what it needs is installed only now.
  const chart: string = "./peers/chart.js";
  const { svg } = await import(chart);
  writeFileSync("bench/results/softmax.svg", await svg(peers));
  console.log("bench/results/softmax.svg");
}
