// Panels: what a kernel works on at a time, laid out so that its passes (passes.ts) are loops over whole vectors.
//
//   NARROW   some rows in scratch memory, as tiles: `lanes` rows side by side, one vector per class, so that each row has a lane of its own. The
//            columns are padded to a multiple of four, with a value that the pass ignores.
//   ALONE    a narrow row by itself: its groups of four classes fill the lanes, as if they were rows of four. 64 classes take a third of the time of
//            a tile (f32, Node 24). A pass over a tile adds up four classes at a time, so adding lane after lane here gives the same sum.
//   WIDE     one row of many classes, where it lies: its tile is the row. A pass that adds up or compares ends with a fold over the lanes. The rest,
//            which does not fill a chunk of four vectors, is copied behind the scratch, and the pass goes on there.
//
// A tile is `bytes` long. Whether a row is wide depends on C, the kernel and the type alone: neither the number of rows nor the class axis changes a bit
// of its result. Without a gradient a wide row has no place for its exponentials, and none are kept.
//
// Arrays are [outer, C, inner]; row r is the one at outer r / inner and inner position r % inner. With inner = 1 tiles are transposed on the way in and
// out, with inner > 1 loaded as they lie. Wide rows have inner = 1: the caller transposes others (`swapAxes`).

import { CHUNK, VECTOR, lanes, loadLanes, transpose } from "./simd";

export type Layout = i32;
export const NARROW: Layout = 0;
export const ALONE: Layout = 1;
export const WIDE: Layout = 2;

/** The largest C of narrow rows, for kernels with exponentials: at C = 100 they save 25 % of a batch's softmax, further up nothing (f32, Node 24). */
// biome-ignore lint/correctness/noUnusedVariables: the same for both types
export function narrowExp<T>(): i32 {
  return 104;
}

/** The same for other kernels, where copying rows into panels and back soon costs more than it saves: 48 (f32), 24 (f64). */
export function narrowPlain<T>(): i32 {
  return 192 / sizeof<T>();
}

export const PANEL_BYTES = 4096;
const MAX_TILES = 16;

// Scratch for panels: what is read, what is written, a second input (dy, class probabilities), one value per class; behind each the rest of a wide row.
export const INPUT = memory.data(PANEL_BYTES + 64, 16);
export const OUTPUT = memory.data(PANEL_BYTES + 64, 16);
export const SECOND = memory.data(PANEL_BYTES + 64, 16);
export const CLASSES = memory.data(PANEL_BYTES + 64, 16);
export const INPUT_REST: usize = INPUT + PANEL_BYTES;
export const OUTPUT_REST: usize = OUTPUT + PANEL_BYTES;
export const SECOND_REST: usize = SECOND + PANEL_BYTES;
export const CLASSES_REST: usize = CLASSES + PANEL_BYTES;
// At MASK + rest: a chunk whose last `rest` bytes are ones.
const MASK = memory.data<u64>([0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1], 16);
// The last chunk of a row alone, with its padding.
const LAST = memory.data(64, 16);

/**
 * Bytes of a statistic: one f64 for each row of a panel, and two more. Statistics are read as pairs, and a load of a vector stalls on narrower stores: what
 * is stored row by row is stored as a vector, over the next row's too.
 */
export const STATISTIC = 66 * 8;
// Those of kernels that are no losses; a loss has its own: rows.ts.
export const MAX = memory.data(STATISTIC, 16);
export const SHIFT = memory.data(STATISTIC, 16);
export const SUM = memory.data(STATISTIC, 16);
export const LOG = memory.data(STATISTIC, 16);
export const INVERSE = memory.data(STATISTIC, 16);

export function tileBytes<T>(cols: i32, layout: Layout): usize {
  if (layout == WIDE) return <usize>cols * sizeof<T>();
  if (layout == ALONE) return <usize>groupColumns<T>(cols) * sizeof<T>();
  return (<usize>(cols + 3) & ~3) * VECTOR;
}

/** The bytes of a tile that `panelExp` computes exponentials of: pairs of vectors. The columns behind them are garbage afterwards. */
export function pairBytes<T>(cols: i32, layout: Layout): usize {
  return layout == NARROW ? (<usize>(cols + 1) & ~1) * VECTOR : tileBytes<T>(cols, layout);
}

/** The classes of a row alone with its padding: whole groups of four in every lane. */
function groupColumns<T>(cols: i32): i32 {
  return (cols + 4 * lanes<T>() - 1) & -(4 * lanes<T>());
}

