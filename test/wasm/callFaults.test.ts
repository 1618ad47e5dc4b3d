// What can go wrong in a call: a kernel that traps, a stack that is exhausted before or in a kernel, memory that cannot grow or be
// allocated. A typed error or the right result; the next call of every function is right, also in a workspace, whose arrays stay.
import { readFileSync } from "node:fs";
import * as baseline from "softmargin/baseline";
import { create } from "softmargin/wasm";
import { afterEach, describe, expect, it } from "vitest";
import { type Api, backends } from "../catalogue/backends.js";
import { caught, invoke, numbersIn } from "../catalogue/calls.js";
import { type Arguments, allSignatures, type Functions, rightArguments } from "../catalogue/functions.js";
import { kernels } from "../catalogue/kernels.js";
import { expectSameBits } from "../oracle/expectClose.js";

type Kernel = (...args: number[]) => unknown;
interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
type InstanceType = new (module: object, imports: object) => { readonly exports: Record<string, unknown> };
const wasm = globalThis.WebAssembly as unknown as { Instance: InstanceType; RuntimeError: ErrorConstructor };
const Original = wasm.Instance;

/** What happens instead of running a kernel, or before memory grows or an instance is made. */
interface Faults {
  kernel?: (run: () => void, trap: (after?: unknown) => void, own: Uint8Array) => void;
  grow?: () => void;
  instantiate?: () => void;
}
let faults: Faults = {};
let instances = 0;

wasm.Instance = function Faulty(module: object, imports: object): object {
  faults.instantiate?.();
  instances++;
  const { exports } = new Original(module, imports);
  const real = exports["memory"] as Memory;
  const memory = {
    get buffer() {
      return real.buffer;
    },
    grow(pages: number) {
      faults.grow?.();
      return real.grow(pages);
    },
  };
  const wrapped = Object.entries(exports).map(([name, value]) => {
    const kernel = value as Kernel;
    if (!kernels.has(name)) return [name, value];
    const call = (...args: number[]) => {
      const run = () => void kernel(...args);
      // a real one: the results go where there is no memory, but not so far that an end of theirs would be 0 again
      const trap = () => void kernel(...args.map((arg, i) => (i === 1 || i === 2 ? 0xfff00000 : arg)));
      const own = (exports["heapBase"] as () => number)();
      if (faults.kernel) faults.kernel(run, trap, new Uint8Array(real.buffer, 0, own));
      else run();
    };
    return [name, call];
  });
  return { exports: { ...Object.fromEntries(wrapped), memory } };
} as unknown as InstanceType;

/** Something at the nth kernel, growth or instantiation from now on, and never again. */
function onceAt(n: number, f: () => void): () => boolean {
  let calls = 0;
  return () => {
    if (++calls !== n) return false;
    f();
    return true;
  };
}

/** Wild writes over all that the module has in the memory for itself. */
const poison = (own: Uint8Array) => own.fill(0xff);
const overflow = (): number => 1 + overflow();
const noMemory = () => {
  throw new RangeError("WebAssembly.Memory.grow(): Unable to grow instance memory");
};

const LARGE = 300_000;
const large = () => new Float32Array(LARGE).map((_, i) => (i * 37) % 101);

