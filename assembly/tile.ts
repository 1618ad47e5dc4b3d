// A tile is what the passes work on: one row, or `lanes` rows side by side.
//
//   wide    (C > NARROW)  one row, where it lies: C values next to each other. A pass ends with a fold over the lanes.
//   narrow  (C ≤ NARROW)  lanes rows, gathered into a scratch tile of one vector per class, each row in a lane of its own. Nothing is
//                         horizontal then: a ten-class softmax is as vertical as a vocabulary. The columns are padded to a multiple of
//                         four, with a value that the pass ignores.
//
// Either way a tile is `bytes` long and a pass runs over chunks of four vectors. The passes cannot tell the two apart but for the
// last step, so each formula is written once. Which of the two a row takes depends on C alone: neither the number of rows nor
// the class axis changes a bit of its result.
//
// Arrays are [outer, C, inner]. With inner = 1 the rows of a narrow tile are `lanes` consecutive rows, transposed on the way in and out;
// with inner > 1 they are neighbouring inner positions and a vector is loaded as it lies. Wide rows always have inner = 1: the caller
// transposes others (`swapAxes` below).

import { CHUNK, VECTOR, lanes, transpose } from "./simd";

/** The largest C of a narrow tile. */
export const NARROW: i32 = 32;

// Scratch tiles for what is read and what is written; Z for a second input (dy, class probabilities); class weights; and one chunk to write to
// where nothing is to be kept.
export const X = memory.data(NARROW * 16, 16);
export const Y = memory.data(NARROW * 16, 16);
export const Z = memory.data(NARROW * 16, 16);
export const W = memory.data(NARROW * 16, 16);
export const SINK = memory.data(64, 16);

// @ts-ignore: decorator
@inline
export function isWide(cols: i32): bool {
  return cols > NARROW;
}

// @ts-ignore: decorator
@inline
export function tileBytes<T>(cols: i32): usize {
  return isWide(cols) ? <usize>cols * sizeof<T>() : (<usize>(cols + 3) & ~3) * VECTOR;
}

/** From one class to the next of the same row in a tile. */
// @ts-ignore: decorator
@inline
function classStride<T>(cols: i32): usize {
  return isWide(cols) ? sizeof<T>() : VECTOR;
}

/** Where class j of a row of a tile is. */
// @ts-ignore: decorator
@inline
export function tileAt<T>(tile: usize, lane: i32, j: i32, cols: i32): usize {
  return tile + <usize>lane * sizeof<T>() + <usize>j * classStride<T>(cols);
}

// @ts-ignore: decorator
@inline
function groups<T>(inner: i32): i32 {
  return (inner + lanes<T>() - 1) / lanes<T>();
}

/** Bytes of as many vectors as a vector has lanes: what is transposed at once. */
// @ts-ignore: decorator
@inline
function square<T>(): usize {
  return <usize>lanes<T>() * VECTOR;
}

/** How many tiles an array of [outer, cols, inner] makes. */
// @ts-ignore: decorator
@inline
export function tileCount<T>(outer: i32, cols: i32, inner: i32): i32 {
  if (isWide(cols)) return outer;
  return inner == 1 ? groups<T>(outer) : outer * groups<T>(inner);
}

/** The first row of tile k. */
// @ts-ignore: decorator
@inline
export function tileRow<T>(k: i32, cols: i32, inner: i32): i32 {
  if (isWide(cols)) return k;
  if (inner == 1) return k * lanes<T>();
  const perOuter = groups<T>(inner);
  return (k / perOuter) * inner + (k % perOuter) * lanes<T>();
}

/** How many rows tile k holds: fewer than `lanes` at the end. */
// @ts-ignore: decorator
@inline
export function tileRows<T>(k: i32, outer: i32, cols: i32, inner: i32): i32 {
  if (isWide(cols)) return 1;
  if (inner == 1) return min(lanes<T>(), outer - k * lanes<T>());
  return min(lanes<T>(), inner - (k % groups<T>(inner)) * lanes<T>());
}

/** Where class 0 of row r is in an array of [outer, cols, inner]. */
// @ts-ignore: decorator
@inline
export function rowAddress<T>(x: usize, r: i32, cols: i32, inner: i32): usize {
  if (inner == 1) return x + <usize>r * <usize>cols * sizeof<T>();
  return x + (<usize>(r / inner) * <usize>cols * <usize>inner + <usize>(r % inner)) * sizeof<T>();
}

/** Tile k of x: the row itself, or `tile` with the rows gathered into it and the columns beyond cols set to `pad`. */
export function tileIn<T>(tile: usize, x: usize, k: i32, outer: i32, cols: i32, inner: i32, pad: T): usize {
  x = rowAddress<T>(x, tileRow<T>(k, cols, inner), cols, inner);
  if (isWide(cols)) return x;
  const rows = tileRows<T>(k, outer, cols, inner);
  const toClass = <usize>inner * sizeof<T>();
  const end = tile + <usize>cols * VECTOR;

  if (rows == lanes<T>() && inner > 1) {
    for (let t = tile; t < end; t += VECTOR, x += toClass) v128.store(t, v128.load(x));
  } else if (rows == lanes<T>() && cols >= lanes<T>()) {
    const toRow = <usize>cols * sizeof<T>();
    const last = x + toRow - VECTOR;
    for (let t = tile; t < end; t += square<T>(), x += VECTOR) {
      // The last columns go together with some before them again, so that no part of a vector is left.
      if (t + square<T>() > end) transpose<T>(end - square<T>(), VECTOR, last, toRow);
      else transpose<T>(t, VECTOR, x, toRow);
    }
  } else {
    const toRow = inner == 1 ? <usize>cols * sizeof<T>() : sizeof<T>();
    for (let t = tile; t < end; t += VECTOR, x += toClass) {
      v128.store(t, v128.splat<T>(0));
      for (let lane = 0; lane < rows; lane++) store<T>(t + lane * sizeof<T>(), load<T>(x + <usize>lane * toRow));
    }
  }
  for (let t = end; t < tile + tileBytes<T>(cols); t += VECTOR) v128.store(t, v128.splat<T>(pad));
  return tile;
}

