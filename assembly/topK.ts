// topK   the k largest of each row, largest first: their classes and, by `kind`, their values      x: [rows, cols]; indices, values: [rows, k]
//
//   LOGITS             x_j
//   PROBABILITIES      e^((x_j − m)/T) / Σ e^((x − m)/T), over the whole row
//   LOG_PROBABILITIES  (x_j − m)/T − ln Σ e^((x − m)/T)
//
// One pass finds a floor, one collects the logits above it, a few times k; these are sorted.

import { expOfZero, expTable, panelExp } from "./exp";
import { logs } from "./log";
import { INPUT, INVERSE, LOG, SHIFT, SUM, WIDE, restIn } from "./panel";
import { collect, cut, floorOfTop, keep, sort } from "./select";

const LOGITS = 0;
const PROBABILITIES = 1;

/** Up to so many entries are sorted without selecting the k largest first. */
const FEW = 32;


/** `list`, `ids`, `order`, `spare`: room for `capacity` entries each; returns false if that is too little. */
export function topK<T>(
  indices: usize, values: usize, list: usize, ids: usize, order: usize, spare: usize, x: usize,
  rows: i32, cols: i32, k: i32, kind: i32, temperature: f64, capacity: i32,
): bool {
  const table = expTable<T>(temperature);
  for (; rows > 0; rows--, x += <usize>cols * sizeof<T>(), indices += <usize>k << 2, values += <usize>k * sizeof<T>()) {
    const floor = floorOfTop<T>(x, cols, k);
    let n = collect<T>(list, ids, x, cols, floor, k, capacity);
    if (n < 0) return false;
    if (n > FEW) n = keep<T>(list, ids, n, k, cut<T>(list, 0, n, k, n, floor, <T>NaN, 0, 0, 0));
    const sorted = sort<T>(order, spare, list, n);
    for (let i: usize = 0; i < <usize>k; i++) {
      const at = <usize>load<i32>(sorted + (i << 2));
      store<i32>(indices + (i << 2), load<i32>(ids + (at << 2)));
      store<T>(values + i * sizeof<T>(), load<T>(list + at * sizeof<T>()));
    }
    if (kind != LOGITS) logitsToValues<T>(values, x, cols, k, kind, temperature, table);
  }
  return true;
}

/** Turns `values`, the k largest logits of the row x, into probabilities or their logarithms. */
function logitsToValues<T>(values: usize, x: usize, cols: i32, k: i32, kind: i32, temperature: f64, table: usize): void {
  const m = load<T>(values), end = values + <usize>k * sizeof<T>();
  v128.store(SHIFT, v128.splat<T>(-m));
  restIn<T>(INPUT, x, cols, <T>-Infinity);
  panelExp<T>(SUM, 0, x, SHIFT, 1, cols, WIDE, true, table);
  logs(LOG, INVERSE, SUM, 1);
  const log = load<f64>(LOG), factor = load<f64>(INVERSE) / expOfZero<T>();
  if (kind == PROBABILITIES) {
    restIn<T>(INPUT, values, k, <T>-Infinity);
    panelExp<T>(SUM, values, values, SHIFT, 1, k, WIDE, false, table);
  }
  // Without a finite maximum there is no softmax.
  const none = <T>(m - m != 0 ? NaN : 0);
  for (; values < end; values += sizeof<T>()) {
    const value = load<T>(values);
    store<T>(values, none + <T>(kind == PROBABILITIES ? <f64>value * factor : <f64>(value - m) / temperature - log));
  }
}
