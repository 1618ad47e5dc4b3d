// Two steps of the ladder (bench/ladder.ts), f32: softmax a row at a time in SIMD, with x − m rounded and with x − m exact.

/** y = e^(x − m) / Σ e^(x − m) for rows of x, four classes at a time; what is left of a row one by one. */
// @ts-ignore: decorator
@inline
function softmax(y: usize, x: usize, rows: i32, cols: i32, exact: bool): void {
  const bytes = <usize>cols << 2, whole = bytes & ~15;
  for (let r = 0; r < rows; r++, x += bytes, y += bytes) {
    let top = f32x4.splat(-Infinity);
    let i: usize = 0;
    for (; i < whole; i += 16) top = f32x4.max(top, v128.load(x + i));
    for (; i < bytes; i += 4) top = f32x4.max(top, v128.load32_splat(x + i));
    top = f32x4.max(top, v128.shuffle<f32>(top, top, 2, 3, 0, 1));
    top = f32x4.max(top, v128.shuffle<f32>(top, top, 1, 0, 3, 2));

    let sums = f32x4.splat(0);
    for (i = 0; i < whole; i += 16) {
      const e = exp(v128.load(x + i), top, exact);
      v128.store(y + i, e);
      sums = f32x4.add(sums, e);
    }
    sums = f32x4.add(sums, v128.shuffle<f32>(sums, sums, 2, 3, 0, 1));
    let sum = f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 1);
    for (; i < bytes; i += 4) {
      const e = exp(v128.load32_splat(x + i), top, exact);
      v128.store32_lane(y + i, e, 0);
      sum += f32x4.extract_lane(e, 0);
    }

    const scale = f32x4.splat(1 / sum);
    for (i = 0; i < whole; i += 16) v128.store(y + i, f32x4.mul(v128.load(y + i), scale));
    for (; i < bytes; i += 4) v128.store32_lane(y + i, f32x4.mul(v128.load32_splat(y + i), scale), 0);
  }
}

/** e^(x − m) for x ≤ m: 2^n · e^r, with the polynomial of Cephes' expf for e^r. `exact`: with what rounding has taken from x − m (Knuth's TwoSum). */
// @ts-ignore: decorator
@inline
function exp(x: v128, m: v128, exact: bool): v128 {
  const d = f32x4.max(f32x4.sub(x, m), f32x4.splat(-87));
  const n = f32x4.nearest(f32x4.mul(d, f32x4.splat(1.44269504)));
  let r = f32x4.sub(f32x4.sub(d, f32x4.mul(n, f32x4.splat(0.693359375))), f32x4.mul(n, f32x4.splat(-2.1219444e-4)));
  if (exact) {
    const back = f32x4.sub(d, x);
    r = f32x4.add(r, f32x4.sub(f32x4.sub(x, f32x4.sub(d, back)), f32x4.add(m, back)));
  }
  let p = f32x4.splat(1.9875691500e-4);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(p, r), r), r), f32x4.splat(1));
  return f32x4.mul(p, i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23));
}

export function rounded(y: usize, x: usize, rows: i32, cols: i32): void {
  softmax(y, x, rows, cols, false);
}

export function exact(y: usize, x: usize, rows: i32, cols: i32): void {
  softmax(y, x, rows, cols, true);
}
