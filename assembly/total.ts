// The total of the losses of all rows, in their order, as two f64: the sum, and what it has lost to rounding (Neumaier 1974). A kernel goes on from
// where the last one stopped.
//
// The loops that compute losses, two rows at a time, add them up as they go, in two locals, which makes them alike. Done by a function over losses
// that they have stored it takes 7 % more of a hinge loss of ten classes, by one that keeps the total in memory 12 %, in a vector 34 % (f32, Node 24).
// The sums are made one after the other, the errors of both at once: 3 to 6 % less than one by one.

export const LOST: usize = 8;

/** The rounding errors of sums: (a + b) − sum (Knuth's TwoSum). */
// @ts-ignore: decorator
@inline
export function lostBy(a: v128, b: v128, sum: v128): v128 {
  const added = f64x2.sub(sum, a);
  return f64x2.add(f64x2.sub(a, f64x2.sub(sum, added)), f64x2.sub(b, added));
}
