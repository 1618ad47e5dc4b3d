// Every argument that can be a list of numbers, as a list that is not quite one: proxies that lie or throw, elements that are no numbers,
// lists of another realm. The bits of the ordinary call, or a typed error with nothing written; and the next call is right.
import { runInNewContext } from "node:vm";
import { assert, describe, expect, it } from "vitest";
import { caught, invoke, numbersIn, replaced } from "../catalogue/calls.js";
import { type Arguments, returned, rightArguments, type Signature, signatures } from "../catalogue/functions.js";
import { onEveryGuardedBackend } from "../catalogue/guarded.js";
import { expectSameBits } from "../oracle/expectClose.js";

interface Hostile {
  readonly what: string;
  readonly expected: "same" | readonly [new (message: string) => Error, RegExp];
  make(list: number[]): unknown;
  /** Whether it is about reading only, so that a result must not go there. */
  readonly isInput?: boolean;
}

const element = (what: string, value: unknown): Hostile => ({
  what: `with ${what} in it`,
  expected: [TypeError, /\[1\] must be a number, got /],
  make: (list) => list.map((number, i) => (i === 1 ? value : number)),
});

/** A proxy with its own answer to one question. */
const asked = (list: number[], key: string, answer: (list: number[]) => unknown) =>
  new Proxy(list, {
    get: (target, asked) => (asked === key ? answer(target) : (Reflect.get(target, asked) as unknown)),
  });
const longAs = (length: unknown, expected: Hostile["expected"]): Hostile => ({
  what: `that says it is ${String(length)} long`,
  expected,
  make: (list) => asked(list, "length", () => length),
});
const lengthError = [TypeError, /\.length must be a non-negative integer, got /] as const;

const hostile: readonly Hostile[] = [
  {
    what: "of another realm",
    expected: "same",
    make: (list) => (runInNewContext("list => Array.from(list)") as (list: number[]) => number[])(list),
  },
  { what: "of a subclass", expected: "same", make: (list) => class List extends Array<number> {}.from(list) },
  { what: "behind a proxy", expected: "same", make: (list) => new Proxy(list, {}) },
  { what: "that is frozen", expected: "same", make: (list) => Object.freeze(list), isInput: true },
  { what: "without a prototype", expected: "same", make: (list) => Object.setPrototypeOf(list, null) },
  {
    what: "with an iterator of its own",
    expected: "same",
    make: (list) => Object.assign(list, { [Symbol.iterator]: () => assert.fail() }),
  },
  {
    what: "whose elements are getters, each called once",
    expected: "same",
    make: (list) => {
      const values = [...list];
      return values.reduce<object>((all, value, i) => {
        let calls = 0;
        const get = () => (calls++ === 0 ? value : Number.NaN);
        return Object.defineProperty(all, i, { get, set: () => {} });
      }, list);
    },
    isInput: true,
  },
  element("nothing", undefined),
  element("null", null),
  element("a numeric string", "1"),
  element("a BigInt", 1n),
  element("a boolean", true),
  element("a list", [1]),
  element("a symbol", Symbol("one")),
  element("a Number object", Object(1)),
  element("an object with a value", { valueOf: () => 1 }),
  {
    what: "with a hole",
    expected: [TypeError, /\[1\] must be a number, got undefined$/],
    make: (list) => {
      delete list[1];
      return list;
    },
  },
  longAs("3", lengthError),
  longAs(-1, lengthError),
  longAs(2.5, lengthError),
  longAs(Number.NaN, lengthError),
  longAs({ valueOf: () => 3 }, lengthError),
  longAs([1, 2, 3], lengthError),
  longAs(2 ** 45, [RangeError, /no memory for an array of 35184372088832 numbers$/]),
  {
    what: "that grows shorter as it is read",
    expected: [TypeError, /\[1\] must be a number, got undefined$/],
    make: (list) =>
      asked(list, "0", (target) => {
        const first = target[0];
        target.length = 1;
        return first;
      }),
  },
  { what: "one too short", expected: [RangeError, /length|elements/], make: (list) => list.slice(1) },
  { what: "one too long", expected: [RangeError, /length|elements/], make: (list) => [...list, 2] },
  {
    what: "that throws when read",
    expected: [EvalError, /^mine$/],
    make: (list) =>
      asked(list, "1", () => {
        throw new EvalError("mine");
      }),
  },
  {
    what: "revoked",
    expected: [TypeError, /revoked/],
    make: (list) => {
      const { proxy, revoke } = Proxy.revocable(list, {});
      revoke();
      return proxy;
    },
  },
  {
    what: "that calls the library as it is read",
    expected: "same",
    make: (list) => list,
  },
];