describe.each(backends.filter(({ name }) => name !== "baseline").map((backend) => [backend.name, backend] as const))(
  "%s",
  (name, { runs }) => {
    if (!runs) return it.skip("does not run here", () => {});
    const bytes = readFileSync(new URL(`../../dist/${name}.wasm`, import.meta.url));
    const fresh = (): Api => create(bytes) as Api;
    const ordinary = fresh();
    const want = allSignatures.map((signature) => numbersIn(invoke(ordinary, signature, rightArguments(signature))));
    const wantLarge = ordinary.softmax(large());

    /** Of every function, beginning with one of them: the first call is the one that sets things right. */
    function expectAllRight(
      functions: Functions,
      arrays = (given: Arguments) => given,
      first = allSignatures[0]!,
    ): void {
      [first, ...allSignatures].forEach((signature) => {
        const i = allSignatures.indexOf(signature);
        const got = numbersIn(invoke(functions, signature, arrays(rightArguments(signature))));
        expectSameBits(got, want[i]!, () => `${signature.name}, afterwards`);
      });
    }

    /** Functions, and where they get their arrays from. */
    function plain() {
      return { functions: fresh() as Functions, arrays: (given: Arguments) => given };
    }
    function workspace() {
      const space = fresh().createWorkspace({ bytes: 1 << 19 });
      const arrays = (given: Arguments) => {
        const inside = Object.entries(given).map(([key, value]) => {
          if (!(value instanceof Float32Array || value instanceof Int32Array)) return [key, value];
          const array = value instanceof Int32Array ? space.int32(value.length) : space.float32(value.length);
          array.set(value);
          return [key, array];
        });
        return Object.fromEntries(inside) as Arguments;
      };
      return { functions: space as Functions, arrays };
    }
    const places = { plain, workspace };

    afterEach(() => {
      faults = {};
      expectAllRight(ordinary);
    });

    describe.each(["plain", "workspace"] as const)("%s functions", (place) => {
      const kernels: [string, NonNullable<Faults["kernel"]>, new (message: string) => Error][] = [
        ["a trap", (_, trap) => trap(), wasm.RuntimeError],
        ["a trap after wild writes", (_, trap, own) => trap(poison(own)), wasm.RuntimeError],
        ["an exhausted stack", () => void overflow(), RangeError],
      ];
      describe.each(kernels)("%s in a kernel", (_, fault, error) => {
        it.each(allSignatures.map((signature) => [signature.name, signature] as const))("%s", (_, signature) => {
          const { functions, arrays } = places[place]();
          const keep = arrays({ x: new Float32Array(4).fill(7) })["x"] as Float32Array;
          let broken = false;
          faults.kernel = (run, ...rest) => {
            if (broken) return run();
            broken = true;
            fault(run, ...rest);
          };
          const before = instances;
          expect(caught(() => invoke(functions, signature, arrays(rightArguments(signature))))).toBeInstanceOf(error);
          expectAllRight(functions, arrays, signature);
          expect(instances).toBe(before + 1); // replaced, and once
          expect(Array.from(keep)).toEqual([7, 7, 7, 7]);
        });
      });

      it("two traps, one after the other", () => {
        const { functions, arrays } = places[place]();
        faults.kernel = (_, trap) => trap();
        for (let i = 0; i < 2; i++) expect(() => functions.softmax([1, 2])).toThrow(wasm.RuntimeError);
        faults = {};
        expectAllRight(functions, arrays);
      });

      it("a trap, and then a call that takes all the room there is for one block", () => {
        const { functions } = places[place]();
        faults.kernel = (_, trap) => trap();
        expect(() => functions.softmax([1, 2])).toThrow(wasm.RuntimeError);
        faults = {};
        const x = large().subarray(0, 32_000);
        const options = { shape: [320, 100] };
        expectSameBits(functions.softmax(x, options), ordinary.softmax(x, options), () => "softmax");
      });

      it("a trap, and then no memory for another instance", () => {
        const { functions, arrays } = places[place]();
        faults.kernel = (_, trap) => trap();
        expect(() => functions.softmax([1, 2])).toThrow(wasm.RuntimeError);
        faults = { instantiate: noMemory };
        for (let i = 0; i < 2; i++) expect(() => functions.softmax([1, 2])).toThrow(RangeError);
        faults = {};
        expectAllRight(functions, arrays);
      });

      it.each([2, 3, 9])("a trap in block %i of a call", (block) => {
        const { functions, arrays } = places[place]();
        const at = { isDue: onceAt(block, () => {}) };
        faults.kernel = (run, trap) => (at.isDue() ? trap() : run());
        const x = large();
        const options = { shape: [LARGE / 100, 100], out: new Float32Array(LARGE) };
        expect(() => functions.softmax(x, options)).toThrow(wasm.RuntimeError);
        expect(x).toEqual(large());
        const out = functions.softmax(x, options).slice();
        expectSameBits(out, ordinary.softmax(x, { shape: options.shape }), () => "the call again");
        expectAllRight(functions, arrays);
      });

      it.each(allSignatures.map((signature, i) => [signature.name, signature, i] as const))(
        "%s with less and less stack: right or a RangeError",
        (_, signature, i) => {
          const { functions, arrays } = places[place]();
          const given = arrays({ ...rightArguments(signature) });
          const errors = downTheStack(() => {
            const result = invoke(functions, signature, place === "plain" ? rightArguments(signature) : given);
            if (place === "plain" || signature.output === undefined)
              expectSameBits(numbersIn(result), want[i]!, () => "");
          });
          expect(errors.length).toBeGreaterThan(0);
          expect(errors.filter((error) => !(error instanceof RangeError))).toEqual([]);
          expectAllRight(functions, place === "plain" ? arrays : places.workspace().arrays);
        },
      );

      it("no memory to grow for a long row: a RangeError with the bytes, nothing written; later it works", () => {
        const { functions, arrays } = places[place]();
        faults.grow = noMemory;
        const out = new Float32Array(LARGE).fill(5);
        const thrown = caught(() => functions.softmax(large(), { out }));
        expect(thrown).toBeInstanceOf(RangeError);
        expect(thrown.message).toMatch(/needs \d{7} bytes of WebAssembly memory/);
        expect(out.every((value) => value === 5)).toBe(true);
        expectAllRight(functions, arrays);
        faults = {};
        expectSameBits(functions.softmax(large(), { out }), wantLarge, () => "the call again");
      });

      it("an exhausted stack where memory grows: a RangeError, and the next small call is right", () => {
        const { functions } = places[place]();
        const small = Float32Array.of(1, 2, 3, 4);
        const want = ordinary.softmax(small);
        const logits = new Float32Array(5_000_000);
        let classes = 140_000;
        const at = (depth: number): unknown => {
          if (depth > 0) return [at(depth - 1)];
          classes += 17_000; // a page more each time
          return functions.logSumExp(logits.subarray(0, classes));
        };
        const fails = (depth: number) => {
          try {
            at(depth);
            return false;
          } catch (error) {
            expect((error as Error).message).toMatch(/stack/);
            return true;
          }
        };
        let [right, wrong] = [0, 500];
        while (!fails(wrong)) [right, wrong] = [wrong, wrong + 500];
        while (wrong - right > 1) {
          const middle = (right + wrong) >> 1;
          if (fails(middle)) wrong = middle;
          else right = middle;
        }
        let failures = 0;
        // Until it has failed often enough: what has been compiled meanwhile needs less of the stack.
        for (let depth = right - 3; failures < 30 && depth < 3 * right; depth++) {
          failures += Number(fails(depth));
          expectSameBits(functions.softmax(small), want, () => `after ${depth}`);
        }
        expect(failures).toBeGreaterThan(0);
      });

      it("anything that fails at any allocation, view, growth or instantiation: that error, and the next call is right", () => {
        const real = { Float32Array, Float64Array, Int32Array, Uint8Array };
        let countdown = Number.POSITIVE_INFINITY;
        const fail = () => {
          if (--countdown === 0) throw new RangeError("Maximum call stack size exceeded");
        };
        const failing = Object.entries(real).map(([name, Kind]) => {
          const construct = (target: typeof Kind, args: unknown[], newTarget: unknown) => {
            fail();
            return Reflect.construct(target, args, newTarget === proxy ? target : (newTarget as typeof Kind)) as object;
          };
          const proxy: unknown = new Proxy(Kind, { construct: construct as never });
          return [name, proxy] as const;
        });
        const calls: ((functions: Functions) => unknown)[] = [
          (functions) => functions.softmax(large()),
          (functions) => functions.softmax(Float32Array.of(1, 2, 3)),
          (functions) => functions.crossEntropyGrad(large(), [7], { labelSmoothing: 0.1, reduction: "none" }),
          (functions) => functions.hinge(Float64Array.of(1, 2, 3, 4), [0, 1]),
        ];
        let failures = 0;
        for (const call of calls) {
          for (let n = 1, isReached = true; isReached; n++) {
            const { functions, arrays } = places[place]();
            Object.assign(globalThis, Object.fromEntries(failing));
            faults = { grow: fail, instantiate: fail };
            countdown = n;
            try {
              expect(() => {
                call(functions);
                throw new EvalError("reached the end");
              }).toThrow(/Maximum call stack|reached the end/);
              isReached = countdown <= 0;
              failures += Number(isReached);
            } finally {
              countdown = Number.POSITIVE_INFINITY;
              faults = {};
              Object.assign(globalThis, real);
            }
            expectAllRight(functions, arrays);
          }
        }
        expect(failures).toBeGreaterThan(15);
      });

      it("no memory to grow for many short rows: none is needed", () => {
        const { functions } = places[place]();
        faults.grow = noMemory;
        const options = { shape: [LARGE / 100, 100] };
        expectSameBits(functions.softmax(large(), options), ordinary.softmax(large(), options), () => "softmax");
      });
    });

    it("no memory for a workspace, or no instance: a RangeError; then there is one", () => {
      const api = fresh();
      for (const fault of [{ grow: noMemory }, { instantiate: noMemory }]) {
        faults = fault;
        expect(() => api.createWorkspace({ bytes: 1 << 20 })).toThrow(RangeError);
        faults = {};
        expectAllRight(api);
        expect(api.createWorkspace({ bytes: 64 }).float32(16)).toHaveLength(16);
      }
      expect(() => api.createWorkspace({ bytes: 2 ** 33 })).toThrow(/8\d{9} bytes of WebAssembly memory/);
    });

    it("a workspace's memory cannot be taken away", () => {
      const { functions, arrays } = workspace();
      const { buffer } = arrays({ x: new Float32Array(4) })["x"] as Float32Array<ArrayBuffer>;
      try {
        structuredClone(buffer, { transfer: [buffer] });
      } catch {} // Node 20 copies instead of refusing
      expect(buffer.byteLength).toBeGreaterThan(1 << 19);
      expectAllRight(functions, arrays);
    });

    it("a workspace of nothing keeps its memory through long rows", () => {
      const space = fresh().createWorkspace({ bytes: 0 });
      const nothing = space.float32(0);
      expectSameBits(space.softmax(large()), wantLarge, () => "a long row");
      expect(space.float32(0).buffer).toBe(nothing.buffer);
      expect(nothing.buffer.byteLength).toBeGreaterThan(0);
    });
  },
);

