// The step of one batch on two backends. WebAssembly computes every batch, and trains the model by it. Plain TypeScript computes one in `every` again;
// of those both are timed, and their answers must agree.

import * as wasm from "softmargin";
import * as baseline from "softmargin/baseline";
import { createModel, type LinearModel } from "./linearModel.js";

export type Backend = typeof wasm | typeof baseline;

/** Writes the gradient of the mean loss with respect to the weights and the bias, and returns that loss. */
export type LossAndGrad = (
  gradient: LinearModel,
  model: LinearModel,
  images: Float32Array,
  labels: Uint8Array,
  backend: Backend,
) => number;

interface Contender {
  readonly backend: Backend;
  readonly gradient: LinearModel;
  loss: number;
  /** Spent in the batches that both have computed. */
  milliseconds: number;
}

const every = 25;
const tolerance = 1e-5; // WebAssembly adds up in 32 bits, TypeScript in 64
const warmUpCalls = 30; // by then V8 has compiled both with its optimising compilers

export class Duel {
  readonly wasm: Contender;
  readonly baseline: Contender;
  batches = 0;
  /** Batches that both have computed, and those where they differ: a score on the very edge of the margin may round to either side. */
  compared = 0;
  differing = 0;
  /** Spent by WebAssembly in all batches: the training, but for the updates. */
  milliseconds = 0;
  readonly #lossAndGrad: LossAndGrad;

  constructor(lossAndGrad: LossAndGrad, rows: number, inputs: number, classes: number) {
    const contender = (backend: Backend) => {
      const gradient = createModel(inputs, classes, 0, Math.random);
      return { backend, gradient, loss: 0, milliseconds: 0 };
    };
    this.#lossAndGrad = lossAndGrad;
    this.wasm = contender(wasm);
    this.baseline = contender(baseline);
    const model = createModel(inputs, classes, 0, Math.random);
    const images = new Float32Array(rows * inputs);
    for (let i = 0; i < warmUpCalls; i++)
      for (const { backend, gradient } of [this.wasm, this.baseline])
        lossAndGrad(gradient, model, images, new Uint8Array(rows), backend);
  }

  /** Loss and gradient of one batch, as WebAssembly found them. */
  run(model: LinearModel, images: Float32Array, labels: Uint8Array): { loss: number; gradient: LinearModel } {
    const milliseconds = this.#time(this.wasm, model, images, labels);
    this.milliseconds += milliseconds;
    if (this.batches++ % every === 0) {
      this.wasm.milliseconds += milliseconds;
      this.baseline.milliseconds += this.#time(this.baseline, model, images, labels);
      this.#compare();
    }
    return this.wasm;
  }

  #time(contender: Contender, model: LinearModel, images: Float32Array, labels: Uint8Array): number {
    const start = performance.now();
    contender.loss = this.#lossAndGrad(contender.gradient, model, images, labels, contender.backend);
    return performance.now() - start;
  }

  #compare(): void {
    const { wasm, baseline } = this;
    if (!(Math.abs(wasm.loss - baseline.loss) <= tolerance * Math.max(1, baseline.loss))) {
      throw new Error(
        `The backends disagree: a batch has loss ${wasm.loss} in WebAssembly, ${baseline.loss} in TypeScript.`,
      );
    }
    this.compared++;
    const other = baseline.gradient.weight;
    if (!wasm.gradient.weight.every((w, i) => Math.abs(w - other[i]!) <= tolerance)) this.differing++;
    if (this.differing > 1 + this.compared / 50)
      throw new Error(`The backends disagree: the gradients of ${this.differing} of ${this.compared} batches differ.`);
  }
}
