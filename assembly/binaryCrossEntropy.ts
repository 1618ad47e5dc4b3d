// Binary cross-entropy of each element and its target t with its gradient, focal with γ > 0. With u = |x|,
//
//   e = e^−u,  g = 1 / (1 + e) = sigmoid(u),  e g = sigmoid(−u),  L = ln(1 + e) = −ln g,  z = L + u = −ln(e g)
//   a = posWeight · (t (1 − ε) + ε/2),  b = (1 − t)(1 − ε) + ε/2,  exchanged where x < 0, since that is −x with the opposite target
//
//   loss = weight · g^γ (a e^γ L + b z)                               every term is ≥ 0, nothing cancels
//   grad = weight · g^(γ + 1) (b (1 + γ e z) − a e^γ (e + γ L)) · gradOutput · gradScale,  where x < 0 times −1
//
// In f64, e and L carry their rounding errors: for γ = 2 loss and gradient are within 3 and 4 ulp, where products of rounded factors have 6 and 7. Powers
// other than squares are e^(−γ u) and e^(−γ L): their error grows with the exponent, so only f32 has them, computed in f64.
//
// An element whose weight is 0 gives exactly 0, whatever it holds. Lin et al., "Focal loss for dense object detection" (2017).
//
// total: see rows.ts; all other arrays: [n], 0 if absent. grad may be x.

import { blockExp, blockExpLost } from "./blockExp";
import { expTable, unscale } from "./exp";
import { log1pLacks } from "./log";
import { LOST, lostByBoth, plusBoth } from "./rows";
import { E, move, restTo, wholeBlock } from "./sigmoid";
import { CHUNK, VECTOR, ZEROS, addHigh, addLow, lostBy, one, pair, storeSum } from "./simd";

// Of a block: g and L; e^γ and g^γ, but for squares; the rounding errors of e and L.
const G = memory.data(2048, 16);
const L = memory.data(2048, 16);
const E_POWER = memory.data(2048, 16);
const G_POWER = memory.data(2048, 16);
const E_LOST = memory.data(2048, 16);
const L_LOST = memory.data(2048, 16);
// The first 17 bits: a product of three such numbers is exact.
const HEAD = memory.data<i64>([-68719476736]);
const SUM = memory.data(32, 16);
// The last elements of each array, which fill no chunk.
const REST = memory.data(7 * 64, 16);

// An f32 focal loss is computed in f64, some elements at a time: in f32 the powers would multiply the errors of p, to 9 ulp for γ = 2.
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
    binaryCrossEntropy<f64, f32>(
      total, losses, grad ? grads : 0, widened(0, x, at, count), widened(1, targets, at, count), widened(2, weight, at, count),
      widened(3, posWeight, at, count), widened(4, gradOutput, at, count), count, smoothing, gamma, gradScale,
    );
    if (loss) narrow(loss + at, losses, count);
    if (grad) narrow(grad + at, grads, count);
  }
}

/** n numbers of an f32 array from `at` on as f64, in the given place; 0 if it is absent. */
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

