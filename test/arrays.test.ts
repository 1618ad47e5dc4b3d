// Arrays that are not quite ordinary, and options objects that are not quite plain: a right result or a typed error, never
// anything in between, and the next call is right.
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it } from "vitest";
import { onEveryBackend } from "./backends.js";
import { expectSameBits } from "./expectClose.js";
import { random } from "./random.js";
import { drawRow } from "./values.js";

const VALUES = [1, 2, 3, 4, 0, -1];

onEveryBackend(({ api }) => {
  const { softmax, crossEntropy, crossEntropyGrad, hinge, hingeGrad } = api;
  const want = softmax(new Float32Array(VALUES));

  afterEach(() => expectSameBits(softmax(new Float32Array(VALUES)), want, () => "the next call"));

  describe("arrays of another realm", () => {
    it("are the same as one's own", () => {
      const y = softmax(runInNewContext(`new Float32Array([${VALUES}])`) as Float32Array);
      expectSameBits(y, want, () => "Float32Array");
      expect(Object.prototype.toString.call(y)).toBe("[object Float32Array]");

      const list = softmax(runInNewContext(`[${VALUES}]`) as number[]);
      expect(Array.isArray(list)).toBe(true);
      expectSameBits(list, softmax(VALUES), () => "number[]");

      const out = runInNewContext("new Float32Array(6)") as Float32Array<ArrayBuffer>;
      expect(softmax(new Float32Array(VALUES), { out })).toBe(out);
      expectSameBits(out, want, () => "out");
    });

    it("may be targets, weights, shapes and options", () => {
      const foreign = runInNewContext(`({
        targets: new Int32Array([2, 0]), big: new BigInt64Array([2n, 0n]), list: [2, 0],
        options: { shape: [2, 3], weight: [1, 2, 3], ignoreIndex: [7], reduction: "none" },
      })`) as { targets: Int32Array; big: BigInt64Array; list: number[]; options: { reduction: "none" } };
      const options = { shape: [2, 3], weight: [1, 2, 3], ignoreIndex: [7], reduction: "none" } as const;
      const loss = crossEntropy(new Float32Array(VALUES), [2, 0], options);
      for (const targets of [foreign.targets, foreign.big, foreign.list]) {
        expectSameBits(crossEntropy(new Float32Array(VALUES), targets, foreign.options), loss, () => "loss");
      }
    });
  });

  it("subclasses are what they hold", () => {
    class Tensor extends Float32Array {
      override get length() {
        return 1000;
      }
    }
    expectSameBits(softmax(new Tensor(VALUES)), want, () => "softmax");
    expect(softmax(new Float32Array(VALUES), { out: new Tensor(6) })).toBeInstanceOf(Tensor);
  });

  it.each<[PropertyKey, unknown]>([
    ["length", 1000],
    ["length", 2],
    ["buffer", new ArrayBuffer(0)],
    ["byteOffset", 4],
    ["constructor", Float64Array],
    [Symbol.toStringTag, "Float64Array"],
  ])("an array that lies about its %o is what it holds, or refused", (key, value) => {
    const liar = () => Object.defineProperty(new Float32Array(VALUES), key, { value });
    for (const call of [
      () => softmax(liar()),
      () => softmax(new Float32Array(VALUES), { out: liar() }),
      () => crossEntropyGrad(new Float32Array(VALUES), [0], { grad: liar() }).grad.map((g, j) => g + Number(j === 0)),
    ]) {
      let y: Float32Array | undefined;
      try {
        y = call();
      } catch (error) {
        expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
      }
      if (y) for (const [j, p] of want.entries()) expect(y[j]).toBeCloseTo(p, 6);
    }
  });

  it("a Node Buffer is no array of class indices by accident, but an Uint8Array", () => {
    expect(crossEntropy(new Float32Array(VALUES), Buffer.from([2, 0]))).toBe(
      crossEntropy(new Float32Array(VALUES), [2, 0]),
    );
  });

  it("arrays in shared memory are accepted", () => {
    const shared = (bytes: number) => new SharedArrayBuffer(bytes);
    const x = new Float32Array(shared(24));
    x.set(VALUES);
    const out = new Float32Array(shared(24));
    expect(softmax(x, { out })).toBe(out);
    expectSameBits(out, want, () => "softmax");
    expectSameBits(softmax(x, { out: x }), want, () => "in place");

    const targets = new Int32Array(shared(8));
    targets.set([2, 0]);
    const logits = new Float32Array(VALUES);
    expect(crossEntropy(logits, targets)).toBe(crossEntropy(logits, [2, 0]));
    expect(hinge(logits, targets)).toBe(hinge(logits, [2, 0]));
    const big = new BigInt64Array(shared(16));
    big.set([2n, 0n]);
    expect(crossEntropy(logits, big)).toBe(crossEntropy(logits, [2, 0]));
  });

  it.each([Float32Array, Float64Array])(
    "%o at any offset gives the same bits, and nothing beside `out` is written",
    (Kind) => {
      for (const n of [1, 5, 16, 33, 100]) {
        const values = drawRow(random(n), n, "normal", "Float32Array");
        const expected = softmax(Kind.from(values) as Float32Array);
        for (let offset = 0; offset < 16; offset++) {
          const memory = new Kind(n + 40).fill(-7);
          memory.set(values, offset);
          const x = memory.subarray(offset, offset + n) as Float32Array;
          expectSameBits(softmax(x), expected, () => `offset ${offset}`);
          expect(softmax(x, { out: x })).toBe(x);
          expectSameBits(x, expected, () => `in place at offset ${offset}`);
          expect(memory.every((value, i) => (i >= offset && i < offset + n) || value === -7)).toBe(true);
        }
      }
    },
  );

  it.each([Float32Array, Float64Array])("%o gradients at any offset, too", (Kind) => {
    for (const [rows, classes] of [
      [1, 7],
      [6, 10],
      [3, 33],
    ] as const) {
      const n = rows * classes;
      const values = drawRow(random(n), n, "normal", "Float32Array");
      const targets = Array.from({ length: rows }, (_, r) => r);
      for (const f of [crossEntropyGrad, hingeGrad]) {
        const expected = f(Kind.from(values) as Float32Array, targets).grad;
        for (let offset = 0; offset < 16; offset++) {
          const memory = new Kind(n + 40).fill(-7);
          const grad = memory.subarray(offset, offset + n) as Float32Array;
          expect(f(Kind.from(values) as Float32Array, targets, { grad }).grad).toBe(grad);
          expectSameBits(grad, expected, () => `offset ${offset}`);
          expect(memory.every((value, i) => (i >= offset && i < offset + n) || value === -7)).toBe(true);
        }
      }
    }
  });

  describe("detached and shrunk arrays", () => {
    const detached = () => {
      const x = new Float32Array(VALUES);
      structuredClone(x.buffer, { transfer: [x.buffer] });
      return x;
    };
    const detachedIndices = () => {
      const targets = new Int32Array([2, 0]);
      structuredClone(targets.buffer, { transfer: [targets.buffer] });
      return targets;
    };
    const x = () => new Float32Array(VALUES);

    it("are a TypeError, wherever they come in", () => {
      expect(() => softmax(detached())).toThrow(TypeError);
      expect(() => softmax(detached())).toThrow(/^softmax: x .*detached/);
      expect(() => softmax(x(), { out: detached() })).toThrow(TypeError);
      expect(() => api.softmaxGrad(x(), detached())).toThrow(TypeError);
      expect(() => crossEntropy(detached(), [2, 0])).toThrow(TypeError);
      expect(() => crossEntropy(x(), detachedIndices())).toThrow(TypeError);
      expect(() => crossEntropy(x(), detachedIndices())).toThrow(/^crossEntropy: targets .*detached/);
      expect(() => crossEntropy(x(), [2, 0], { sampleWeight: detached() })).toThrow(TypeError);
      expect(() => hingeGrad(x(), [2, 0], { grad: detached() })).toThrow(TypeError);
    });

    it("by an options getter: an error, and `out` untouched", () => {
      const logits = x();
      const out = new Float32Array(6).fill(5);
      const options = {
        out,
        get temperature() {
          structuredClone(logits.buffer, { transfer: [logits.buffer] });
          return 1;
        },
      };
      expect(() => softmax(logits, options)).toThrow(TypeError);
      expect(Array.from(out)).toEqual([5, 5, 5, 5, 5, 5]);
    });

    it("a view that its resizable buffer has shrunk away from", () => {
      const buffer = Reflect.construct(ArrayBuffer, [24, { maxByteLength: 48 }]) as ArrayBuffer & {
        resize(bytes: number): void;
      };
      const fixed = new Float32Array(buffer, 0, 6);
      const tracking = new Float32Array(buffer);
      tracking.set(VALUES);
      expectSameBits(softmax(fixed), want, () => "fixed");
      expectSameBits(softmax(tracking), want, () => "tracking");
      expectSameBits(softmax(x(), { out: new Float32Array(buffer, 0, 6) }), want, () => "out");
      buffer.resize(48);
      expect(softmax(tracking)).toHaveLength(12);
      buffer.resize(12);
      expect(() => softmax(fixed)).toThrow(/^softmax: x/);
      expect(() => softmax(tracking, { shape: [6] })).toThrow(RangeError);
      expect(softmax(tracking)).toHaveLength(3);
    });
  });

  describe("options objects", () => {
    it("are read once each, in a fixed order, whatever the order of the keys", () => {
      const reads: string[] = [];
      const traced = (options: object) =>
        new Proxy(options, {
          get(target, key, receiver) {
            reads.push(String(key));
            return Reflect.get(target, key, receiver) as unknown;
          },
        });
      const options = {
        shape: [2, 3],
        axis: 1,
        reduction: "sum",
        labelSmoothing: 0.1,
        temperature: 2,
        weight: [1, 1, 1],
      } as const;
      const loss = crossEntropy(new Float32Array(VALUES), [2, 0], options);
      expect(crossEntropy(new Float32Array(VALUES), [2, 0], traced(options))).toBe(loss);
      expect([...reads].sort()).toEqual(Object.keys(options).sort());
    });

    it("are read before anything is computed or written", () => {
      const logits = new Float32Array(VALUES);
      const grad = new Float32Array(6).fill(5);
      let count = 0;
      const options = {
        grad,
        get reduction() {
          count++;
          return "avg" as "sum";
        },
      };
      expect(() => crossEntropyGrad(logits, [2, 0], options)).toThrow(TypeError);
      expect(count).toBe(1);
      expect(Array.from(grad)).toEqual([5, 5, 5, 5, 5, 5]);
    });

    it("whose getter throws: that error, and nothing written", () => {
      const out = new Float32Array(6).fill(5);
      const options = {
        out,
        get temperature(): number {
          throw new EvalError("mine");
        },
      };
      expect(() => softmax(new Float32Array(VALUES), options)).toThrow(EvalError);
      expect(Array.from(out)).toEqual([5, 5, 5, 5, 5, 5]);
    });

    it("whose getter calls the library again", () => {
      const options = {
        get temperature() {
          softmax(new Float32Array(1000).fill(3));
          crossEntropyGrad(new Float32Array(50), [0, 1, 2, 3, 4]);
          return 1;
        },
      };
      expectSameBits(softmax(new Float32Array(VALUES), options), want, () => "softmax");
    });

    it("may be frozen, without a prototype, and hold undefined", () => {
      const bare = Object.assign(Object.create(null) as { shape?: number[] }, { shape: [6] });
      expectSameBits(softmax(new Float32Array(VALUES), bare), want, () => "bare");
      const unset = { shape: undefined, axis: undefined, temperature: undefined, out: undefined };
      expectSameBits(softmax(new Float32Array(VALUES), Object.freeze(unset) as object), want, () => "undefined");
    });

    it("do not inherit: a polluted Object.prototype has no effect", () => {
      const polluted = Object.prototype as { temperature?: number; ignoreIndex?: number; nonsense?: number };
      const loss = crossEntropy(new Float32Array(VALUES), [2, 0]);
      try {
        polluted.temperature = 5;
        polluted.ignoreIndex = 0;
        polluted.nonsense = 1;
        expectSameBits(softmax(new Float32Array(VALUES), {}), want, () => "softmax");
        expect(crossEntropy(new Float32Array(VALUES), [2, 0], {})).toBe(loss);
        expect(crossEntropy(new Float32Array(VALUES), [2, 0])).toBe(loss);
      } finally {
        delete polluted.temperature;
        delete polluted.ignoreIndex;
        delete polluted.nonsense;
      }
      class Options {
        get temperature() {
          return 5;
        }
      }
      expectSameBits(softmax(new Float32Array(VALUES), new Options()), want, () => "a class");
    });
  });
});
