// What a tile of assembly/product.ts cannot be faster than: the sums of 4 rows by two vectors, in registers. The products beside them cost nothing where a
// processor multiplies as often as it adds.

// @ts-ignore: decorator
@inline
function bare<T>(to: usize, n: i32): void {
  const one = v128.load(to);
  let a = one, b = one, c = one, d = one, e = one, f = one, g = one, h = one;
  b = v128.load(to, 16), c = v128.load(to, 32), d = v128.load(to, 48);
  e = v128.load(to, 64), f = v128.load(to, 80), g = v128.load(to, 96), h = v128.load(to, 112);
  for (; n > 0; n--) {
    a = v128.add<T>(a, one), b = v128.add<T>(b, one), c = v128.add<T>(c, one), d = v128.add<T>(d, one);
    e = v128.add<T>(e, one), f = v128.add<T>(f, one), g = v128.add<T>(g, one), h = v128.add<T>(h, one);
  }
  v128.store(to, a), v128.store(to, b, 16), v128.store(to, c, 32), v128.store(to, d, 48);
  v128.store(to, e, 64), v128.store(to, f, 80), v128.store(to, g, 96), v128.store(to, h, 112);
}

export function bareF32(to: usize, n: i32): void {
  bare<f32>(to, n);
}

export function bareF64(to: usize, n: i32): void {
  bare<f64>(to, n);
}