/** How the rows of a call are laid out by a kernel that computes exponentials. */
export function layoutOf<T>(rows: i32, cols: i32, inner: i32): Layout {
  if (cols > narrowExp<T>()) return WIDE;
  // Rows that do not fill a tile go one by one, if that is cheaper. A panel costs about twelve vectors besides its own.
  const cheaper = cols > 4 && <u32>rows * (12 + <u32>cols / lanes<T>()) < <u32>cols + 12;
  return cheaper && inner == 1 && rows < lanes<T>() ? ALONE : NARROW;
}

/** How many rows the panel that begins at row r has. */
export function panelRows<T>(r: i32, rows: i32, cols: i32, inner: i32, layout: Layout): i32 {
  if (layout != NARROW) return 1;
  const tiles = min(MAX_TILES, PANEL_BYTES / <i32>tileBytes<T>(cols, layout));
  return min(tiles * lanes<T>(), inner == 1 ? rows - r : inner - (r % inner));
}

export function tileCount<T>(rows: i32): i32 {
  return (rows + lanes<T>() - 1) / lanes<T>();
}

/** Where class j of row i of a panel is. */
export function panelAt<T>(panel: usize, i: i32, j: i32, cols: i32, layout: Layout): usize {
  return layout == ALONE ? groupAt<T>(panel, j) : tileAt<T>(panel, i, j, cols, layout == WIDE);
}

/** The same for NARROW and WIDE. */
function tileAt<T>(panel: usize, i: i32, j: i32, cols: i32, wide: bool): usize {
  if (wide) return panel + <usize>j * sizeof<T>();
  const tile = <u32>i / <u32>lanes<T>(), lane = <u32>i % <u32>lanes<T>();
  return panel + <usize>tile * tileBytes<T>(cols, NARROW) + <usize>lane * sizeof<T>() + <usize>j * VECTOR;
}

/** The same for ALONE. */
function groupAt<T>(panel: usize, j: i32): usize {
  return tileAt<T>(panel, j >> 2, j & 3, 4, false);
}

/** Where class 0 of row r is in an array of [outer, cols, inner]. */
export function rowAddress<T>(x: usize, r: i32, cols: i32, inner: i32): usize {
  if (inner == 1) return x + <usize>r * <usize>cols * sizeof<T>();
  return x + (<usize>(r / inner) * <usize>cols * <usize>inner + <usize>(r % inner)) * sizeof<T>();
}

/** The panel of rows r … r + rows of x: `panel` with the rows gathered into it, or the wide row itself. `pad` fills the padding, also that of a rest. */
export function panelIn<T>(panel: usize, x: usize, r: i32, rows: i32, cols: i32, inner: i32, layout: Layout, pad: T): usize {
  x = rowAddress<T>(x, r, cols, inner);
  if (layout == WIDE) {
    restIn<T>(panel, x, cols, pad);
    return x;
  }
  if (layout == ALONE) {
    rowIn<T>(panel, x, cols, pad);
    return panel;
  }
  const toClass = <usize>inner * sizeof<T>(), toRow = inner == 1 ? <usize>cols * sizeof<T>() : sizeof<T>(), toTile = tileBytes<T>(cols, layout);
  if (inner > 1) {
    // All tiles of a class before the next class: classes may lie a power of two apart, in few sets of the cache.
    const whole = <usize>(rows / lanes<T>()) * toTile;
    for (let j = 0, from = x, first = panel; j < cols; j++, from += toClass, first += VECTOR) {
      for (let t: usize = 0, at = from; t < whole; t += toTile, at += VECTOR) v128.store(first + t, v128.load(at));
    }
  }
  for (let tile = panel; rows > 0; tile += toTile, x += toRow * lanes<T>(), rows -= lanes<T>()) {
    const end = tile + <usize>cols * VECTOR;
    if (rows >= lanes<T>() && inner > 1) {
      // Copied above.
    } else if (rows >= lanes<T>() && cols >= lanes<T>()) {
      for (let t = tile, from = x; t < end; t += square<T>(), from += VECTOR) {
        // The last square overlaps the one before, so that no part of a vector is left.
        if (t + square<T>() > end) transpose<T>(end - square<T>(), VECTOR, x + toRow - VECTOR, toRow);
        else transpose<T>(t, VECTOR, from, toRow);
      }
    } else {
      for (let t = tile, from = x; t < end; t += VECTOR, from += toClass) {
        // Put together in a register: see STATISTIC.
        let v = v128.load_zero<T>(from);
        if (rows > 1) v = v128.load_lane<T>(from + toRow, v, 1);
        if (sizeof<T>() == 4 && rows > 2) v = v128.load_lane<T>(from + 2 * toRow, v, 2);
        if (sizeof<T>() == 4 && rows > 3) v = v128.load_lane<T>(from + 3 * toRow, v, 3);
        v128.store(t, v);
      }
    }
    for (let t = end; t < tile + toTile; t += VECTOR) v128.store(t, v128.splat<T>(pad));
  }
  return panel;
}

