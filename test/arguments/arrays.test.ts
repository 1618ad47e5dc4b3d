// Every array argument of every function, as a typed array that is not quite ordinary: what it is, where its memory is, what becomes of
// that in the middle of the call. Either the bits of the ordinary call or a typed error with nothing written; and the next call is right.
// Lists are in lists.test.ts, arrays that share memory in overlaps.test.ts.
import { runInNewContext } from "node:vm";
import { assert, describe, expect, it } from "vitest";
import { caught, honest, invoke, numbersIn, replaced } from "../catalogue/calls.js";
import { type Arguments, allSignatures, arraysOf, returned, rightArguments } from "../catalogue/functions.js";
import { type Canaries, onEveryGuardedBackend } from "../catalogue/guarded.js";
import { expectSameBits } from "../oracle/expectClose.js";

type Kind = Float32ArrayConstructor;
type ErrorClass = typeof TypeError | typeof RangeError;

interface Hostile {
  readonly what: string;
  /** The error and what its message says, or the result of the ordinary array. */
  readonly expected: "same" | readonly [ErrorClass, RegExp];
  /** The arguments that the array, which holds the right values, becomes. */
  make(name: string, array: Float32Array, tools: { kind: string; canaries: Canaries }): Arguments;
  /** The option that it needs. */
  readonly by?: string;
}

/** The same array in some other form. */
const as = (what: string, change: (array: Float32Array, kind: string) => unknown): Hostile => ({
  what,
  expected: "same",
  make: (name, array, { kind }) => ({ [name]: change(array, kind) }),
});

/** The same values in some other memory. */
const inMemory = (
  what: string,
  expected: Hostile["expected"],
  options: { buffer?: (bytes: number) => ArrayBufferLike; offset?: number; tracks?: boolean },
  then: (buffer: Resizable) => void = () => {},
): Hostile => ({
  what,
  expected,
  make: (name, array, { canaries }) => {
    const Kind = array.constructor as Kind;
    const offset = (options.offset ?? 0) * (Kind.BYTES_PER_ELEMENT / 4);
    const wrapped = options.tracks
      ? new Kind(options.buffer!(array.byteLength) as ArrayBuffer)
      : canaries.around(Kind, array.length, { ...options, offset });
    wrapped.set(array);
    then(wrapped.buffer as unknown as Resizable);
    return { [name]: wrapped };
  },
});

interface Resizable extends ArrayBuffer {
  resize(bytes: number): void;
}
const resizable = (bytes: number) => Reflect.construct(ArrayBuffer, [bytes, { maxByteLength: 4 * bytes }]) as Resizable;
const growable = (bytes: number) =>
  Reflect.construct(SharedArrayBuffer, [bytes, { maxByteLength: 4 * bytes }]) as SharedArrayBuffer;
const detach = ({ buffer }: ArrayBufferView) => {
  if (buffer.byteLength > 0) structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
};
const lengthError = [RangeError, /length|dimension|elements/] as const;
const detachedError = [TypeError, /must not be detached$/] as const;

/** What the caller's code does to an array while the function reads its arguments. */
const meanwhile = (
  what: string,
  change: (array: Float32Array) => void,
  expected: Hostile["expected"],
  buffer?: (bytes: number) => ArrayBufferLike,
): Hostile[] => {
  const arrayIn = (array: Float32Array, canaries: Canaries) => {
    if (!buffer) return array;
    const copy = canaries.around(array.constructor as Kind, array.length, { buffer });
    copy.set(array);
    return copy;
  };
  const make =
    (shape: (act: () => void) => Arguments): Hostile["make"] =>
    (name, array, { canaries }) => {
      const given = arrayIn(array, canaries);
      return replaced(
        { [name]: given },
        shape(() => change(given)),
      );
    };
  return [
    {
      what: `${what} by the getter of an option`,
      by: "axis",
      expected,
      make: make((act) => ({
        get axis() {
          act();
          return -1;
        },
      })),
    },
    {
      what: `${what} by a proxy of a list`,
      by: "shape",
      expected,
      make: make((act) => ({
        shape: new Proxy(rightArguments(allSignatures[0]!)["shape"] as number[], {
          get(list, key) {
            act();
            return Reflect.get(list, key) as unknown;
          },
        }),
      })),
    },
  ];
};

const OWN: PropertyKey[] = [
  "length",
  "byteLength",
  "byteOffset",
  "buffer",
  "constructor",
  "BYTES_PER_ELEMENT",
  "set",
  "subarray",
  "slice",
  "fill",
  "map",
  Symbol.toStringTag,
  Symbol.iterator,
];

