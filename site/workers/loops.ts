// Softmax, its logarithm and the cross-entropy as one writes them for a Float32Array, to be measured beside softmargin. The maximum is subtracted.

type Shape = { readonly shape: readonly [rows: number, classes: number] };

export const LOOPS = ["softmax", "logSoftmax", "logSumExp", "crossEntropy", "crossEntropyGrad"];

export const loops = {
  softmax: (x: Float32Array, { shape }: Shape) => rows(x, shape[1], (row) => softmax(row)),
  logSoftmax: (x: Float32Array, { shape }: Shape) => rows(x, shape[1], (row) => softmax(row).map(Math.log)),
  logSumExp: (x: Float32Array, { shape }: Shape) => rows(x, shape[1], (row) => Float32Array.of(logSumExp(row))),
  crossEntropy: (x: Float32Array, targets: Int32Array) =>
    rows(x, x.length / targets.length, (row, r) => Float32Array.of(-Math.log(softmax(row)[targets[r]]))),
  crossEntropyGrad: (x: Float32Array, targets: Int32Array) => ({
    grad: rows(x, x.length / targets.length, (row, r) => {
      const grad = softmax(row);
      grad[targets[r]] -= 1;
      return grad;
    }),
  }),
} as unknown;

function rows(x: Float32Array, classes: number, f: (row: Float32Array, r: number) => Float32Array): Float32Array {
  const results: number[] = [];
  for (let start = 0; start < x.length; start += classes) {
    results.push(...f(x.subarray(start, start + classes), start / classes));
  }
  return Float32Array.from(results);
}

function softmax(row: Float32Array): Float32Array {
  const max = Math.max(...row);
  const e = row.map((logit) => Math.exp(logit - max));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((part) => part / sum);
}

function logSumExp(row: Float32Array): number {
  const max = Math.max(...row);
  return max + Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - max), 0));
}
