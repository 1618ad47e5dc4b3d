// The kernels themselves, with arguments that the wrapper never passes: with each array in turn at the very end of linear memory, where a single
// byte read or written too far traps; and with targets that are no classes.
import { describe, expect, it } from "vitest";
import { type Api, backends } from "../catalogue/backends.js";
import { random } from "../inputs/random.js";

type Kernel = (...args: (number | boolean)[]) => void;
type Exports = Record<string, Kernel> & { memory: { readonly buffer: ArrayBuffer }; heapBase: () => number };
type InstanceType = new (module: object, imports: object) => { readonly exports: object };

const wasm = globalThis.WebAssembly as unknown as { Instance: InstanceType };

/** The exports of a new instance of the module that a backend runs: that of a workspace, seen as it is made. */
function rawExports(api: Api): Exports {
  const { Instance } = wasm;
  let seen: object | undefined;
  function Seen(module: object, imports: object): object {
    const instance = new Instance(module, imports);
    seen = instance.exports;
    return instance;
  }
  wasm.Instance = Seen as unknown as InstanceType;
  try {
    api.createWorkspace({ bytes: 2 ** 23 });
  } finally {
    wasm.Instance = Instance;
  }
  return seen as Exports;
}

type Floats = Float32ArrayConstructor | Float64ArrayConstructor;

interface Sizes {
  readonly outer: number;
  readonly cols: number;
  readonly inner: number;
}

/** What an array of a kernel holds, by its name; T is the type of the kernel. */
const arrays: Record<string, (sizes: Sizes, T: Floats) => { Kind: Floats | Int32ArrayConstructor; length: number }> = {
  ...Object.fromEntries(
    ["x", "y", "dy", "dx", "grad", "probabilities"].map((name) => [
      name,
      ({ outer, cols, inner }: Sizes, T: Floats) => ({ Kind: T, length: outer * cols * inner }),
    ]),
  ),
  ...Object.fromEntries(
    ["loss", "sampleWeight", "gradOutput"].map((name) => [
      name,
      ({ outer, inner }: Sizes) => ({ Kind: Float64Array, length: outer * inner }),
    ]),
  ),
  total: () => ({ Kind: Float64Array, length: 2 }),
  weight: ({ cols }, T) => ({ Kind: T, length: cols }),
  "top gradients": ({ outer, inner }, T) => ({ Kind: T, length: outer * inner }),
  tops: ({ outer, inner }) => ({ Kind: Int32Array, length: outer * inner }),
  targets: ({ outer, inner }) => ({ Kind: Int32Array, length: outer * inner }),
};

/** A way to call a kernel of assembly/index.ts: its arrays by name, "" where one is absent, and what else it takes. */
interface RawKernel {
  readonly name: string;
  readonly arrays: readonly string[];
  /** So many of the arrays, the first ones, are written. */
  readonly outputs: number;
  readonly args: (sizes: Sizes) => (number | boolean)[];
}

const kernels: readonly RawKernel[] = [
  ...["softmax", "logSoftmax"].map((name) => ({
    name,
    arrays: ["y", "x"],
    outputs: 1,
    args: ({ outer, cols, inner }: Sizes) => [outer, cols, inner, 0.7],
  })),
  {
    name: "logSumExp",
    arrays: ["loss", "x"],
    outputs: 1,
    args: ({ outer, cols, inner }) => [outer, cols, inner, 1],
  },
  ...["softmaxGrad", "logSoftmaxGrad"].map((name) => ({
    name,
    arrays: ["dx", "y", "dy"],
    outputs: 1,
    args: ({ outer, cols, inner }: Sizes) => [outer, cols, inner],
  })),
  ...[
    ["total", "loss", "", "x", "targets", "", "", "", ""],
    ["total", "loss", "grad", "x", "targets", "", "", "", ""],
    ["total", "", "grad", "x", "targets", "", "", "", ""],
    ["total", "loss", "grad", "x", "targets", "", "weight", "sampleWeight", "gradOutput"],
    ["total", "loss", "grad", "x", "", "probabilities", "", "", ""],
    ["total", "loss", "grad", "x", "", "probabilities", "weight", "sampleWeight", "gradOutput"],
  ].flatMap((names) =>
    [0, 0.1].map((smoothing) => ({
      name: "crossEntropy",
      arrays: names,
      outputs: 3,
      args: ({ outer, cols, inner }: Sizes) => [outer, cols, inner, smoothing, 1, 1],
    })),
  ),
  ...[
    ["total", "loss", "", "", "x", "targets", "", "", ""],
    ["total", "loss", "grad", "", "x", "targets", "", "", ""],
    ["total", "", "grad", "", "x", "targets", "", "", ""],
    ["total", "loss", "grad", "", "x", "targets", "weight", "sampleWeight", "gradOutput"],
    ["total", "loss", "top gradients", "tops", "x", "targets", "", "", ""],
    ["total", "", "top gradients", "tops", "x", "targets", "weight", "sampleWeight", "gradOutput"],
  ].flatMap((names) =>
    (names.includes("tops") ? [false] : [true, false]).flatMap((westonWatkins) =>
      [true, false].map((squared) => ({
        name: "hinge",
        arrays: names,
        outputs: 4,
        args: ({ outer, cols, inner }: Sizes) => [outer, cols, inner, westonWatkins, 1, squared, 1, 1],
      })),
    ),
  ),
  {
    name: "add",
    arrays: ["y", "x"],
    outputs: 1,
    args: ({ outer, cols, inner }) => [outer * cols * inner],
  },
  {
    name: "swapAxes",
    arrays: ["y", "x"],
    outputs: 1,
    args: ({ outer, cols, inner }) => [outer, cols * inner, outer, cols * inner],
  },
];

