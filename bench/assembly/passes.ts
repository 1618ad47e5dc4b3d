// The passes that softmax is made of, one at a time, over all rows of a matrix in linear memory: what the kernel cannot be faster than. Each is
// driven as softmax drives it (see assembly/softmax.ts): wide rows where they lie, narrow rows a panel at a time, in scratch memory.

import { expTable, panelExp } from "../../assembly/exp";
import { INPUT, OUTPUT, STATISTIC, WIDE, layoutOf, panelFor, panelIn, panelRows, rowAddress, tileBytes, tileCount } from "../../assembly/panel";
import { panelMax, panelScaleOut } from "../../assembly/passes";

const MAX = memory.data(STATISTIC, 16);
const SHIFT = memory.data(STATISTIC, 16);
const SUM = memory.data(STATISTIC, 16);

// Wide rows are not gathered.
// @ts-ignore: decorator
@inline
const GATHER = 0, ROW_MAX = 1, EXP = 2, SCALE = 3;

/** One pass over all rows. */
function run<T>(pass: i32, y: usize, x: usize, rows: i32, cols: i32): void {
  const table = expTable<T>(1), layout = layoutOf<T>(rows, cols, 1), bytes = tileBytes<T>(cols, layout);
  for (let r = 0, n = 0; r < rows; r += n) {
    n = panelRows<T>(r, rows, cols, 1, layout);
    const tiles = tileCount<T>(n);
    const xs = layout == WIDE ? rowAddress<T>(x, r, cols, 1) : INPUT, ys = panelFor<T>(OUTPUT, y, r, cols, layout);
    if (pass == GATHER) panelIn<T>(INPUT, x, r, n, cols, 1, layout, <T>-Infinity);
    else if (pass == ROW_MAX) panelMax<T>(MAX, SHIFT, xs, tiles, bytes, layout);
    else if (pass == EXP) panelExp<T>(SUM, ys, xs, SHIFT, tiles, cols, layout, false, table);
    else if (pass == SCALE) panelScaleOut<T>(y, ys, SUM, r, n, cols, 1, layout);
  }
}

export function runF32(pass: i32, y: usize, x: usize, rows: i32, cols: i32): void {
  run<f32>(pass, y, x, rows, cols);
}

export function runF64(pass: i32, y: usize, x: usize, rows: i32, cols: i32): void {
  run<f64>(pass, y, x, rows, cols);
}
