// Softmax, its logarithm and the cross-entropy as one writes them for a Float32Array, to be measured beside softmargin. The maximum is subtracted.

type Shape = { readonly shape: readonly [rows: number, classes: number] };

export function softmax(row: Float32Array) {
  const max = Math.max(...row);
  const e = row.map((logit) => Math.exp(logit - max));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((part) => part / sum);
}

export function logSumExp(row: Float32Array) {
  const max = Math.max(...row);
  return max + Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - max), 0));
}

export function crossEntropyGrad(row: Float32Array, y: number) {
  const p = softmax(row);
  const loss = -Math.log(p[y]);
  p[y] -= 1;
  return { loss, grad: p };
}

/** The same for many rows, called as softmargin is. */
export const loops = {
  softmax: (x: Float32Array, { shape }: Shape) => rows(x, shape[1], softmax),
  logSoftmax: (x: Float32Array, { shape }: Shape) => rows(x, shape[1], (row) => softmax(row).map(Math.log)),
  logSumExp: (x: Float32Array, { shape }: Shape) => rows(x, shape[1], (row) => [logSumExp(row)]),
  crossEntropy: (x: Float32Array, targets: Int32Array) =>
    rows(x, x.length / targets.length, (row, r) => [crossEntropyGrad(row, targets[r]).loss]),
  crossEntropyGrad: (x: Float32Array, targets: Int32Array) => ({
    grad: rows(x, x.length / targets.length, (row, r) => crossEntropyGrad(row, targets[r]).grad),
  }),
};

function rows(x: Float32Array, classes: number, f: (row: Float32Array, r: number) => ArrayLike<number>): Float32Array {
  const results: number[] = [];
  for (let start = 0; start < x.length; start += classes) {
    results.push(...Array.from(f(x.subarray(start, start + classes), start / classes)));
  }
  return Float32Array.from(results);
}