/** Where the passes write the panel of rows r … of y: `panel`, which `panelOut` scatters afterwards, or the wide row itself. */
export function panelFor<T>(panel: usize, y: usize, r: i32, cols: i32, layout: Layout): usize {
  return layout == WIDE ? y + <usize>r * <usize>cols * sizeof<T>() : panel;
}

/** Scatters a panel to its rows of y; of a wide row, which is there already, only the rest. */
export function panelOut<T>(y: usize, panel: usize, r: i32, rows: i32, cols: i32, inner: i32, layout: Layout): void {
  if (layout == WIDE) restOut(panel, tileBytes<T>(cols, layout));
  else if (layout == ALONE) rowOut<T>(rowAddress<T>(y, r, cols, inner), panel, cols);
  else tilesOut<T>(y, panel, r, rows, cols, inner, 0, false);
}

/** The same for tiles, times a factor for each row if they are `scaled`. */
// @ts-ignore: decorator
@inline
export function tilesOut<T>(y: usize, panel: usize, r: i32, rows: i32, cols: i32, inner: i32, factor: usize, scaled: bool): void {
  y = rowAddress<T>(y, r, cols, inner);
  const toClass = <usize>inner * sizeof<T>(), toRow = inner == 1 ? <usize>cols * sizeof<T>() : sizeof<T>();
  let f = v128.splat<T>(1);
  for (let tile = panel; rows > 0; tile += tileBytes<T>(cols, NARROW), y += toRow * lanes<T>(), rows -= lanes<T>()) {
    const end = tile + <usize>cols * VECTOR;
    if (scaled) {
      f = loadLanes<T>(factor, false);
      factor += <usize>lanes<T>() << 3;
    }
    if (rows >= lanes<T>() && inner > 1) {
      for (let t = tile, to = y; t < end; t += VECTOR, to += toClass) v128.store(to, scaled ? v128.mul<T>(v128.load(t), f) : v128.load(t));
    } else if (rows >= lanes<T>() && cols >= lanes<T>()) {
      for (let t = tile, to = y; t < end; t += square<T>(), to += VECTOR) {
        if (t + square<T>() > end) transpose<T>(y + toRow - VECTOR, toRow, end - square<T>(), VECTOR, f, scaled);
        else transpose<T>(to, toRow, t, VECTOR, f, scaled);
      }
    } else {
      for (let t = tile, to = y; t < end; t += VECTOR, to += toClass) {
        if (scaled) v128.store(t, v128.mul<T>(v128.load(t), f));
        for (let i: usize = 0; i < <usize>min(rows, lanes<T>()); i++) store<T>(to + i * toRow, load<T>(t + i * sizeof<T>()));
      }
    }
  }
}

/** The bytes of a tile that fill whole chunks. */
export function wholeChunks(bytes: usize): usize {
  return bytes & ~(CHUNK - 1);
}

/** The bytes behind them: the rest of a wide row. */
export function restOf(bytes: usize): usize {
  return bytes & (CHUNK - 1);
}

/** Copies the rest of a wide row behind `panel`, with `pad` in front of it. Reads CHUNK bytes: of a shorter row also what lies in front of it. */
export function restIn<T>(panel: usize, x: usize, cols: i32, pad: T): void {
  const bytes = tileBytes<T>(cols, WIDE), mask = MASK + restOf(bytes), from = x + bytes - CHUNK;
  if (!restOf(bytes)) return;
  for (let i: usize = 0; i < CHUNK; i += 16) {
    v128.store(panel + i, v128.bitselect(v128.load(from + i), v128.splat<T>(pad), v128.load(mask + i)), PANEL_BYTES);
  }
}

/** Copies the rest that the passes have written to the end of its row. What lies in front of the rest is stored as it was. */
export function restOut(y: usize, bytes: usize): void {
  const mask = MASK + restOf(bytes), to = y + bytes - CHUNK;
  if (!restOf(bytes)) return;
  for (let i: usize = 0; i < CHUNK; i += 16) v128.store(to + i, v128.bitselect(v128.load(OUTPUT_REST + i), v128.load(to + i), v128.load(mask + i)));
}

/** From the first class of a row in a panel to that of the next one. */
export function nextInPanel<T>(row: usize, bytes: usize): usize {
  row += sizeof<T>();
  return (row & (VECTOR - 1)) == 0 ? row + bytes - VECTOR : row;
}