const hostile: readonly Hostile[] = [
  as("of another realm", (array, kind) =>
    (runInNewContext(`values => ${kind}.from(values)`) as (values: unknown) => unknown)(array),
  ),
  as("of another realm, in the middle of its buffer", (array, kind) =>
    (
      runInNewContext(`values => ${kind}.of(values[0], ...values, values[0]).subarray(1, -1)`) as (
        values: unknown,
      ) => unknown
    )(array),
  ),
  as("of a subclass that lies about its length", (array) => {
    class Liar extends (array.constructor as Kind) {
      override get length() {
        return 1000;
      }
    }
    return new Liar(array);
  }),
  as("of a subclass whose species is another", (array) => {
    class Strange extends (array.constructor as Kind) {
      static get [Symbol.species]() {
        return Uint8Array;
      }
    }
    return new Strange(array);
  }),
  ...OWN.map((key) =>
    as(`with ${String(key)} of its own, which must not be asked for`, (array) =>
      Object.defineProperty(array, key, {
        get() {
          throw new EvalError(String(key));
        },
      }),
    ),
  ),
  as("that says it is elsewhere", (array) =>
    Object.defineProperties(array, {
      buffer: { value: new ArrayBuffer(8) },
      byteOffset: { value: 4096 },
      byteLength: { value: 0 },
      length: { value: 3 },
    }),
  ),
  as("with the prototype of another kind", (array) =>
    Object.setPrototypeOf(array, (array instanceof Float32Array ? Float64Array : Float32Array).prototype),
  ),
  as("without a prototype", (array) => Object.setPrototypeOf(array, null)),
  as("not extensible", (array) => Object.preventExtensions(array)),
  inMemory("4 bytes off a vector's alignment", "same", { offset: 4 }),
  inMemory("12 bytes off a vector's alignment", "same", { offset: 12 }),
  inMemory("in shared memory", "same", { buffer: (bytes) => new SharedArrayBuffer(bytes) }),
  inMemory("in growable shared memory", "same", { buffer: growable }),
  inMemory("that tracks growable shared memory", "same", { buffer: growable, tracks: true }),
  inMemory("in resizable memory", "same", { buffer: resizable }),
  inMemory("that tracks resizable memory", "same", { buffer: resizable, tracks: true }),
  inMemory("that tracks memory that has grown", lengthError, { buffer: resizable, tracks: true }, (buffer) =>
    buffer.resize(2 * buffer.byteLength),
  ),
  inMemory("that tracks memory that has shrunk", lengthError, { buffer: resizable, tracks: true }, (buffer) =>
    buffer.resize(8),
  ),
  inMemory("that its memory has shrunk away from", lengthError, { buffer: resizable }, (buffer) => buffer.resize(8)),
  {
    what: "detached",
    expected: detachedError,
    make: (name, array) => {
      detach(array);
      return { [name]: array };
    },
  },
  {
    what: "behind a proxy",
    expected: [TypeError, /must be .*got an object$/],
    make: (name, array) => ({ [name]: new Proxy(array, {}) }),
  },
  ...meanwhile("detached", detach, detachedError),
  ...meanwhile("shrunk", (array) => (array.buffer as Resizable).resize(8), lengthError, resizable),
  ...meanwhile(
    "given properties of its own",
    (array) => Object.defineProperties(array, { length: { value: 1 }, set: { value: assert.fail } }),
    "same",
  ),
  ...meanwhile("turned into another kind", (array) => Object.setPrototypeOf(array, Int8Array.prototype), "same"),
];

onEveryGuardedBackend(({ api, canaries }) => {
  for (const signature of allSignatures) {
    describe.each(arraysOf(signature))(`${signature.name}, %s`, (what) => {
      const possible = hostile.filter(({ by }) => by === undefined || signature.options.includes(by));
      it.each(possible.map((one) => [one.what, one] as const))("%s", (_, { expected, make }) => {
        const ordinary = rightArguments(signature, what);
        const want = numbersIn(invoke(api, signature, ordinary));

        const given = rightArguments(signature, what);
        const name = what.split(",")[0]!;
        const array = given[name] as Float32Array;
        const kind = array.constructor.name;
        const call = replaced(given, make(name, array, { kind, canaries }));
        const outputs = signature.outputs.map((key) => [key, call[key]] as const);
        const inputs = Object.entries(given)
          .filter(([key, value]) => !signature.outputs.includes(key) && key !== name && ArrayBuffer.isView(value))
          .map(([, value]) => [value, honest(value).slice()] as const);

        if (expected === "same") {
          const result = invoke(api, signature, call);
          expectSameBits(numbersIn(result), want, () => "the result");
          for (const [key, output] of outputs) assert(returned(key, result) === output, `another ${key} was returned`);
        } else {
          const [error, message] = expected;
          const before = outputs
            .filter(([key]) => key !== name)
            .map(([, output]) => [output, honest(output).slice()] as const);
          const thrown = caught(() => invoke(api, signature, call));
          expect(thrown).toBeInstanceOf(error);
          expect(thrown.message).toMatch(message);
          expect(thrown.message).toMatch(new RegExp(`^${signature.name}: `));
          for (const [output, values] of before) expectSameBits(honest(output), values, () => "an output");
        }
        for (const [value, before] of inputs) expectSameBits(honest(value), before, () => "an input");
        canaries.verify();
        expectSameBits(numbersIn(invoke(api, signature, ordinary)), want, () => "the next call");
      });
    });
  }

  it("a Node Buffer is no list of classes by accident, but an Uint8Array", () => {
    const x = new Float32Array(210).map((_, i) => i % 7);
    const targets = [69, 0, 31];
    expect(api.crossEntropy(x, Buffer.from(targets))).toBe(api.crossEntropy(x, targets));
  });
});
