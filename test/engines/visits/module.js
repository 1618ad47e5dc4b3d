// Node, Bun, Deno and workers: as modules.
import { readFile } from "node:fs/promises";
import * as softmargin from "softmargin";
import * as baseline from "softmargin/baseline";
import * as relaxed from "softmargin/relaxed";
import { create } from "softmargin/wasm";
import { visit } from "./conformance.js";

const wasm = () => create(readFile(new URL(import.meta.resolve("softmargin/simd.wasm"))));
console.log(JSON.stringify(await visit({ softmargin, relaxed, baseline, wasm })));
