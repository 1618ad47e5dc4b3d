// softmax, logSoftmax and logSumExp on linear memory, and their gradients.

import { setFrom } from "../arguments/typedArrays.js";
import type { FloatArray, Shape } from "../kernels.js";
import type { Blocks } from "./blocks.js";
import { scaledCopy, scaleFor } from "./temperature.js";

/** y = f(x) */
export function softmax(
  blocks: Blocks,
  f: "softmax" | "logSoftmax",
  y: FloatArray,
  x: FloatArray,
  shape: Shape,
  temperature: number,
): void {
  const scale = scaleFor(temperature);
  if (scale !== 1) {
    const scaled = scaledCopy(x, scale);
    softmax(blocks, f, scaled, scaled, shape, temperature * scale);
    setFrom(y, scaled);
    return;
  }
  const b = blocks.open(x, shape, blocks.exports.narrowExp, 1);
  const kernel = f === "softmax" ? b.exports.softmax : b.exports.logSoftmax;
  do {
    const xs = b.enter(x);
    const ys = b.place(y, x, xs, false);
    kernel(b.bytes, ys, xs, b.rowOuters, shape.classes, b.rowInners, temperature);
    b.leave(y, ys, false);
  } while (b.next());
}

/** dx = f(y, dy) */
export function softmaxGrad(
  blocks: Blocks,
  f: "softmaxGrad" | "logSoftmaxGrad",
  dx: FloatArray,
  y: FloatArray,
  dy: FloatArray,
  shape: Shape,
): void {
  const { narrow, narrowExp } = blocks.exports;
  const b = blocks.open(y, shape, f === "softmaxGrad" ? narrow : narrowExp, 2);
  const kernel = f === "softmaxGrad" ? b.exports.softmaxGrad : b.exports.logSoftmaxGrad;
  do {
    const ys = b.enter(y);
    const dys = b.enter(dy);
    const dxs = b.place(dx, y, ys, false);
    kernel(b.bytes, dxs, ys, dys, b.rowOuters, shape.classes, b.rowInners);
    b.leave(dx, dxs, false);
  } while (b.next());
}

export function logSumExp(blocks: Blocks, lse: FloatArray, x: FloatArray, shape: Shape, temperature: number): void {
  const scale = scaleFor(temperature);
  if (scale !== 1) {
    logSumExp(blocks, lse, scaledCopy(x, scale), shape, temperature * scale);
    return;
  }
  const b = blocks.open(x, shape, blocks.exports.narrowExp, 1, 8);
  do {
    const values = b.arena.take(b.rows * 8);
    const xs = b.enter(x);
    b.exports.logSumExp(b.bytes, values, xs, b.rowOuters, shape.classes, b.rowInners, temperature);
    b.leaveRows(lse, values);
  } while (b.next());
}
