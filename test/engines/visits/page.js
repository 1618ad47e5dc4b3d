// Browsers: modules straight from the package, no bundler between; what was found is posted to where the page came from.
import { visit } from "/conformance.js";
import * as baseline from "/node_modules/softmargin/dist/baseline.js";
import * as softmargin from "/node_modules/softmargin/dist/index.js";
import * as relaxed from "/node_modules/softmargin/dist/relaxed.js";
import { create } from "/node_modules/softmargin/dist/wasm.js";

const wasm = () => create(fetch("/node_modules/softmargin/dist/simd.wasm"));
const findings = await visit({ softmargin, relaxed, baseline, wasm });
await fetch("/findings", { method: "POST", body: JSON.stringify(findings) });