/** Where the passes write tile k of y: the row itself, or `tile`, which `tileOut` scatters afterwards. */
// @ts-ignore: decorator
@inline
export function tileFor<T>(tile: usize, y: usize, k: i32, cols: i32): usize {
  return isWide(cols) ? y + <usize>k * <usize>cols * sizeof<T>() : tile;
}

export function tileOut<T>(y: usize, tile: usize, k: i32, outer: i32, cols: i32, inner: i32): void {
  if (isWide(cols)) return;
  y = rowAddress<T>(y, tileRow<T>(k, cols, inner), cols, inner);
  const rows = tileRows<T>(k, outer, cols, inner);
  const toClass = <usize>inner * sizeof<T>();
  const end = tile + <usize>cols * VECTOR;

  if (rows == lanes<T>() && inner > 1) {
    for (let t = tile; t < end; t += VECTOR, y += toClass) v128.store(y, v128.load(t));
  } else if (rows == lanes<T>() && cols >= lanes<T>()) {
    const toRow = <usize>cols * sizeof<T>();
    const last = y + toRow - VECTOR;
    for (let t = tile; t < end; t += square<T>(), y += VECTOR) {
      if (t + square<T>() > end) transpose<T>(last, toRow, end - square<T>(), VECTOR);
      else transpose<T>(y, toRow, t, VECTOR);
    }
  } else {
    const toRow = inner == 1 ? <usize>cols * sizeof<T>() : sizeof<T>();
    for (let t = tile; t < end; t += VECTOR, y += toClass) {
      for (let lane = 0; lane < rows; lane++) store<T>(y + <usize>lane * toRow, load<T>(t + lane * sizeof<T>()));
    }
  }
}

/** One value per class, the same for every row, as a tile: x, or 1 where it is absent, and 0 in the padding of a narrow tile. */
export function tileSpread<T>(tile: usize, x: usize, cols: i32): usize {
  if (isWide(cols)) return x;
  const end = tile + tileBytes<T>(cols);
  for (let j = 0, t = tile; t < end; j++, t += VECTOR) {
    v128.store(t, v128.splat<T>(j >= cols ? 0 : x ? load<T>(x + j * sizeof<T>()) : 1));
  }
  return tile;
}

/** Sets a tile to 0. */
export function tileClear<T>(tile: usize, bytes: usize, wide: bool): void {
  if (wide) memory.fill(tile, 0, bytes);
  else for (const end = tile + bytes; tile < end; tile += VECTOR) v128.store(tile, v128.splat<T>(0));
}

/** Sets all classes of one row of a tile. */
export function tileFill<T>(tile: usize, lane: i32, cols: i32, value: T): void {
  tile += lane * sizeof<T>();
  const end = tile + <usize>cols * classStride<T>(cols);
  for (; tile < end; tile += classStride<T>(cols)) store<T>(tile, value);
}

/** Whether y is a class. −1 marks a row to be ignored; nothing else that is out of range may address memory either. */
// @ts-ignore: decorator
@inline
export function isClass(y: i32, cols: i32): bool {
  return <u32>y < <u32>cols;
}

/** The first class of one row of a tile that equals `value`, or cols. */
export function tileFind<T>(tile: usize, lane: i32, cols: i32, value: T): i32 {
  let j = 0;
  if (isWide(cols)) {
    const v = v128.splat<T>(value);
    while (j + lanes<T>() <= cols && !v128.any_true(v128.eq<T>(v128.load(tileAt<T>(tile, 0, j, cols)), v))) j += lanes<T>();
  }
  while (j < cols && load<T>(tileAt<T>(tile, lane, j, cols)) != value) j++;
  return j;
}

/** Transposes a matrix: to[j][i] = from[i][j] with i < rows, j < cols; a stride is the distance in elements between the rows of each. */
export function swapAxes<T>(to: usize, from: usize, rows: i32, cols: i32, toStride: i32, fromStride: i32): void {
  const toRow = <usize>toStride * sizeof<T>(), fromRow = <usize>fromStride * sizeof<T>();
  for (let i = 0; i < rows; i += lanes<T>()) {
    for (let j = 0; j < cols; j += lanes<T>()) {
      const source = from + <usize>i * fromRow + <usize>j * sizeof<T>();
      const target = to + <usize>j * toRow + <usize>i * sizeof<T>();
      if (i + lanes<T>() <= rows && j + lanes<T>() <= cols) {
        transpose<T>(target, toRow, source, fromRow);
        continue;
      }
      for (let a: usize = 0; a < <usize>min(lanes<T>(), rows - i); a++) {
        for (let b: usize = 0; b < <usize>min(lanes<T>(), cols - j); b++) {
          store<T>(target + b * toRow + a * sizeof<T>(), load<T>(source + a * fromRow + b * sizeof<T>()));
        }
      }
    }
  }
}
