// Results written over arguments: `out` or `grad` shares memory with each other argument, exactly, by an element, a vector or all but an
// element; in ordinary memory, in a workspace, and in shared memory that each of the two sees through a buffer of its own. The result is that of
// separate arrays, and nothing beside the result is written.
import { assert, describe, expect, it } from "vitest";
import { invoke, numbersIn, replaced } from "../catalogue/calls.js";
import { allSignatures, arraysOf, rightArguments, rowLosses, type Signature } from "../catalogue/functions.js";
import { onEveryGuardedBackend } from "../catalogue/guarded.js";
import { random } from "../inputs/random.js";
import { drawRow } from "../inputs/values.js";
import { expectSameBits } from "../oracle/expectClose.js";

type Array32 = Float32Array | Int32Array;

/** Elements by which the output begins after the argument. */
const shifts = (argument: number, output: number): readonly number[] => [
  ...new Set([0, 1, -1, 4, -4, argument - 1, 1 - output]),
];

/** Each output with each input of elements as long. */
const pairsOf = (signature: Signature) =>
  signature.outputs.flatMap((output) =>
    arraysOf(signature)
      .filter((name) => !signature.outputs.includes(name) && !name.endsWith("BigInt64Array"))
      .map((name) => [output, name] as const),
  );

onEveryGuardedBackend(({ api }) => {
  const { softmax, hingeGrad } = api;

  for (const signature of allSignatures) {
    describe.each(pairsOf(signature))(`${signature.name}, %s over %s`, (outputName, what) => {
      const [name] = what.split(",") as [string];
      const ordinary = () => rightArguments(signature, what);
      const argument = ordinary()[name] as Array32;
      const output = ordinary()[outputName] as Array32;

      it.each(
        shifts(argument.length, output.length).flatMap((shift) => [
          ["ordinary memory", shift],
          ["a workspace", shift],
          ["shared memory of two buffers", shift],
        ]),
      )("in %s, shifted by %i elements", (where, shift) => {
        const want = numbersIn(invoke(api, signature, ordinary()));
        const margin = 8;
        const start = Math.max(0, -shift) + margin;
        const length = Math.max(start + argument.length, start + shift + output.length) + margin;
        const workspace = api.createWorkspace({ bytes: 4 * length + 8192 });
        const memory =
          where === "a workspace"
            ? workspace.float32(length)
            : new Float32Array(
                where === "ordinary memory" ? new ArrayBuffer(4 * length) : new SharedArrayBuffer(4 * length),
              );
        const functions = where === "a workspace" ? workspace : api;

        const Kind = argument.constructor as Float32ArrayConstructor;
        const at = (i: number) => memory.byteOffset + 4 * i;
        memory.fill(7);
        const Out = output.constructor as Float32ArrayConstructor;
        const out = new Out(memory.buffer as ArrayBuffer, at(start + shift), output.length);
        const buffer = where.startsWith("shared") ? structuredClone(memory.buffer) : memory.buffer;
        const input = new Kind(buffer as ArrayBuffer, at(start), argument.length);
        input.set(argument);
        const before = asBytes(memory).slice();

        const result = invoke(functions, signature, replaced(ordinary(), { [name]: input, [outputName]: out }));
        expectSameBits(numbersIn(result), want, () => "the result");
        before.set(asBytes(out), 4 * (start + shift));
        assert(Buffer.compare(before, asBytes(memory)) === 0, "written beside the output");
        expectSameBits(numbersIn(invoke(functions, signature, ordinary())), want, () => "the next call");
      });
    });
  }

  it("of several blocks, in shared memory of two buffers", () => {
    const [rows, classes, shift] = [20_000, 10, 37];
    const shared = new SharedArrayBuffer(4 * (rows * classes + shift));
    const x = new Float32Array(shared, 0, rows * classes);
    const out = new Float32Array(structuredClone(shared), 4 * shift) as unknown as Float32Array;
    const values = Float32Array.from(drawRow(random(1), rows * classes, "normal", "Float32Array"));
    const shape = [rows, classes];

    x.set(values);
    expectSameBits(softmax(x as Float32Array, { shape, out }), softmax(values, { shape }), () => "softmax");

    const targets = new Int32Array(rows).fill(3);
    const sampleWeight = Float64Array.from({ length: rows }, (_, i) => 1 + (i % 7));
    const factors = new Float64Array(shared, 0, rows);
    factors.set(sampleWeight);
    const { grad } = hingeGrad(values, targets, { sampleWeight: factors as Float64Array, grad: out });
    expectSameBits(grad, hingeGrad(values, targets, { sampleWeight }).grad, () => "hinge");
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
      for (const name of rowLosses) {
        const f = api[`${name}Grad`];
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
});

function asBytes({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
