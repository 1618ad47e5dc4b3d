// Plain TypeScript: the fallback of the other engines and their opponent in the benchmarks.

import { createApi, type Softmargin } from "../api.js";
import { createBaseline } from "../createBaseline.js";

export const api: Softmargin = /* @__PURE__ */ createApi(/* @__PURE__ */ createBaseline());