/** A row alone into `panel`, in groups of four classes, and back. */
function rowIn<T>(panel: usize, x: usize, cols: i32, pad: T): void {
  const perChunk = 4 * lanes<T>();
  for (let left = cols; left > 0; left -= perChunk, panel += CHUNK, x += CHUNK) {
    if (left < perChunk) {
      for (let i = 0; i < 4; i++) v128.store(LAST + (i << 4), loadPart<T>(x + (i << 4), left - i * lanes<T>(), v128.splat<T>(pad)));
      x = LAST;
    }
    for (let i: usize = 0; i < CHUNK; i += square<T>()) transpose<T>(panel + i, VECTOR, x + i / lanes<T>(), CHUNK / lanes<T>());
  }
}

function rowOut<T>(y: usize, panel: usize, cols: i32): void {
  const perChunk = 4 * lanes<T>();
  for (let left = cols; left > 0; left -= perChunk, panel += CHUNK, y += CHUNK) {
    const to = left < perChunk ? LAST : y;
    for (let i: usize = 0; i < CHUNK; i += square<T>()) transpose<T>(to + i / lanes<T>(), CHUNK / lanes<T>(), panel + i, VECTOR);
    if (left < perChunk) for (let i: usize = 0; i < <usize>left * sizeof<T>(); i += sizeof<T>()) store<T>(y + i, load<T>(LAST + i));
  }
}

/** The first n values of a vector, the others from `v`. */
function loadPart<T>(from: usize, n: i32, v: v128): v128 {
  if (n >= lanes<T>()) return v128.load(from);
  if (n > 0) v = v128.load_lane<T>(from, v, 0);
  if (sizeof<T>() == 4 && n > 1) v = v128.load_lane<T>(from + 4, v, 1);
  if (sizeof<T>() == 4 && n > 2) v = v128.load_lane<T>(from + 8, v, 2);
  return v;
}

/** Bytes of what is transposed at once: as many vectors as a vector has lanes. */
function square<T>(): usize {
  return <usize>lanes<T>() * VECTOR;
}

/** One value per class, the same for every row, as a tile of this layout: x, or 1 where it is absent, and 0 in the padding. */
export function classesIn<T>(tile: usize, x: usize, cols: i32, layout: Layout): usize {
  if (layout == WIDE) {
    restIn<T>(tile, x, cols, 0);
    return x;
  }
  const end = tile + tileBytes<T>(cols, layout);
  if (layout == NARROW) {
    for (let j = 0, t = tile; t < end; j++, t += VECTOR) {
      v128.store(t, v128.splat<T>(j >= cols ? 0 : x ? load<T>(x + j * sizeof<T>()) : 1));
    }
  } else if (x) {
    rowIn<T>(tile, x, cols, 0);
  } else {
    for (let t = tile; t < end; t += VECTOR) v128.store(t, v128.splat<T>(1));
    for (let j = cols; j < groupColumns<T>(cols); j++) store<T>(groupAt<T>(tile, j), 0);
  }
  return tile;
}

/** From the first class of a row in a panel to its class j, where classes are `step` bytes apart. */
export function cellOffset<T>(j: i32, step: usize, layout: Layout): usize {
  return layout == ALONE ? groupAt<T>(0, j) : <usize>j * step;
}

/** From one class to the next in a panel. */
export function classStep<T>(layout: Layout): usize {
  return layout == WIDE ? sizeof<T>() : VECTOR;
}

/** Sets all classes of a row, `step` bytes apart. */
export function fillRow<T>(row: usize, step: usize, cols: i32, value: T): void {
  for (const end = row + <usize>cols * step; row < end; row += step) store<T>(row, value);
}

/** The first class of a wide row that equals `value`, or cols. */
export function findInRow<T>(x: usize, cols: i32, value: T): i32 {
  const v = v128.splat<T>(value), perChunk = 4 * lanes<T>();
  let j = 0;
  for (; j + perChunk <= cols; j += perChunk, x += CHUNK) {
    const a = v128.or(v128.eq<T>(v128.load(x), v), v128.eq<T>(v128.load(x, 16), v));
    const b = v128.or(v128.eq<T>(v128.load(x, 32), v), v128.eq<T>(v128.load(x, 48), v));
    if (v128.any_true(v128.or(a, b))) break;
  }
  for (; j < cols && load<T>(x) != value; j++) x += sizeof<T>();
  return j;
}

export function rowHoldsNaN<T>(panel: usize, i: i32, cols: i32, layout: Layout): bool {
  for (let j = 0; j < cols; j++) if (isNaN<T>(load<T>(panelAt<T>(panel, i, j, cols, layout)))) return true;
  return false;
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
