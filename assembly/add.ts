// y ← y + x, elementwise: how a gradient is accumulated.

import { VECTOR } from "./simd";

export function add<T>(y: usize, x: usize, n: i32): void {
  const end = y + <usize>n * sizeof<T>();
  for (; y + VECTOR <= end; y += VECTOR, x += VECTOR) v128.store(y, v128.add<T>(v128.load(y), v128.load(x)));
  for (; y < end; y += sizeof<T>(), x += sizeof<T>()) store<T>(y, load<T>(y) + load<T>(x));
}
