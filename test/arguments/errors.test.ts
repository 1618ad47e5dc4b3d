// Every argument and option of every function with the wrong kind of thing (TypeError) and a wrong value (RangeError): the
// message names the function, the argument, what was expected and what was given; nothing is written; the next call is right.
import { describe, expect, it } from "vitest";
import { caught, invoke, numbersIn, replaced } from "../catalogue/calls.js";
import {
  type Arguments,
  allArguments,
  allSignatures,
  type Functions,
  rightArguments,
  type Signature,
  signatures,
} from "../catalogue/functions.js";
import { onEveryGuardedBackend } from "../catalogue/guarded.js";
import { expectSameBits } from "../oracle/expectClose.js";

const NAN = Number.NaN;
const INF = Number.POSITIVE_INFINITY;

const SIZES = { rows: 2, classes: 3 };

/** A right call of shape (2, 3), with no option but that, and what makes it the same twice. */
function bare(signature: Signature): Arguments {
  const shape = signature.options.filter((name) => name === "shape" || name === "random");
  return allArguments(signature, SIZES, "", [...signature.positional, ...shape]);
}

/** A wrong value for an argument or option, the error, and what its message must name besides the function. */
type Fault = readonly [
  argument: string,
  value: unknown,
  error: typeof TypeError | typeof RangeError,
  ...names: RegExp[],
];

interface Resizable extends ArrayBuffer {
  resize(bytes: number): void;
}

/** A typed array of one integer, 0, after its memory was taken away. */
function lost(take: (buffer: Resizable) => void): Int32Array {
  const array = new Int32Array(Reflect.construct(ArrayBuffer, [8, { maxByteLength: 8 }]) as ArrayBuffer, 4, 1);
  take(array.buffer as Resizable);
  return array;
}

const onShape: Fault[] = [
  ["shape", "2,3", TypeError, /shape/],
  ["shape", 6, TypeError, /shape/, /6/],
  ["shape", null, TypeError, /shape/, /null/],
  ["shape", ["2", 3], TypeError, /shape\[0\]/, /"2"/],
  ["shape", [2, 4], RangeError, /shape/, /\b6\b/, /\b8\b/],
  ["shape", new Float64Array(1e5).fill(2), RangeError, /shape/, /^.{1,200}$/],
  ["shape", [], RangeError, /shape/],
  ["shape", [-2, -3], RangeError, /shape\[0\]/, /-2/],
  ["shape", [1.5, 4], RangeError, /shape\[0\]/, /1\.5/],
  ["shape", [NAN, 3], RangeError, /shape\[0\]/, /NaN/],
  ["shape", [INF, 3], RangeError, /shape\[0\]/, /Infinity/],
  ["shape", [2 ** 53, 0], RangeError, /shape/],
  ["axis", "1", TypeError, /axis/, /"1"/],
  ["axis", 2, RangeError, /axis/, /2/],
  ["axis", -3, RangeError, /axis/, /-3/],
  ["axis", 0.5, RangeError, /axis/, /0\.5/],
  ["axis", 10n ** 400n, TypeError, /axis/, /^.{1,105}$/],
  ["axis", NAN, RangeError, /axis/, /NaN/],
];

const onBits: Fault[] = [
  ["bits", undefined, TypeError, /undefined/],
  ["bits", 3, TypeError, /3/],
  ["bits", [1, 2], TypeError, /Uint16Array/, /length 2/],
  ["bits", new Int16Array(6), TypeError, /an Int16Array of length 6/],
  ["bits", new Float32Array(6), TypeError, /a Float32Array of length 6/],
];

const onLogits = (name: string): Fault[] => [
  [name, undefined, TypeError, /undefined/],
  [name, null, TypeError, /null/],
  [name, 3, TypeError, /3/],
  [name, "1,2", TypeError, /"1,2"/],
  [name, {}, TypeError],
  [name, { length: 6, 0: 1 }, TypeError],
  [name, () => 1, TypeError],
  [name, new Int32Array(6), TypeError, /Int32Array/],
  [name, new BigInt64Array(6), TypeError, /BigInt64Array/],
  [name, new DataView(new ArrayBuffer(24)), TypeError],
  [name, new ArrayBuffer(24), TypeError],
  [name, [1, 2, 3, "4", 5, 6], TypeError, /\[3\]/, /"4"/],
  [name, [1, undefined, 3, 4, 5, 6], TypeError, /\[1\]/, /undefined/],
  [name, [1, 2, 3, 4, 5, 6n], TypeError, /\[5\]/, /6/],
  [name, new Float32Array(7), RangeError, /\b7\b/],
  [name, new Float32Array(0), RangeError, /\b0\b/],
];

