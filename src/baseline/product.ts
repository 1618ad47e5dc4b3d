// The products of a linear layer. x, dx: [rows, features]; w, dw: [classes, features]; z and its gradient g: [rows, classes].
//
//   linear            z  = x·wᵀ + bias
//   linearGradX       dx = g·w, or dx += g·w
//   linearGradWeight  dw += gᵀ·x
//   linearGradBias    dbias += Σ g over the rows
//
// The first three are one, c = start + a·b with other strides. A tile of 4 by 2 elements of c is held in local variables: six loads for eight products,
// two to three times as fast as element by element, and as fast as with panels that are packed first.
//
// Every element of c is one accumulator over ascending index, in doubles, rounded where it is stored. For Float64Array that gives the same bits as
// assembly/product.ts, for Float32Array it is more exact. x and dx begin at row `from` of their arrays.

import type { FloatArray } from "../kernels.js";

/** A matrix in an array: where it begins, and how far it is from one row, and from one column, to the next. */
interface Matrix {
  readonly values: FloatArray;
  readonly at: number;
  readonly row: number;
  readonly next: number;
}

export function linear(
  z: FloatArray,
  x: FloatArray,
  from: number,
  w: FloatArray,
  bias: FloatArray | undefined,
  rows: number,
  features: number,
  classes: number,
): void {
  const c = { values: z, at: 0, row: classes, next: 1 };
  const start = bias && { values: bias, at: 0, row: 0, next: 1 };
  const a = { values: x, at: from * features, row: features, next: 1 };
  const b = { values: w, at: 0, row: features, next: 1 };
  product(c, start, a, b, rows, classes, features, false);
}

export function linearGradX(
  dx: FloatArray,
  from: number,
  g: FloatArray,
  w: FloatArray,
  rows: number,
  features: number,
  classes: number,
  add: boolean,
): void {
  const c = { values: dx, at: from * features, row: features, next: 1 };
  const a = { values: g, at: 0, row: classes, next: 1 };
  const b = { values: w, at: 0, row: 1, next: features };
  product(c, add ? c : undefined, a, b, rows, features, classes, false);
}

export function linearGradWeight(
  dw: FloatArray,
  g: FloatArray,
  x: FloatArray,
  from: number,
  rows: number,
  features: number,
  classes: number,
): void {
  // As its transpose, so that tiles are 4 features by 2 classes: there may be only 10 classes.
  const c = { values: dw, at: 0, row: 1, next: features };
  const a = { values: x, at: from * features, row: 1, next: features };
  const b = { values: g, at: 0, row: 1, next: classes };
  product(c, undefined, a, b, features, classes, rows, true);
}

export function linearGradBias(dbias: FloatArray, g: FloatArray, rows: number, classes: number): void {
  for (let j = 0; j < classes; j++) {
    let sum = 0;
    for (let at = j; at < rows * classes; at += classes) sum += g[at]!;
    dbias[j]! += sum;
  }
}

/** c[i][j] = start[i][j] + Σ a[i][k]·b[k][j], i < rows, j < cols, k < depth; of b a row is a j. `add`: the sum is added to c when it is complete. */
function product(
  c: Matrix,
  start: Matrix | undefined,
  a: Matrix,
  b: Matrix,
  rows: number,
  cols: number,
  depth: number,
  add: boolean,
): void {
  const wholeRows = rows - (rows % 4);
  const wholeCols = cols - (cols % 2);
  for (let i = 0; i < wholeRows; i += 4) {
    for (let j = 0; j < wholeCols; j += 2) tile(c, start, a, b, i, j, depth, add);
  }
  for (let i = 0; i < rows; i++) {
    for (let j = i < wholeRows ? wholeCols : 0; j < cols; j++) element(c, start, a, b, i, j, depth, add);
  }
}

function tile(
  c: Matrix,
  start: Matrix | undefined,
  a: Matrix,
  b: Matrix,
  i: number,
  j: number,
  depth: number,
  add: boolean,
): void {
  const { values: x, row, next } = a;
  const { values: w, next: wNext } = b;
  let c00 = startOf(start, i, j);
  let c01 = startOf(start, i, j + 1);
  let c10 = startOf(start, i + 1, j);
  let c11 = startOf(start, i + 1, j + 1);
  let c20 = startOf(start, i + 2, j);
  let c21 = startOf(start, i + 2, j + 1);
  let c30 = startOf(start, i + 3, j);
  let c31 = startOf(start, i + 3, j + 1);
  let a0 = a.at + i * row;
  let a1 = a0 + row;
  let a2 = a1 + row;
  let a3 = a2 + row;
  let b0 = b.at + j * b.row;
  let b1 = b0 + b.row;
  for (let k = 0; k < depth; k++) {
    const p = w[b0]!;
    const q = w[b1]!;
    const x0 = x[a0]!;
    c00 += x0 * p;
    c01 += x0 * q;
    const x1 = x[a1]!;
    c10 += x1 * p;
    c11 += x1 * q;
    const x2 = x[a2]!;
    c20 += x2 * p;
    c21 += x2 * q;
    const x3 = x[a3]!;
    c30 += x3 * p;
    c31 += x3 * q;
    a0 += next;
    a1 += next;
    a2 += next;
    a3 += next;
    b0 += wNext;
    b1 += wNext;
  }
  leave(c, i, j, c00, add);
  leave(c, i, j + 1, c01, add);
  leave(c, i + 1, j, c10, add);
  leave(c, i + 1, j + 1, c11, add);
  leave(c, i + 2, j, c20, add);
  leave(c, i + 2, j + 1, c21, add);
  leave(c, i + 3, j, c30, add);
  leave(c, i + 3, j + 1, c31, add);
}

function element(
  c: Matrix,
  start: Matrix | undefined,
  a: Matrix,
  b: Matrix,
  i: number,
  j: number,
  depth: number,
  add: boolean,
): void {
  let sum = startOf(start, i, j);
  let x = a.at + i * a.row;
  let w = b.at + j * b.row;
  for (let k = 0; k < depth; k++, x += a.next, w += b.next) sum += a.values[x]! * b.values[w]!;
  leave(c, i, j, sum, add);
}

function startOf(start: Matrix | undefined, i: number, j: number): number {
  return start === undefined ? 0 : start.values[start.at + i * start.row + j * start.next]!;
}

function leave(c: Matrix, i: number, j: number, sum: number, add: boolean): void {
  const at = c.at + i * c.row + j * c.next;
  c.values[at] = add ? c.values[at]! + sum : sum;
}
