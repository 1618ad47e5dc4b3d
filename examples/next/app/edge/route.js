import { report } from "../report.js";

// The edge runtime forbids compiling WebAssembly: the package's edge-light condition gives it the baseline.
export const runtime = "edge";
export const GET = () => new Response(report());
