// The kernels, by the compiler's signatures (build/abi.d.ts): outputs, inputs, sizes, scalars. What an array holds follows from its name.
import { readFileSync } from "node:fs";

/** The arguments of a call by name: byte offsets, 0 where an array is absent; sizes, scalars. */
export type Args = Readonly<Record<string, number>>;
export type Shape = Readonly<Record<"bytes" | "outer" | "cols" | "inner", number>>;

/** Sizes of a call for logits of a shape; a layer has three classes of more. */
function sizesOf(shape: Shape) {
  const { outer, cols, inner } = shape;
  const rows = outer * inner;
  const layer = { features: cols, classes: 3, stride: 5 };
  const top = { k: Math.min(3, cols), capacity: Math.ceil(cols / 4) * 4 };
  return { ...shape, n: rows * cols, rows, ...layer, ...top, toStride: rows, fromStride: cols };
}

/** How many elements arrays have, and of which kind: the kernel's, or one of their own. */
type Room = readonly [length: (sizes: Sizes) => number, Kind?: Kind];
type Kind = Float64ArrayConstructor | Float32ArrayConstructor | Int32ArrayConstructor | Uint16ArrayConstructor;
type Sizes = ReturnType<typeof sizesOf>;
type Rooms = Readonly<Record<string, Room>>;

const named = (names: string, ...room: Room): Rooms => Object.fromEntries(names.split(" ").map((name) => [name, room]));

const ARRAYS: Rooms = {
  ...named("total", () => 2, Float64Array),
  ...named("x y dx dy grad probabilities kept", ({ rows, cols }) => rows * cols),
  ...named("bits", ({ rows, cols }) => rows * cols, Uint16Array),
  ...named("loss lse sampleWeight gradOutput u", ({ rows }) => rows, Float64Array),
  ...named("top", ({ rows }) => 2 * rows, Float64Array),
  ...named("complements", ({ rows }) => 3 * rows, Float64Array),
  ...named("targets classes tops", ({ rows }) => rows, Int32Array),
  ...named("weight bias dbias", ({ classes }) => classes),
  ...named("w dw", ({ classes, cols }) => classes * cols),
  ...named("z g", ({ rows, classes, stride }) => (rows - 1) * stride + classes),
  ...named("values", ({ rows, k }) => rows * k),
  ...named("indices", ({ rows, k }) => rows * k, Int32Array),
  ...named("list weights", ({ capacity }) => capacity),
  ...named("ids order spare", ({ capacity }) => capacity, Int32Array),
  ...named("sums", ({ cols }) => Math.floor(cols / 1024) + 1, Float64Array),
  ...named("to", ({ rows, cols, toStride }) => (cols - 1) * toStride + rows),
  ...named("from", ({ rows, cols, fromStride }) => (rows - 1) * fromStride + cols),
};

/** Of kernels of n elements. */
const ELEMENTWISE: Rooms = {
  ...named("total", () => 2, Float64Array),
  ...named("x y dx dy w dw loss grad targets weight posWeight gradOutput", ({ n }) => n),
  ...named("bits", ({ n }) => n, Uint16Array),
  ...named("floats", ({ n }) => n, Float32Array),
};

/** What is written besides the first array. */
const OUTPUTS = "loss grad complements top values list ids order spare sums weights kept".split(" ");

/** Arrays that are absent together, of those that a kernel has. */
const FACTORS = ["weight", "posWeight", "sampleWeight", "gradOutput", "bias"];
const ABSENT = [
  [],
  FACTORS,
  ["grad", ...FACTORS],
  ["loss", ...FACTORS],
  ["grad", "weight"],
  ["loss", "posWeight", "gradOutput"],
].map((names): Args => Object.fromEntries(names.map((name) => [name, 0])));

/** Scalars that are not just 1, or 0 and 1 for a boolean. */
const SCALARS: Readonly<Record<string, readonly number[]>> = {
  temperature: [0.7, 1],
  smoothing: [0, 0.1],
  gamma: [0, 1, 2, 0.5],
  kind: [0, 1, 2],
  l2: [0.1],
  minP: [0],
};

