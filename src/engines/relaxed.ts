// Fused multiply-add where there is relaxed SIMD, else as simd.ts. Last bits may differ between processors.

import { RELAXED } from "../../build/relaxed.js";
import { SIMD } from "../../build/simd.js";
import type { Softmargin } from "../api.js";
import { load } from "../wasm/load.js";

export const api: Softmargin = /* @__PURE__ */ load([
  ["relaxed", RELAXED],
  ["simd", SIMD],
]);
