// The products of a linear layer. x, dx: [rows, features]; w, dw: [classes, features]; z and its gradient g: [rows, classes].
//
//   linear            z  = x·wᵀ + bias
//   linearGradX       dx = g·w, or dx += g·w
//   linearGradWeight  dw += gᵀ·x
//   linearGradBias    dbias += Σ g over the rows
//
// All of them are c = start + a·b in other strides, in the order of Goto and van de Geijn (2008): a panel of b, WIDTH bytes wide and DEPTH deep,
// lies packed in the L1 cache and meets a block of rows of a, which stays in the L2 cache; a tile of c, HEIGHT rows by WIDTH bytes, is in registers.
// (V8 has 15 of them on x64; 5 rows spill in versions before 12, and gain nothing later.)
//
// Every element of c is one accumulator over ascending k; a product and a sum are two roundings (one in the relaxed build). What is deeper than DEPTH
// leaves its accumulators in c and takes them up again. So neither tiles nor blocks show in the bits. But dw and dbias, where k is a row, add the sums
// of DEPTH rows or less to what was there: their error grows with the number of those sums, not with the number of rows.

import { VECTOR, lanes, mulAdd, transpose } from "./simd";

const HEIGHT = 4;
const WIDTH: usize = 2 * VECTOR;
const DEPTH = 256;
/** So many rows of a meet a panel: enough to be worth its packing. */
const ROWS = 240;
/** For fewer rows a panel is not worth it. */
const FEW_ROWS = 16;

const PANEL = memory.data(DEPTH * 32, 16);
/** A tile that reaches over the right edge of c. */
const EDGE = memory.data(HEIGHT * 32, 16);
const ZEROS = memory.data(32, 16);
const ONE = memory.data<f64>([1], 16);
const ONE_F32 = memory.data<f32>([1], 16);

// Columns of a, copied where its rows are so far apart that a cache has room for a few of them only (powers of two). The stride is an odd number of
// cache lines.
const STRIP_BYTES: usize = 560;
const STRIP_STRIDE: usize = 576;
const STRIP = memory.data(DEPTH * 576, 16);

/** `stride`: elements from row to row of z, which may have more classes than these. `bias` may be absent. */
export function linear<T>(z: usize, x: usize, w: usize, bias: usize, rows: i32, features: i32, classes: i32, stride: i32): void {
  const row = bytes<T>(features);
  product<T>(z, bytes<T>(stride), bias, x, row, sizeof<T>(), w, sizeof<T>(), row, rows, classes, features, false);
}

export function linearGradX<T>(dx: usize, g: usize, w: usize, rows: i32, features: i32, classes: i32, stride: i32, add: bool): void {
  const row = bytes<T>(features);
  product<T>(dx, row, add ? dx : 0, g, bytes<T>(stride), sizeof<T>(), w, row, sizeof<T>(), rows, features, classes, false);
}

export function linearGradWeight<T>(dw: usize, g: usize, x: usize, rows: i32, features: i32, classes: i32, stride: i32): void {
  const row = bytes<T>(features);
  product<T>(dw, row, 0, g, sizeof<T>(), bytes<T>(stride), x, row, sizeof<T>(), classes, features, rows, true);
}

/** A product with a row of ones. */
export function linearGradBias<T>(dbias: usize, g: usize, rows: i32, classes: i32, stride: i32): void {
  const ones = sizeof<T>() == 4 ? ONE_F32 : ONE;
  product<T>(dbias, 0, 0, ones, 0, 0, g, bytes<T>(stride), sizeof<T>(), 1, classes, rows, true);
}

/**
 * Moves the rows of g that hold anything but zeros to the front of g, and the rows of x beside them to `to`, which may be x. Returns how many they are;
 * where that is all of them nothing was moved. A row of zeros adds nothing to dw, whatever is in x.
 */
export function keepRows<T>(g: usize, to: usize, x: usize, rows: i32, features: i32, classes: i32): i32 {
  const gRow = bytes<T>(classes), xRow = bytes<T>(features), end = g + gRow * rows;
  let from = g;
  while (from < end && !isZero<T>(from, gRow)) from += gRow;
  if (from == end) return rows;
  const moves = to != x;
  let n = <i32>((from - g) / gRow);
  if (moves) copyRows(to, xRow, x, xRow, n, xRow);
  for (let r = n; from < end; r++, from += gRow) {
    if (isZero<T>(from, gRow)) continue;
    copyRows(g + gRow * n, gRow, from, gRow, 1, gRow);
    copyRows(to + xRow * n, xRow, x + xRow * r, xRow, 1, xRow);
    n++;
  }
  return n;
}

function isZero<T>(row: usize, width: usize): bool {
  for (const end = row + width; row < end; row += sizeof<T>()) if (load<T>(row) != 0) return false;
  return true;
}

