// Half floats: all of them, and as what every function takes.
import { Float16Array as Polyfill } from "@petamoriken/float16";
import { expect, it } from "vitest";
import { onEveryBackend } from "../catalogue/backends.js";
import { random } from "../inputs/random.js";
import { expectSameBits } from "../oracle/expectClose.js";
import { half } from "../oracle/half.js";

const all = Uint16Array.from({ length: 65536 }, (_, i) => i);

onEveryBackend(({ api, api: { float16ToFloat32 } }) => {
  it("all 65,536", () => {
    expectSameBits(float16ToFloat32(all), Array.from(all, half), () => "all");
  });

  it("any number of them, at any place, into a given array", () => {
    for (const n of [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 100, 40_000]) {
      for (const offset of [0, 1, 3]) {
        const bits =
          all.subarray(0x3bf0 + offset, 0x3bf0 + offset + n).length === n
            ? all.subarray(0x3bf0 + offset, 0x3bf0 + offset + n)
            : all.slice(0, n);
        const room = new Float32Array(n + 2).fill(-7);
        const out = room.subarray(1, n + 1);
        expect(float16ToFloat32(bits, { out })).toBe(out);
        expectSameBits(out, Array.from(bits, half), () => `${n} at ${offset}`);
        expect([room[0], room[n + 1]]).toEqual([-7, -7]);
      }
    }
  });

  it("over the very bits", () => {
    for (const at of [0, 1, 500, 1000]) {
      const { buffer } = new Float32Array(2000);
      const bits = new Uint16Array(buffer, 2 * at, 1000);
      bits.set(all.subarray(0x3800, 0x3800 + 1000));
      const want = Array.from(bits, half);
      expectSameBits(float16ToFloat32(bits, { out: new Float32Array(buffer, 0, 1000) }), want, () => `at ${at}`);
    }
  });

  it.each([
    [[Float32Array.of(1)], TypeError, /bits must be a Uint16Array/],
    [[[1]], TypeError, /an array of length 1/],
    [[undefined], TypeError, /undefined/],
    [[all, { out: new Float64Array(65536) }], TypeError, /out must be a Float32Array/],
    [[all, { out: new Float32Array(3) }], RangeError, /out\.length must be bits\.length = 65536, got 3/],
    [[all, { shape: [2] }], TypeError, /unknown option "shape"/],
  ])("%#: a wrong argument is an error", (args, type, message) => {
    const call = () => (float16ToFloat32 as (...args: unknown[]) => unknown)(...args);
    expect(call).toThrow(type);
    expect(call).toThrow(message);
  });

  it("of a polyfill's Float16Array the bits are taken, and the array is an error that says so", () => {
    const x = Polyfill.from([1, -2, 65504, 2 ** -24, Number.NaN]).subarray(1);
    const bits = new Uint16Array(x.buffer, x.byteOffset, x.length);
    expectSameBits(float16ToFloat32(bits), [-2, 65504, 2 ** -24, Number.NaN], () => "bits");
    const message = /pass the bits of a polyfill's array to float16ToFloat32: new Uint16Array\((\w+)\.buffer, \1\.byte/;
    expect(() => api.softmax(x)).toThrow(message);
    expect(() => float16ToFloat32(x)).toThrow(message);
  });

  // Node 24 and later
  const { Float16Array: Float16 } = globalThis as { Float16Array?: Float32ArrayConstructor };
  it.skipIf(Float16 === undefined)("a Float16Array is taken as the Float32Array of its numbers", () => {
    const bits = Uint16Array.from({ length: 600 }, (_, i) => 0x3000 + ((i * 37) % 0x1400) + (i % 3 === 0 ? 0x8000 : 0));
    const x = new Float16!(bits.buffer);
    const wide = float16ToFloat32(bits);
    const shape = [6, 100];
    const weight = wide.slice(300).map((w, i) => w * ((i % 5) - 2));
    const targets = [5, 0, 99, 7, 1, 2];
    for (const f of [
      (x: Float32Array) => api.softmax(x, { shape }),
      (x: Float32Array) => api.logSoftmax(x, { shape }),
      (x: Float32Array) => api.logSumExp(x, { shape }),
      (x: Float32Array) => api.softmaxGrad(x, x, { shape }),
      (x: Float32Array) => api.logSoftmaxGrad(x, wide, { shape }),
      (x: Float32Array) => api.crossEntropyGrad(x, targets).grad,
      (x: Float32Array) => [api.crossEntropy(x, x, { shape })],
      (x: Float32Array) => api.hingeGrad(x, targets).grad,
      (x: Float32Array) => api.argmax(x, { shape }),
      (x: Float32Array) => api.topK(x, 5, { shape }).values,
      (x: Float32Array) => [api.sample(x, { random: () => 0.3 })],
      (x: Float32Array) => api.linear(x, weight, { shape }),
      (x: Float32Array) => api.linearCrossEntropyGrad(x, weight, [2, 0, 1, 2, 1, 0]).gradWeight,
      (x: Float32Array) => api.linearHingeGrad(x, weight, [2, 0, 1, 2, 1, 0], { gradX: true }).gradX!,
    ]) {
      const got = f(x);
      expectSameBits(got, f(wide), () => String(f));
      expect(Object.prototype.toString.call(got)).toBe(Object.prototype.toString.call(f(wide)));
    }
    expect(() => api.softmax(wide, { out: x })).toThrow(/out must be a Float32Array/);
    expect(() => api.crossEntropy(wide, targets, { weight: x })).toThrow(/Float32Array\.from\(weight\) converts it/);
  });

  it.skipIf(Float16 === undefined)("as many as a function takes, all of one length", () => {
    const halves = [0x3000, 0x3100, 0x3200, 0x3300].map((start) => new Float16!(all.slice(start, start + 16).buffer));
    const [x, w, bias, t] = halves as [Float32Array, Float32Array, Float32Array, Float32Array];
    const [wideX, wideW, wideBias, wideT] = halves.map((h) => Float32Array.from(h)) as typeof halves;
    const shape = [16, 1];
    expectSameBits(
      api.linear(x, w, { shape, bias }),
      api.linear(wideX!, wideW!, { shape, bias: wideBias! }),
      () => "z",
    );
    const row = [16];
    const square = Float32Array.from({ length: 256 }, (_, i) => Math.sin(i)); // 16 classes of 16 features
    const got = api.linearCrossEntropyGrad(x, square, t, { shape: row, bias }).gradWeight;
    const want = api.linearCrossEntropyGrad(wideX!, square, wideT!, { shape: row, bias: wideBias! }).gradWeight;
    expectSameBits(got, want, () => "gradWeight");
  });

  const halves = (n: number, buffer: ArrayBufferLike = new ArrayBuffer(2 * n), offset = 0) => {
    const x = new Float16!(buffer as ArrayBuffer, offset, n);
    for (let i = 0; i < n; i++) x[i] = ((i * 37) % 101) / 128;
    return x;
  };
  const isHalf = (value: unknown) => Float16 !== undefined && value instanceof Float16;
  const widened = (value: unknown) => (isHalf(value) ? Float32Array.from(value as Float32Array) : value);

  it.skipIf(Float16 === undefined)("many blocks, and classes that do not lie side by side", () => {
    for (const [shape, axis] of [
      [[300, 401], 1],
      [[3, 90_001], 1],
      [[2, 3, 40_003], 1],
      [[70, 2000], 0],
      [[7, 300, 50], 1],
    ] as const) {
      const x = halves(shape.reduce((n, size) => n * size, 1));
      const wide = Float32Array.from(x);
      for (const f of ["softmax", "logSumExp", "argmax", "sigmoid"] as const) {
        const options = f === "sigmoid" ? { shape } : { shape, axis };
        expectSameBits(
          api[f](x, options) as Float32Array,
          api[f](wide, options) as Float32Array,
          () => `${f} ${shape}`,
        );
      }
    }
  });

  it.skipIf(Float16 === undefined)("argmax: rows of any length, NaN, zeros and infinities, in a workspace too", () => {
    const draw = random(16);
    const rows = [
      () => draw.integer(0, 0xffff),
      () => draw.integer(0, 0xfbff),
      () => draw.integer(0x8000, 0xfc00),
      () => draw.pick([0x0000, 0x8000, 0x8001]),
      () => draw.pick([0x8000, 0x8001, 0xfc00]),
      () => draw.pick([0x7c00, 0x7bff, 0xfc00]),
      () => (draw.chance(0.01) ? draw.pick([0x7c01, 0xfc01, 0x7e00, 0xffff]) : draw.pick([0x7c00, 0xfc00])),
      () => 0xc000,
    ];
    const workspace = api.createWorkspace({ bytes: 64 });
    const cols = [...Array.from({ length: 200 }, (_, i) => i + 1), 40_003, 151_936];
    for (const classes of cols)
      for (const inner of classes < 100 ? [1, 3] : [1]) {
        const one = inner * classes;
        const bits = new Uint16Array(rows.length * one);
        for (let i = 0; i < bits.length; i++) bits[i] = rows[Math.floor(i / one)]!();
        const x = new Float16!(bits.buffer);
        const wide = Float32Array.from(x);
        const options = { shape: [rows.length, classes, inner], axis: 1 };
        const want = api.argmax(wide, options);
        expect(api.argmax(x, options), `${classes} × ${inner}`).toEqual(want);
        expect(workspace.argmax(x, options), `${classes} × ${inner}, in a workspace`).toEqual(want);
      }
  });

  it.skipIf(Float16 === undefined)(
    "every array of a call: weights and bias of a layer, targets, all of one length",
    () => {
      const calls: [keyof typeof api, unknown[]][] = [
        ["linear", [halves(2), halves(4), { shape: [1, 2], bias: halves(2).map((b) => b + 10) }]],
        ["linearCrossEntropyGrad", [halves(6), halves(9), halves(6), { shape: [2, 3], bias: halves(3), gradX: true }]],
        ["linearCrossEntropyGrad", [halves(6), halves(9), [0, 2], { bias: halves(3), temperature: 1e-9, l2: 0.5 }]],
        ["binaryCrossEntropyGrad", [halves(50), halves(50)]],
        ["crossEntropyGrad", [halves(50), halves(50), { shape: [5, 10], temperature: 1e-9 }]],
        [
          "crossEntropyGrad",
          [halves(50), halves(50), { shape: [5, 10], meanOver: "weights", weight: [...halves(10)] }],
        ],
        ["topK", [halves(50), 3, { temperature: 1e-9 }]],
        ["sample", [halves(50), { random: () => 0.7, temperature: 1e-9 }]],
      ];
      for (const [name, args] of calls) {
        const f = api[name] as (...args: unknown[]) => unknown;
        const [options] = args.slice(-1) as [Record<string, unknown>];
        const wide = args.map(widened);
        if (!ArrayBuffer.isView(options))
          wide[args.length - 1] = Object.fromEntries(
            Object.entries(options).map(([key, value]) => [key, widened(value)]),
          );
        expect(f(...args), name).toEqual(f(...wide));
      }
    },
  );

  it.skipIf(Float16 === undefined)("over the memory of what is written", () => {
    const shapes = [
      [2000, 2],
      [2, 2, 1000],
      [1, 2, 60_000],
    ] as const;
    for (const shape of shapes)
      for (const workspace of [undefined, api.createWorkspace({ bytes: 2 ** 20 })]) {
        const { logSumExp, softmax } = workspace ?? api;
        const n = shape.reduce((product: number, size) => product * size, 1);
        const room = workspace?.float32(n) ?? new Float32Array(n);
        for (const half of [0, 1]) {
          const fresh = () => halves(n, room.buffer, room.byteOffset + half * 2 * n);
          const wide = Float32Array.from(fresh());
          const small = room.subarray(0, n / 2);
          logSumExp(fresh(), { shape, axis: 1, out: small });
          expectSameBits(small, api.logSumExp(wide, { shape, axis: 1 }), () => `logSumExp ${shape}`);
          softmax(fresh(), { shape, axis: 1, out: room });
          expectSameBits(room, api.softmax(wide, { shape, axis: 1 }), () => `softmax ${shape}`);
        }
      }
  });

  it.skipIf(Float16 === undefined)("shared memory; a detached array is an error, and so is what does not fit", () => {
    const shared = halves(100, new SharedArrayBuffer(200));
    expectSameBits(api.softmax(shared), api.softmax(Float32Array.from(shared)), () => "shared");
    const detached = halves(100);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    expect(() => api.softmax(detached)).toThrow(/x must not be detached/);
    const x = halves(4);
    expect(() => api.softmax(x, { out: new Float64Array(4) as never })).toThrow(/out must be a Float32Array/);
    expect(() => api.softmaxGrad(x, new Float64Array(4) as never)).toThrow(/dy must be a Float32Array/);
    expect(() => api.binaryCrossEntropy(x, new Float64Array(4) as never)).toThrow(/targets must be a Float32Array/);
    expect(() => api.crossEntropy(x, new Float64Array(4) as never)).toThrow(/class probabilities \(a Float32Array\)/);
  });
});
