// workerd: compiled when the worker starts, used in a handler; softmargin/wasm on a module that was deployed with it.
import * as softmargin from "softmargin";
import * as baseline from "softmargin/baseline";
import * as relaxed from "softmargin/relaxed";
import module from "softmargin/simd.wasm";
import { create } from "softmargin/wasm";
import { visit } from "./conformance.js";

export default {
  async test() {
    console.log(JSON.stringify(await visit({ softmargin, relaxed, baseline, wasm: () => create(module) })));
  },
};