/** dw += l2·w, if there is a dw; returns Σ w². */
export function decay<T>(dw: usize, w: usize, n: i32, l2: f64): f64 {
  const factor = v128.splat<T>(<T>l2), whole = w + (bytes<T>(n) & ~(VECTOR - 1)), end = w + bytes<T>(n);
  let low = f64x2.splat(0), high = low;
  for (; w < whole; w += VECTOR) {
    const x = v128.load(w), a = sizeof<T>() == 4 ? f64x2.promote_low_f32x4(x) : x;
    low = f64x2.add(low, f64x2.mul(a, a));
    if (sizeof<T>() == 4) {
      const b = f64x2.promote_low_f32x4(i64x2.shuffle(x, x, 1, 0));
      high = f64x2.add(high, f64x2.mul(b, b));
    }
    if (!dw) continue;
    v128.store(dw, v128.add<T>(v128.load(dw), v128.mul<T>(factor, x)));
    dw += VECTOR;
  }
  const lanes = f64x2.add(low, high);
  let sum = f64x2.extract_lane(lanes, 0) + f64x2.extract_lane(lanes, 1);
  for (; w < end; w += sizeof<T>()) {
    const x = load<T>(w);
    sum += <f64>x * <f64>x;
    if (!dw) continue;
    store<T>(dw, load<T>(dw) + <T>l2 * x);
    dw += sizeof<T>();
  }
  return sum;
}

// @ts-ignore: decorator
@inline
function bytes<T>(elements: i32): usize {
  return <usize>elements * sizeof<T>();
}

/**
 * c[i][j] = start[j] + Σ a[i][k]·b[k][j], i < rows, j < cols, k < depth. `…Row`: bytes from one i or j to the next, `…Next`: from one k to the next;
 * those of c lie next to each other in j. `start` may be c, or 0. `add`: the sums are added to c when they are complete.
 */
function product<T>(
  c: usize, cRow: usize, start: usize, a: usize, aRow: usize, aNext: usize, b: usize, bNext: usize, bRow: usize,
  rows: i32, cols: i32, depth: i32, add: bool,
): void {
  const inStrips = aRow == sizeof<T>() && aNext > STRIP_STRIDE;
  const step = inStrips ? <i32>(STRIP_BYTES / sizeof<T>()) : ROWS;
  const isPanel = bRow == sizeof<T>() && rows <= FEW_ROWS && (bNext & 2047) != 0;
  for (let k = 0; k < depth; k += DEPTH, a += aNext * DEPTH, b += bNext * DEPTH) {
    const deep = min(DEPTH, depth - k);
    for (let i = 0; i < rows; i += step) {
      const high = min(step, rows - i);
      const cBlock = c + <usize>i * cRow;
      let aBlock = a + <usize>i * aRow;
      if (inStrips) {
        copyRows(STRIP, STRIP_STRIDE, aBlock, aNext, deep, bytes<T>(high));
        aBlock = STRIP;
      }
      for (let j = 0; j < cols; j += 2 * lanes<T>()) {
        const width = min(bytes<T>(cols - j), WIDTH);
        let panel = b + <usize>j * bRow;
        const packs = !isPanel || width < WIDTH;
        if (packs) {
          pack<T>(panel, bNext, bRow, deep, width);
          panel = PANEL;
        }
        const from = start == c ? cBlock : start;
        column<T>(
          cBlock + bytes<T>(j), cRow, start ? from + bytes<T>(j) : ZEROS, start == c ? cRow : 0,
          aBlock, aRow, inStrips ? STRIP_STRIDE : aNext, panel, packs ? WIDTH : bNext, high, width, deep, add,
        );
      }
    }
    if (!add) start = c;
  }
}

/** A column of tiles, `width` bytes wide. */
function column<T>(
  c: usize, cRow: usize, start: usize, startRow: usize, a: usize, aRow: usize, aNext: usize, b: usize, bNext: usize,
  high: i32, width: usize, deep: i32, add: bool,
): void {
  for (let i = 0; i < high; i += HEIGHT) {
    const height = min(HEIGHT, high - i);
    if (width == WIDTH) {
      anyTile<T>(height, true, c, cRow, start, startRow, a, aRow, aNext, b, bNext, deep, add);
    } else {
      if (add) copyRows(EDGE, WIDTH, c, cRow, height, width);
      else copyRows(EDGE, WIDTH, start, startRow, height, width);
      anyTile<T>(height, width > VECTOR, EDGE, WIDTH, add ? ZEROS : EDGE, add ? 0 : WIDTH, a, aRow, aNext, b, bNext, deep, add);
      copyRows(c, cRow, EDGE, WIDTH, height, width);
    }
    c += cRow * HEIGHT, start += startRow * HEIGHT, a += aRow * HEIGHT;
  }
}

function anyTile<T>(
  height: i32, wide: bool, c: usize, cRow: usize, start: usize, startRow: usize, a: usize, aRow: usize, aNext: usize, b: usize, bNext: usize,
  deep: i32, add: bool,
): void {
  if (wide) {
    if (height == 4) tile<T>(4, true, c, cRow, start, startRow, a, aRow, aNext, b, bNext, deep, add);
    else if (height == 3) tile<T>(3, true, c, cRow, start, startRow, a, aRow, aNext, b, bNext, deep, add);
    else if (height == 2) tile<T>(2, true, c, cRow, start, startRow, a, aRow, aNext, b, bNext, deep, add);
    else tile<T>(1, true, c, cRow, start, startRow, a, aRow, aNext, b, bNext, deep, add);
  } else {
    if (height == 4) tile<T>(4, false, c, cRow, start, startRow, a, aRow, aNext, b, bNext, deep, add);
    else if (height == 3) tile<T>(3, false, c, cRow, start, startRow, a, aRow, aNext, b, bNext, deep, add);
    else if (height == 2) tile<T>(2, false, c, cRow, start, startRow, a, aRow, aNext, b, bNext, deep, add);
    else tile<T>(1, false, c, cRow, start, startRow, a, aRow, aNext, b, bNext, deep, add);
  }
}

