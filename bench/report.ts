// npm run bench:report: the figures in the documents and the charts, from the results in bench/results.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { install, root } from "../scripts/setup.js";
import { FIGURES, read, withFigures } from "./figures.js";

for (const document of FIGURES) {
  writeFileSync(document, withFigures(readFileSync(document, "utf8")));
  console.log(document);
}

install(join(root, "bench/peers"));
// By a name that the compiler does not follow: what it needs is installed only now.
const charts: string = "./peers/chart.js";
const { softmaxChart, tokenChart } = await import(charts);
for (const [name, results, chart] of [
  ["softmax", read("peers"), softmaxChart],
  ["token", read("decisions"), tokenChart],
]) {
  if (!results) continue;
  writeFileSync(`bench/results/${name}.svg`, await chart(results));
  console.log(`bench/results/${name}.svg`);
}
