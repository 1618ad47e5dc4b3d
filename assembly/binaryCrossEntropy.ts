// Binary cross-entropy of each element and its target t with its gradient, focal with γ > 0. With e = e^−|x|, p = sigmoid(x), c = 1 − p:
//
//   a = posWeight · (t (1 − ε) + ε/2),  b = (1 − t)(1 − ε) + ε/2
//   s = −ln p = ln(1 + e) + max(−x, 0),  z = −ln c = ln(1 + e) + max(x, 0)
//
//   loss = weight · (a c^γ s + b p^γ z)                               every term is ≥ 0, nothing cancels
//   grad = weight · (b p^γ (p + γ c z) − a c^γ (c + γ p s)) · gradOutput · gradScale
//
// Powers other than squares are c^γ = e^(−γ z) and p^γ = e^(−γ s): their error grows with the exponent, so that they are for f32, computed in f64.
//
// An element whose weight is 0 gives exactly 0, whatever it holds. Lin et al., "Focal loss for dense object detection" (2017).
//
// total: see rows.ts; all other arrays: [n], those that are absent 0. grad may be x.

import { blockExp, expTable, unscale } from "./exp";
import { log1p } from "./log";
import { LOST, lostByBoth, plusBoth } from "./rows";
import { E as P, move, one, restTo, wholeBlock } from "./sigmoid";
import { CHUNK, VECTOR, ZERO, addHigh, addLow, pair, storeSum } from "./simd";

// Of a block: p, c, s and z.

const C = memory.data(2048, 16);
const S = memory.data(2048, 16);
const Z = memory.data(2048, 16);
// c^γ and p^γ.
const C_POWER = memory.data(2048, 16);
const P_POWER = memory.data(2048, 16);
const SUM = memory.data(32, 16);
// What stands for an absent array; and what is left in the end of each array and is not a whole chunk.
const ONES = memory.data(16, 16);
const REST = memory.data(7 * 64, 16);

// An f32 focal loss is computed in f64, some elements at a time: the powers would multiply the errors of p, to 9 ulp for γ = 2.
const WIDE = 256;
const WIDE_BYTES: usize = 2048;
const WIDENED = memory.data(7 * 2048, 16);

export function focalF32(
  total: usize, loss: usize, grad: usize, x: usize, targets: usize, weight: usize, posWeight: usize, gradOutput: usize,
  n: i32, smoothing: f64, gamma: f64, gradScale: f64,
): void {
  const losses = WIDENED + 5 * WIDE_BYTES, grads = WIDENED + 6 * WIDE_BYTES;
  for (let i = 0; i < n; i += WIDE) {
    const count = min(n - i, WIDE), at = <usize>i << 2;
    binaryCrossEntropy<f64>(
      total, losses, grad ? grads : 0, widened(0, x, at, count), widened(1, targets, at, count), widened(2, weight, at, count),
      widened(3, posWeight, at, count), widened(4, gradOutput, at, count), count, smoothing, gamma, gradScale,
    );
    if (loss) narrow(loss + at, losses, count);
    if (grad) narrow(grad + at, grads, count);
  }
}

/** An array of f32 from `at` on as f64, in the given place; 0 if it is absent. */
function widened(place: usize, from: usize, at: usize, n: i32): usize {
  if (!from) return 0;
  from += at;
  const to = WIDENED + place * WIDE_BYTES;
  for (let i = 0; i < n; i += 2) {
    const pair = i + 1 < n ? v128.load64_zero(from) : v128.load32_zero(from);
    v128.store(to + (<usize>i << 3), f64x2.promote_low_f32x4(pair));
    from += 8;
  }
  return to;
}

function narrow(to: usize, from: usize, n: i32): void {
  for (; n > 0; n -= 2, to += 8, from += 16) {
    const pair = f32x4.demote_f64x2_zero(v128.load(from));
    if (n > 1) v128.store64_lane(to, pair, 0);
    else v128.store32_lane(to, pair, 0);
  }
}

export function binaryCrossEntropy<T>(
  total: usize, loss: usize, grad: usize, x: usize, targets: usize, weight: usize, posWeight: usize, gradOutput: usize,
  n: i32, smoothing: f64, gamma: f64, gradScale: f64,
): void {
  const table = expTable<T>(1);
  v128.store(ONES, one<T>());
  let left = <usize>n * sizeof<T>();
  while (left >= CHUNK) {
    const part = wholeBlock(left);
    block<T>(total, loss, grad, x, targets, weight, posWeight, gradOutput, part, smoothing, <T>gamma, <T>gradScale, table);
    left -= part, x += part, targets += part;
    if (loss) loss += part;
    if (grad) grad += part;
    if (weight) weight += part;
    if (posWeight) posWeight += part;
    if (gradOutput) gradOutput += part;
  }
  if (left == 0) return;
  const w = REST + 2 * CHUNK, l = REST + 5 * CHUNK, g = REST + 6 * CHUNK;
  restTo<T>(REST, x, left);
  restTo<T>(REST + CHUNK, targets, left);
  // What fills up the chunk weighs nothing.
  restTo<T>(w, weight ? weight : REST, left);
  if (!weight) for (let i: usize = 0; i < left; i += sizeof<T>()) store<T>(w + i, 1);
  if (posWeight) restTo<T>(REST + 3 * CHUNK, posWeight, left);
  if (gradOutput) restTo<T>(REST + 4 * CHUNK, gradOutput, left);
  block<T>(
    total, l, grad ? g : 0, REST, REST + CHUNK, w, posWeight ? REST + 3 * CHUNK : 0, gradOutput ? REST + 4 * CHUNK : 0, CHUNK, smoothing, <T>gamma,
    <T>gradScale, table,
  );
  if (loss) move<T>(loss, l, left);
  if (grad) move<T>(grad, g, left);
}

