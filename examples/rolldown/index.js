import { backend, crossEntropyGrad, softmax } from "softmargin";

const { loss, grad } = crossEntropyGrad([0.2, 0.3, 0.5, 0.5, 0.2, 0.3], [2, 1]);
document.body.append(JSON.stringify({ backend: backend.name, softmax: softmax([1, 2, 3]), loss, grad }));