const onDraws: Fault[] = [
  ["k", undefined, TypeError, /undefined/],
  ["k", "2", TypeError, /"2"/],
  ["k", 0, RangeError, /\[1, 3\]/, /\b0$/],
  ["k", 4, RangeError, /\[1, 3\]/, /\b4$/],
  ["k", 1.5, RangeError, /1\.5/],
  ["k", NAN, RangeError, /NaN/],
  ["values", "probs", TypeError, /"probabilities"/, /"probs"/],
  ["topK", "5", TypeError, /"5"/],
  ["topK", 0, RangeError, /\b0$/],
  ["topK", 2.5, RangeError, /2\.5/],
  ["topK", NAN, RangeError, /NaN/],
  ["topP", null, TypeError, /null/],
  ["topP", 0, RangeError, /\(0, 1\]/],
  ["topP", 1.01, RangeError, /1\.01/],
  ["topP", NAN, RangeError, /NaN/],
  ["minP", [0.1], TypeError],
  ["minP", -0.1, RangeError, /\[0, 1\]/, /-0\.1/],
  ["minP", 1.1, RangeError, /1\.1/],
  ["minP", NAN, RangeError, /NaN/],
  ["random", 0.5, TypeError, /a function/],
  ["random", null, TypeError, /null/],
  ["random", () => 1, RangeError, /\[0, 1\)/, /\b1$/],
  ["random", () => -1e-300, RangeError, /-1e-300/],
  ["random", () => NAN, RangeError, /NaN/],
  ["random", () => "0.5", RangeError, /"0.5"/],
  ["random", () => undefined, RangeError, /undefined/],
  ["random", () => 0n, RangeError, /0n/],
];

const onRows = (name: string): Fault[] => [
  [name, new Float32Array([1, 2, 3, 4, NAN, 6]), RangeError, /row 1/, /\[4\] = NaN/],
  [name, new Float32Array([1, 2, INF, 4, 5, 6]), RangeError, /row 0/, /\[2\] = Infinity/],
  [name, new Float32Array([1, 2, 3, -INF, -INF, -INF]), RangeError, /row 1/, /-Infinity/],
];

/** What is wrong beside such an array for a result. */
function onOutput(name: string, right: Float32Array | Int32Array): Fault[] {
  const { length } = right;
  const Kind = right.constructor as Float32ArrayConstructor;
  const Other = right instanceof Int32Array ? Float32Array : Int32Array;
  return [
    [name, null, TypeError, /null/],
    [name, new Other(length), TypeError, new RegExp(Other.name)],
    [name, new Float64Array(length), TypeError, new RegExp(Kind.name)],
    [name, Array(length).fill(0), TypeError],
    [name, new Kind(length + 1), RangeError, new RegExp(`\\b${length + 1}\\b`)],
    [name, new Kind(length - 1), RangeError, new RegExp(`\\b${length}\\b`)],
  ];
}

const onTemperature: Fault[] = [
  ["temperature", "1", TypeError, /"1"/],
  ["temperature", null, TypeError, /null/],
  ["temperature", 0, RangeError, /positive/, /0/],
  ["temperature", -0, RangeError],
  ["temperature", -1, RangeError, /-1/],
  ["temperature", NAN, RangeError, /NaN/],
  ["temperature", INF, RangeError, /Infinity/],
];

const onUpstream: Fault[] = [
  ["dy", undefined, TypeError, /undefined/],
  ["dy", new Float64Array(6), TypeError, /Float32Array/],
  ["dy", new Int32Array(6), TypeError, /Int32Array/],
  ["dy", new Float32Array(5), RangeError, /5/, /6/],
];

