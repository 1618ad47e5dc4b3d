import url from "softmargin/simd.wasm?url";
import { create } from "softmargin/wasm";

const { backend, softmax } = await create(fetch(url));
document.body.append(JSON.stringify({ backend: backend.name, softmax: softmax([1, 2, 3]) }));
