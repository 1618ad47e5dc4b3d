// npm run bench:report: the figures in the documents and the chart, from the results in bench/results.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { install, root } from "../scripts/setup.js";
import { FIGURES, read, withFigures } from "./figures.js";

for (const document of FIGURES) {
  writeFileSync(document, withFigures(readFileSync(document, "utf8")));
  console.log(document);
}

const peers = read("peers");
if (peers) {
  install(join(root, "bench/peers"));
  // By a name that the compiler does not follow: what it needs is installed only now.
  const chart: string = "./peers/chart.js";
  const { svg } = await import(chart);
  writeFileSync("bench/results/softmax.svg", await svg(peers));
  console.log("bench/results/softmax.svg");
}
