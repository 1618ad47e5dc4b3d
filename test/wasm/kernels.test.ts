// The kernels themselves, with arguments that the wrapper never passes: with each array in turn at the very end of linear memory, where a single
// byte read or written too far traps; and with targets that are no classes.
import { describe, expect, it } from "vitest";
import { type Api, backends } from "../catalogue/backends.js";
import { type Call, callsOf, roomsOf, type Shape } from "../catalogue/kernels.js";
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

const presentOf = ({ kernel, args }: Call) => kernel.arrays.filter((array) => args[array] !== 0);
const textOf = ({ kernel, args }: Call) => `${kernel.name}(${JSON.stringify(args)})`;

describe.each(backends.filter(({ name }) => name !== "baseline"))("$name", ({ api, runs }) => {
  const exports = runs ? rawExports(api) : ({} as Exports);

  /** Runs a kernel with the array `last` at the end of the memory and the others near its beginning; the bytes of what it wrote. */
  function run(call: Call, { cols }: Shape, last = "none", ignored = -1): Buffer {
    const { kernel, args } = call;
    const { buffer } = exports.memory;
    const draw = random(cols);
    let next = exports.heapBase();
    let logits: ArrayLike<number> = [];
    const roomOf = roomsOf(call);
    const views = presentOf(call).map((name) => {
      const { length, Kind } = roomOf(name);
      const size = length * Kind.BYTES_PER_ELEMENT;
      next = Math.ceil(next / 16) * 16;
      const at = name === last ? buffer.byteLength - size : next;
      if (name !== last) next += size;
      const view = new Kind(buffer, at, length);
      for (let i = 0; i < view.length; i++) {
        if (name === "tops") view[i] = ranking(Array.from(logits).slice(i * cols, (i + 1) * cols))[0]!;
        else if (Kind === Uint16Array) view[i] = draw.integer(0, 0x7c00);
        else if (Kind === Int32Array) view[i] = i % 3 === 1 ? ignored : (7 * i) % cols;
        else if (name === "x" && cols % 2 === 0 && i === view.length >> 1) view[i] = Number.NaN;
        else view[i] = name === "y" ? -draw.uniform() : draw.uniform();
      }
      if (name === "x") logits = view;
      return [name, view] as const;
    });
    const contents = (areOutputs: boolean) => {
      const some = views.filter(([name]) => kernel.outputs.includes(name) === areOutputs);
      return Buffer.concat(some.map(([, view]) => new Uint8Array(buffer, view.byteOffset, view.byteLength)));
    };
    const inputs = contents(false);
    const pointers = Object.fromEntries(views.map(([name, view]) => [name, view.byteOffset]));
    (exports[kernel.name] as (...args: number[]) => void)(...Object.values({ ...args, ...pointers }));
    if (!inputs.equals(contents(false))) throw new Error(`${textOf(call)} wrote an input`);
    return contents(true);
  }

  describe.skipIf(!runs).each([4, 8])("%i bytes", (bytes) => {
    it("touch nothing outside of their arrays, and compute the same wherever these are", () => {
      const shapes: Omit<Shape, "bytes">[] = [];
      for (const cols of [1, 2, 3, 4, 5, 7, 8, 9, 10, 17, 24, 25, 48, 49, 64, 65, 66, 67, 68, 100, 131, 300, 1031])
        for (const outer of cols < 100 ? [1, 2, 3, 4, 5, 9] : [1, 2]) shapes.push({ outer, cols, inner: 1 });
      shapes.push({ outer: 1, cols: 140_001, inner: 1 });
      for (const cols of [1, 2, 3, 10, 24]) for (const inner of [2, 3, 4, 5, 7]) shapes.push({ outer: 2, cols, inner });
      for (const shape of shapes.map((sizes) => ({ bytes, ...sizes }))) {
        for (const call of callsOf(shape)) {
          const present = presentOf(call);
          const want = run(call, shape);
          const wrong = present.slice(0, shape.cols > 10_000 ? 1 : present.length).flatMap((last) => {
            try {
              return run(call, shape, last).equals(want) ? [] : [`${last} last: differs`];
            } catch (error) {
              return [`${last} last: ${error}`];
            }
          });
          expect(wrong, textOf(call)).toEqual([]);
        }
      }
    });

    it("take a target that is no class for a row to be ignored", () => {
      for (const cols of [1, 3, 10, 64, 100]) {
        const shape = { bytes, outer: 3, cols, inner: 1 };
        for (const call of callsOf(shape).filter((call) => presentOf(call).includes("targets"))) {
          const results = [-1, cols, cols + 1, -2, 2 ** 31 - 1, -(2 ** 31), -100].map((target) =>
            run(call, shape, "none", target).toString("hex"),
          );
          expect(new Set(results).size, textOf(call)).toBe(1);
        }
      }
    });
  });
});
