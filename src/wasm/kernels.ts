// The kernels on linear memory: blocks of rows are copied into the arena, computed in place, and copied out, each byte once in and once out
// while the block is in the cache. Arrays that lie in the workspace are used where they are.

import type { CrossEntropyTerms, FloatArray, HingeTerms, Kernels, RowTerms, Shape } from "../kernels.js";
import { ARENA_BYTES, type Arena, align } from "./arena.js";
import type { TypedExports } from "./exports.js";

/** A block: `inners` inner positions from `inner` on, of `outers` outer ones from `outer` on. Both cover everything in one direction. */
type RunBlock = (outer: number, outers: number, inner: number, inners: number) => void;

/** Runs a kernel on one block: pointers, then the size of the block. `second` is dy or the class probabilities. */
type RunKernel = (out: number, x: number, second: number, outer: number, cols: number, inner: number) => void;

// TypedArray.set costs about 50 ns, as much as moving this many elements one by one.
const FEW = 32;

function copy(to: FloatArray | Int32Array, at: number, from: FloatArray | Int32Array, start: number, n: number): void {
  if (n <= FEW) for (let i = 0; i < n; i++) to[at + i] = from[start + i]!;
  else to.set(start === 0 && n === from.length ? from : from.subarray(start, start + n), at);
}

export class WasmKernels implements Kernels {
  private readonly arena: Arena;
  /** Where calls go that do not fit into an arena that must not grow. */
  private readonly shared: WasmKernels | undefined;

  constructor(arena: Arena, shared?: WasmKernels) {
    this.arena = arena;
    this.shared = shared;
  }

  softmax(y: FloatArray, x: FloatArray, shape: Shape, temperature: number): void {
    const { scaled, rest } = scaleForTemperature(x, temperature);
    this.map("softmax", y, scaled, undefined, shape, rest);
  }

  softmaxGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void {
    this.map("softmaxGrad", dx, y, dy, shape, 1);
  }

  logSoftmax(y: FloatArray, x: FloatArray, shape: Shape, temperature: number): void {
    const { scaled, rest } = scaleForTemperature(x, temperature);
    this.map("logSoftmax", y, scaled, undefined, shape, rest);
  }

  logSoftmaxGrad(dx: FloatArray, y: FloatArray, dy: FloatArray, shape: Shape): void {
    this.map("logSoftmaxGrad", dx, y, dy, shape, 1);
  }

  /** y = f(x) or dx = f(y, dy), row by row. */
  private map(
    name: "softmax" | "softmaxGrad" | "logSoftmax" | "logSoftmaxGrad",
    out: FloatArray,
    x: FloatArray,
    second: FloatArray | undefined,
    shape: Shape,
    temperature: number,
  ): void {
    const kernel = this.typed(x)[name] as (...args: number[]) => void;
    const run: RunKernel =
      second === undefined
        ? (y, x, _, outer, cols, inner) => kernel(y, x, outer, cols, inner, temperature)
        : (dx, y, dy, outer, cols, inner) => kernel(dx, y, dy, outer, cols, inner);
    const slots = 2 + (second ? 1 : 0);
    const rows = this.open(x, shape, slots, 0, 0);
    if (rows === 0) this.shared!.map(name, out, x, second, shape, temperature);
    else this.blocks(shape, rows, (o, os, i, is) => this.block(run, out, x, second, false, shape, o, os, i, is));
  }

  logSumExp(lse: Float64Array, x: FloatArray, shape: Shape, temperature: number): void {
    const { scaled, rest } = scaleForTemperature(x, temperature);
    const kernel = this.typed(x).logSumExp;
    const rows = this.open(x, shape, 1, 8, 0);
    if (rows === 0) {
      this.shared!.logSumExp(lse, x, shape, temperature);
      return;
    }
    this.blocks(shape, rows, (o, os, i, is) => {
      const values = this.arena.take(os * is * 8);
      const run: RunKernel = (_, x, __, outer, cols, inner) => kernel(values, x, outer, cols, inner, rest);
      this.block(run, undefined, scaled, undefined, false, shape, o, os, i, is);
      copy(lse, o * shape.inner + i, this.arena.f64, values / 8, os * is);
    });
  }

  crossEntropy(
    loss: Float64Array,
    grad: FloatArray | undefined,
    logits: FloatArray,
    targets: Int32Array | FloatArray,
    shape: Shape,
    terms: CrossEntropyTerms,
  ): void {
    const { scaled, rest, scale } = scaleForTemperature(logits, terms.temperature);
    const kernel = this.typed(logits).crossEntropy;
    const done = this.loss(
      loss,
      grad,
      scaled,
      targets,
      shape,
      terms.rows,
      terms.weight,
      (p, grad, x, probabilities, outer, cols, inner) =>
        kernel(
          p.loss,
          grad,
          x,
          p.targets,
          probabilities,
          p.weight,
          p.sampleWeight,
          p.gradOutput,
          outer,
          cols,
          inner,
          terms.labelSmoothing,
          rest,
          terms.rows.gradScale * scale,
        ),
    );
    if (!done) this.shared!.crossEntropy(loss, grad, logits, targets, shape, terms);
  }

