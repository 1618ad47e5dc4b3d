// The exponential itself, through logSoftmaxGrad: dx = dy − e^y · Σ dy. With dy = 0, …, 0, −1 that is e^y but for the last element, exactly: Σ dy
// and its product with e^y do not round, except to a subnormal number, where the result belongs there.
import type { Functions } from "softmargin";
import { random } from "../inputs/random.js";
import { exp, real } from "../oracle/real.js";
import { Errors } from "./ulp.js";

const BLOCK = 1 << 16;
/** f32 from −0 to −104, in their order as integers. */
const FIRST = 0x80000000;
const LAST = 0xc2d00000;
export const INPUTS: number = LAST - FIRST + 1;

/** What e^y comes out as; the last element of `y` is lost. */
function expOf<A extends Float32Array | Float64Array>({ logSoftmaxGrad }: Functions, y: A, dy: A): A {
  return logSoftmaxGrad<Float32Array | Float64Array>(y, dy) as A;
}

/** Of the f32 in [−104, −0] those from number `from` to before `to`. The reference is e^x in f64, off by less than 1e-8 ulp of an f32. */
export function sweepExp(functions: Functions, from: number, to: number): Errors {
  const errors = new Errors();
  const y = new Float32Array(BLOCK);
  const bits = new Uint32Array(y.buffer);
  const dy = new Float32Array(BLOCK);
  dy[BLOCK - 1] = -1;
  for (let start = from; start < to; start += BLOCK - 1) {
    const n = Math.min(BLOCK - 1, to - start);
    for (let i = 0; i < n; i++) bits[i] = FIRST + start + i;
    const e = expOf(functions, y, dy);
    for (let i = 0; i < n; i++) errors.seeDouble(e[i]!, Math.exp(y[i]!), "f32", y[i]!);
  }
  return errors;
}

/** f64 in [−745, 0]: half of them uniform, half near where the argument reduction changes over, at odd multiples of ln 2/128. */
export function sampleExp(functions: Functions, count: number): Errors {
  const errors = new Errors();
  const draw = random(count);
  const y = Float64Array.from({ length: count + 1 }, (_, i) => {
    if (i % 2) return draw.uniform(-745, 0);
    return -((draw.integer(0, 64 * 1074) + 0.5) * (Math.LN2 / 64) + draw.uniform(-1e-5, 1e-5));
  });
  const dy = new Float64Array(count + 1);
  dy[count] = -1;
  const e = expOf(functions, y, dy);
  for (let i = 0; i < count; i++) errors.see(e[i]!, exp(real(y[i]!)), "f64", () => `e^${y[i]}`);
  return errors;
}