const onTargets: Fault[] = [
  ["targets", undefined, TypeError, /undefined/],
  ["targets", null, TypeError, /null/],
  ["targets", 1, RangeError, /1/],
  ["targets", "20", TypeError],
  ["targets", new DataView(new ArrayBuffer(8)), TypeError],
  ["targets", [2, "0"], TypeError, /targets\[1\]/, /"0"/],
  ["targets", [2, true], TypeError, /targets\[1\]/, /true/],
  ["targets", [2n, 0n], TypeError, /targets\[0\]/],
  ["targets", [2, 3], RangeError, /targets\[1\]/, /\[0, 3\)/, /ignoreIndex/, /\b3$/],
  ["targets", [-1, 0], RangeError, /targets\[0\]/, /-1/],
  ["targets", [2, 0.5], RangeError, /targets\[1\]/, /0\.5/],
  ["targets", [2, NAN], RangeError, /targets\[1\]/, /NaN/],
  ["targets", [INF, 0], RangeError, /targets\[0\]/, /Infinity/],
  ["targets", [2 ** 32, 0], RangeError, /targets\[0\]/, /4294967296/],
  ["targets", [2 ** 53, 0], RangeError, /targets\[0\]/],
  ["targets", new Int8Array([0, -2]), RangeError, /targets\[1\]/, /-2/],
  ["targets", new Uint8Array([255, 0]), RangeError, /targets\[0\]/, /255/],
  ["targets", new Int32Array([0, -(2 ** 31)]), RangeError, /targets\[1\]/, /-2147483648/],
  ["targets", new Uint32Array([0, 2 ** 32 - 1]), RangeError, /targets\[1\]/, /4294967295/],
  ["targets", new Uint32Array([0, 2 ** 32 - 100]), RangeError, /targets\[1\]/, /4294967196/],
  ["targets", new BigInt64Array([0n, 3n]), RangeError, /targets\[1\]/, /3/],
  ["targets", new BigInt64Array([2n ** 32n, 0n]), RangeError, /targets\[0\]/, /4294967296/],
  ["targets", new BigInt64Array([-(2n ** 63n), 0n]), RangeError, /targets\[0\]/, /-9223372036854775808/],
  ["targets", new BigUint64Array([0n, 2n ** 64n - 100n]), RangeError, /targets\[1\]/, /18446744073709551516/],
  ["targets", [0], RangeError, /targets/, /1/, /2/],
  ["targets", [0, 1, 2], RangeError, /targets/, /3/, /2/],
];

/** Targets of single elements. */
const onElements: Fault[] = [
  ["targets", undefined, TypeError, /undefined/],
  ["targets", 1, TypeError, /1/],
  ["targets", "20", TypeError],
  ["targets", new Float64Array(6), TypeError, /Float32Array/],
  ["targets", [0, 1, 0, 1, 0, "0"], TypeError, /targets\[5\]/, /"0"/],
  ["targets", [0, 1, 0, 1, 0, 2], RangeError, /targets\[5\]/, /\[0, 1\]/, /\b2$/],
  ["targets", [0, 1, -0.5, 1, 0, 1], RangeError, /targets\[2\]/, /-0\.5/],
  ["targets", [NAN, 1, 0, 1, 0, 1], RangeError, /targets\[0\]/, /NaN/],
  ["targets", new Float32Array([0, 1, 0, 1, 0, 1.5]), RangeError, /targets\[5\]/, /1\.5/],
  ["targets", new Int8Array([0, -2, 0, 0, 0, 0]), RangeError, /targets\[1\]/, /-2/],
  ["targets", new BigInt64Array([0n, 2n ** 32n, 0n, 0n, 0n, 0n]), RangeError, /targets\[1\]/, /4294967296/],
  ["targets", new Float32Array(5), RangeError, /5/, /6/],
  ["targets", [0, 1, 1], RangeError, /targets/, /3/, /6/],
];

const onProbabilities: Fault[] = [
  ["targets", new Float64Array(6), TypeError, /targets/, /Float32Array/],
  ["targets", new Float32Array(2), RangeError, /targets/, /2/, /6/],
];

