export default { mode: "production", entry: { index: "./index.js", wasm: "./wasm.js" } };
