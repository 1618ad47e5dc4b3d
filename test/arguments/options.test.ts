// Options objects that are not quite plain, for every function: each option is read once, in a fixed order, before any array is looked at;
// what is inherited does not count; what is unknown is refused.
import { runInNewContext } from "node:vm";
import { assert, describe, expect, it } from "vitest";
import { type Arguments, caught, invoke, numbersIn, replaced, type Signature, signatures } from "../catalogue/calls.js";
import { onEveryGuardedBackend } from "../catalogue/guarded.js";
import { argumentsOf, right, rightArguments } from "../catalogue/rightCalls.js";
import { expectSameBits } from "../oracle/expectClose.js";

const POSITIONAL = ["x", "dy", "targets"];

/** A right call with every option that the function has. */
function allOptions({ name, second, output }: Signature): Arguments {
  const temperature = ["softmax", "logSoftmax", "logSumExp"].includes(name) || name.startsWith("crossEntropy");
  const options = {
    axis: 1,
    ...(temperature ? { temperature: 2 } : {}),
    ...(second === "targets" ? { meanOver: "all", emptyMean: 0, ignoreIndex: [-1] } : {}),
    ...(name.startsWith("crossEntropy") ? { labelSmoothing: 0.1 } : {}),
    ...(name.startsWith("hinge") ? { form: "crammer-singer", margin: 0.5, p: 2, perClass: true } : {}),
    ...(output === "grad" ? { accumulate: true } : {}),
  };
  return { ...rightArguments({ name, second, output } as Signature), ...options };
}

const optionNames = (given: Arguments) => Object.keys(given).filter((key) => !POSITIONAL.includes(key));

/** The function as it is called by hand, so that the options object is the very one given. */
function callWith(api: object, signature: Signature, given: Arguments, options: unknown): unknown {
  const { x, dy, targets } = given;
  const f = Reflect.get(api, signature.name) as (...args: unknown[]) => unknown;
  return f(x, ...(signature.second === undefined ? [] : [signature.second === "dy" ? dy : targets]), options);
}

const optionsOf = (given: Arguments) => Object.fromEntries(optionNames(given).map((key) => [key, given[key]]));

onEveryGuardedBackend(({ api }) => {
  describe.each(signatures.map((signature) => [signature.name, signature] as const))("%s", (_name, signature) => {
    const want = () => numbersIn(invoke(api, signature, allOptions(signature)));
    const expectRight = (options: (all: Record<string, unknown>) => unknown, what: string) => {
      const given = allOptions(signature);
      expectSameBits(numbersIn(callWith(api, signature, given, options(optionsOf(given)))), want(), () => what);
    };

    it("options are read once each, in a fixed order, whatever the order of the keys", () => {
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
      expect([...reads[0]!].sort()).toEqual(optionNames(allOptions(signature)).sort());
      expect(reads[1]).toEqual(reads[0]);
      expect(reads[2]).toEqual(reads[0]);
    });

    it("options are read before any other argument", () => {
      const log: string[] = [];
      const logged = (name: string, target: object) =>
        new Proxy(target, {
          get(object, key) {
            log.push(name);
            return Reflect.get(object, key) as unknown;
          },
        });
      const list = logged("x", [1, 2]);
      const options = logged("axis", { axis: -1 });
      const second = signature.second === "targets" ? [0] : [1, 2];
      callWith(api, signature, { x: list, dy: second, targets: second }, options);
      expect(log.indexOf("axis")).toBe(0);
      expect(log.lastIndexOf("axis")).toBe(0);
      expect(log).toContain("x");
    });

    it.each(optionNames(allOptions(signature)))("%s: a getter that throws: that error, and nothing written", (key) => {
      const given = allOptions(signature);
      const output = given[signature.output ?? ""] as Float32Array | undefined;
      const before = output?.slice();
      const options = Object.defineProperty(optionsOf(given), key, {
        enumerable: true,
        get() {
          throw new EvalError("mine");
        },
      });
      expect(() => callWith(api, signature, given, options)).toThrow(EvalError);
      if (output) expectSameBits(output, before!, () => "the output");
      expectRight((all) => all, "the next call");
    });

    it("a getter that calls the library again", () => {
      expectRight(
        (all) =>
          Object.defineProperty({ ...all }, "axis", {
            enumerable: true,
            get() {
              invoke(api, signature, allOptions(signature));
              api.softmax(new Float32Array(1000).fill(3));
              return 1;
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
      const unset = Object.fromEntries(optionNames(allOptions(signature)).map((key) => [key, undefined]));
      const given = { ...rightArguments(signature), shape: undefined, reduction: undefined };
      const bare = Object.fromEntries(POSITIONAL.map((key) => [key, given[key as keyof typeof given] as unknown]));
      expectSameBits(
        numbersIn(callWith(api, signature, bare, unset)),
        numbersIn(callWith(api, signature, bare, undefined)),
        () => "undefined",
      );
    });

    it("do not inherit: a polluted Object.prototype has no effect", () => {
      const what = argumentsOf(signature).find((name) => name.endsWith("probabilities"));
      const bare = rightArguments(signature, what);
      const plain = Object.fromEntries(POSITIONAL.map((key) => [key, bare[key]]));
      const before = numbersIn(callWith(api, signature, plain, {}));
      const pollution: Record<string, unknown> = {
        ...optionsOf(allOptions(signature)),
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
      ["arrays", (array: ArrayLike<number>) => array],
      ["lists", (array: ArrayLike<number>) => Array.from(array)],
    ])("a patched Float32Array.prototype has no effect on %s", (_, make) => {
      const typedArray = Object.getPrototypeOf(Float32Array.prototype) as object;
      const given = (names: (name: string) => boolean) =>
        Object.fromEntries(
          Object.entries<unknown>({
            ...allOptions(signature),
            // Longer than what has few numbers.
            shape: [...right.shape, ...new Array<number>(16).fill(1)],
          })
            .filter(([name]) => names(name))
            .map(([name, value]) => [name, ArrayBuffer.isView(value) ? make(value as Float32Array) : value]),
        );
      const broken = ["set", "subarray", "slice", "fill", "map", "values", Symbol.iterator].map((key) => [
        key,
        assert.fail,
      ]);
      for (const names of [() => true, (name: string) => name !== signature.output && name !== "accumulate"]) {
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
      const given = allOptions(signature);
      const options = Object.defineProperty(optionsOf(given), key, { value: 1, enumerable: true });
      const thrown = caught(() => callWith(api, signature, given, options));
      expect(thrown).toBeInstanceOf(TypeError);
      expect(thrown.message).toMatch(
        new RegExp(`^${signature.name}: unknown option ".*"; the options are shape, axis`),
      );
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