const onWeights: Fault[] = [
  ["posWeight", [1, 2], RangeError, /posWeight/, /2/, /3/],
  ["posWeight", [1, -2, 3], RangeError, /posWeight\[1\]/, /-2/],
  ["posWeight", [1, "2", 3], TypeError, /posWeight\[1\]/, /"2"/],
  ["weight", "123", TypeError],
  ["weight", 1, TypeError],
  ["weight", [1, 2], RangeError, /weight/, /2/, /3/],
  ["weight", [1, 2, 3, 4], RangeError, /weight/, /4/, /3/],
  ["weight", [1, -2, 3], RangeError, /weight\[1\]/, /-2/],
  ["weight", new Float32Array([1, 2, NAN]), RangeError, /weight\[2\]/, /NaN/],
  ["weight", [INF, 1, 1], RangeError, /weight\[0\]/, /Infinity/],
  ["weight", [1, "2", 3], TypeError, /weight\[1\]/, /"2"/],
  ["sampleWeight", {}, TypeError],
  ["sampleWeight", [1], RangeError, /sampleWeight/, /1/, /2/],
  ["sampleWeight", [1, -1], RangeError, /sampleWeight\[1\]/, /-1/],
  ["sampleWeight", new Float32Array([NAN, 1]), RangeError, /sampleWeight\[0\]/, /NaN/],
  ["sampleWeight", [1, null], TypeError, /sampleWeight\[1\]/],
];

const onReduction: Fault[] = [
  ["reduction", "avg", TypeError, /"none"/, /"avg"/],
  ["reduction", 1, TypeError, /1/],
  ["reduction", null, TypeError, /null/],
  ["meanOver", "rows", TypeError, /"weights"/, /"rows"/],
  ["emptyMean", "0", TypeError, /"0"/],
  ["emptyMean", null, TypeError],
  ["ignoreIndex", "2", TypeError, /"2"/],
  ["ignoreIndex", {}, TypeError],
  ["ignoreIndex", 0.5, RangeError, /: ignoreIndex must.*0\.5/],
  ["ignoreIndex", [0.5], RangeError, /: ignoreIndex\[0\] must.*0\.5/],
  ["ignoreIndex", NAN, RangeError, /NaN/],
  ["ignoreIndex", [0, "2"], TypeError, /ignoreIndex\[1\]/],
  ["ignoreIndex", lost((buffer) => structuredClone(buffer, { transfer: [buffer] })), TypeError, /detached/],
  ["ignoreIndex", lost((buffer) => buffer.resize(4)), TypeError, /out of bounds/],
];

const onGradient: Fault[] = [
  ["gradOutput", "1", TypeError, /"1"/],
  ["gradOutput", [1, 1], TypeError, /gradOutput/, /"mean"/],
  ["accumulate", 1, TypeError, /accumulate/],
  ["accumulate", "true", TypeError, /accumulate/],
];

const onSmoothing: Fault[] = [
  ["labelSmoothing", "0.1", TypeError],
  ["labelSmoothing", -0.1, RangeError, /\[0, 1\]/, /-0\.1/],
  ["labelSmoothing", 1.1, RangeError, /1\.1/],
  ["labelSmoothing", NAN, RangeError, /NaN/],
  ["gamma", "2", TypeError, /"2"/],
  ["gamma", -1, RangeError, /-1/],
  ["gamma", NAN, RangeError, /NaN/],
  ["gamma", INF, RangeError, /Infinity/],
];

const onHinge: Fault[] = [
  ["form", "ww", TypeError, /"crammer-singer"/, /"ww"/],
  ["form", 1, TypeError],
  ["margin", "1", TypeError],
  ["margin", -1, RangeError, /-1/],
  ["margin", NAN, RangeError],
  ["margin", INF, RangeError],
  ["p", 3, RangeError, /1 or 2/, /3/],
  ["p", 0, RangeError],
  ["p", 1.5, RangeError],
  ["p", "2", TypeError],
  ["perClass", "false", TypeError],
  ["perClass", 1, TypeError],
];
const NO_PROBABILITIES: Fault = ["targets", new Float32Array(6), TypeError, /targets/, /Float32Array/];

