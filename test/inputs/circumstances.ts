// The same functions under other circumstances: in a workspace, at odd addresses, in place, after other calls, each row on its own. Whatever
// is computed with them must not change by a bit.
import type { Functions, Softmargin } from "softmargin";

type Call = (...args: unknown[]) => unknown;
type Options = { readonly [name: string]: unknown };
type Floats = Float32Array | Float64Array | number[];

const names = [
  "softmax",
  "softmaxGrad",
  "logSoftmax",
  "logSoftmaxGrad",
  "logSumExp",
  "crossEntropy",
  "crossEntropyGrad",
  "hinge",
  "hingeGrad",
] as const satisfies readonly (keyof Functions)[];
type Name = (typeof names)[number];

/** `functions`, each called by way of `make`: `arrays` are its arguments but the options. */
function by(
  functions: Functions,
  make: (f: Call, arrays: unknown[], options: Options, name: Name) => unknown,
): Functions {
  const entries = names.map((name) => {
    const f = functions[name] as Call;
    const call = (...args: unknown[]) => {
      const last = args.at(-1);
      const options = Object.getPrototypeOf(last) === Object.prototype ? (args.pop() as Options) : {};
      return make(f, args, options, name);
    };
    return [name, call] as const;
  });
  return Object.fromEntries(entries) as { [name in Name]: Call } as Functions;
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

/** With the result over the input; a gradient of two arrays over the second. */
export function inPlace(functions: Functions): Functions {
  return by(functions, (f, arrays, options, name) => {
    if (name === "logSumExp" || name === "crossEntropy" || name === "hinge") return f(...arrays, options);
    const isLoss = name === "crossEntropyGrad" || name === "hingeGrad";
    if (isLoss && options["accumulate"]) return f(...arrays, options);
    const copies = (arrays as Floats[]).map((array) => array.slice());
    return f(...copies, { ...options, [isLoss ? "grad" : "out"]: isLoss ? copies[0] : copies.at(-1) });
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

/** Row by row: not in a batch, not in blocks, not along another axis. A loss that is reduced is computed as it is. */
export function rowByRow(functions: Functions): Functions {
  return by(functions, (f, [x, second], { shape, axis: _, ...options }, name) => {
    const isLoss = name.startsWith("crossEntropy") || name.startsWith("hinge");
    if (shape === undefined || (isLoss && options["reduction"] !== "none")) {
      return f(...[x, second].filter(Boolean), { ...options, ...(shape ? { shape } : {}) });
    }
    const [outer = 0, classes = 0, inner = 1] = shape as number[];
    const perRow = (r: number, values: Floats) => values.slice(r, r + 1);
    const start = (r: number) => Math.floor(r / inner) * classes * inner + (r % inner);
    const row = (r: number, values: Floats) => values.slice(0, classes).map((_, j) => values[start(r) + j * inner]!);

    const loss: number[] = [];
    const result = (x as Floats).slice(0, name === "logSumExp" ? outer * inner : undefined);
    for (let r = 0; r < outer * inner; r++) {
      const own: { [name: string]: unknown } = { ...options, shape: [1, classes] };
      for (const key of ["out", "grad"]) if (key in options) own[key] = row(r, options[key] as Floats);
      for (const key of ["sampleWeight", "gradOutput"]) {
        if (typeof options[key] === "object") own[key] = perRow(r, options[key] as Floats);
      }
      const ofClasses = isLoss && !(second instanceof Float32Array || second instanceof Float64Array);
      const seconds = second ? [(ofClasses ? perRow : row)(r, second as Floats)] : [];
      const got = f(row(r, x as Floats), ...seconds, own);
      const { loss: ownLoss, grad } = isLoss && "grad" in Object(got) ? (got as Fused) : { loss: got, grad: undefined };
      if (isLoss) loss.push((ownLoss as Floats)[0]!);
      const values = isLoss ? grad : (got as Floats);
      if (name === "logSumExp") result[r] = values![0]!;
      else
        values?.forEach((value, j) => {
          result[start(r) + j * inner] = value;
        });
    }
    if (!isLoss) return result;
    return name.endsWith("Grad") ? { loss, grad: result } : loss;
  });
}

interface Fused {
  readonly loss: Floats;
  readonly grad: Floats;
}
