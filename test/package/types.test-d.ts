// What the compiler must accept, infer and refuse.
import {
  argmax,
  backend,
  binaryCrossEntropy,
  binaryCrossEntropyGrad,
  createWorkspace,
  crossEntropy,
  crossEntropyGrad,
  type Float16ArrayLike,
  float16ToFloat32,
  hinge,
  hingeGrad,
  initialLoss,
  type LayerGradients,
  type LayerGradOptions,
  type LogitsLike,
  type LossParts,
  linear,
  linearCrossEntropy,
  linearCrossEntropyGrad,
  linearHingeGrad,
  logSigmoid,
  logSigmoidGrad,
  logSoftmax,
  logSoftmaxGrad,
  logSumExp,
  type Out,
  type OutOptions,
  type Result,
  ready,
  type SameKind,
  sample,
  sigmoid,
  sigmoidGrad,
  softmax,
  softmaxGrad,
  topK,
} from "softmargin";
import type * as baseline from "softmargin/baseline";
import type * as relaxed from "softmargin/relaxed";
import { create } from "softmargin/wasm";
import { describe, expectTypeOf, it } from "vitest";

const f32 = new Float32Array(6);
const f64 = new Float64Array(6);
const list = [1, 2, 3, 4, 5, 6];
const targets = new Uint8Array(2);
type F32 = Float32Array<ArrayBuffer>;
type F64 = Float64Array<ArrayBuffer>;

