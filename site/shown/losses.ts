// What the page "From logits to losses" computes, and shows as its code.

import {
  binaryCrossEntropy,
  crossEntropy,
  crossEntropyGrad,
  hinge,
  hingeGrad,
  linear,
  logSoftmax,
  sigmoid,
  softmax,
  softmaxGrad,
} from "softmargin";

export function probabilities(x: Float32Array, temperature: number) {
  const p = softmax(x, { temperature });
  const surprise = logSoftmax(x, { temperature }).map((log) => -log); // −log p, exact also where p is 0 or 1
  return { p, surprise };
}

// The same as one writes it. Elements of a Float32Array are rounded to single precision: e^89 is Infinity, e^−104 is 0.
export function byHand(x: Float32Array, temperature: number, subtractMax: boolean) {
  const max = subtractMax ? Math.max(...x) : 0;
  const e = x.map((logit) => Math.exp((logit - max) / temperature));
  const sum = e.reduce((a, b) => a + b);
  const p = e.map((part) => part / sum);
  return { e, sum, p, surprise: p.map((probability) => -Math.log(probability)) };
}

export function losses(x: Float32Array, y: number, temperature: number) {
  return [
    crossEntropyGrad(x, y, { temperature }),
    hingeGrad(x, y), // Weston–Watkins: every wrong class that comes within the margin of 1
    hingeGrad(x, y, { form: "crammer-singer" }), // only the highest of them
  ];
}

// Many rows at once: in each of them only the true class has another logit.
export function curves(x: Float32Array, y: number, temperature: number, trueLogits: Float32Array) {
  const rows = new Float32Array(trueLogits.length * x.length);
  trueLogits.forEach((logit, r) => {
    rows.set(x, r * x.length);
    rows[r * x.length + y] = logit;
  });
  const targets = new Uint8Array(trueLogits.length).fill(y);
  return [
    crossEntropy(rows, targets, { temperature, reduction: "none" }),
    hinge(rows, targets, { reduction: "none" }),
    hinge(rows, targets, { form: "crammer-singer", reduction: "none" }),
  ];
}

export function alone(x: Float32Array, y: number) {
  const labels = x.map((_, j) => (j === y ? 1 : 0)); // only the true class is there
  return {
    together: softmax(x), // one choice: these sum to 1
    each: sigmoid(x), // one answer per class: these need not
    loss: crossEntropy(x, y),
    lossEach: binaryCrossEntropy(x, labels, { reduction: "sum" }),
  };
}

// Row i is what softmaxGrad makes of the i-th unit vector: ∂p_i/∂x_j = p_i ([i = j] − p_j).
export function jacobian(p: Float32Array) {
  const n = p.length;
  const everyRow = Float32Array.from({ length: n * n }, (_, i) => p[i % n]);
  const units = Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
  return softmaxGrad(everyRow, units, { shape: [n, n] });
}

export function products(p: Float32Array, dy: Float32Array) {
  return {
    byMatrix: linear(dy, jacobian(p)), // J · dy: C² numbers
    direct: softmaxGrad(p, dy), // p ⊙ (dy − ⟨p, dy⟩): no matrix at all
  };
}
