// The same functions under other circumstances: in a workspace, at odd addresses, in place, after other calls, each row on its own. Whatever
// is computed with them must not change by a bit.
import type { Functions, Softmargin } from "softmargin";
import type { FunctionName } from "../catalogue/entries/entry.js";
import { allSignatures, type Signature } from "../catalogue/functions.js";

type Call = (...args: unknown[]) => unknown;
type Options = { readonly [name: string]: unknown };
type Floats = Float32Array | Float64Array | number[];

/** `functions`, each called by way of `make`: `arrays` are its arguments but the options. */
function by(
  functions: Functions,
  make: (f: Call, arrays: unknown[], options: Options, signature: Signature) => unknown,
): Functions {
  const entries = allSignatures.map((signature) => {
    const f = functions[signature.name] as Call;
    const call = (...args: unknown[]) => {
      const last = args.at(-1);
      const options = Object.getPrototypeOf(last) === Object.prototype ? (args.pop() as Options) : {};
      return make(f, args, options, signature);
    };
    return [signature.name, call] as const;
  });
  return Object.fromEntries(entries) as { [name in FunctionName]: Call } as Functions;
}

/** On copies of all arrays, those among the options too, that `place` has made. */
function on(functions: Functions, place: (array: unknown) => unknown, before: () => void = () => {}): Functions {
  return by(functions, (f, arrays, options) => {
    before();
    const placed = Object.entries(options).map(([name, value]) => [name, place(value)] as const);
    return f(...arrays.map(place), Object.fromEntries(placed));
  });
}

/** On arrays inside the kernels' memory, where nothing is copied in and out. */
export function inWorkspace({ createWorkspace }: Softmargin): Functions {
  const workspace = createWorkspace({ bytes: 1 << 23 });
  const place = (array: unknown) => {
    if (array instanceof Float32Array) return filled(workspace.float32(array.length), array);
    if (array instanceof Float64Array) return filled(workspace.float64(array.length), array);
    return array instanceof Int32Array ? filled(workspace.int32(array.length), array) : array;
  };
  return on(workspace, place, () => workspace.reset());
}

/** On arrays at addresses that are a multiple of an element's size and of nothing more. */
export function atOddAddresses(functions: Functions): Functions {
  return on(functions, (array) => {
    if (!(array instanceof Float32Array || array instanceof Float64Array)) return array;
    const Kind = array instanceof Float32Array ? Float32Array : Float64Array;
    const size = Kind.BYTES_PER_ELEMENT;
    return filled(new Kind(new ArrayBuffer((array.length + 4) * size), 3 * size, array.length), array);
  });
}

function filled<T extends Float32Array | Float64Array | Int32Array>(to: T, from: T): T {
  to.set(from);
  return to;
}

/** With a result over an input of its kind and length: a gradient of a loss over the logits, others over the last array; what widens bits has none. */
export function inPlace(functions: Functions): Functions {
  return by(functions, (f, arrays, options, { first, outputs, positional, own }) => {
    const [output] = outputs;
    if (output === undefined || first === "bits" || own?.[output] || options["accumulate"])
      return f(...arrays, options);
    const copies = (arrays as Floats[]).map((array) => array.slice());
    return f(...copies, { ...options, [output]: positional.includes("targets") ? copies[0] : copies.at(-1) });
  });
}

/** Each call after one with another temperature, another length or an error, which leave other values in every buffer. */
export function afterOtherCalls(functions: Functions): Functions {
  const lengths = [3, 1000, 70, 9000];
  let calls = 0;
  return by(functions, (f, arrays, options) => {
    const n = lengths[calls++ % lengths.length]!;
    const x = calls % 2 ? new Float32Array(n).fill(Number.NaN) : new Float64Array(n).fill(7);
    functions.logSoftmax(x, { temperature: 1 + calls });
    functions.crossEntropyGrad(x, [1], { weight: x.map((_, j) => j), labelSmoothing: 0.5, temperature: 1 / calls });
    try {
      functions.hingeGrad(x, [n]);
    } catch {}
    return f(...arrays, options);
  });
}

/**
 * Row by row: not in a batch, not in blocks, not along another axis. A loss that is reduced is computed as it is, and so is a layer, whose gradients are
 * sums over rows: test/functions/linear.test.ts holds each of its results against a loop.
 */
export function rowByRow(functions: Functions): Functions {
  return by(functions, (f, arrays, { shape, axis: _, ...options }, signature) => {
    const isReduced = signature.options.includes("reduction") && options["reduction"] !== "none";
    const isLayer = signature.positional.includes("weight");
    if (shape === undefined || isReduced || isLayer) return f(...arrays, { ...options, ...(shape ? { shape } : {}) });
    const [outer = 0, classes = 0, inner = 1] = shape as number[];
    const rows = outer * inner;
    const at = (r: number, j: number) => (Math.floor(r / inner) * classes + j) * inner + (r % inner);
    /** A row of what has a number for each logit, or for each row; anything else as it is. */
    const rowOf = (r: number, value: unknown, isPerRow: boolean) => {
      if (typeof value !== "object") return value;
      const values = value as Floats;
      return isPerRow && values.length === rows
        ? values.slice(r, r + 1)
        : values.slice(0, classes).map((_, j) => values[at(r, j)]!);
    };
    const isFloat = (value: unknown) => value instanceof Float32Array || value instanceof Float64Array;
    const perRow = [...(signature.own?.["out"] ? ["out"] : []), "sampleWeight", "gradOutput"];
    const split = ["out", "grad", "sampleWeight", "gradOutput"];

    const results: { [name: string]: Floats } = {};
    for (let r = 0; r < rows; r++) {
      const own = Object.entries(options).map(([key, value]) => {
        return [key, split.includes(key) ? rowOf(r, value, perRow.includes(key)) : value] as const;
      });
      const given = arrays.map((array, i) => rowOf(r, array, signature.positional[i] === "targets" && !isFloat(array)));
      const got = f(...given, { ...Object.fromEntries(own), shape: [1, classes] }) as
        | Floats
        | { [name: string]: Floats };
      const isPlain = ArrayBuffer.isView(got) || Array.isArray(got);
      for (const [name, values] of Object.entries(isPlain ? { result: got as Floats } : got)) {
        results[name] ??= emptyLike(values, rows * values.length);
        const all = results[name];
        const isWhole = values.length === classes && !signature.positional.includes("k");
        for (let j = 0; j < values.length; j++) all[isWhole ? at(r, j) : r * values.length + j] = values[j]!;
      }
    }
    return results["result"] ?? results;
  });
}

function emptyLike(values: Floats, length: number): Floats {
  return Array.isArray(values) ? [] : new (values.constructor as typeof Float32Array)(length);
}
