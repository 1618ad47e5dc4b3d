// What is easily meant by a wrong argument, and what the error says of it; and what is right although it looks unusual.
import { expect, it } from "vitest";
import { onEveryBackend } from "../catalogue/backends.js";

onEveryBackend(({ api }) => {
  const { softmax, crossEntropy, crossEntropyGrad, hinge, linearCrossEntropy } = api;
  const anything = (value: unknown) => value as never;
  const f32 = (...values: number[]) => Float32Array.from(values);
  const x6 = f32(1, 2, 3, 4, 5, 6);

  const table: [what: string, call: () => unknown, error: new () => Error, message: string][] = [
    [
      "class probabilities without shape, which would be one row",
      () => crossEntropy(x6, f32(1, 0, 0, 0, 1, 0)),
      TypeError,
      "crossEntropy: shape must be given with class probabilities, [C] for one row, got undefined",
    ],
    [
      "one-hot lists",
      () => crossEntropy([1, 2, 3, 4, 5, 6], [0, 1, 0, 0, 0, 1]),
      RangeError,
      "crossEntropy: targets[1] must be in [0, 1) or ignoreIndex, got 1; 6 targets for 6 logits are rows of one class; " +
        "class probabilities go in a typed array like the logits, with shape",
    ],
    [
      "class indices in an array of floats",
      () => crossEntropy(x6, f32(2, 1)),
      RangeError,
      "crossEntropy: targets.length must be logits.length = 6, got 2; a Float32Array holds class probabilities, indices go in an integer array",
    ],
    [
      "a hinge of floats",
      () => hinge(x6, anything(f32(2, 1))),
      TypeError,
      "hinge: targets must be class indices (a number, an integer typed array or an array of numbers), got a Float32Array of length 2",
    ],
    [
      "a list beside a typed array",
      () => api.softmaxGrad([1, 2], anything(f32(1, 2))),
      TypeError,
      "softmaxGrad: dy must be an array of numbers or a Float64Array, as y, got a Float32Array of length 2",
    ],
    [
      "nested lists",
      () =>
        softmax(
          anything([
            [1, 2],
            [3, 4],
          ]),
        ),
      TypeError,
      "softmax: x[0] must be a number, got an array of length 2; flatten it and pass shape: [2, 2]",
    ],
    [
      "nested one-hot targets",
      () =>
        crossEntropy(
          x6,
          anything([
            [0, 1, 0],
            [0, 0, 1],
          ]),
          { shape: [2, 3] },
        ),
      TypeError,
      "crossEntropy: targets[0] must be a number, got an array of length 3; flatten it; class probabilities go in a typed array like the logits, with shape",
    ],
    [
      "nested one-hot targets of a layer",
      () => linearCrossEntropy(f32(1, 2), new Float32Array(6), anything([[0, 1, 0]])),
      TypeError,
      "linearCrossEntropy: targets[0] must be a number, got an array of length 3; flatten it; class probabilities go in a typed array like the logits, with shape",
    ],
    [
      "nested class indices",
      () => hinge(x6, anything([[0], [1]])),
      TypeError,
      "hinge: targets[0] must be a number, got an array of length 1; flatten it",
    ],
    [
      "nested labels",
      () => api.binaryCrossEntropy([1, 2], anything([[0, 1]])),
      TypeError,
      "binaryCrossEntropy: targets[0] must be a number, got an array of length 2; flatten it and pass shape: [1, 2]",
    ],
    [
      "nested weights, of which shape would not be that of the call",
      () => api.linear([1, 2], anything([[1, 2]])),
      TypeError,
      "linear: weight[0] must be a number, got an array of length 2; flatten it",
    ],
    [
      "nested options",
      () => crossEntropy(x6, [0, 1], { sampleWeight: anything([[1], [2]]) }),
      TypeError,
      "crossEntropy: sampleWeight[0] must be a number, got an array of length 1; flatten it",
    ],
    [
      "one weight for all classes",
      () => crossEntropy(x6, [0, 1], { weight: anything(3) }),
      TypeError,
      "crossEntropy: weight must be a Float32Array, a Float64Array or an array of numbers, got 3; one for each of the classes (3)",
    ],
    [
      "one weight for all classes of a layer",
      () => linearCrossEntropy(f32(1, 2), new Float32Array(6), [1], { classWeight: anything("balanced") }),
      TypeError,
      'linearCrossEntropy: classWeight must be a Float32Array, a Float64Array or an array of numbers, got "balanced"; one for each of the classes (3)',
    ],
    [
      "one weight for all rows",
      () => hinge(x6, [0, 1], { sampleWeight: anything(2) }),
      TypeError,
      "hinge: sampleWeight must be a Float32Array, a Float64Array or an array of numbers, got 2; one for each of the rows (2)",
    ],
    [
      "one weight for all labels that are present, as in TensorFlow",
      () => api.binaryCrossEntropy(x6, [0, 1, 0, 0, 1, 1], { posWeight: anything(3), shape: [3, 2] }),
      TypeError,
      "binaryCrossEntropy: posWeight must be a Float32Array, a Float64Array or an array of numbers, got 3; one for each of the labels (2)",
    ],
    [
      "a tensor of weights, of which shape would not be that of the call",
      () => crossEntropy(x6, [0, 1], { weight: anything({ data: f32(1, 2, 3), dims: [3] }) }),
      TypeError,
      "crossEntropy: weight must be a Float32Array, a Float64Array or an array of numbers, got an object; pass weight.data",
    ],
    [
      "a tensor of weights of rows",
      () => crossEntropy(x6, [0, 1], { sampleWeight: anything({ dataSync() {}, shape: [2] }) }),
      TypeError,
      "crossEntropy: sampleWeight must be a Float32Array, a Float64Array or an array of numbers, got an object; pass sampleWeight.dataSync()",
    ],
    [
      "a tensor of a layer's weights",
      () => api.linear(f32(1, 2), anything({ data: f32(1, 2), dims: [1, 2] })),
      TypeError,
      "linear: weight must be a Float32Array, as x, got an object; pass weight.data",
    ],
    [
      "a mask of bytes",
      () => crossEntropy(x6, [0, 1], { sampleWeight: anything(Uint8Array.of(1, 0)) }),
      TypeError,
      "crossEntropy: sampleWeight must be a Float32Array, a Float64Array or an array of numbers, got a Uint8Array of length 2; Float32Array.from(sampleWeight) converts it",
    ],
    [
      "integers",
      () => softmax(anything(Int32Array.of(1, 2, 3))),
      TypeError,
      "softmax: x must be a Float32Array, a Float64Array or an array of numbers, got an Int32Array of length 3; Float32Array.from(x) converts it",
    ],
    [
      "bits of half floats",
      () => softmax(anything(Uint16Array.of(0x3c00, 0x4000))),
      TypeError,
      "softmax: x must be a Float32Array, a Float64Array or an array of numbers, got a Uint16Array of length 2; float16ToFloat32(x) reads it as half floats, Float32Array.from(x) as integers",
    ],
    [
      "a tensor of ONNX Runtime or transformers.js",
      () => softmax(anything({ data: f32(1, 2), dims: [1, 2] })),
      TypeError,
      "softmax: x must be a Float32Array, a Float64Array or an array of numbers, got an object; pass x.data with { shape: x.dims }",
    ],
    [
      "an ndarray",
      () => softmax(anything({ data: f32(1, 2), shape: [1, 2] })),
      TypeError,
      "softmax: x must be a Float32Array, a Float64Array or an array of numbers, got an object; pass x.data with { shape: x.shape }",
    ],
    [
      "a tensor of TensorFlow.js",
      () => crossEntropy(anything({ data() {}, dataSync() {}, shape: [1, 2] }), [0]),
      TypeError,
      "crossEntropy: logits must be a Float32Array, a Float64Array or an array of numbers, got an object; " +
        "pass logits.dataSync() with { shape: logits.shape }",
    ],
    [
      "an object that cannot be asked",
      () =>
        softmax(
          anything({
            get data() {
              throw new EvalError();
            },
          }),
        ),
      TypeError,
      "softmax: x must be a Float32Array, a Float64Array or an array of numbers, got an object",
    ],
    [
      "the axis of a language model's logits",
      () => crossEntropy(new Float32Array(24), new Int32Array(6), { shape: [2, 3, 4] }),
      RangeError,
      "crossEntropy: targets.length must be the number of rows, 8, got 6; the class axis is 1 of [2,3,4], with axis: -1 there are 6 rows",
    ],
    [
      "a number of targets that no axis has",
      () => crossEntropy(new Float32Array(24), new Int32Array(5), { shape: [2, 3, 4] }),
      RangeError,
      "crossEntropy: targets.length must be the number of rows, 8, got 5; the class axis is 1 of [2,3,4]",
    ],
    [
      "one-hot lists with their shape",
      () => crossEntropy(new Float32Array(6), [0, 1, 0, 0, 0, 1], { shape: [2, 3] }),
      RangeError,
      "crossEntropy: targets.length must be the number of rows, 2, got 6; class probabilities go in a typed array like the logits, with shape",
    ],
    [
      "one-hot lists for a layer",
      () => linearCrossEntropy(f32(1, 2), new Float32Array(6), [0, 1, 0], { shape: [1, 2] }),
      RangeError,
      "linearCrossEntropy: targets.length must be the number of rows, 1, got 3; class probabilities go in a typed array like the logits, with shape",
    ],
    [
      "no logits for a target",
      () => crossEntropy(f32(), [1]),
      RangeError,
      "crossEntropy: logits.length must be at least 1, a class, got 0",
    ],
    [
      "bytes",
      () => softmax(anything(Uint8Array.of(1, 2, 3))),
      TypeError,
      "softmax: x must be a Float32Array, a Float64Array or an array of numbers, got a Uint8Array of length 3; Float32Array.from(x) converts it",
    ],
    [
      "integers beside a Float64Array",
      () => api.sigmoidGrad(Float64Array.of(0.5), anything(Int32Array.of(1))),
      TypeError,
      "sigmoidGrad: dy must be a Float64Array, as y, got an Int32Array of length 1; Float64Array.from(dy) converts it",
    ],
    [
      "a result for which a copy would be of no use",
      () => softmax(x6, { out: anything(new Int32Array(6)) }),
      TypeError,
      "softmax: out must be a Float32Array, as the input, got an Int32Array of length 6",
    ],
    [
      "a list of upstream gradients for one loss",
      () => crossEntropyGrad([1, 2], [0], { gradOutput: [2] }),
      TypeError,
      'crossEntropyGrad: gradOutput must be a number for reduction "mean", got an array of length 1',
    ],
    [
      "a list beside features",
      () => api.linear(f32(1, 2), f32(1, 2), { bias: anything([1]) }),
      TypeError,
      "linear: bias must be a Float32Array, as x, got an array of length 1",
    ],
    [
      "a tensor of class indices",
      () => crossEntropy(x6, anything({ data: BigInt64Array.of(1n, 2n), dims: [2] })),
      TypeError,
      "crossEntropy: targets must be class indices (a number, an integer typed array or an array of numbers) or class " +
        "probabilities (a Float32Array), got an object; pass targets.data",
    ],
    [
      "a tensor of labels",
      () => api.binaryCrossEntropy([1, 2], anything({ dataSync() {}, shape: [2] })),
      TypeError,
      "binaryCrossEntropy: targets must be a Float64Array, an integer typed array or an array of numbers, got an object; pass targets.dataSync()",
    ],
    [
      "a tensor of half floats",
      () => api.float16ToFloat32(anything({ data: Uint16Array.of(1), dims: [1] })),
      TypeError,
      "float16ToFloat32: bits must be a Uint16Array or a Float16Array, got an object; pass bits.data",
    ],
    [
      "adding to nothing",
      () => crossEntropyGrad(x6, [1], { accumulate: true }),
      TypeError,
      "crossEntropyGrad: grad must be given with accumulate, got undefined",
    ],
  ];
  it.each(table)("%s", (_, call, error, message) => {
    expect(call).toThrow(new error().constructor as new () => Error);
    expect(call).toThrow(new RegExp(`^${message.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`));
  });

  it("a number is one target", () => {
    const x = f32(1, 2, 3);
    expect(crossEntropy(x, 2)).toBe(crossEntropy(x, [2]));
    expect(hinge(x, 2)).toBe(hinge(x, [2]));
    expect(crossEntropyGrad(x, 0).grad).toEqual(crossEntropyGrad(x, [0]).grad);
    expect(crossEntropy(x, -100, { emptyMean: 0 })).toBe(0);
    expect(() => crossEntropy(x, 3)).toThrow(RangeError);
  });

  it("probabilities with shape", () => {
    expect(crossEntropy(x6, f32(1, 0, 0, 0, 1, 0), { shape: [2, 3] })).toBe(crossEntropy(x6, [0, 1], {}));
  });

  it("many values to ignore take no longer than few", () => {
    const rows = 80_000;
    const targets = Int32Array.from({ length: rows }, (_, r) => -1 - r);
    const ignoreIndex = Array.from(targets);
    expect(crossEntropy(new Float32Array(2 * rows), targets, { ignoreIndex, emptyMean: 7 })).toBe(7);
  });

  it("a weighted mean does not overflow on its way", () => {
    const x = [1, 2, 3, 0];
    const mean = crossEntropyGrad(x, [0, 1], { sampleWeight: [1, 3] });
    for (const scale of [1e-310, 1e308 / 3, 5e-324]) {
      const scaled = crossEntropyGrad(x, [0, 1], { sampleWeight: [scale, 3 * scale] });
      expect(scaled.loss).toBeCloseTo(mean.loss, 12);
      for (const [i, g] of scaled.grad.entries()) expect(g).toBeCloseTo(mean.grad[i]!, 12);
    }
  });
});
