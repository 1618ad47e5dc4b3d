// Elementwise:
//
//   sigmoid          y = 1 / (1 + e^−x)
//   sigmoidGrad      dx = dy · y · (1 − y)
//   logSigmoid       y = min(x, 0) − ln(1 + e^−|x|)
//   logSigmoidGrad   dx = dy · (1 − e^y)
//
// y, x, dx, dy: [n]; a result may be an input.

import { blockExp, blockMinusExpm1, blockSigmoid } from "./blockExp";
import { BLOCK, expTable, unscale } from "./exp";
import { log1p } from "./log";
import { CHUNK, VECTOR, ZEROS, one } from "./simd";

export const SIGMOID = 0;
export const SIGMOID_GRAD = 1;
export const LOG_SIGMOID = 2;
export const LOG_SIGMOID_GRAD = 3;

// e of a block; the last elements of x, dy and y, which fill no chunk.
export const E = memory.data(2048, 16);
const REST = memory.data(3 * 64, 16);

/** y = f(x), or f(x, dy). */
export function elementwise<T>(f: i32, y: usize, x: usize, dy: usize, n: i32): void {
  const table = expTable<T>(1);
  let left = <usize>n * sizeof<T>();
  while (left >= CHUNK) {
    const part = wholeBlock(left);
    block<T>(f, y, x, dy, part, table);
    y += part, x += part, dy += part, left -= part;
  }
  if (left == 0) return;
  restTo<T>(REST, x, left);
  if (f == SIGMOID_GRAD || f == LOG_SIGMOID_GRAD) restTo<T>(REST + CHUNK, dy, left);
  block<T>(f, REST + 2 * CHUNK, REST, REST + CHUNK, CHUNK, table);
  move<T>(y, REST + 2 * CHUNK, left);
}

/** How many of the `left` bytes are in the next block: whole chunks. */
export function wholeBlock(left: usize): usize {
  return min(left, BLOCK) & ~(CHUNK - 1);
}

/** Copies the last bytes of an array, with zeros up to a chunk. */
export function restTo<T>(to: usize, from: usize, bytes: usize): void {
  for (let i: usize = 0; i < CHUNK; i += VECTOR) v128.store(to + i, v128.load(ZEROS));
  move<T>(to, from, bytes);
}

export function move<T>(to: usize, from: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += sizeof<T>()) store<T>(to + i, load<T>(from + i));
}

function block<T>(f: i32, y: usize, x: usize, dy: usize, bytes: usize, table: usize): void {
  const ones = one<T>(), zero = v128.load(ZEROS), scale = unscale<T>();
  if (f == LOG_SIGMOID_GRAD) {
    blockMinusExpm1<T>(y, x, dy, bytes, table);
  } else if (f == SIGMOID_GRAD) {
    for (let i: usize = 0; i < bytes; i += VECTOR) {
      const s = v128.load(x + i), slope = v128.mul<T>(s, v128.sub<T>(ones, s));
      v128.store(y + i, v128.mul<T>(v128.load(dy + i), slope));
    }
  } else if (f == SIGMOID) {
    blockSigmoid<T>(y, x, bytes, table);
  } else {
    blockExp<T>(E, x, bytes, table);
    for (let i: usize = 0; i < bytes; i += VECTOR) {
      v128.store(y + i, v128.sub<T>(v128.pmin<T>(v128.load(x + i), zero), log1p<T>(v128.mul<T>(v128.load(E + i), scale))));
    }
  }
}
