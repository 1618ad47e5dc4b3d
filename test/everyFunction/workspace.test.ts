import { describe, expect, it } from "vitest";
import { onEveryBackend } from "../catalogue/backends.js";
import { allSignatures, type Functions, type RowLoss, rowLosses } from "../catalogue/functions.js";
import { random } from "../inputs/random.js";
import { drawRow } from "../inputs/values.js";
import { expectSameBits } from "../oracle/expectClose.js";

onEveryBackend(({ api, name }) => {
  const { createWorkspace } = api;

  describe("allocation", () => {
    it("hands out zeroed arrays of one buffer that do not overlap", () => {
      const workspace = createWorkspace({ bytes: 4096 });
      const arrays = [
        workspace.float32(5),
        workspace.float64(3),
        workspace.int32(7),
        workspace.float32(0),
        workspace.float64(1),
      ];
      expect(arrays.map((array) => array.constructor)).toEqual([
        Float32Array,
        Float64Array,
        Int32Array,
        Float32Array,
        Float64Array,
      ]);
      expect(arrays.map((array) => array.length)).toEqual([5, 3, 7, 0, 1]);
      expect(new Set(arrays.map((array) => array.buffer)).size).toBe(1);
      arrays.forEach((array, i) => {
        expect(array.every((value) => value === 0)).toBe(true);
        array.fill(i + 1);
      });
      arrays.forEach((array, i) => {
        expect(array.every((value) => value === i + 1)).toBe(true);
      });
    });

    it("is a RangeError with the sizes when the workspace is full, and after reset() is not", () => {
      const workspace = createWorkspace({ bytes: 1024 });
      workspace.float32(200).fill(7);
      expect(() => workspace.float64(100)).toThrow(RangeError);
      expect(() => workspace.float64(100)).toThrow(/float64.*1024.*800/);
      expect(workspace.float32(4)).toHaveLength(4);
      workspace.reset();
      expect(workspace.float64(100)).toEqual(new Float64Array(100));
      workspace.reset();
      const all = workspace.float32(256);
      expect(all.every((value) => value === 0)).toBe(true);
      expect(() => workspace.int32(1)).toThrow(RangeError);
    });

    it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])("of %d elements is a RangeError", (length) => {
      const workspace = createWorkspace({ bytes: 64 });
      expect(() => workspace.float32(length)).toThrow(RangeError);
      expect(() => workspace.int32(length)).toThrow(/^int32: /);
      expect(workspace.float32(16)).toHaveLength(16);
    });

    it("of what is no number is a TypeError", () => {
      const workspace = createWorkspace({ bytes: 64 });
      expect(() => workspace.float32("4" as never)).toThrow(TypeError);
    });

    it("checks its options", () => {
      for (const bytes of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
        expect(() => createWorkspace({ bytes })).toThrow(RangeError);
      }
      for (const options of [undefined, null, {}, { bytes: "64" }, { bytes: 64, pages: 1 }, 64]) {
        expect(() => createWorkspace(options as { bytes: number })).toThrow(TypeError);
        expect(() => createWorkspace(options as { bytes: number })).toThrow(/^createWorkspace: /);
      }
    });

    it("too large for any memory is a RangeError, and the next workspace works", () => {
      for (const bytes of [2 ** 45, 2 ** 53 - 16])
        expect(() => createWorkspace({ bytes })).toThrow(/^(createWorkspace: no memory for|softmargin: this needs) /);
      expect(() => createWorkspace({ bytes: 2 ** 45 })).toThrow(RangeError);
      expect(createWorkspace({ bytes: 64 }).float32(16)).toHaveLength(16);
    });

    it("of nothing is possible", () => {
      const workspace = createWorkspace({ bytes: 0 });
      expect(workspace.float32(0)).toHaveLength(0);
      expect(() => workspace.float32(1)).toThrow(RangeError);
    });
  });

  it("has every function", () => {
    const workspace = createWorkspace({ bytes: 64 });
    for (const { name } of allSignatures) expect(workspace[name]).toBeTypeOf("function");
  });

  // every size class: rows shorter than a vector, around blocks, longer than any block
  describe.each([
    [1, 5],
    [7, 3],
    [64, 10],
    [9, 130],
    [3, 3000],
    [1, 20000],
  ])("%i rows of %i", (rows, classes) => {
    const n = rows * classes;
    const options = { shape: [rows, classes] };
    const draw = random(n);
    const values = Float32Array.from(drawRow(draw, n, "normal", "Float32Array"));
    const dvalues = Float32Array.from(drawRow(draw, n, "normal", "Float32Array"));
    const classesOf = Int32Array.from({ length: rows }, () => draw.integer(0, classes - 1));
    const weights = Float32Array.from({ length: classes }, () => draw.integer(1, 8) / 8);
    const createdFor = () => createWorkspace({ bytes: 96 * n + 80 * rows + 80 * classes + 1024 });

    it.each(["float32", "float64"] as const)("%s: the same bits, in the workspace, mixed and in place", (kind) => {
      const workspace = createdFor();
      const plain = (data: Float32Array) =>
        (kind === "float32" ? data.slice() : Float64Array.from(data)) as Float32Array;
      const inside = (data: Float32Array) => {
        const array = workspace[kind](data.length) as Float32Array;
        array.set(data);
        return array;
      };
      for (const [name, call] of Object.entries(calls(options))) {
        const wanted = call(api, plain, plain, classesOf);
        for (const place of [inside, plain, alternately(inside, plain), alternately(plain, inside)]) {
          const inputs: [Float32Array, Float32Array][] = [];
          const input = (data: Float32Array) => {
            const array = place(data);
            inputs.push([array, array.slice()]);
            return array;
          };
          workspace.reset();
          const targets = workspace.int32(rows);
          targets.set(classesOf);
          const got = call(workspace, input, place, place === plain ? classesOf : targets);
          got.forEach((array, i) => {
            expectSameBits(array, wanted[i]!, () => `${name}, result ${i}`);
          });
          for (const [array, before] of inputs) expectSameBits(array, before, () => `${name}, an input`);
          expectSameBits(targets, classesOf, () => `${name}, the targets`);
        }
      }
    });

    /** The functions on arrays that `input` and `output` have put somewhere; an output may be an input at the same time. */
    function calls(options: { shape: number[] }) {
      type Place = (data: Float32Array) => Float32Array;
      type Call = (f: Functions, input: Place, output: Place, targets: Int32Array) => ArrayLike<number>[];
      const same = (x: Float32Array, f: (x: Float32Array) => Float32Array) => {
        expect(f(x)).toBe(x);
        return x;
      };
      const map =
        (name: "softmax" | "logSoftmax"): Call =>
        (f, input, output) => [
          f[name](input(values), options),
          f[name](input(values), { ...options, out: output(values) }),
          same(output(values), (x) => f[name](x, { ...options, out: x })),
        ];
      const product =
        (name: "softmaxGrad" | "logSoftmaxGrad"): Call =>
        (f, input, output) => [
          f[name](input(values), input(dvalues), options),
          same(output(values), (y) => f[name](y, input(dvalues), { ...options, out: y })),
          same(output(dvalues), (dy) => f[name](input(values), dy, { ...options, out: dy })),
        ];
      const loss =
        (name: RowLoss, own: { form?: "crammer-singer" } = {}): Call =>
        (f, input, output, targets) => {
          const all = { ...options, ...own, reduction: "none", weight: input(weights) } as const;
          const lossAndGrad = f[`${name}Grad`];
          const { loss, grad } = lossAndGrad(input(values), targets, all);
          const x = output(values);
          return [
            loss,
            grad,
            lossAndGrad(x, targets, { ...all, grad: x }).grad,
            lossAndGrad(input(values), targets, { ...options, grad: output(dvalues), accumulate: true }).grad,
            [f[name](input(values), targets, options)],
          ];
        };
      return {
        softmax: map("softmax"),
        logSoftmax: map("logSoftmax"),
        softmaxGrad: product("softmaxGrad"),
        logSoftmaxGrad: product("logSoftmaxGrad"),
        logSumExp: ((f, input, output) => [
          f.logSumExp(input(values), options),
          f.logSumExp(input(values), { ...options, out: output(values.subarray(0, rows)) }),
        ]) satisfies Call,
        ...Object.fromEntries(rowLosses.map((name) => [name, loss(name)])),
        probabilities: ((f, input) => {
          const { loss, grad } = f.crossEntropyGrad(input(values), input(dvalues.map(Math.abs)), options);
          return [[loss], grad];
        }) satisfies Call,
        "crammer-singer": loss("hinge", { form: "crammer-singer" }),
      } satisfies Record<string, Call>;
    }
  });

  it.skipIf(name === "baseline").each([
    [1, 8],
    [64, 10],
    [3, 3000],
  ])("%i rows of %i are computed where they are, without a copy", (rows, classes) => {
    const n = rows * classes;
    const options = { shape: [rows, classes] };
    const workspace = createWorkspace({ bytes: 3 * 4 * n });
    // the first one begins and the last one ends where the workspace does
    const [x, dy, y] = [workspace.float32(n), workspace.float32(n), workspace.float32(n)];
    for (const array of [x, dy]) array.set(drawRow(random(n), n, "normal", "Float32Array"));
    const outside = () => new Uint8Array(x.buffer, y.byteOffset + y.byteLength);
    const before = outside().slice();
    workspace.softmax(x, { ...options, out: y });
    workspace.softmaxGrad(y, dy, { ...options, out: x });
    workspace.logSoftmax(dy, { ...options, out: dy });
    workspace.logSoftmaxGrad(dy, y, { ...options, out: y });
    expect(Buffer.compare(outside(), before)).toBe(0);
  });

  it.skipIf(name === "baseline").each([-16, 16, 64])(
    "an array that begins %i bytes from the workspace's end, in the kernels' memory, is one like any other",
    (offset) => {
      const values = drawRow(random(2), 500, "normal", "Float32Array");
      const workspace = createWorkspace({ bytes: 64 });
      const { buffer, byteOffset } = workspace.float32(16);
      const x = new Float32Array(buffer, byteOffset + 64 + offset, 500);
      x.set(values);
      expectSameBits(workspace.softmax(x), api.softmax(Float32Array.from(values)), () => "the result");
    },
  );

  it("arrays stay valid while other calls grow the memory, and other workspaces come and go", () => {
    const workspace = createWorkspace({ bytes: 4096 });
    const x = workspace.float32(100);
    x.set(drawRow(random(1), 100, "normal", "Float32Array"));
    const want = api.softmax(x.slice());
    api.softmax(new Float32Array(3_000_000));
    const other = createWorkspace({ bytes: 1 << 20 });
    other.float64(1000).fill(3);
    expect(x).toHaveLength(100);
    expectSameBits(workspace.softmax(x), want, () => "after growing");
    expectSameBits(other.softmax(x), want, () => "in another workspace");
    expectSameBits(api.softmax(x), want, () => "in the plain function");
    expectSameBits(api.softmax(x, { out: x }), want, () => "in place in the plain function");
  });

  it("arrays in it are not copied: class probabilities, weights, upstream gradients", () => {
    const workspace = api.createWorkspace({ bytes: 1 << 20 });
    const [rows, classes] = [20, 1000];
    const array = () => workspace.float32(rows * classes).fill(1 / classes);
    const [x, targets, grad] = [array(), array(), array()];
    const weight = workspace.float32(classes).fill(1);
    const sampleWeight = workspace.float64(rows).fill(1);
    const real = { Float32Array, Float64Array };
    let copies = 0;
    const counting = (Kind: typeof Float32Array | typeof Float64Array) =>
      new Proxy(Kind, {
        construct(target, args: unknown[], newTarget) {
          copies += Number(ArrayBuffer.isView(args[0]));
          return Reflect.construct(target, args, newTarget) as object;
        },
      });
    try {
      Object.assign(globalThis, { Float32Array: counting(Float32Array), Float64Array: counting(Float64Array) });
      workspace.crossEntropyGrad(x, targets, { shape: [rows, classes], weight, sampleWeight, grad });
      workspace.softmaxGrad(x, targets, { shape: [rows, classes], out: grad });
    } finally {
      Object.assign(globalThis, real);
    }
    expect(copies).toBe(0);
  });

  it("errors leave the arrays as they were", () => {
    const workspace = createWorkspace({ bytes: 1024 });
    const x = workspace.float32(6);
    const before = x.fill(2).slice();
    expect(() => workspace.crossEntropyGrad(x, [0, 3], { grad: x })).toThrow(/targets\[1\]/);
    expect(() => workspace.softmax(x, { out: x, temperature: 0 })).toThrow(RangeError);
    expectSameBits(x, before, () => "x");
  });
});

/** The first array in one place, the second in the other, and so on. */
function alternately<T>(...places: ((data: T) => T)[]): (data: T) => T {
  let turn = 0;
  return (data) => places[turn++ % places.length]!(data);
}
