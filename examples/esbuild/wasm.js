import url from "softmargin/simd.wasm";
import { create } from "softmargin/wasm";

const { backend, softmax } = await create(fetch(new URL(url, import.meta.url)));
document.body.append(JSON.stringify({ backend: backend.name, softmax: softmax([1, 2, 3]) }));
