// The ABI: one export per kernel. `bytes`: those of an element, 4 for f32 or 8 for f64. Pointers are bytes into linear memory, 0 where an array is
// absent; other sizes are elements.

import { add as addOf } from "./add";
import { binaryCrossEntropy as binaryCrossEntropyOf, focalF32 } from "./binaryCrossEntropy";
import { crossEntropy as crossEntropyOf } from "./crossEntropy";
import { hinge as hingeOf } from "./hinge";
import { logSoftmax as logSoftmaxOf, logSoftmaxGrad as logSoftmaxGradOf, logSumExp as logSumExpOf } from "./logSoftmax";
import { narrowExp as narrowExpOf, narrowPlain, swapAxes as swapAxesOf } from "./panel";
import { LOG_SIGMOID, LOG_SIGMOID_GRAD, SIGMOID, SIGMOID_GRAD, elementwise } from "./sigmoid";
import { softmax as softmaxOf, softmaxGrad as softmaxGradOf } from "./softmax";

/** Where the memory that the caller may use begins. */
export function heapBase(): usize {
  return __heap_base;
}

/** Whether this is the build with fused multiply-add. */
export function isRelaxed(): bool {
  return ASC_FEATURE_RELAXED_SIMD;
}

/** The largest C for which inner may be more than 1, for softmaxGrad and hinge; `Exp`: for the other kernels. */
export function narrow(bytes: i32): i32 {
  return bytes == 4 ? narrowPlain<f32>() : narrowPlain<f64>();
}
export function narrowExp(bytes: i32): i32 {
  return bytes == 4 ? narrowExpOf<f32>() : narrowExpOf<f64>();
}

export function softmax(bytes: i32, y: usize, x: usize, outer: i32, cols: i32, inner: i32, temperature: f64): void {
  if (bytes == 4) softmaxOf<f32>(y, x, outer, cols, inner, temperature);
  else softmaxOf<f64>(y, x, outer, cols, inner, temperature);
}
export function softmaxGrad(bytes: i32, dx: usize, y: usize, dy: usize, outer: i32, cols: i32, inner: i32): void {
  if (bytes == 4) softmaxGradOf<f32>(dx, y, dy, outer, cols, inner);
  else softmaxGradOf<f64>(dx, y, dy, outer, cols, inner);
}
export function logSoftmax(bytes: i32, y: usize, x: usize, outer: i32, cols: i32, inner: i32, temperature: f64): void {
  if (bytes == 4) logSoftmaxOf<f32>(y, x, outer, cols, inner, temperature);
  else logSoftmaxOf<f64>(y, x, outer, cols, inner, temperature);
}
export function logSoftmaxGrad(bytes: i32, dx: usize, y: usize, dy: usize, outer: i32, cols: i32, inner: i32): void {
  if (bytes == 4) logSoftmaxGradOf<f32>(dx, y, dy, outer, cols, inner);
  else logSoftmaxGradOf<f64>(dx, y, dy, outer, cols, inner);
}
export function logSumExp(bytes: i32, lse: usize, x: usize, outer: i32, cols: i32, inner: i32, temperature: f64): void {
  if (bytes == 4) logSumExpOf<f32>(lse, x, outer, cols, inner, temperature);
  else logSumExpOf<f64>(lse, x, outer, cols, inner, temperature);
}
export function crossEntropy(
  bytes: i32, total: usize, loss: usize, grad: usize, x: usize, targets: usize, probabilities: usize, weight: usize, sampleWeight: usize, gradOutput: usize,
  outer: i32, cols: i32, inner: i32, smoothing: f64, temperature: f64, gradScale: f64,
): void {
  if (bytes == 4) {
    crossEntropyOf<f32>(
      total, loss, grad, x, targets, probabilities, weight, sampleWeight, gradOutput, outer, cols, inner, smoothing, temperature, gradScale,
    );
  } else {
    crossEntropyOf<f64>(
      total, loss, grad, x, targets, probabilities, weight, sampleWeight, gradOutput, outer, cols, inner, smoothing, temperature, gradScale,
    );
  }
}
export function hinge(
  bytes: i32, total: usize, loss: usize, grad: usize, x: usize, targets: usize, weight: usize, sampleWeight: usize, gradOutput: usize,
  outer: i32, cols: i32, inner: i32, westonWatkins: bool, margin: f64, squared: bool, divisor: f64, gradScale: f64,
): void {
  if (bytes == 4) {
    hingeOf<f32>(
      total, loss, grad, x, targets, weight, sampleWeight, gradOutput, outer, cols, inner, westonWatkins, margin, squared, divisor, gradScale,
    );
  } else {
    hingeOf<f64>(
      total, loss, grad, x, targets, weight, sampleWeight, gradOutput, outer, cols, inner, westonWatkins, margin, squared, divisor, gradScale,
    );
  }
}
export function add(bytes: i32, y: usize, x: usize, n: i32): void {
  if (bytes == 4) addOf<f32>(y, x, n);
  else addOf<f64>(y, x, n);
}
export function swapAxes(bytes: i32, to: usize, from: usize, rows: i32, cols: i32, toStride: i32, fromStride: i32): void {
  if (bytes == 4) swapAxesOf<f32>(to, from, rows, cols, toStride, fromStride);
  else swapAxesOf<f64>(to, from, rows, cols, toStride, fromStride);
}
export function sigmoid(bytes: i32, y: usize, x: usize, n: i32): void {
  if (bytes == 4) elementwise<f32>(SIGMOID, y, x, 0, n);
  else elementwise<f64>(SIGMOID, y, x, 0, n);
}
export function sigmoidGrad(bytes: i32, dx: usize, y: usize, dy: usize, n: i32): void {
  if (bytes == 4) elementwise<f32>(SIGMOID_GRAD, dx, y, dy, n);
  else elementwise<f64>(SIGMOID_GRAD, dx, y, dy, n);
}
export function logSigmoid(bytes: i32, y: usize, x: usize, n: i32): void {
  if (bytes == 4) elementwise<f32>(LOG_SIGMOID, y, x, 0, n);
  else elementwise<f64>(LOG_SIGMOID, y, x, 0, n);
}
export function logSigmoidGrad(bytes: i32, dx: usize, y: usize, dy: usize, n: i32): void {
  if (bytes == 4) elementwise<f32>(LOG_SIGMOID_GRAD, dx, y, dy, n);
  else elementwise<f64>(LOG_SIGMOID_GRAD, dx, y, dy, n);
}
export function binaryCrossEntropy(
  bytes: i32, total: usize, loss: usize, grad: usize, x: usize, targets: usize, weight: usize, posWeight: usize, gradOutput: usize,
  n: i32, smoothing: f64, gamma: f64, gradScale: f64,
): void {
  if (bytes == 4 && gamma != 0) focalF32(total, loss, grad, x, targets, weight, posWeight, gradOutput, n, smoothing, gamma, gradScale);
  else if (bytes == 4) binaryCrossEntropyOf<f32>(total, loss, grad, x, targets, weight, posWeight, gradOutput, n, smoothing, gamma, gradScale);
  else binaryCrossEntropyOf<f64>(total, loss, grad, x, targets, weight, posWeight, gradOutput, n, smoothing, gamma, gradScale);
}