const types = [
  ["F32", Float32Array],
  ["F64", Float64Array],
] as const;

describe.each(backends.filter(({ name }) => name !== "baseline"))("$name", ({ api, runs }) => {
  const exports = runs ? rawExports(api) : ({} as Exports);

  /** Runs a kernel with the array `last` at the end of the memory and the others near its beginning; the bytes of what it wrote. */
  function run(kernel: RawKernel, suffix: string, T: Floats, sizes: Sizes, last = "none", ignored = -1): Buffer[] {
    const { buffer } = exports.memory;
    const draw = random(sizes.cols);
    let next = exports.heapBase();
    const views = kernel.arrays.map((name) => {
      if (name === "") return undefined;
      const { Kind, length } = arrays[name]!(sizes, T);
      const bytes = length * Kind.BYTES_PER_ELEMENT;
      next = Math.ceil(next / 16) * 16;
      const at = name === last ? buffer.byteLength - bytes : next;
      if (name !== last) next += bytes;
      const view = new Kind(buffer, at, length);
      for (let i = 0; i < length; i++) {
        if (Kind === Int32Array) view[i] = i % 3 === 1 ? ignored : (7 * i) % sizes.cols;
        else if (name === "x" && sizes.cols % 2 === 0 && i === length >> 1) view[i] = Number.NaN;
        else view[i] = name === "y" ? -draw.uniform() : draw.uniform();
      }
      return view;
    });
    const bytesOf = (some: typeof views) =>
      some.flatMap((view) =>
        view ? [Buffer.from(buffer.slice(view.byteOffset, view.byteOffset + view.byteLength))] : [],
      );
    const inputs = views.slice(kernel.outputs);
    const before = Buffer.concat(bytesOf(inputs));
    exports[kernel.name + suffix]!(...views.map((view) => view?.byteOffset ?? 0), ...kernel.args(sizes));
    if (!before.equals(Buffer.concat(bytesOf(inputs)))) throw new Error("an input was written");
    return bytesOf(views.slice(0, kernel.outputs));
  }

  describe.skipIf(!runs).each(types)("%s", (suffix, T) => {
    it("touch nothing outside of their arrays, and compute the same wherever these are", () => {
      const shapes: Sizes[] = [];
      for (const cols of [1, 2, 3, 4, 5, 7, 8, 9, 10, 17, 24, 25, 48, 49, 64, 65, 66, 67, 68, 100, 131, 300, 1031])
        for (const outer of cols < 100 ? [1, 2, 3, 4, 5, 9] : [1, 2]) shapes.push({ outer, cols, inner: 1 });
      shapes.push({ outer: 1, cols: 140_001, inner: 1 });
      for (const cols of [1, 2, 3, 10, 24]) for (const inner of [2, 3, 4, 5, 7]) shapes.push({ outer: 2, cols, inner });
      for (const sizes of shapes) {
        for (const kernel of kernels) {
          const want = run(kernel, suffix, T, sizes);
          const names = kernel.arrays.filter((name) => name !== "");
          for (const last of sizes.cols > 10_000 ? names.slice(0, 1) : names) {
            const what = `${kernel.name}(${kernel.arrays}) of ${Object.values(sizes)}, ${last} last`;
            let got: Buffer[] = [];
            expect(() => {
              got = run(kernel, suffix, T, sizes, last);
            }, what).not.toThrow();
            expect(Buffer.compare(Buffer.concat(got), Buffer.concat(want)), what).toBe(0);
          }
        }
      }
    });

    it.each(["crossEntropy", "hinge"])("%s takes a target that is no class for a row to be ignored", (name) => {
      for (const kernel of kernels.filter((kernel) => kernel.name === name && kernel.arrays.includes("targets"))) {
        for (const cols of [1, 3, 10, 64, 100]) {
          const sizes = { outer: 3, cols, inner: 1 };
          const results = [-1, cols, cols + 1, -2, 2 ** 31 - 1, -(2 ** 31), -100].map((target) => {
            const outputs = run(kernel, suffix, T, sizes, "none", target);
            return Buffer.concat(outputs).toString("hex");
          });
          expect(new Set(results).size, `${kernel.arrays} of ${cols} classes`).toBe(1);
        }
      }
    });
  });
});
