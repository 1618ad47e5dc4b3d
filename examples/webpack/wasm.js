import { create } from "softmargin/wasm";

const { backend, softmax } = await create(fetch(new URL("softmargin/simd.wasm", import.meta.url)));
document.body.append(JSON.stringify({ backend: backend.name, softmax: softmax([1, 2, 3]) }));