describe("results", () => {
  it("are the container of the logits", () => {
    for (const f of [softmax, logSoftmax, logSumExp, sigmoid, logSigmoid]) {
      expectTypeOf(f(f32)).toEqualTypeOf<F32>();
      expectTypeOf(f(f64)).toEqualTypeOf<F64>();
      expectTypeOf(f(list)).toEqualTypeOf<number[]>();
    }
    expectTypeOf(softmaxGrad(f32, f32)).toEqualTypeOf<F32>();
    expectTypeOf(sigmoidGrad(f32, f32)).toEqualTypeOf<F32>();
    expectTypeOf(logSigmoidGrad(list, list)).toEqualTypeOf<number[]>();
    expectTypeOf(logSoftmaxGrad(f64, f64)).toEqualTypeOf<F64>();
    expectTypeOf(softmax([1, 2, 3] as const)).toEqualTypeOf<number[]>();
    expectTypeOf(softmax(f32 as Float32Array | Float64Array)).toEqualTypeOf<F32 | F64>();
  });

  it("are a number for mean and sum, an array for none", () => {
    expectTypeOf(crossEntropy(f32, targets)).toEqualTypeOf<number>();
    expectTypeOf(crossEntropy(f32, targets, {})).toEqualTypeOf<number>();
    expectTypeOf(crossEntropy(f32, targets, { reduction: "mean" })).toEqualTypeOf<number>();
    expectTypeOf(hinge(f32, targets, { reduction: "sum" })).toEqualTypeOf<number>();
    expectTypeOf(crossEntropy(f32, targets, { reduction: "none" })).toEqualTypeOf<F32>();
    expectTypeOf(hinge(f64, targets, { reduction: "none" })).toEqualTypeOf<F64>();
    expectTypeOf(crossEntropy(list, targets, { reduction: "none" })).toEqualTypeOf<number[]>();
    expectTypeOf(crossEntropy(f32, targets, { reduction: "parts" })).toEqualTypeOf<LossParts>();
    expectTypeOf(crossEntropyGrad(f32, targets, { reduction: "parts" }).loss.denominator).toEqualTypeOf<number>();
  });

  it("are the same for losses of elements", () => {
    expectTypeOf(binaryCrossEntropy(f32, f32, { gamma: 2, posWeight: list })).toEqualTypeOf<number>();
    expectTypeOf(binaryCrossEntropy(f64, new Uint8Array(6), { reduction: "none" })).toEqualTypeOf<F64>();
    expectTypeOf(binaryCrossEntropyGrad(f32, list, { axis: 1, shape: [2, 3] })).toEqualTypeOf<{
      loss: number;
      grad: F32;
    }>();
    expectTypeOf(crossEntropyGrad(f32, targets, { gamma: 0.5 }).grad).toEqualTypeOf<F32>();
  });

  it("are a class, or one for each row", () => {
    expectTypeOf(argmax(f32)).toEqualTypeOf<number>();
    expectTypeOf(argmax(f32, { shape: [2, 3] })).toEqualTypeOf<Int32Array<ArrayBuffer>>();
    expectTypeOf(argmax(f32, { shape: [2, 3], out: new Int32Array(2) })).toEqualTypeOf<Int32Array>();
    expectTypeOf(sample(f32, { topK: 2, topP: 0.9, minP: 0.1, random: () => 0.5 })).toEqualTypeOf<number>();
    expectTypeOf(sample(list, { shape: [2, 3], topK: 2 })).toEqualTypeOf<Int32Array<ArrayBuffer>>();
    expectTypeOf(sample(list, { out: new Int32Array(1) })).toEqualTypeOf<Int32Array>();
    const maybe = { shape: undefined as number[] | undefined };
    expectTypeOf(argmax(f32, maybe)).toEqualTypeOf<number | Int32Array>();
    expectTypeOf(sample(f32, maybe)).toEqualTypeOf<number | Int32Array>();
    expectTypeOf(topK(f32, 2).indices).toEqualTypeOf<Int32Array<ArrayBuffer>>();
    expectTypeOf(topK(f32, 2).values).toEqualTypeOf<F32>();
    expectTypeOf(topK(list, 2, { values: "logits" }).values).toEqualTypeOf<number[]>();
  });

  it("are Float32Arrays for half floats", () => {
    const half = f32 as unknown as {
      readonly [Symbol.toStringTag]: "Float16Array";
      length: number;
      [i: number]: number;
    };
    expectTypeOf(softmax(half)).toEqualTypeOf<F32>();
    expectTypeOf(binaryCrossEntropyGrad(half, targets).grad).toEqualTypeOf<F32>();
    expectTypeOf(float16ToFloat32(new Uint16Array(6))).toEqualTypeOf<F32>();
    // @ts-expect-error: a half float's array takes no result
    softmax(half, { out: half });
    // @ts-expect-error: nor weights
    binaryCrossEntropyGrad(half, targets, { weight: half });
    // @ts-expect-error
    linearCrossEntropy(half, half, targets, { classWeight: half });
  });

  it("are loss and gradient for the fused functions", () => {
    expectTypeOf(crossEntropyGrad(f32, targets)).toEqualTypeOf<{ loss: number; grad: F32 }>();
    const none = hingeGrad(list, targets, { reduction: "none", form: "crammer-singer" });
    expectTypeOf(none).toEqualTypeOf<{ loss: number[]; grad: number[] }>();
    const { loss } = crossEntropyGrad(f64, targets, { reduction: "none" });
    expectTypeOf(loss).toEqualTypeOf<F64>();
  });

  it("can be sent, stored and made a Blob of; with `out` they are that", () => {
    new Blob([softmax(f32), crossEntropyGrad(f64, targets).grad, crossEntropy(f32, targets, { reduction: "none" })]);
    const out: Float32Array = f32;
    expectTypeOf(softmax(f32, { out })).toEqualTypeOf<Float32Array>();
    expectTypeOf(softmax(f32, { out: f32 })).toEqualTypeOf<F32>();
    expectTypeOf(hingeGrad(f32, targets, { grad: out }).grad).toEqualTypeOf<Float32Array>();
    softmax(f32, { out: undefined, axis: undefined });
  });

  it("of a layer too", () => {
    const { gradWeight, gradBias, gradX } = linearCrossEntropyGrad(f32, f32, targets, { bias: f32, gradX: true });
    new Blob([gradWeight, gradBias ?? f32, gradX ?? f32]);
    const given: Float32Array = f32;
    const into = linearHingeGrad(f32, f32, targets, { gradWeight: given, gradX: given as Float32Array | boolean });
    expectTypeOf(into.gradWeight).toEqualTypeOf<Float32Array>();
    expectTypeOf(into.gradBias).toEqualTypeOf<F32 | undefined>();
    expectTypeOf(into.gradX).toEqualTypeOf<Float32Array | F32 | undefined>();
    expectTypeOf(linearHingeGrad(list, list, targets, { gradX: list }).gradX).toEqualTypeOf<number[] | undefined>();
    const options: LayerGradOptions<Float32Array> = { gradX: true };
    expectTypeOf(linearHingeGrad(f32, f32, targets, options).gradX).toEqualTypeOf<Float32Array | F32 | undefined>();
    const named: LayerGradients<Float32Array> = linearCrossEntropyGrad(f32, f32, targets);
    expectTypeOf(named.gradWeight).toEqualTypeOf<Float32Array>();
    // @ts-expect-error: the gradient is f64
    linearHingeGrad(f32, f32, targets, { gradWeight: f64 });
  });

  it("of the rest", () => {
    expectTypeOf(initialLoss("hinge", 10, { margin: 2 })).toEqualTypeOf<number>();
    expectTypeOf(backend.name).toEqualTypeOf<"simd" | "relaxed" | "baseline">();
    expectTypeOf(backend.reason).toEqualTypeOf<Error | undefined>();
    expectTypeOf(ready()).resolves.toEqualTypeOf<typeof backend>();
    const workspace = createWorkspace({ bytes: 64 });
    expectTypeOf(workspace.float32(1)).toEqualTypeOf<Float32Array>();
    expectTypeOf(workspace.softmax(f64)).toEqualTypeOf<F64>();
  });
});