describe.each(backends.filter(({ runs }) => runs).map(({ name, api }) => [name, api] as const))("%s", (_, api) => {
  it.each(allSignatures.map((signature) => [signature.name, signature] as const))(
    "%s: no memory for results is a RangeError with nothing written",
    (_, signature) => {
      const call = () => ({ ...rightArguments(signature) }) as Record<string, unknown>;
      const want = numbersIn(invoke(api, signature, call()));
      const given = call();
      const output = given[signature.output ?? ""] as Float32Array | undefined;
      // a loss allocates its losses, the others what they return
      if (signature.second !== "targets") delete given[signature.output!];
      const before = output?.slice();
      const real = { Float32Array, Int32Array };
      const refusing = <K extends Float32ArrayConstructor | Int32ArrayConstructor>(kind: K): K =>
        new Proxy(kind, {
          construct(target, args: unknown[], newTarget) {
            if (typeof args[0] === "number") throw new RangeError("Array buffer allocation failed");
            return Reflect.construct(target, args, newTarget) as object;
          },
        });
      const thrown = caught(() => {
        try {
          Object.assign(globalThis, { Float32Array: refusing(Float32Array), Int32Array: refusing(Int32Array) });
          invoke(api, signature, given);
        } finally {
          Object.assign(globalThis, real);
        }
      });
      expect(thrown).toBeInstanceOf(RangeError);
      expect(thrown.message).toMatch(new RegExp(`^${signature.name}: no memory for an array of \\d+ numbers$`));
      if (output) expectSameBits(output, before!, () => "the output");
      expectSameBits(numbersIn(invoke(api, signature, call())), want, () => "the next call");
    },
  );
});

it.each(allSignatures.map((signature) => [signature.name, signature] as const))(
  "baseline: %s with less and less stack: right or a RangeError",
  (_, signature) => {
    const want = numbersIn(invoke(baseline, signature, rightArguments(signature)));
    const errors = downTheStack(() => {
      expectSameBits(numbersIn(invoke(baseline, signature, rightArguments(signature))), want, () => "");
    });
    expect(errors.filter((error) => !(error instanceof RangeError))).toEqual([]);
    expectSameBits(numbersIn(invoke(baseline, signature, rightArguments(signature))), want, () => "the next call");
  },
);

/** Calls f at the bottom of an exhausted stack, then with a little more and more of it left; what was thrown. */
function downTheStack(f: () => void): unknown[] {
  const errors: unknown[] = [];
  let attempts = 0;
  const descend = () => {
    try {
      descend();
    } catch (error) {
      if (errors.length === 0) errors.push(error);
    }
    if (attempts >= 300) return;
    attempts++;
    try {
      f();
    } catch (error) {
      errors.push(error);
    }
  };
  descend();
  return errors;
}
