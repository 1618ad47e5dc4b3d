// The ABI: one line per kernel and type. Pointers are bytes into linear memory, 0 where an array is absent; sizes are elements.

import { crossEntropy } from "./crossEntropy";
import { hinge } from "./hinge";
import { logSoftmax, logSoftmaxGrad, logSumExp } from "./logSoftmax";
import { add } from "./add";
import { softmax, softmaxGrad } from "./softmax";
import { narrowExp, narrowPlain, swapAxes } from "./panel";

/** Where the memory that the caller may use begins. */
export function heapBase(): usize {
  return __heap_base;
}

/** Whether this is the build with fused multiply-add. */
export function isRelaxed(): bool {
  return ASC_FEATURE_RELAXED_SIMD;
}

/** The largest C for which inner may be more than 1, for softmaxGrad and hinge; `Exp`: for the other kernels. */
export function narrowF32(): i32 {
  return narrowPlain<f32>();
}
export function narrowF64(): i32 {
  return narrowPlain<f64>();
}
export function narrowExpF32(): i32 {
  return narrowExp<f32>();
}
export function narrowExpF64(): i32 {
  return narrowExp<f64>();
}

export function softmaxF32(y: usize, x: usize, outer: i32, cols: i32, inner: i32, temperature: f64): void {
  softmax<f32>(y, x, outer, cols, inner, temperature);
}
export function softmaxF64(y: usize, x: usize, outer: i32, cols: i32, inner: i32, temperature: f64): void {
  softmax<f64>(y, x, outer, cols, inner, temperature);
}
export function softmaxGradF32(dx: usize, y: usize, dy: usize, outer: i32, cols: i32, inner: i32): void {
  softmaxGrad<f32>(dx, y, dy, outer, cols, inner);
}
export function softmaxGradF64(dx: usize, y: usize, dy: usize, outer: i32, cols: i32, inner: i32): void {
  softmaxGrad<f64>(dx, y, dy, outer, cols, inner);
}
export function logSoftmaxF32(y: usize, x: usize, outer: i32, cols: i32, inner: i32, temperature: f64): void {
  logSoftmax<f32>(y, x, outer, cols, inner, temperature);
}
export function logSoftmaxF64(y: usize, x: usize, outer: i32, cols: i32, inner: i32, temperature: f64): void {
  logSoftmax<f64>(y, x, outer, cols, inner, temperature);
}
export function logSoftmaxGradF32(dx: usize, y: usize, dy: usize, outer: i32, cols: i32, inner: i32): void {
  logSoftmaxGrad<f32>(dx, y, dy, outer, cols, inner);
}
export function logSoftmaxGradF64(dx: usize, y: usize, dy: usize, outer: i32, cols: i32, inner: i32): void {
  logSoftmaxGrad<f64>(dx, y, dy, outer, cols, inner);
}
export function logSumExpF32(lse: usize, x: usize, outer: i32, cols: i32, inner: i32, temperature: f64): void {
  logSumExp<f32>(lse, x, outer, cols, inner, temperature);
}
export function logSumExpF64(lse: usize, x: usize, outer: i32, cols: i32, inner: i32, temperature: f64): void {
  logSumExp<f64>(lse, x, outer, cols, inner, temperature);
}
export function crossEntropyF32(
  total: usize, loss: usize, grad: usize, x: usize, targets: usize, probabilities: usize, weight: usize, sampleWeight: usize, gradOutput: usize,
  outer: i32, cols: i32, inner: i32, smoothing: f64, temperature: f64, gradScale: f64,
): void {
  crossEntropy<f32>(
    total, loss, grad, x, targets, probabilities, weight, sampleWeight, gradOutput, outer, cols, inner, smoothing, temperature, gradScale,
  );
}
export function crossEntropyF64(
  total: usize, loss: usize, grad: usize, x: usize, targets: usize, probabilities: usize, weight: usize, sampleWeight: usize, gradOutput: usize,
  outer: i32, cols: i32, inner: i32, smoothing: f64, temperature: f64, gradScale: f64,
): void {
  crossEntropy<f64>(
    total, loss, grad, x, targets, probabilities, weight, sampleWeight, gradOutput, outer, cols, inner, smoothing, temperature, gradScale,
  );
}
export function hingeF32(
  total: usize, loss: usize, grad: usize, top: usize, x: usize, targets: usize, weight: usize, sampleWeight: usize, gradOutput: usize,
  outer: i32, cols: i32, inner: i32, westonWatkins: bool, margin: f64, squared: bool, divisor: f64, gradScale: f64,
): void {
  hinge<f32>(
    total, loss, grad, top, x, targets, weight, sampleWeight, gradOutput, outer, cols, inner, westonWatkins, margin, squared, divisor, gradScale,
  );
}
export function hingeF64(
  total: usize, loss: usize, grad: usize, top: usize, x: usize, targets: usize, weight: usize, sampleWeight: usize, gradOutput: usize,
  outer: i32, cols: i32, inner: i32, westonWatkins: bool, margin: f64, squared: bool, divisor: f64, gradScale: f64,
): void {
  hinge<f64>(
    total, loss, grad, top, x, targets, weight, sampleWeight, gradOutput, outer, cols, inner, westonWatkins, margin, squared, divisor, gradScale,
  );
}
export function addF32(y: usize, x: usize, n: i32): void {
  add<f32>(y, x, n);
}
export function addF64(y: usize, x: usize, n: i32): void {
  add<f64>(y, x, n);
}
export function swapAxesF32(to: usize, from: usize, rows: i32, cols: i32, toStride: i32, fromStride: i32): void {
  swapAxes<f32>(to, from, rows, cols, toStride, fromStride);
}
export function swapAxesF64(to: usize, from: usize, rows: i32, cols: i32, toStride: i32, fromStride: i32): void {
  swapAxes<f64>(to, from, rows, cols, toStride, fromStride);
}
