export default { build: { rolldownOptions: { input: ["index.html", "wasm.html"] } } };
