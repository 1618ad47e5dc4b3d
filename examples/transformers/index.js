// Both parts, one after the other: npm run example:transformers.

await import("./generate.js");
await import("./onnxruntime.js");
process.exit(); // onnxruntime-web keeps the process alive