/** One tile: `height` rows of two vectors (`wide`) or one. Both are constants where it is called, so that only what it has is left of it. */
// @ts-ignore: decorator
@inline
function tile<T>(
  height: i32, wide: bool, c: usize, cRow: usize, start: usize, startRow: usize, a: usize, aRow: usize, aNext: usize, b: usize, bNext: usize,
  deep: i32, add: bool,
): void {
  const a1 = a + aRow, a2 = a1 + aRow, a3 = a2 + aRow;
  const c1 = c + cRow, c2 = c1 + cRow, c3 = c2 + cRow;
  const start1 = start + startRow, start2 = start1 + startRow, start3 = start2 + startRow;
  let x0 = v128.load(start), y0 = x0, x1 = x0, y1 = x0, x2 = x0, y2 = x0, x3 = x0, y3 = x0;
  if (wide) y0 = v128.load(start, 16);
  if (height > 1) x1 = v128.load(start1);
  if (height > 1 && wide) y1 = v128.load(start1, 16);
  if (height > 2) x2 = v128.load(start2);
  if (height > 2 && wide) y2 = v128.load(start2, 16);
  if (height > 3) x3 = v128.load(start3);
  if (height > 3 && wide) y3 = v128.load(start3, 16);
  for (let k: usize = 0; deep > 0; deep--, b += bNext, k += aNext) {
    const p = v128.load(b), q = wide ? v128.load(b, 16) : p;
    let f = v128.load_splat<T>(a + k);
    x0 = mulAdd<T>(f, p, x0);
    if (wide) y0 = mulAdd<T>(f, q, y0);
    if (height > 1) f = v128.load_splat<T>(a1 + k);
    if (height > 1) x1 = mulAdd<T>(f, p, x1);
    if (height > 1 && wide) y1 = mulAdd<T>(f, q, y1);
    if (height > 2) f = v128.load_splat<T>(a2 + k);
    if (height > 2) x2 = mulAdd<T>(f, p, x2);
    if (height > 2 && wide) y2 = mulAdd<T>(f, q, y2);
    if (height > 3) f = v128.load_splat<T>(a3 + k);
    if (height > 3) x3 = mulAdd<T>(f, p, x3);
    if (height > 3 && wide) y3 = mulAdd<T>(f, q, y3);
  }
  leave<T>(c, x0, y0, wide, add);
  if (height > 1) leave<T>(c1, x1, y1, wide, add);
  if (height > 2) leave<T>(c2, x2, y2, wide, add);
  if (height > 3) leave<T>(c3, x3, y3, wide, add);
}

// @ts-ignore: decorator
@inline
function leave<T>(c: usize, x: v128, y: v128, wide: bool, add: bool): void {
  if (add) {
    x = v128.add<T>(v128.load(c), x);
    if (wide) y = v128.add<T>(v128.load(c, 16), y);
  }
  if (wide) v128.store(c, y, 16);
  v128.store(c, x);
}

/** PANEL[k][j] = b[k][j], k < deep, `width` bytes of them; what is beyond is not looked at. */
function pack<T>(b: usize, bNext: usize, bRow: usize, deep: i32, width: usize): void {
  if (bRow == sizeof<T>()) {
    copyRows(PANEL, WIDTH, b, bNext, deep, width);
    return;
  }
  // The columns of the panel are rows of b, contiguous in k.
  const square = WIDTH * <usize>lanes<T>();
  for (let at: usize = 0; at < width; at += VECTOR, b += bRow * lanes<T>()) {
    const end = PANEL + at + <usize>deep * WIDTH, part = min(width - at, VECTOR);
    let to = PANEL + at, from = b;
    if (part == VECTOR) {
      for (; to + square <= end; to += square, from += VECTOR) transpose<T>(to, WIDTH, from, bRow);
    }
    for (; to < end; to += WIDTH, from += sizeof<T>()) {
      for (let i: usize = 0, own = from; i < part; i += sizeof<T>(), own += bRow) store<T>(to + i, load<T>(own));
    }
  }
}

/** Copies rows of `width` bytes. */
function copyRows(to: usize, toRow: usize, from: usize, fromRow: usize, rows: i32, width: usize): void {
  for (; rows > 0; rows--, to += toRow, from += fromRow) {
    let i: usize = 0;
    for (; i + VECTOR <= width; i += VECTOR) v128.store(to + i, v128.load(from + i));
    for (; i < width; i += 4) store<u32>(to + i, load<u32>(from + i));
  }
}