/** T: the type of the arrays and of the computation; P: the type whose precision is enough. */
export function binaryCrossEntropy<T, P>(
  total: usize, loss: usize, grad: usize, x: usize, targets: usize, weight: usize, posWeight: usize, gradOutput: usize,
  n: i32, smoothing: f64, gamma: f64, gradScale: f64,
): void {
  const table = expTable<T>(1);
  let left = <usize>n * sizeof<T>();
  while (left >= CHUNK) {
    const part = wholeBlock(left);
    block<T, P>(total, loss, grad, x, targets, weight, posWeight, gradOutput, part, smoothing, <T>gamma, <T>gradScale, table);
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
  // The padding weighs 0.
  restTo<T>(w, weight ? weight : REST, left);
  if (!weight) for (let i: usize = 0; i < left; i += sizeof<T>()) store<T>(w + i, 1);
  if (posWeight) restTo<T>(REST + 3 * CHUNK, posWeight, left);
  if (gradOutput) restTo<T>(REST + 4 * CHUNK, gradOutput, left);
  block<T, P>(
    total, l, grad ? g : 0, REST, REST + CHUNK, w, posWeight ? REST + 3 * CHUNK : 0, gradOutput ? REST + 4 * CHUNK : 0, CHUNK, smoothing, <T>gamma,
    <T>gradScale, table,
  );
  if (loss) move<T>(loss, l, left);
  if (grad) move<T>(grad, g, left);
}

function block<T, P>(
  total: usize, loss: usize, grad: usize, x: usize, targets: usize, weight: usize, posWeight: usize, gradOutput: usize,
  bytes: usize, smoothing: f64, gamma: T, gradScale: T, table: usize,
): void {
  const ones = one<T>(), zero = v128.load(ZEROS), signs = v128.neg<T>(zero);
  const keep = v128.splat<T>(<T>(1 - smoothing)), half = v128.splat<T>(<T>(smoothing / 2));
  const gammas = v128.splat<T>(gamma), scale = v128.splat<T>(gradScale);
  const exact = sizeof<P>() == 8, focal = sizeof<T>() != sizeof<P>() || (exact && gamma != 0);
  blockTerms<T, P>(x, bytes, table, focal && exact);
  if (focal && !exact && gamma != 2) {
    power<T>(E_POWER, x, gamma, bytes, table);
    power<T>(G_POWER, L, gamma, bytes, table);
  }
  let sumL = f64x2.splat(0), sumH = sumL;
  for (let i: usize = 0; i < bytes; i += VECTOR) {
    const value = v128.load(x + i), t = v128.load(targets + i), negative = v128.lt<T>(value, zero), u = v128.abs<T>(value);
    let present = v128.add<T>(v128.mul<T>(keep, t), half);
    const absent = v128.add<T>(v128.mul<T>(keep, v128.sub<T>(ones, t)), half);
    if (posWeight) present = v128.mul<T>(present, v128.load(posWeight + i));
    const exchange = v128.and(v128.xor(present, absent), negative), a = v128.xor(present, exchange), b = v128.xor(absent, exchange);
    const e = v128.load(E + i), g = v128.load(G + i), log = v128.load(L + i);
    let l: v128, slope: v128;
    if (!focal) {
      l = v128.add<T>(times<T>(v128.add<T>(a, b), log, zero), times<T>(b, u, zero));
      slope = v128.mul<T>(g, v128.sub<T>(b, v128.mul<T>(a, e)));
    } else if (!exact) {
      const squared = gamma == 2, bz = times<T>(b, v128.add<T>(log, u), zero);
      const c = v128.mul<T>(a, squared ? v128.mul<T>(e, e) : v128.load(E_POWER + i)), power = squared ? v128.mul<T>(g, g) : v128.load(G_POWER + i);
      l = v128.mul<T>(power, v128.add<T>(v128.mul<T>(c, log), bz));
      const up = v128.add<T>(b, v128.mul<T>(gammas, times<T>(e, bz, zero))), down = v128.mul<T>(c, v128.add<T>(e, v128.mul<T>(gammas, log)));
      slope = v128.mul<T>(v128.mul<T>(power, g), v128.sub<T>(up, down));
    } else {
      // Numbers with more digits than one f64 are a sum: a head of 17 bits, or a product of such heads, and a tail.
      const eLost = v128.load(E_LOST + i), d = f64x2.add(ones, e), dLost = f64x2.add(f64x2.sub(e, f64x2.sub(d, ones)), eLost);
      const head = v128.load64_splat(HEAD), e1 = v128.and(e, head), e2 = f64x2.add(f64x2.sub(e, e1), eLost);
      const d1 = v128.and(d, head), d2 = f64x2.add(f64x2.sub(d, d1), dLost);
      const g1 = v128.and(g, head), g2 = f64x2.mul(f64x2.sub(f64x2.sub(ones, f64x2.mul(g1, d1)), f64x2.mul(g1, d2)), g);
      // c = e^γ, h = g^γ and k = g^(γ + 1)
      let c1 = e1, c2 = e2, h1 = g1, h2 = g2, k1 = f64x2.mul(g1, g1), k2 = tail(g1, g2, g1, g2);
      if (gamma == 2) {
        c1 = f64x2.mul(e1, e1), c2 = tail(e1, e2, e1, e2);
        h1 = k1, h2 = k2, k1 = f64x2.mul(h1, g1), k2 = tail(h1, h2, g1, g2);
      }
      c1 = f64x2.mul(a, c1), c2 = f64x2.mul(a, c2);
      const z = f64x2.add(log, u), logLost = v128.load(L_LOST + i), zLost = f64x2.add(f64x2.sub(log, f64x2.sub(z, u)), logLost);
      const first = times<f64>(c1, log, zero), second = times<f64>(b, z, zero), sum = f64x2.add(first, second);
      let rest = f64x2.add(f64x2.add(f64x2.mul(c2, log), f64x2.mul(c1, logLost)), f64x2.add(f64x2.mul(b, zLost), lostBy(first, second, sum)));
      rest = f64x2.add(f64x2.mul(sum, h2), f64x2.mul(rest, f64x2.add(h1, h2)));
      const sum1 = v128.and(sum, head);
      rest = f64x2.add(rest, f64x2.mul(f64x2.sub(sum, sum1), h1));
      // The rounding error of an infinite loss is NaN: left out.
      l = f64x2.add(f64x2.mul(sum1, h1), v128.and(rest, f64x2.eq(rest, rest)));
      const up = f64x2.mul(f64x2.mul(gammas, b), times<f64>(e, z, zero)), down = f64x2.add(e, f64x2.mul(gammas, log));
      const minus = f64x2.neg(f64x2.mul(c1, down)), some = f64x2.add(b, minus), all = f64x2.add(some, up);
      rest = f64x2.sub(f64x2.add(lostBy(b, minus, some), lostBy(some, up, all)), f64x2.mul(c2, down));
      slope = f64x2.add(f64x2.mul(all, k1), f64x2.add(f64x2.mul(all, k2), f64x2.mul(rest, f64x2.add(k1, k2))));
    }
    if (weight) l = times<T>(v128.load(weight + i), l, zero);
    sumH = addHigh<T>(sumH, sumL, l, false), sumL = addLow<T>(sumL, l, false);
    if (loss) v128.store(loss + i, l);
    if (!grad) continue;
    slope = v128.mul<T>(v128.xor(slope, v128.and(negative, signs)), gradOutput ? v128.mul<T>(scale, v128.load(gradOutput + i)) : scale);
    if (weight) slope = times<T>(v128.load(weight + i), slope, zero);
    // Not −0.
    v128.store(grad + i, v128.add<T>(slope, zero));
  }
  storeSum<T>(SUM, sumL, sumH, 1, true);
  const both = pair(load<f64>(SUM), 0), sum = load<f64>(total);
  store<f64>(total, load<f64>(total, LOST) + lostByBoth(sum, both), LOST);
  store<f64>(total, plusBoth(sum, both));
}

/** E, G and L of a block; `lost`: also E_LOST and L_LOST. A loop of its own, since together with the loss it would not fit the registers. */
function blockTerms<T, P>(x: usize, bytes: usize, table: usize, lost: bool): void {
  const ones = one<T>(), twos = v128.add<T>(ones, ones), scale = unscale<T>();
  blockExp<T>(E, x, bytes, table);
  if (lost) blockExpLost(E_LOST, E, bytes);
  for (let i: usize = 0; i < bytes; i += VECTOR) {
    const e = v128.mul<T>(v128.load(E + i), scale), d = v128.add<T>(ones, e), d2 = v128.add<T>(twos, e);
    let g: v128, q: v128;
    if (sizeof<T>() == sizeof<P>()) {
      g = v128.div<T>(ones, d), q = v128.div<T>(e, d2);
    } else {
      // One division instead of two.
      const both = v128.div<T>(ones, v128.mul<T>(d, d2));
      g = v128.mul<T>(both, d2), q = v128.mul<T>(e, v128.mul<T>(both, d));
    }
    const lacks = log1pLacks<T, P>(e, q), log = v128.sub<T>(e, lacks);
    v128.store(E + i, e);
    v128.store(G + i, g);
    v128.store(L + i, log);
    if (!lost) continue;
    const eLost = v128.mul<T>(v128.load(E_LOST + i), scale);
    v128.store(E_LOST + i, eLost);
    v128.store(L_LOST + i, v128.add<T>(v128.sub<T>(v128.sub<T>(e, log), lacks), v128.mul<T>(eLost, g)));
  }
}

/** e^(−γ |x|) */
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

/** (x1 + x2) · (y1 + y2) without x1 · y1 */
function tail(x1: v128, x2: v128, y1: v128, y2: v128): v128 {
  return f64x2.add(f64x2.mul(x1, y2), f64x2.mul(x2, f64x2.add(y1, y2)));
}