  hinge(
    loss: Float64Array,
    grad: FloatArray | undefined,
    scores: FloatArray,
    targets: Int32Array,
    shape: Shape,
    terms: HingeTerms,
  ): void {
    const kernel = this.typed(scores).hinge;
    const done = this.loss(
      loss,
      grad,
      scores,
      targets,
      shape,
      terms.rows,
      terms.weight,
      (p, grad, x, _, outer, cols, inner) =>
        kernel(
          p.loss,
          grad,
          x,
          p.targets,
          p.weight,
          p.sampleWeight,
          p.gradOutput,
          outer,
          cols,
          inner,
          terms.form === "weston-watkins",
          terms.margin,
          terms.p === 2,
          terms.scale,
          terms.rows.gradScale,
        ),
    );
    if (!done) this.shared!.hinge(loss, grad, scores, targets, shape, terms);
  }

  /** Streams a loss. False where the arena must not grow as far as that needs. */
  private loss(
    loss: Float64Array,
    grad: FloatArray | undefined,
    x: FloatArray,
    targets: Int32Array | FloatArray,
    shape: Shape,
    terms: RowTerms,
    weight: FloatArray | undefined,
    kernel: (
      p: LossPointers,
      grad: number,
      x: number,
      probabilities: number,
      outer: number,
      cols: number,
      inner: number,
    ) => void,
  ): boolean {
    const { arena } = this;
    const { sampleWeight, gradOutput, accumulate } = terms;
    const indices = targets instanceof Int32Array ? targets : undefined;
    const probabilities = targets instanceof Int32Array ? undefined : targets;
    const slots = 1 + (grad ? 1 : 0) + (probabilities ? 1 : 0) + (grad && accumulate ? 1 : 0);
    const rows = this.open(
      x,
      shape,
      slots,
      8 + 4 + (sampleWeight ? 8 : 0) + (gradOutput ? 8 : 0),
      weight ? shape.classes : 0,
    );
    if (rows === 0) return false;

    const p: LossPointers = { loss: 0, targets: 0, weight: 0, sampleWeight: 0, gradOutput: 0 };
    if (weight) {
      p.weight = arena.take(weight.byteLength);
      copy(this.view(x), p.weight / x.BYTES_PER_ELEMENT, weight, 0, weight.length);
    }
    arena.keep();
    this.blocks(shape, rows, (o, os, i, is) => {
      const first = o * shape.inner + i;
      const n = os * is;
      const enter = (view: Float64Array | Int32Array, values: Float64Array | Int32Array | undefined): number => {
        if (values === undefined) return 0;
        const at = arena.take(n * view.BYTES_PER_ELEMENT);
        copy(view, at / view.BYTES_PER_ELEMENT, values, first, n);
        return at;
      };
      p.targets = enter(arena.i32, indices);
      p.sampleWeight = enter(arena.f64, sampleWeight);
      p.gradOutput = enter(arena.f64, gradOutput);
      p.loss = arena.take(n * 8);
      const run: RunKernel = (grad, x, second, outer, cols, inner) => kernel(p, grad, x, second, outer, cols, inner);
      this.block(run, grad, x, probabilities, accumulate, shape, o, os, i, is);
      copy(loss, first, arena.f64, p.loss / 8, n);
    });
    return true;
  }

  private typed(x: FloatArray): TypedExports {
    return x.BYTES_PER_ELEMENT === 4 ? this.arena.exports.f32 : this.arena.exports.f64;
  }

  private view(x: FloatArray): FloatArray {
    return x.BYTES_PER_ELEMENT === 4 ? this.arena.f32 : this.arena.f64;
  }

  /** Wide rows whose classes are not next to each other are transposed in the arena, through one more slot. */
  private swaps({ classes, inner }: Shape): boolean {
    return inner > 1 && classes > this.arena.exports.narrow;
  }

  /**
   * Makes room for blocks of `slots` arrays of [rows, C], `perRow` further bytes a row and `kept` elements once. Returns how many rows a
   * block may have, or 0 where the arena would have to grow but must not.
   */
  private open(x: FloatArray, shape: Shape, slots: number, perRow: number, kept: number): number {
    const { arena } = this;
    const row = (slots + (this.swaps(shape) ? 1 : 0)) * shape.classes * x.BYTES_PER_ELEMENT + perRow;
    // Every piece is rounded up to a whole vector.
    const fixed = align(kept * x.BYTES_PER_ELEMENT) + 16 * 16;
    const rows = Math.min(shape.outer * shape.inner, Math.max(1, Math.floor((ARENA_BYTES - fixed) / row)));
    const bytes = fixed + rows * row;
    if (arena.isFixed && !arena.holds(bytes)) return 0;
    arena.open(bytes);
    return Math.max(1, rows);
  }