/** Ways to call a kernel, where names do not say them. */
const PECULIAR: Readonly<Record<string, (shape: Shape) => readonly Args[]>> = {
  crossEntropy: () => [{ complements: 0, probabilities: 0 }, { complements: 0, targets: 0 }, { probabilities: 0 }],
  hinge: () => [{ top: 0 }, { grad: 0, westonWatkins: 0 }],
  decay: () => [{}, { dw: 0 }],
  argmaxHalf: ({ cols }) => [{ cols: cols + 31 }],
  sample: () =>
    [{}, { k: 3 }, { topP: 0.9 }, { minP: 0.1 }, { k: 9, topP: 0.5, minP: 0.2 }].map((way) => ({ k: 1e9, ...way })),
};

interface Kernel {
  readonly name: string;
  /** The types of its parameters, in their order. */
  readonly types: Readonly<Record<string, string>>;
  readonly arrays: readonly string[];
  readonly outputs: readonly string[];
}

/** The exports that take arrays. */
export const kernels: ReadonlyMap<string, Kernel> = new Map(
  [...readFileSync("build/abi.d.ts", "utf8").matchAll(/assembly\/index\/(\w+)(.*?)\*\//gs)]
    .map(([, name, comment]): Kernel => {
      const types = Object.fromEntries([...comment!.matchAll(/@param (\w+) `(\w+)`/g)].map(([, ...entry]) => entry));
      const arrays = Object.keys(types).filter((key) => types[key] === "usize");
      return { name: name!, types, arrays, outputs: arrays.filter((key, i) => i === 0 || OUTPUTS.includes(key)) };
    })
    .filter(({ arrays }) => arrays.length > 0)
    .map((kernel) => [kernel.name, kernel]),
);

export interface Call {
  readonly kernel: Kernel;
  readonly args: Args;
}

/** Every way to call every kernel for logits of a shape. An array that is there is 1. */
export function callsOf(shape: Shape): Call[] {
  const sizes = sizesOf(shape);
  return [...kernels.values()].flatMap((kernel) => {
    const ways = (PECULIAR[kernel.name]?.(shape) ?? [{}]).flatMap((way) =>
      ABSENT.map((absent) => ({ ...absent, ...way })),
    );
    const calls = ways.flatMap((given: Args) =>
      Object.keys(kernel.types).reduce<Args[]>(
        (some, key) => {
          const values = key in given ? [given[key]!] : valuesOf(key, kernel, sizes);
          return some.flatMap((args) => values.map((value) => ({ ...args, [key]: value })));
        },
        [{}],
      ),
    );
    return [...new Map(calls.map((args) => [Object.values(args).join(), { kernel, args }])).values()];
  });
}

function valuesOf(key: string, { name, types }: Kernel, sizes: Args): readonly number[] {
  if (types[key] === "usize") return [1];
  if (types[key] === "bool") return [0, 1];
  if (types[key] === "i32" && !(key in sizes || key in SCALARS))
    throw new Error(`test/catalogue/kernels.ts does not know ${key} of ${name}: add it to sizesOf, or to SCALARS`);
  return SCALARS[key] ?? [sizes[key] ?? 1];
}

/** What the arrays of a call hold. */
export function roomsOf({ kernel, args }: Call): (array: string) => { readonly length: number; readonly Kind: Kind } {
  const { outer, inner, features } = args;
  const { rows = outer! * inner!, cols = features!, k = 1 } = args;
  const { classes = cols, stride = classes } = args;
  const sizes = { ...args, rows, cols, classes, stride, k } as Sizes;
  const [list, rooms] = "n" in args ? ["ELEMENTWISE", ELEMENTWISE] : ["ARRAYS", ARRAYS];
  return (array) => {
    const [lengthOf, Kind = args["bytes"] === 8 ? Float64Array : Float32Array] = rooms[array] ?? [];
    const length = lengthOf?.(sizes) ?? Number.NaN;
    if (!Number.isSafeInteger(length))
      throw new Error(
        `test/catalogue/kernels.ts does not know how long ${array} of ${kernel.name} is: add it to ${list}`,
      );
    return { length, Kind };
  };
}
