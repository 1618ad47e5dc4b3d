// The products of a linear layer as the definition says: one sum over ascending index, a product and a sum two roundings. `round` is Math.fround
// for f32 and the identity for f64, so what it gives is right to the last bit. (A product of two f32 is exact in a double.)

export type Round = (value: number) => number;
export type Matrix = (i: number, j: number) => number;

/** c[i][j] = start[i][j] + a[i][0]·b[0][j] + a[i][1]·b[1][j] + …, row by row. */
export function product(
  round: Round,
  rows: number,
  cols: number,
  depth: number,
  a: Matrix,
  b: Matrix,
  start: Matrix,
): number[] {
  const c: number[] = [];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) {
      let sum = start(i, j);
      for (let k = 0; k < depth; k++) sum = round(sum + round(a(i, k) * b(k, j)));
      c.push(sum);
    }
  }
  return c;
}

/** The same, the products that begin with 0 and are at most `deep` deep, each added to what was there when it is complete. */
export function productOfBlocks(
  round: Round,
  rows: number,
  cols: number,
  depth: number,
  a: Matrix,
  b: Matrix,
  start: Matrix,
  deep: number,
): number[] {
  let c = Array.from({ length: rows * cols }, (_, at) => start(Math.floor(at / cols), at % cols));
  for (let k = 0; k < depth; k += deep) {
    const block = product(
      round,
      rows,
      cols,
      Math.min(deep, depth - k),
      (i, n) => a(i, k + n),
      (n, j) => b(k + n, j),
      () => 0,
    );
    c = c.map((value, at) => round(value + block[at]!));
  }
  return c;
}
