// Node: by require().
const { readFileSync } = require("node:fs");
const softmargin = require("softmargin");
const baseline = require("softmargin/baseline");
const relaxed = require("softmargin/relaxed");
const { create } = require("softmargin/wasm");
const { visit } = require("./conformance.js");

const wasm = () => create(readFileSync(require.resolve("softmargin/simd.wasm")));
visit({ softmargin, relaxed, baseline, wasm }).then((findings) => console.log(JSON.stringify(findings)));