const onLayer: Fault[] = [
  ["bias", null, TypeError, /null/],
  ["bias", new Float64Array(3), TypeError, /Float32Array/],
  ["bias", [1, 2, 3], TypeError, /Float32Array/],
  ["bias", new Float32Array(2), RangeError, /2/, /3/],
  ["l2", "1", TypeError, /"1"/],
  ["l2", -1, RangeError, /-1/],
  ["l2", NAN, RangeError, /NaN/],
  ["l2", INF, RangeError, /Infinity/],
];
const onWeightMatrix: Fault[] = [
  ["weight", undefined, TypeError, /undefined/],
  ["weight", new Int32Array(9), TypeError, /Int32Array/],
  ["weight", new Float64Array(9), TypeError, /Float32Array/],
  ["weight", [1, 2, "3"], TypeError, /weight\[2\]/, /"3"/],
  ["weight", new Float32Array(10), RangeError, /10/, /3/],
  ["weight", new Float32Array(0), RangeError, /0/],
];

const common = [
  ...onShape,
  ...onTemperature,
  ...onUpstream,
  ...onTargets,
  ...onWeights,
  ...onReduction,
  ...onGradient,
  ...onSmoothing,
  ...onHinge,
  ...onDraws,
  ...onLayer,
];

/** What can be wrong in the arguments that a function has. */
function faultsOf(signature: Signature): Fault[] {
  const { first, outputs, positional, variants } = signature;
  const right = allArguments(signature, SIZES);
  const ofElements = signature.name.startsWith("binary");
  const onDistribution = variants?.includes("targets, probabilities") ? onProbabilities : [NO_PROBABILITIES];
  return [
    // a draw at temperature 0 takes the largest
    ...(positional.includes("weight") ? common.map(ofLayer) : common).filter(
      ([argument, value]) =>
        argument in right &&
        !(ofElements && argument === "targets") &&
        !(value === 0 && "random" in right && argument === "temperature"),
    ),
    ...("random" in right ? onRows(first) : []),
    ...(first === "bits" ? onBits : onLogits(first)),
    ...outputs.flatMap((output) => onOutput(output, right[output] as Float32Array)),
    ...(positional.includes("weight") ? onWeightMatrix : []),
    ...(positional.includes("targets") ? (ofElements ? onElements : onDistribution) : []),
    ...foreign(signature),
  ];
}

/** What the losses of a layer call it. */
function ofLayer([argument, value, error, ...names]: Fault): Fault {
  if (argument !== "weight") return [argument, value, error, ...names];
  return [
    "classWeight",
    value,
    error,
    ...names.map(({ source }) => new RegExp(source.replace("weight", "classWeight"))),
  ];
}

/** Options that no function has, and those of others. */
function foreign({ options, positional }: Signature): Fault[] {
  const others = signatures
    .flatMap((signature) => signature.options)
    .filter((name) => ![...options, ...positional].includes(name));
  return [
    ...["temprature", "Shape", "axes", "__proto", "constructor", "0"].map(
      (key): Fault => [key, 1, TypeError, /unknown/],
    ),
    ...[...new Set(others)].map((key): Fault => [key, undefined, TypeError, /unknown/]),
  ];
}

