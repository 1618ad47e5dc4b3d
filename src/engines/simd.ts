// The deterministic SIMD build, the same bits on every engine and processor; the baseline where that cannot run.

import { SIMD } from "../../build/simd.js";
import type { Softmargin } from "../api.js";
import { load } from "../wasm/load.js";

export const api: Softmargin = /* @__PURE__ */ load([["simd", SIMD]]);