/** The right arguments, all of them lists. */
function listArguments(signature: Signature): Arguments {
  const { shape, ...given } = rightArguments(signature);
  const lists = Object.entries(given).map(([name, value]) => [
    name,
    // class indices come out in an Int32Array alone
    ArrayBuffer.isView(value) && !(value instanceof Int32Array && signature.outputs.includes(name))
      ? Array.from(value as Float32Array)
      : value,
  ]);
  return { ...Object.fromEntries(lists), shape: [...(shape as number[])] };
}

/** A list whose element 1 is not its own, nor can be. */
function inheriting(list: number[]): readonly number[] {
  delete list[1];
  return Object.preventExtensions(
    Object.setPrototypeOf(list, Object.setPrototypeOf([0, 1], Array.prototype) as object),
  );
}

onEveryGuardedBackend(({ api }) => {
  for (const signature of signatures) {
    const names = Object.entries(listArguments(signature))
      .filter(([, value]) => Array.isArray(value))
      .map(([name]) => name);

    describe.each(names)(`${signature.name}, %s`, (name) => {
      const cases = hostile.filter(({ isInput }) => !isInput || !signature.outputs.includes(name));
      it.each(cases.map((one) => [one.what, one] as const))("%s", (what, { expected, make }) => {
        const want = numbersIn(invoke(api, signature, listArguments(signature)));
        const given = listArguments(signature);
        const list = given[name] as number[];
        const inputs = Object.entries(given).map(
          ([key, value]) => [key, Array.isArray(value) ? [...value] : []] as const,
        );
        const hostileList = what.includes("calls the library")
          ? asked(list, "1", (target) => {
              const other = listArguments(signature);
              invoke(api, signature, replaced(other, { x: (other["x"] as number[]).map(() => 1) }));
              return target[1];
            })
          : make(list);

        const call = replaced(given, { [name]: hostileList });
        if (expected === "same") {
          const result = invoke(api, signature, call);
          expectSameBits(numbersIn(result), want, () => "the result");
          for (const key of signature.outputs)
            assert(returned(key, result) === call[key], `another ${key} was returned`);
        } else {
          const thrown = caught(() => invoke(api, signature, call));
          expect(thrown).toBeInstanceOf(expected[0]);
          expect(thrown.message).toMatch(expected[1]);
        }
        for (const [key, before] of inputs) {
          const isWritten = signature.outputs.includes(key) && expected === "same";
          const value = key === name || isWritten ? [] : given[key];
          if (Array.isArray(value) && value.length > 0) expectSameBits(value, before, () => key);
        }
        expectSameBits(numbersIn(invoke(api, signature, listArguments(signature))), want, () => "the next call");
      });
    });

    const { name } = signature;
    const outputs = signature.outputs.filter((output) => names.includes(output));
    const kinds: [string, (list: number[]) => readonly number[]][] = [
      ["frozen", Object.freeze],
      ["of which an element is read-only", (list: number[]) => Object.defineProperty(list, 1, { writable: false })],
      ["of which an element has only a getter", (list: number[]) => Object.defineProperty(list, 1, { get: () => 1 })],
      ["that inherits an element and takes none", inheriting],
    ];
    const cases = outputs.flatMap((output) => kinds.map(([what, make]) => [output, what, make] as const));
    it.each(cases)(`${name}: a list for %s that is %s is a TypeError`, (output, _, make) => {
      const given = listArguments(signature);
      const list = make([...(given[output] as number[])]) as number[];
      const before = [...list];
      const thrown = caught(() => invoke(api, signature, replaced(given, { [output]: list })));
      expect(thrown).toBeInstanceOf(TypeError);
      expect(thrown.message).toMatch(new RegExp(`^${name}: ${output} must be writable`));
      expectSameBits([...list], before, () => "the list");
    });
  }
});