onEveryGuardedBackend(({ api }) => {
  describe.each(allSignatures.map((signature) => [signature.name, signature] as const))("%s", (_name, signature) => {
    const cases = faultsOf(signature).map((fault) => [`${fault[0]} = ${show(fault[1])}`, fault] as const);

    it.each(cases)("%s", (_, [argument, value, error, ...names]) => {
      const before = call(api, signature, {});
      const right = rightArguments(signature, "", SIZES);
      const { x } = right as { x: Float32Array };
      const outputs = Object.entries(right).filter(([name]) => signature.outputs.includes(name) && name !== argument);
      const written = [["x", x] as const, ...(outputs as [string, Float32Array][])];
      const values = written.map(([, array]) => array.slice());
      const given = { ...Object.fromEntries(written), [argument === signature.first ? "x" : argument]: value };
      const attempt = () => call(api, signature, given);

      const thrown = caught(attempt);
      expect(thrown).toBeInstanceOf(error);
      expect(thrown.message).toMatch(new RegExp(`^${signature.name}: `));
      for (const name of [new RegExp(argument.replace(/[[\]]/g, "\\$&")), ...names])
        expect(thrown.message).toMatch(name);

      written.forEach(([name, array], i) => {
        expectSameBits(array, values[i]!, () => name);
      });
      expectSameBits(call(api, signature, {}), before, () => "the next call");
    });

    it("options that are no object", () => {
      for (const options of [null, 1, "shape", [2, 3], () => {}]) {
        const given = bare(signature);
        const f = api[signature.name] as (...args: unknown[]) => unknown;
        const attempt = () => f(...signature.positional.map((name) => given[name]), options);
        expect(attempt).toThrow(TypeError);
        expect(attempt).toThrow(/options/);
      }
    });
  });

  describe("gradOutput per row", () => {
    it.each([
      [[1, 2, 3], RangeError, /3/],
      [[1], RangeError, /1/],
      [["1", 2], TypeError, /gradOutput\[0\]/],
    ])("%j", (gradOutput, error, message) => {
      for (const signature of signatures.filter(({ options }) => options.includes("gradOutput"))) {
        const thrown = caught(() => call(api, signature, { reduction: "none", gradOutput }));
        expect(thrown).toBeInstanceOf(error);
        expect(thrown.message).toMatch(message);
      }
    });
  });

  // 2^128 − 2^103 is the first that rounds to Infinity
  it.each([1e39, 2 ** 128 - 2 ** 103])("a weight or a margin of %d, for f32", (tooLarge) => {
    const weight = [1, tooLarge, 1];
    for (const Kind of [Float32Array, Float64Array]) {
      const x = new Kind([1, 2, 3]) as Float32Array;
      const calls = [
        () => api.crossEntropy(x, [0], { weight }),
        () => api.crossEntropyGrad(x, new Kind([1, 0, 0]) as Float32Array, { shape: [3], weight }).loss,
        () => api.hinge(x, [0], { weight }),
        () => api.hinge(x, [0], { margin: tooLarge }),
        () => api.hingeGrad(x, [0], { margin: tooLarge, form: "crammer-singer" }).loss,
      ];
      for (const call of calls) {
        if (Kind === Float64Array) expect(call()).toBeGreaterThan(0);
        else
          expect(call).toThrow(
            /^\w+: (?:weight\[1\]|margin) must be finite \(in the type of the logits\) and not negative, got /,
          );
      }
      expect(api.crossEntropy(x, [0], { sampleWeight: [tooLarge], reduction: "sum" })).toBeGreaterThan(tooLarge);
    }
  });

  it("a length that does not divide into rows names both lengths", () => {
    expect(() => api.crossEntropy(new Float32Array(7), [0, 1])).toThrow(/^crossEntropy: .*logits.*2.*7/);
    expect(() => api.hinge(new Float32Array(7), [])).toThrow(/^hinge: .*scores.*0.*7/);
  });

  it("the message for a target is the one that the documentation promises", () => {
    const targets = [0, 9, 3, 12];
    expect(() => api.crossEntropy(new Float32Array(40), targets)).toThrow(
      /^crossEntropy: targets\[3\] must be .*\[0, 10\) or ignoreIndex, got 12$/,
    );
  });

  it("an array of nothing may have any number of classes, but sizes that can be multiplied", () => {
    for (const signature of signatures.filter(({ positional }) => !positional.includes("weight"))) {
      const nothing = allArguments(signature, { rows: 0, classes: 3 }, "", signature.positional);
      const output = call(api, signature, { ...nothing, shape: [0, 2 ** 45] });
      expect(output.filter((value) => !Number.isNaN(value))).toEqual([]);
      const thrown = caught(() => call(api, signature, { ...nothing, shape: [0, 5, 2 ** 52, 2 ** 52] }));
      expect(thrown).toBeInstanceOf(RangeError);
      expect(thrown.message).toMatch(/shape/);
    }
  });

  it("rows without classes", () => {
    for (const signature of signatures) {
      const none = allArguments(signature, { rows: 2, classes: 0 }, "", signature.positional);
      const thrown = caught(() => call(api, signature, { ...none, shape: [2, 0] }));
      expect(thrown).toBeInstanceOf(RangeError);
    }
  });
});

/** Calls a function with the right arguments except for those given; the result as one list of numbers. */
function call(functions: Functions, signature: Signature, given: Arguments): number[] {
  return numbersIn(invoke(functions, signature, replaced(bare(signature), given)));
}

function show(value: unknown): string {
  // Not by its own methods, which a detached array does not have.
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} ${Array.prototype.slice.call(value, 0, 8)}`;
  return typeof value === "function"
    ? "function"
    : (JSON.stringify(value, (_, v) => (typeof v === "bigint" ? `${v}n` : v)) ?? "undefined");
}
