// The products of a linear layer. x, dx: [rows, features]; w, dw: [classes, features]; z and its gradient g: [rows, classes].
//
//   linear            z  = x·wᵀ + bias
//   linearGradX       dx = g·w, or dx += g·w
//   linearGradWeight  dw += gᵀ·x
//   linearGradBias    dbias += Σ g over the rows
//
// All of them are c = start + a·b with other strides, in the order of Goto and van de Geijn (2008): a panel of b, WIDTH bytes wide and DEPTH deep,
// lies packed in the L1 cache and meets a block of rows of a, which stays in the L2 cache; a tile of c is in registers: 2 rows of 4 vectors, or
// 4 of 2 where c has no more.
//
// Every element of c is one accumulator over ascending k; a product and a sum are two roundings (one in the relaxed build). Every DEPTH steps the
// accumulators are stored in c and loaded again. So neither tiles nor blocks change a bit. But dw and dbias, where k is a row, add sums of up to DEPTH
// rows to what was there: their error grows with the number of sums, not of rows.

import { F32_ONE, F64_ONE, VECTOR, ZEROS, lanes, mulAdd, transpose } from "./simd";

const HEIGHT = 4;
const LINE: usize = 64;
const WIDTH: usize = 4 * VECTOR;
const DEPTH = 256;
/** The rows of a that meet a panel: enough to be worth packing it. */
const ROWS = 240;
/** Up to so many rows are not worth it. */
const FEW_ROWS = 16;

const PANEL = memory.data(DEPTH * 64, 16);
/** The last column of tiles of a block, where it reaches over the right edge of c. */
const EDGE = memory.data(ROWS * 64, 16);

// A copy of rows of a whose elements are far apart in k: groups of HEIGHT rows, one k after the other. A cache line lies between groups: a power of two
// apart, they would share few sets of the cache.
/** The bytes of such rows at one k: 34 groups of f32, 17 of f64. */
const GROUPED_BYTES: usize = 544;
const GROUPED = memory.data(DEPTH * 544 + 34 * 64, 16);

/** `stride`: elements from row to row of z (below, of g), which may have more classes than these. `bias` may be absent. */
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
  const ones = sizeof<T>() == 4 ? F32_ONE : F64_ONE;
  product<T>(dbias, 0, 0, ones, 0, 0, g, bytes<T>(stride), sizeof<T>(), 1, classes, rows, true);
}

/**
 * Moves the rows of g that are not all zeros to the front of g, and the same rows of x to `kept`, which may be x. Returns how many they are; if all,
 * nothing was moved. A row of zeros adds nothing to dw, whatever x holds.
 */
