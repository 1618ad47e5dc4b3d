// Node and Deno: softmargin/wasm on a module that the runtime itself has compiled.
import * as softmargin from "softmargin";
import * as baseline from "softmargin/baseline";
import * as relaxed from "softmargin/relaxed";
import source module from "softmargin/simd.wasm";
import { create } from "softmargin/wasm";
import { visit } from "./conformance.js";

console.log(JSON.stringify(await visit({ softmargin, relaxed, baseline, wasm: () => create(module) })));