function block<T>(
  total: usize, loss: usize, grad: usize, x: usize, targets: usize, weight: usize, posWeight: usize, gradOutput: usize,
  bytes: usize, smoothing: f64, gamma: T, gradScale: T, table: usize,
): void {
  const ones = one<T>(), zero = v128.load(ZERO);
  const keep = v128.splat<T>(<T>(1 - smoothing)), half = v128.splat<T>(<T>(smoothing / 2));
  const gammas = v128.splat<T>(gamma), scale = v128.splat<T>(gradScale), focal = sizeof<T>() == 8 && gamma != 0;
  const toWeight = weight ? VECTOR : 0, toPosWeight = posWeight ? VECTOR : 0, toUpstream = gradOutput ? VECTOR : 0;
  if (!weight) weight = ONES;
  if (!posWeight) posWeight = ONES;
  if (!gradOutput) gradOutput = ONES;
  blockSigmoids<T>(x, bytes, table);
  if (focal) blockPowers<T>(gamma, bytes, table);
  let sumL = f64x2.splat(0), sumH = sumL;
  for (let i: usize = 0; i < bytes; i += VECTOR) {
    const p = v128.load(P + i), c = v128.load(C + i), s = v128.load(S + i), z = v128.load(Z + i), t = v128.load(targets + i), w = v128.load(weight);
    let a = v128.mul<T>(v128.load(posWeight), v128.add<T>(v128.mul<T>(keep, t), half));
    let b = v128.add<T>(v128.mul<T>(keep, v128.sub<T>(ones, t)), half);
    if (focal) a = v128.mul<T>(a, v128.load(C_POWER + i)), b = v128.mul<T>(b, v128.load(P_POWER + i));
    const l = times<T>(w, v128.add<T>(times<T>(a, s, zero), times<T>(b, z, zero)), zero);
    sumH = addHigh<T>(sumH, sumL, l, false), sumL = addLow<T>(sumL, l, false);
    if (loss) v128.store(loss + i, l);
    if (grad) {
      let up = p, down = c;
      if (focal) {
        up = v128.add<T>(p, v128.mul<T>(gammas, times<T>(c, z, zero)));
        down = v128.add<T>(c, v128.mul<T>(gammas, times<T>(p, s, zero)));
      }
      const slope = v128.sub<T>(v128.mul<T>(b, up), v128.mul<T>(a, down)), factor = v128.mul<T>(scale, v128.load(gradOutput));
      v128.store(grad + i, times<T>(w, v128.mul<T>(slope, factor), zero));
    }
    weight += toWeight, posWeight += toPosWeight, gradOutput += toUpstream;
  }
  storeSum<T>(SUM, sumL, sumH, 1, true);
  const both = pair(load<f64>(SUM), 0), sum = load<f64>(total);
  store<f64>(total, load<f64>(total, LOST) + lostByBoth(sum, both), LOST);
  store<f64>(total, plusBoth(sum, both));
}

/** P, C, S and Z of a block; a loop of its own, since what a loss needs as well does not fit the registers. */
function blockSigmoids<T>(x: usize, bytes: usize, table: usize): void {
  const ones = one<T>(), zero = v128.load(ZERO), scale = unscale<T>();
  blockExp<T>(P, x, bytes, table);
  for (let i: usize = 0; i < bytes; i += VECTOR) {
    const value = v128.load(x + i), e = v128.mul<T>(v128.load(P + i), scale), d = v128.add<T>(ones, e), log = log1p<T>(e);
    const negative = v128.lt<T>(value, zero), small = v128.div<T>(e, d), large = v128.div<T>(ones, d);
    v128.store(P + i, v128.bitselect(small, large, negative));
    v128.store(C + i, v128.bitselect(large, small, negative));
    v128.store(S + i, v128.sub<T>(log, v128.pmin<T>(value, zero)));
    v128.store(Z + i, v128.add<T>(log, v128.pmax<T>(value, zero)));
  }
}

/** C_POWER and P_POWER. */
function blockPowers<T>(gamma: T, bytes: usize, table: usize): void {
  if (gamma == 1 || gamma == 2) {
    for (let i: usize = 0; i < bytes; i += VECTOR) {
      const p = v128.load(P + i), c = v128.load(C + i);
      v128.store(C_POWER + i, gamma == 2 ? v128.mul<T>(c, c) : c);
      v128.store(P_POWER + i, gamma == 2 ? v128.mul<T>(p, p) : p);
    }
    return;
  }
  power<T>(C_POWER, Z, gamma, bytes, table);
  power<T>(P_POWER, S, gamma, bytes, table);
}

/** e^(−γ x) of x ≥ 0 */
function power<T>(to: usize, x: usize, gamma: T, bytes: usize, table: usize): void {
  const gammas = v128.splat<T>(gamma), scale = unscale<T>();
  for (let i: usize = 0; i < bytes; i += VECTOR) v128.store(to + i, v128.mul<T>(v128.load(x + i), gammas));
  blockExp<T>(to, to, bytes, table);
  for (let i: usize = 0; i < bytes; i += VECTOR) v128.store(to + i, v128.mul<T>(v128.load(to + i), scale));
}

/** f · x, and 0 where f is 0, though x may be Infinity. */
function times<T>(f: v128, x: v128, zero: v128): v128 {
  return v128.and(v128.mul<T>(f, x), v128.ne<T>(f, zero));
}
