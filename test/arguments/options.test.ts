// Options objects that are not quite plain, for every function: each option is read once, before any array is looked at;
// what is inherited does not count; what is unknown is refused.
import { runInNewContext } from "node:vm";
import { afterEach, assert, beforeEach, describe, expect, it, vi } from "vitest";
import { caught, invoke, numbersIn, replaced } from "../catalogue/calls.js";
import {
  type Arguments,
  allArguments,
  allSignatures,
  rightArguments,
  type Signature,
  USUAL,
} from "../catalogue/functions.js";
import { onEveryGuardedBackend } from "../catalogue/guarded.js";
import { expectSameBits } from "../oracle/expectClose.js";

/** Those of the arguments that are there. */
const only = (given: Arguments, names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(names.filter((name) => name in given).map((name) => [name, given[name]]));

/** The function as it is called by hand, so that the options object is the very one given. */
function callWith(api: object, { name, positional }: Signature, given: Arguments, options: unknown): unknown {
  const f = Reflect.get(api, name) as (...args: unknown[]) => unknown;
  return f(...positional.map((key) => given[key]), options);
}

// What a function draws with where it is given nothing else.
beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.5);
});
afterEach(() => {
  vi.restoreAllMocks();
});

onEveryGuardedBackend(({ api }) => {
  describe.each(allSignatures.map((signature) => [signature.name, signature] as const))("%s", (_name, signature) => {
    const want = () => numbersIn(invoke(api, signature, allArguments(signature)));
    const expectRight = (options: (all: Record<string, unknown>) => unknown, what: string) => {
      const given = allArguments(signature);
      expectSameBits(
        numbersIn(callWith(api, signature, given, options(only(given, signature.options)))),
        want(),
        () => what,
      );
    };

    it("options are read once each, whatever the order of the keys", () => {
      const orders = [(keys: string[]) => keys, (keys: string[]) => keys.reverse(), (keys: string[]) => keys.sort()];
      const reads = orders.map((order) => {
        const read: string[] = [];
        expectRight((all) => {
          const entries = order(Object.keys(all)).map((key) => [key, all[key]]);
          return new Proxy(Object.fromEntries(entries) as object, {
            get(target, key) {
              read.push(String(key));
              return Reflect.get(target, key) as unknown;
            },
          });
        }, "through a proxy");
        return read;
      });
      for (const read of reads) expect(read.sort()).toEqual([...signature.options].sort());
    });

    // Bits are an array, which no code of the caller's stands behind.
    const takesLists = signature.first !== "bits";

    it.runIf(takesLists)("options are read before any other argument", () => {
      const log: string[] = [];
      const logged = (name: string, target: object) =>
        new Proxy(target, {
          get(object, key) {
            log.push(name);
            return Reflect.get(object, key) as unknown;
          },
        });
      const right = rightArguments(signature);
      const listed = Object.entries(right).map(([key, value]) => {
        return [key, value instanceof Float32Array ? Array.from(value) : value] as const;
      });
      const lists = Object.fromEntries(listed);
      const options = logged("options", only(lists, signature.options));
      callWith(api, signature, { ...lists, x: logged("x", lists["x"] as object) }, options);
      expect(log[0]).toBe("options");
      expect(log.slice(log.indexOf("x"))).not.toContain("options");
    });

    it.each(signature.options)("%s: a getter that throws: that error, and nothing written", (key) => {
      const given = allArguments(signature);
      const outputs = signature.outputs.map((name) => given[name] as Float32Array);
      const before = outputs.map((output) => output.slice());
      const options = Object.defineProperty(only(given, signature.options), key, {
        enumerable: true,
        get() {
          throw new EvalError("mine");
        },
      });
      expect(() => callWith(api, signature, given, options)).toThrow(EvalError);
      outputs.forEach((output, i) => {
        expectSameBits(output, before[i]!, () => "an output");
      });
      expectRight((all) => all, "the next call");
    });

    it("a getter that calls the library again", () => {
      expectRight(
        (all) =>
          Object.defineProperty({ ...all }, signature.options[0]!, {
            enumerable: true,
            get() {
              invoke(api, signature, allArguments(signature));
              api.softmax(new Float32Array(1000).fill(3));
              return all[signature.options[0]!];
            },
          }),
        "the call around it",
      );
    });

    it("may be frozen, without a prototype, of another realm, of a class; hold undefined, symbols and hidden properties", () => {
      expectRight((all) => Object.freeze(all), "frozen");
      expectRight((all) => Object.assign(Object.create(null) as object, all), "without a prototype");
      expectRight((all) => (runInNewContext("all => ({ ...all })") as (all: object) => object)(all), "another realm");
      expectRight((all) => Object.assign(new (class Options {})(), all), "a class");
      expectRight((all) => ({ ...all, [Symbol("nonsense")]: 1 }), "a symbol");
      expectRight((all) => Object.defineProperty({ ...all }, "nonsense", { value: 1 }), "hidden");
      const unset = Object.fromEntries(signature.options.map((key) => [key, undefined]));
      const bare = only(rightArguments(signature), signature.positional);
      expectSameBits(
        numbersIn(callWith(api, signature, bare, unset)),
        numbersIn(callWith(api, signature, bare, undefined)),
        () => "undefined",
      );
    });

    it("do not inherit: a polluted Object.prototype has no effect", () => {
      const plain = only(rightArguments(signature), signature.positional);
      const before = numbersIn(callWith(api, signature, plain, {}));
      const pollution: Record<string, unknown> = {
        ...only(allArguments(signature), signature.options),
        nonsense: 1,
        lists: { shape: [1] },
        get: assert.fail,
        value: 1,
        indices: 1,
        probabilities: 1,
        Float32Array: 1,
      };
      const after = whilePolluted(Object.prototype, pollution, () => [
        numbersIn(callWith(api, signature, plain, {})),
        numbersIn(callWith(api, signature, plain, undefined)),
        numbersIn(callWith(api, signature, plain, Object.create(pollution))),
      ]);
      for (const result of after) expectSameBits(result, before, () => "polluted");
    });

    it.each([
      ["arrays", (array: ArrayLike<number>) => array] as const,
      ...(takesLists ? [["lists", (array: ArrayLike<number>) => Array.from(array)] as const] : []),
    ])("a patched Float32Array.prototype has no effect on %s", (_, make) => {
      const typedArray = Object.getPrototypeOf(Float32Array.prototype) as object;
      // Longer than what has few numbers.
      const ones = new Array<number>(16).fill(1);
      const sizes = [USUAL.rows, USUAL.classes];
      const shape = signature.options.includes("axis") ? [...sizes, ...ones] : [...ones, ...sizes];
      const given = (names: (name: string) => boolean) =>
        Object.fromEntries(
          Object.entries<unknown>({
            ...allArguments(signature),
            ...(signature.options.includes("shape") ? { shape } : {}),
          })
            .filter(([name]) => names(name))
            .map(([name, value]) => {
              const isIndices = value instanceof Int32Array && signature.outputs.includes(name);
              return [name, ArrayBuffer.isView(value) && !isIndices ? make(value as Float32Array) : value];
            }),
        );
      const broken = ["set", "subarray", "slice", "fill", "map", "values", Symbol.iterator].map((key) => [
        key,
        assert.fail,
      ]);
      for (const names of [() => true, (name: string) => ![...signature.outputs, "accumulate"].includes(name)]) {
        const before = numbersIn(invoke(api, signature, given(names)));
        const call = given(names);
        const result = whilePatched(typedArray, Object.fromEntries(broken) as Record<string, unknown>, () =>
          invoke(api, signature, call),
        );
        expectSameBits(numbersIn(result), before, () => "patched");
      }
    });

    it.each([
      "temprature",
      "Shape",
      "__proto__",
      "constructor",
      "toString",
      "list",
      "lists",
      "0",
      "",
      "x".repeat(1000),
    ])("the unknown option %o is a TypeError that lists the known", (key) => {
      const given = allArguments(signature);
      const options = Object.defineProperty(only(given, signature.options), key, { value: 1, enumerable: true });
      const thrown = caught(() => callWith(api, signature, given, options));
      expect(thrown).toBeInstanceOf(TypeError);
      expect(thrown.message).toMatch(new RegExp(`^${signature.name}: unknown option ".*"; the options are `));
      for (const option of signature.options) expect(thrown.message).toContain(option);
      expect(thrown.message.length).toBeLessThan(400);
      expectRight((all) => all, "the next call");
    });

    it.each([null, 1, "shape", true, 1n, Symbol("options"), [2, 3], () => {}])("%o is no options object", (options) => {
      const thrown = caught(() => callWith(api, signature, rightArguments(signature), options));
      expect(thrown).toBeInstanceOf(TypeError);
      expect(thrown.message).toMatch(new RegExp(`^${signature.name}: options must be an object, got `));
    });

    it("an array given in the place of options is a TypeError", () => {
      const given = replaced(rightArguments(signature), {});
      const thrown = caught(() => callWith(api, signature, given, new Float32Array(3)));
      expect(thrown.message).toMatch(/unknown option "0"/);
    });
  });
});

function whilePolluted<R>(prototype: object, properties: Record<string, unknown>, f: () => R): R {
  try {
    Object.assign(prototype, properties);
    return f();
  } finally {
    for (const key of Object.keys(properties)) Reflect.deleteProperty(prototype, key);
  }
}

function whilePatched<R>(prototype: object, properties: Record<string, unknown>, f: () => R): R {
  const before = Object.getOwnPropertyDescriptors(prototype) as PropertyDescriptorMap;
  try {
    Object.assign(prototype, properties);
    return f();
  } finally {
    for (const key of Reflect.ownKeys(properties) as string[]) Object.defineProperty(prototype, key, before[key]!);
  }
}
