// The kernels themselves, with arguments that the wrapper never passes: with each array in turn at the very end of linear memory, where a single
// byte read or written too far traps; and with targets that are no classes.
import { describe, expect, it } from "vitest";
import { type Api, backends } from "../catalogue/backends.js";
import { type Args, bytesOf, kernels } from "../catalogue/kernels.js";
import { random } from "../inputs/random.js";
import { ranking } from "../oracle/decisions.js";

type Exports = Record<string, unknown> & { memory: { readonly buffer: ArrayBuffer }; heapBase: () => number };
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

type Sizes = { readonly outer: number; readonly cols: number; readonly inner: number };

/** Every way to call every kernel, with the names of the arrays that are there. */
const calls = Object.entries(kernels).flatMap(([name, kernel]) =>
  kernel.ways.map(({ absent = [], scalars = () => ({}) }) => {
    const arrays = Object.entries({ ...kernel.writes, ...kernel.reads });
    const present = arrays.map(([key]) => key).filter((key) => !absent.includes(key));
    return { name, kernel, arrays, present, scalars };
  }),
);
type Call = (typeof calls)[number];

const KINDS = { f64: Float64Array, f32: Float32Array, i32: Int32Array, u16: Uint16Array };

describe.each(backends.filter(({ name }) => name !== "baseline"))("$name", ({ api, runs }) => {
  const exports = runs ? rawExports(api) : ({} as Exports);

  /** Runs a kernel with the array `last` at the end of the memory and the others near its beginning; the bytes of what it wrote. */
  function run(call: Call, bytes: number, sizes: Sizes, last = "none", ignored = -1): Buffer[] {
    const { buffer } = exports.memory;
    const draw = random(sizes.cols);
    const sized = { ...sizes, ...call.scalars(sizes) };
    const there = (key: string) => Number(call.present.includes(key));
    const args: Args = { ...Object.fromEntries(call.arrays.map(([key]) => [key, there(key)])), ...sized };
    let next = exports.heapBase();
    let logits: ArrayLike<number> = [];
    const views = call.arrays.map(([name, room]) => {
      if (!there(name)) return undefined;
      const Kind = KINDS[room.type ?? (bytes === 8 ? "f64" : "f32")];
      const size = bytesOf(room, args, bytes);
      next = Math.ceil(next / 16) * 16;
      const at = name === last ? buffer.byteLength - size : next;
      if (name !== last) next += size;
      const view = new Kind(buffer, at, room.length(args));
      for (let i = 0; i < view.length; i++) {
        if (name === "tops") view[i] = ranking(Array.from(logits).slice(i * sizes.cols, (i + 1) * sizes.cols))[0]!;
        else if (Kind === Uint16Array) view[i] = draw.integer(0, 0x7c00);
        else if (Kind === Int32Array) view[i] = i % 3 === 1 ? ignored : (7 * i) % sizes.cols;
        else if (name === "x" && sizes.cols % 2 === 0 && i === view.length >> 1) view[i] = Number.NaN;
        else view[i] = name === "y" ? -draw.uniform() : draw.uniform();
      }
      if (name === "x") logits = view;
      return view;
    });
    const contents = (some: typeof views) =>
      some.flatMap((view) =>
        view ? [Buffer.from(buffer.slice(view.byteOffset, view.byteOffset + view.byteLength))] : [],
      );
    const outputs = Object.keys(call.kernel.writes).length;
    const inputs = views.slice(outputs);
    const before = Buffer.concat(contents(inputs));
    const pointers = views.map((view) => view?.byteOffset ?? 0);
    (exports[call.name] as (...args: number[]) => void)(
      bytes,
      ...pointers,
      ...call.kernel.scalars.map((key) => args[key]!),
    );
    if (!before.equals(Buffer.concat(contents(inputs)))) throw new Error("an input was written");
    return contents(views.slice(0, outputs));
  }

  describe.skipIf(!runs).each([4, 8])("%i bytes", (bytes) => {
    it("touch nothing outside of their arrays, and compute the same wherever these are", () => {
      const shapes: Sizes[] = [];
      for (const cols of [1, 2, 3, 4, 5, 7, 8, 9, 10, 17, 24, 25, 48, 49, 64, 65, 66, 67, 68, 100, 131, 300, 1031])
        for (const outer of cols < 100 ? [1, 2, 3, 4, 5, 9] : [1, 2]) shapes.push({ outer, cols, inner: 1 });
      shapes.push({ outer: 1, cols: 140_001, inner: 1 });
      for (const cols of [1, 2, 3, 10, 24]) for (const inner of [2, 3, 4, 5, 7]) shapes.push({ outer: 2, cols, inner });
      for (const sizes of shapes) {
        for (const call of calls) {
          const want = run(call, bytes, sizes);
          for (const last of sizes.cols > 10_000 ? call.present.slice(0, 1) : call.present) {
            const what = `${call.name}(${call.present}) of ${Object.values(sizes)}, ${last} last`;
            let got: Buffer[] = [];
            expect(() => {
              got = run(call, bytes, sizes, last);
            }, what).not.toThrow();
            expect(Buffer.compare(Buffer.concat(got), Buffer.concat(want)), what).toBe(0);
          }
        }
      }
    });

    it("take a target that is no class for a row to be ignored", () => {
      for (const call of calls.filter(({ present }) => present.includes("targets"))) {
        for (const cols of [1, 3, 10, 64, 100]) {
          const sizes = { outer: 3, cols, inner: 1 };
          const results = [-1, cols, cols + 1, -2, 2 ** 31 - 1, -(2 ** 31), -100].map((target) => {
            const outputs = run(call, bytes, sizes, "none", target);
            return Buffer.concat(outputs).toString("hex");
          });
          expect(new Set(results).size, `${call.name}(${call.present}) of ${cols} classes`).toBe(1);
        }
      }
    });
  });
});
