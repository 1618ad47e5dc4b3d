// One loss on two backends. Both get the same scores and labels and take turns at going first; both are timed, and their answers
// must agree. The gradient from WebAssembly is the one that trains the model.

import * as wasm from "softmargin";
import * as baseline from "softmargin/baseline";
import { createRandom } from "./random.js";

export type Backend = typeof wasm | typeof baseline;

/** Writes d loss / d scores into `grad`, [rows, classes] like `scores`, and returns the mean loss of the rows. */
export type LossAndGrad = (grad: Float32Array, scores: Float32Array, labels: Uint8Array, backend: Backend) => number;

interface Contender {
  readonly backend: Backend;
  readonly grad: Float32Array;
  loss: number;
  /** Spent in loss and gradient so far. */
  milliseconds: number;
}

const tolerance = 1e-5; // both have 32-bit gradients, each rounded in its own way
const warmUpCalls = 20_000; // by then V8 has compiled both with its optimising compilers
const repetitions = 3; // of which the fastest counts: the others met a garbage collection, or another process

export class Duel {
  readonly wasm: Contender;
  readonly baseline: Contender;
  batches = 0;
  /** Gradient entries compared, and those that differ: a score on the very edge of the margin may round to either side. */
  entries = 0;
  differing = 0;
  readonly #lossAndGrad: LossAndGrad;

  constructor(lossAndGrad: LossAndGrad, rows: number, classes: number) {
    this.#lossAndGrad = lossAndGrad;
    this.wasm = { backend: wasm, grad: new Float32Array(rows * classes), loss: 0, milliseconds: 0 };
    this.baseline = { backend: baseline, grad: new Float32Array(rows * classes), loss: 0, milliseconds: 0 };
    this.#warmUp(rows, classes);
  }

  /** Loss and gradient of one batch, by both; what WebAssembly found is returned. */
  run(scores: Float32Array, labels: Uint8Array): { loss: number; grad: Float32Array } {
    const turns = this.batches++ % 2 === 0 ? [this.wasm, this.baseline] : [this.baseline, this.wasm];
    for (const contender of turns) {
      let fastest = Number.POSITIVE_INFINITY;
      for (let i = 0; i < repetitions; i++) {
        const start = performance.now();
        contender.loss = this.#lossAndGrad(contender.grad, scores, labels, contender.backend);
        fastest = Math.min(fastest, performance.now() - start);
      }
      contender.milliseconds += fastest;
    }
    this.#compare(labels.length);
    return this.wasm;
  }

  #warmUp(rows: number, classes: number): void {
    const random = createRandom(2);
    const scores = Float32Array.from({ length: rows * classes }, () => 4 * random());
    const labels = Uint8Array.from({ length: rows }, () => classes * random());
    for (let i = 0; i < warmUpCalls; i++) {
      for (const { grad, backend } of [this.wasm, this.baseline]) this.#lossAndGrad(grad, scores, labels, backend);
    }
  }

  #compare(rows: number): void {
    const { wasm, baseline } = this;
    if (!(Math.abs(wasm.loss - baseline.loss) <= tolerance * Math.max(1, baseline.loss))) {
      throw new Error(
        `The backends disagree: a batch has loss ${wasm.loss} in WebAssembly, ${baseline.loss} in TypeScript.`,
      );
    }
    this.entries += wasm.grad.length;
    for (let i = 0; i < wasm.grad.length; i++) {
      // times rows: the gradient of a mean is that of a row divided by their number
      if (!(Math.abs(wasm.grad[i]! - baseline.grad[i]!) * rows <= tolerance)) this.differing++;
    }
    if (this.differing > 10 + this.entries / 1e5) {
      throw new Error(`The backends disagree: ${this.differing} of ${this.entries} gradient entries differ.`);
    }
  }
}