export function keepRows<T>(g: usize, kept: usize, x: usize, rows: i32, features: i32, classes: i32): i32 {
  const gRow = bytes<T>(classes), xRow = bytes<T>(features), end = g + gRow * rows;
  let from = g;
  while (from < end && !isZero<T>(from, gRow)) from += gRow;
  if (from == end) return rows;
  const moves = kept != x;
  let n = <i32>((from - g) / gRow);
  if (moves) copyRows(kept, xRow, x, xRow, n, xRow);
  for (let r = n; from < end; r++, from += gRow) {
    if (isZero<T>(from, gRow)) continue;
    copyRows(g + gRow * n, gRow, from, gRow, 1, gRow);
    copyRows(kept + xRow * n, xRow, x + xRow * r, xRow, 1, xRow);
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
  const groups = aRow == sizeof<T>() && aNext > LINE && bytes<T>(cols) > WIDTH;
  const step = groups ? <i32>(GROUPED_BYTES / sizeof<T>()) : ROWS;
  const isPanel = bRow == sizeof<T>() && rows <= FEW_ROWS && (bNext & 2047) != 0;
  for (let i = 0; i < rows; i += step) {
    const high = min(step, rows - i);
    for (let k = 0; k < depth; k += DEPTH) {
      const deep = min(DEPTH, depth - k);
      let block = a + <usize>i * aRow + <usize>k * aNext;
      let next = aNext, group = aRow * HEIGHT;
      if (groups) {
        next = bytes<T>(HEIGHT), group = next * deep + LINE;
        groupRows<T>(group, block, aNext, high, deep);
        block = GROUPED;
      }
      for (let j = 0; j < cols; j += 4 * lanes<T>()) {
        const width = min(bytes<T>(cols - j), WIDTH), overEdge = width % VECTOR != 0;
        let panel = b + <usize>k * bNext + <usize>j * bRow, panelNext = bNext;
        if (!isPanel || overEdge) {
          pack<T>(panel, bNext, bRow, deep, width);
          panel = PANEL, panelNext = WIDTH;
        }
        const own = c + <usize>i * cRow + bytes<T>(j);
        let to = own, toRow = cRow, from = start ? start + bytes<T>(j) : ZEROS, fromRow: usize = 0;
        if (start == c || k > 0) from = own, fromRow = cRow;
        if (overEdge) {
          if (k == 0) copyRows(EDGE, WIDTH, add ? own : from, add ? cRow : fromRow, high, width);
          to = from = EDGE, toRow = fromRow = WIDTH;
        }
        if (add) from = ZEROS, fromRow = 0;
        column<T>(to, toRow, from, fromRow, block, group, aRow, next, panel, panelNext, high, width, deep, add);
        if (overEdge && k + deep == depth) copyRows(own, cRow, EDGE, WIDTH, high, width);
      }
    }
  }
}

/** A column of tiles, of as many vectors as `width` bytes take. */
function column<T>(
  c: usize, cRow: usize, start: usize, startRow: usize, a: usize, aGroup: usize, aRow: usize, aNext: usize, b: usize, bNext: usize,
  high: i32, width: usize, deep: i32, add: bool,
): void {
  const vectors = <i32>((width + VECTOR - 1) / VECTOR);
  for (let i = 0, height = vectors > 2 ? 2 : HEIGHT; i < high; i += height) {
    while (height > high - i) height >>= 1;
    const rows = a + aGroup * (i / HEIGHT) + aRow * (i % HEIGHT);
    anyTile<T>(height, vectors, c, cRow, start, startRow, rows, aRow, aNext, b, bNext, deep, add);
    c += cRow * height, start += startRow * height;
  }
}

function anyTile<T>(
  height: i32, vectors: i32, c: usize, cRow: usize, start: usize, startRow: usize, a: usize, aRow: usize, aNext: usize, b: usize, bNext: usize,
  deep: i32, add: bool,
): void {
  if (vectors == 4) {
    if (height == 2) tile<T>(2, 4, c, cRow, start, startRow, a, aRow, aNext, b, bNext, deep, add);
    else tile<T>(1, 4, c, cRow, start, startRow, a, aRow, aNext, b, bNext, deep, add);
  } else if (vectors == 3) {
    if (height == 2) tile<T>(2, 3, c, cRow, start, startRow, a, aRow, aNext, b, bNext, deep, add);
    else tile<T>(1, 3, c, cRow, start, startRow, a, aRow, aNext, b, bNext, deep, add);
  } else if (vectors == 2) {
    if (height == 4) tile<T>(4, 2, c, cRow, start, startRow, a, aRow, aNext, b, bNext, deep, add);
    else if (height == 2) tile<T>(2, 2, c, cRow, start, startRow, a, aRow, aNext, b, bNext, deep, add);
    else tile<T>(1, 2, c, cRow, start, startRow, a, aRow, aNext, b, bNext, deep, add);
  } else {
    if (height == 4) tile<T>(4, 1, c, cRow, start, startRow, a, aRow, aNext, b, bNext, deep, add);
    else if (height == 2) tile<T>(2, 1, c, cRow, start, startRow, a, aRow, aNext, b, bNext, deep, add);
    else tile<T>(1, 1, c, cRow, start, startRow, a, aRow, aNext, b, bNext, deep, add);
  }
}

/**
 * One tile: rows 0 to 3 of vectors p, q, r, s. `height` and `vectors` are constants in each call, so the compiler drops what the tile does not have. Each
 * row has a pointer of its own: a shared one costs an addition per row (a fifth of the time on Node 20 and 22).
 */
// @ts-ignore: decorator
@inline
function tile<T>(
  height: i32, vectors: i32, c: usize, cRow: usize, start: usize, startRow: usize, a: usize, aRow: usize, aNext: usize, b: usize, bNext: usize,
  deep: i32, add: bool,
): void {
  let a1 = a + aRow, a2 = a1 + aRow, a3 = a2 + aRow;
  const c1 = c + cRow, c2 = c1 + cRow, c3 = c2 + cRow;
  const start1 = start + startRow, start2 = start1 + startRow, start3 = start2 + startRow;
  let p0 = v128.load(start), q0 = p0, r0 = p0, s0 = p0, p1 = p0, q1 = p0, r1 = p0, s1 = p0, p2 = p0, q2 = p0, p3 = p0, q3 = p0;
  if (vectors > 1) q0 = v128.load(start, 16);
  if (vectors > 2) r0 = v128.load(start, 32);
  if (vectors > 3) s0 = v128.load(start, 48);
  if (height > 1) p1 = v128.load(start1);
  if (height > 1 && vectors > 1) q1 = v128.load(start1, 16);
  if (height > 1 && vectors > 2) r1 = v128.load(start1, 32);
  if (height > 1 && vectors > 3) s1 = v128.load(start1, 48);
  if (height > 2) p2 = v128.load(start2);
  if (height > 2 && vectors > 1) q2 = v128.load(start2, 16);
  if (height > 3) p3 = v128.load(start3);
  if (height > 3 && vectors > 1) q3 = v128.load(start3, 16);
  for (const end = b + bNext * deep; b != end; b += bNext) {
    const p = v128.load(b), q = vectors > 1 ? v128.load(b, 16) : p, r = vectors > 2 ? v128.load(b, 32) : p, s = vectors > 3 ? v128.load(b, 48) : p;
    let f = v128.load_splat<T>(a);
    a += aNext;
    p0 = mulAdd<T>(f, p, p0);
    if (vectors > 1) q0 = mulAdd<T>(f, q, q0);
    if (vectors > 2) r0 = mulAdd<T>(f, r, r0);
    if (vectors > 3) s0 = mulAdd<T>(f, s, s0);
    if (height > 1) f = v128.load_splat<T>(a1), a1 += aNext, p1 = mulAdd<T>(f, p, p1);
    if (height > 1 && vectors > 1) q1 = mulAdd<T>(f, q, q1);
    if (height > 1 && vectors > 2) r1 = mulAdd<T>(f, r, r1);
    if (height > 1 && vectors > 3) s1 = mulAdd<T>(f, s, s1);
    if (height > 2) f = v128.load_splat<T>(a2), a2 += aNext, p2 = mulAdd<T>(f, p, p2);
    if (height > 2 && vectors > 1) q2 = mulAdd<T>(f, q, q2);
    if (height > 3) f = v128.load_splat<T>(a3), a3 += aNext, p3 = mulAdd<T>(f, p, p3);
    if (height > 3 && vectors > 1) q3 = mulAdd<T>(f, q, q3);
  }
  leave<T>(vectors, c, p0, q0, r0, s0, add);
  if (height > 1) leave<T>(vectors, c1, p1, q1, r1, s1, add);
  if (height > 2) leave<T>(vectors, c2, p2, q2, p2, p2, add);
  if (height > 3) leave<T>(vectors, c3, p3, q3, p3, p3, add);
}

// @ts-ignore: decorator
@inline
function leave<T>(vectors: i32, c: usize, p: v128, q: v128, r: v128, s: v128, add: bool): void {
  if (add) {
    p = v128.add<T>(v128.load(c), p);
    if (vectors > 1) q = v128.add<T>(v128.load(c, 16), q);
    if (vectors > 2) r = v128.add<T>(v128.load(c, 32), r);
    if (vectors > 3) s = v128.add<T>(v128.load(c, 48), s);
  }
  v128.store(c, p);
  if (vectors > 1) v128.store(c, q, 16);
  if (vectors > 2) v128.store(c, r, 32);
  if (vectors > 3) v128.store(c, s, 48);
}

/** GROUPED[i / HEIGHT][k][i % HEIGHT] = a[k][i] */
function groupRows<T>(group: usize, a: usize, aNext: usize, high: i32, deep: i32): void {
  const width = bytes<T>(HEIGHT), groups = high / HEIGHT, left = high % HEIGHT, last = group * groups;
  for (let to = GROUPED; deep > 0; deep--, to += width, a += aNext) {
    copyRows(to, group, a, width, groups, width);
    copyRows(to + last, 0, a + width * groups, 0, left > 0 ? 1 : 0, bytes<T>(left));
  }
}

/** PANEL[k][j] = b[k][j], k < deep, `width` bytes of each row. */
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
