// What every page says: which backend computes here, and why nothing faster does.

import { backend, ready } from "softmargin";
import { byId } from "../drawing/element.js";

const NAMES = {
  simd: "the WebAssembly SIMD build of softmargin",
  relaxed: "the relaxed-SIMD build of softmargin",
  baseline: "softmargin's baseline in plain TypeScript",
};

await ready();
byId("backend").textContent = NAMES[backend.name];
if (backend.name === "baseline") {
  const refused = byId("refused");
  refused.textContent = `WebAssembly is refused here, so the baseline runs: same functions, slower. The reason: ${backend.reason?.message ?? "unknown"}`;
  refused.hidden = false;
}
document.documentElement.dataset["ready"] = backend.name;
