// The ABI: one export per kernel. `bytes`: the size of an element, 4 for f32 or 8 for f64. Pointers are bytes into linear memory, 0 where an array is
// absent; other sizes are elements.

import { add as addOf } from "./add";
import { argmax as argmaxOf, argmaxHalf as argmaxHalfOf } from "./argmax";
import { binaryCrossEntropy as binaryCrossEntropyOf, focalF32 } from "./binaryCrossEntropy";
import { crossEntropy as crossEntropyOf } from "./crossEntropy";
import { float16ToFloat32 as float16ToFloat32Of } from "./float16";
import { hinge as hingeOf } from "./hinge";
import { logSoftmax as logSoftmaxOf, logSoftmaxGrad as logSoftmaxGradOf, logSumExp as logSumExpOf } from "./logSoftmax";
import { narrowExp as narrowExpOf, narrowPlain, swapAxes as swapAxesOf } from "./panel";
import * as product from "./product";
import { sample as sampleOf } from "./sample";
import { LOG_SIGMOID, LOG_SIGMOID_GRAD, SIGMOID, SIGMOID_GRAD, elementwise } from "./sigmoid";
import { softmax as softmaxOf, softmaxGrad as softmaxGradOf } from "./softmax";
import { topK as topKOf } from "./topK";

/** Where the memory that the caller may use begins. */
export function heapBase(): usize {
  return __heap_base;
}

/** Whether this is the build with fused multiply-add. */
export function isRelaxed(): bool {
  return ASC_FEATURE_RELAXED_SIMD;
}

/** The largest C that a kernel takes with inner > 1; `Exp`: a kernel that computes exponentials. */
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
  bytes: i32, total: usize, loss: usize, grad: usize, complements: usize, x: usize, targets: usize, probabilities: usize, weight: usize, sampleWeight: usize,
  gradOutput: usize, outer: i32, cols: i32, inner: i32, smoothing: f64, temperature: f64, gradScale: f64,
): void {
  if (bytes == 4) {
    crossEntropyOf<f32>(
      total, loss, grad, complements, x, targets, probabilities, weight, sampleWeight, gradOutput, outer, cols, inner, smoothing, temperature, gradScale,
    );
  } else {
    crossEntropyOf<f64>(
      total, loss, grad, complements, x, targets, probabilities, weight, sampleWeight, gradOutput, outer, cols, inner, smoothing, temperature, gradScale,
    );
  }
}
export function hinge(
  bytes: i32, total: usize, loss: usize, grad: usize, top: usize, x: usize, targets: usize, weight: usize, sampleWeight: usize, gradOutput: usize,
  outer: i32, cols: i32, inner: i32, westonWatkins: bool, margin: f64, squared: bool, divisor: f64, gradScale: f64,
): void {
  if (bytes == 4) {
    hingeOf<f32>(
      total, loss, grad, top, x, targets, weight, sampleWeight, gradOutput, outer, cols, inner, westonWatkins, margin, squared, divisor, gradScale,
    );
  } else {
    hingeOf<f64>(
      total, loss, grad, top, x, targets, weight, sampleWeight, gradOutput, outer, cols, inner, westonWatkins, margin, squared, divisor, gradScale,
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
export function linear(bytes: i32, z: usize, x: usize, w: usize, bias: usize, rows: i32, features: i32, classes: i32, stride: i32): void {
  if (bytes == 4) product.linear<f32>(z, x, w, bias, rows, features, classes, stride);
  else product.linear<f64>(z, x, w, bias, rows, features, classes, stride);
}
export function linearGradX(bytes: i32, dx: usize, g: usize, w: usize, rows: i32, features: i32, classes: i32, stride: i32, add: bool): void {
  if (bytes == 4) product.linearGradX<f32>(dx, g, w, rows, features, classes, stride, add);
  else product.linearGradX<f64>(dx, g, w, rows, features, classes, stride, add);
}
export function linearGradWeight(bytes: i32, dw: usize, g: usize, x: usize, rows: i32, features: i32, classes: i32, stride: i32): void {
  if (bytes == 4) product.linearGradWeight<f32>(dw, g, x, rows, features, classes, stride);
  else product.linearGradWeight<f64>(dw, g, x, rows, features, classes, stride);
}
export function linearGradBias(bytes: i32, dbias: usize, g: usize, rows: i32, classes: i32, stride: i32): void {
  if (bytes == 4) product.linearGradBias<f32>(dbias, g, rows, classes, stride);
  else product.linearGradBias<f64>(dbias, g, rows, classes, stride);
}
export function keepRows(bytes: i32, g: usize, kept: usize, x: usize, rows: i32, features: i32, classes: i32): i32 {
  return bytes == 4 ? product.keepRows<f32>(g, kept, x, rows, features, classes) : product.keepRows<f64>(g, kept, x, rows, features, classes);
}
export function decay(bytes: i32, dw: usize, w: usize, n: i32, l2: f64): f64 {
  return bytes == 4 ? product.decay<f32>(dw, w, n, l2) : product.decay<f64>(dw, w, n, l2);
}
export function argmax(bytes: i32, indices: usize, x: usize, outer: i32, cols: i32, inner: i32): void {
  if (bytes == 4) argmaxOf<f32>(indices, x, outer, cols, inner);
  else argmaxOf<f64>(indices, x, outer, cols, inner);
}
// biome-ignore lint/correctness/noUnusedFunctionParameters: as all exports have it
export function argmaxHalf(bytes: i32, indices: usize, bits: usize, rows: i32, cols: i32): void {
  argmaxHalfOf(indices, bits, rows, cols);
}
export function topK(
  bytes: i32, indices: usize, values: usize, list: usize, ids: usize, order: usize, spare: usize, x: usize,
  rows: i32, cols: i32, k: i32, kind: i32, temperature: f64, capacity: i32,
): bool {
  if (bytes == 4) return topKOf<f32>(indices, values, list, ids, order, spare, x, rows, cols, k, kind, temperature, capacity);
  return topKOf<f64>(indices, values, list, ids, order, spare, x, rows, cols, k, kind, temperature, capacity);
}
export function sample(
  bytes: i32, classes: usize, sums: usize, list: usize, ids: usize, weights: usize, x: usize, tops: usize, u: usize,
  rows: i32, cols: i32, temperature: f64, k: i32, topP: f64, minP: f64, capacity: i32,
): bool {
  if (bytes == 4) return sampleOf<f32>(classes, sums, list, ids, weights, x, tops, u, rows, cols, temperature, k, topP, minP, capacity);
  return sampleOf<f64>(classes, sums, list, ids, weights, x, tops, u, rows, cols, temperature, k, topP, minP, capacity);
}
// biome-ignore lint/correctness/noUnusedFunctionParameters: as all exports have it
export function float16ToFloat32(bytes: i32, floats: usize, bits: usize, n: i32): void {
  float16ToFloat32Of(floats, bits, n);
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
  else if (bytes == 4) binaryCrossEntropyOf<f32, f32>(total, loss, grad, x, targets, weight, posWeight, gradOutput, n, smoothing, gamma, gradScale);
  else binaryCrossEntropyOf<f64, f64>(total, loss, grad, x, targets, weight, posWeight, gradOutput, n, smoothing, gamma, gradScale);
}