  /** Cuts a shape into blocks of at most `rows` rows. The arena is as after `open` (or `keep`) at the beginning of each. */
  private blocks(shape: Shape, rows: number, run: RunBlock): void {
    const { outer, inner } = shape;
    const outers = this.swaps(shape) ? 1 : Math.max(1, Math.floor(rows / inner));
    for (let o = 0; o < outer; o += outers) {
      for (let i = 0; i < inner; i += rows) {
        this.arena.release();
        run(o, Math.min(outers, outer - o), i, Math.min(rows, inner - i));
      }
    }
  }

  /** One block through a kernel: x and `second` in, `out` out, or added to it. */
  private block(
    run: RunKernel,
    out: FloatArray | undefined,
    x: FloatArray,
    second: FloatArray | undefined,
    accumulate: boolean,
    shape: Shape,
    o: number,
    os: number,
    i: number,
    is: number,
  ): void {
    const { arena } = this;
    const kernels = this.typed(x);
    const { classes } = shape;
    const n = os * classes * is;
    const bytes = n * x.BYTES_PER_ELEMENT;
    const swaps = this.swaps(shape);
    const whole = is === shape.inner && !swaps;
    const offset = o * classes * shape.inner * x.BYTES_PER_ELEMENT;
    const inPlace = (array: FloatArray): boolean => whole && this.holds(array);

    // As the caller's array has them; with `swaps` then transposed into rows.
    const spare = swaps ? arena.take(bytes) : 0;
    const enter = (array: FloatArray): number => {
      if (inPlace(array)) return array.byteOffset + offset;
      const at = arena.take(bytes);
      if (!swaps) this.copyIn(at, array, shape, o, os, i, is);
      else {
        this.copyIn(spare, array, shape, o, os, i, is);
        kernels.swapAxes(at, spare, classes, is, classes, is);
      }
      return at;
    };

    const xs = enter(x);
    const seconds = second === undefined ? 0 : enter(second);
    // A copy of x may be overwritten.
    let outs = 0;
    const direct = out !== undefined && !accumulate && inPlace(out);
    if (out !== undefined) outs = direct ? out.byteOffset + offset : inPlace(x) ? arena.take(bytes) : xs;

    if (swaps) run(outs, xs, seconds, is, classes, 1);
    else run(outs, xs, seconds, os, classes, is);

    if (out === undefined || direct) return;
    let results = outs;
    if (swaps) {
      kernels.swapAxes(spare, outs, is, classes, is, classes);
      results = spare;
    }
    if (accumulate) {
      if (inPlace(out)) {
        kernels.add(out.byteOffset + offset, results, n);
        return;
      }
      const old = arena.take(bytes);
      this.copyIn(old, out, shape, o, os, i, is);
      kernels.add(results, old, n);
    }
    this.copyOut(out, results, shape, o, os, i, is);
  }

  /** Whether an array lies in the workspace. */
  private holds(array: FloatArray): boolean {
    const { buffer, reserved, start } = this.arena;
    if (start === reserved || array.buffer !== buffer) return false;
    return array.byteOffset >= reserved && array.byteOffset + array.byteLength <= start;
  }

  private copyIn(at: number, array: FloatArray, shape: Shape, o: number, os: number, i: number, is: number): void {
    const view = this.view(array);
    const to = at / array.BYTES_PER_ELEMENT;
    const { classes, inner } = shape;
    if (is === inner) copy(view, to, array, o * classes * inner, os * classes * inner);
    else for (let j = 0; j < classes; j++) copy(view, to + j * is, array, (o * classes + j) * inner + i, is);
  }

  private copyOut(array: FloatArray, at: number, shape: Shape, o: number, os: number, i: number, is: number): void {
    const view = this.view(array);
    const from = at / array.BYTES_PER_ELEMENT;
    const { classes, inner } = shape;
    if (is === inner) copy(array, o * classes * inner, view, from, os * classes * inner);
    else for (let j = 0; j < classes; j++) copy(array, (o * classes + j) * inner + i, view, from + j * is, is);
  }
}

interface LossPointers {
  loss: number;
  targets: number;
  weight: number;
  sampleWeight: number;
  gradOutput: number;
}

/**
 * The kernels divide the temperature into the coefficients of a polynomial, up to its 11th power, and take it between 2^−20 and 2^20. Beyond
 * that the input is scaled by a power of two first.
 */
function scaleForTemperature(x: FloatArray, temperature: number): { scaled: FloatArray; rest: number; scale: number } {
  if (temperature >= 2 ** -20 && temperature <= 2 ** 20) return { scaled: x, rest: temperature, scale: 1 };
  const exponent = -Math.floor(Math.log2(temperature));
  // In two steps: 2^exponent itself may overflow.
  const half = 2 ** Math.trunc(exponent / 2);
  const other = 2 ** (exponent - Math.trunc(exponent / 2));
  return {
    scaled: x.map((value) => value * half * other) as FloatArray,
    rest: temperature * half * other,
    scale: half * other,
  };
}