describe("arguments", () => {
  it("may be backed by any buffer", () => {
    const shared = new Float32Array(new SharedArrayBuffer(24));
    const unknown: Float32Array = shared;
    softmax(f32, { out: unknown });
    softmax(unknown, { out: f32 });
    softmax(shared, { out: f32 });
    softmaxGrad(f32, softmax(f32));
    softmaxGrad(softmax(f32), f32);
    crossEntropyGrad(f32, targets, { grad: unknown });
  });

  it("may be of a class of the caller's", () => {
    class Logits extends Float32Array {
      name = "";
    }
    const out = new Logits(6);
    expectTypeOf(softmax(out)).toEqualTypeOf<F32>();
    expectTypeOf(softmax(f32, { out })).toEqualTypeOf<Logits>();
    softmaxGrad(out, out);
  });

  it("may be of a type parameter", () => {
    function probabilities<A extends LogitsLike>(x: A): Result<A> {
      return softmax(x);
    }
    expectTypeOf(probabilities(f32)).toEqualTypeOf<F32>();
    expectTypeOf(probabilities(list)).toEqualTypeOf<number[]>();
    expectTypeOf(probabilities(f32 as LogitsLike)).toEqualTypeOf<F32 | F64 | number[]>();

    const withOptions = <A extends LogitsLike>(x: A, options: OutOptions<A>) => softmax(x, options);
    expectTypeOf(withOptions(f32, {})).toEqualTypeOf<Float32Array>();
    const into = <A extends LogitsLike, O extends Out<A>>(x: A, out: O) => softmax(x, { out });
    expectTypeOf(into(f32, f32)).toEqualTypeOf<F32>();
    const grad = <A extends LogitsLike>(y: A, dy: SameKind<A>) => softmaxGrad(y, dy);
    expectTypeOf(grad(list, f64)).toEqualTypeOf<number[]>();
    const layer = <A extends LogitsLike>(x: A, weight: Out<A>): Out<A> => {
      const gradients: LayerGradients<A> = linearCrossEntropyGrad(x, weight, targets, { gradWeight: weight });
      return gradients.gradX ?? linear(x, gradients.gradWeight, { out: weight });
    };
    expectTypeOf(layer(f64, f64)).toEqualTypeOf<Float64Array>();
  });

  it("can be told apart", () => {
    const length = (x: LogitsLike) => {
      if (x instanceof Float32Array) return x.subarray(1).length;
      if (x instanceof Float64Array) return x.subarray(1).length;
      expectTypeOf(x).toEqualTypeOf<Float16ArrayLike | readonly number[]>();
      return x.length;
    };
    length(f32);
  });

  it("may be any kind of class indices, and probabilities only for cross-entropy", () => {
    crossEntropy(f32, new BigInt64Array(2));
    crossEntropy(f32, new Uint8ClampedArray(2));
    crossEntropy(f32, [0, 1] as const);
    crossEntropy(f32, f32);
    crossEntropy(list, f64);
    crossEntropy(f32, 2);
    hinge(f32, 2);
    // @ts-expect-error: probabilities are of the logits' type
    crossEntropy(f32, f64);
    hinge(f32, new BigUint64Array(2));
    // @ts-expect-error: the hinge loss takes no probabilities
    hinge(f32, f32);
    // @ts-expect-error: nor do strings make targets
    crossEntropy(f32, ["0", "1"]);
  });

  it("must be of one kind", () => {
    // @ts-expect-error: out is f64
    softmax(f32, { out: f64 });
    // @ts-expect-error: grad is a list
    crossEntropyGrad(f32, targets, { grad: list });
    // @ts-expect-error: dy is f64
    softmaxGrad(f32, f64);
    // @ts-expect-error: integers are not logits
    softmax(new Int32Array(3));
    // @ts-expect-error: dy is f64
    sigmoidGrad(f32, f64);
    // @ts-expect-error: one γ for all
    binaryCrossEntropy(f32, f32, { gamma: [2] });
    // @ts-expect-error: a margin belongs to the hinge
    binaryCrossEntropy(f32, f32, { margin: 1 });
    // @ts-expect-error: a class goes into an Int32Array
    argmax(f32, { shape: [2, 3], out: f32 });
  });

  it("must be options of that function, and spelt right", () => {
    // @ts-expect-error
    softmax(f32, { temprature: 2 });
    // @ts-expect-error
    softmax(f32, { reduction: "sum" });
    // @ts-expect-error
    crossEntropy(f32, targets, { labelSmooting: 0.1 });
    // @ts-expect-error
    crossEntropy(f32, targets, { grad: f32 });
    // @ts-expect-error
    crossEntropy(f32, targets, { reduction: "avg" });
    // @ts-expect-error
    hinge(f32, targets, { labelSmoothing: 0.1 });
    // @ts-expect-error
    hinge(f32, targets, { p: 3 });
    // @ts-expect-error
    hingeGrad(f32, targets, { form: "one-vs-rest" });
    // @ts-expect-error
    softmaxGrad(f32, f32, { temperature: 2 });
    // @ts-expect-error
    initialLoss("mse", 10);
    // @ts-expect-error
    createWorkspace({ pages: 1 });
  });
});

it("all entry points are of one type", () => {
  type Softmargin = typeof import("softmargin");
  expectTypeOf<typeof baseline>().toEqualTypeOf<Softmargin>();
  expectTypeOf<typeof relaxed>().toEqualTypeOf<Softmargin>();
  expectTypeOf(create(new Uint8Array(8)).softmax).toEqualTypeOf<Softmargin["softmax"]>();
  expectTypeOf(create(fetch("/simd.wasm"))).resolves.toHaveProperty("softmax");
  expectTypeOf(create(new Response())).resolves.toHaveProperty("softmax");
});
