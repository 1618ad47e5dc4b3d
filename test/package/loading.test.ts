// The ladder of src/wasm/load.ts, rung by rung: softmargin and softmargin/relaxed imported where WebAssembly is missing, forbidden or
// crippled, as it is in the places named, which test:engines visits.

import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Api, backends } from "../catalogue/backends.js";
import { ops } from "../catalogue/functions.js";
import { random } from "../inputs/random.js";

type Compile = new (bytes: Uint8Array) => object;
interface WebAssemblyLike {
  Module: Compile;
  Instance: new (module: object, imports: object) => object;
  CompileError: new (message: string) => Error;
  instantiate(source: object, imports?: object): Promise<object>;
}
// Its properties are not enumerable.
const whole: object = Reflect.get(globalThis, "WebAssembly");
const real = Object.fromEntries(
  Object.getOwnPropertyNames(whole).map((name) => [name, Reflect.get(whole, name)]),
) as unknown as WebAssemblyLike;
const relaxedBytes = readFileSync(new URL("../../dist/relaxed.wasm", import.meta.url));
const hasRelaxed = backends.some(({ name, runs }) => name === "relaxed" && runs);

/** A constructor that throws when called, and is otherwise what it stands for. */
const refusing = <C extends new (...args: never[]) => object>(original: C, refuse: (first: unknown) => unknown): C =>
  new Proxy(original, {
    construct(target, args) {
      const error = refuse(args[0]);
      if (error !== undefined) throw error;
      return Reflect.construct(target, args);
    },
  });

const sizeLimit = (what: string) => () =>
  new RangeError(`WebAssembly.${what} is disallowed on the main thread, if the buffer size is larger than 4KB.`);
/** Chrome up to 114, on its main thread. */
const oldChrome = {
  ...real,
  Module: refusing(real.Module, sizeLimit("Compile")),
  Instance: refusing(real.Instance, sizeLimit("Instance")),
};
const compileError = (message: string) => () => new real.CompileError(message);

beforeEach(() => {
  vi.resetModules();
});
afterEach(() => {
  vi.unstubAllGlobals();
});

async function importIn(webAssembly: unknown, entry: "softmargin" | "softmargin/relaxed" = "softmargin"): Promise<Api> {
  vi.stubGlobal("WebAssembly", webAssembly);
  if (webAssembly === undefined) Reflect.deleteProperty(globalThis, "WebAssembly");
  return entry === "softmargin" ? await import("softmargin") : await import("softmargin/relaxed");
}

/** Whether each function of `api`, which may be a copy of its exports, gives exactly what `backend` gives. */
function runsLike(api: Api, backend: "simd" | "baseline"): boolean {
  const expected = backends.find(({ name }) => name === backend)!.api;
  return ops.every((op) => {
    const layout = { outer: 30, classes: 10, inner: 1 };
    const trial = op.draw({ layout, container: "Float32Array", values: "normal", random: random(3) });
    return Object.is(JSON.stringify(trial.run(api)), JSON.stringify(trial.run(expected)));
  });
}

describe("falls back to the baseline", () => {
  const places: [string, unknown, string | RegExp][] = [
    ["without WebAssembly (--jitless, Hermes)", undefined, "WebAssembly is not defined"],
    ["with an empty WebAssembly", {}, /./],
    ["without SIMD", { ...real, Module: refusing(real.Module, compileError("invalid value type 's128'")) }, /s128/],
    [
      "under a content security policy",
      { ...real, Module: refusing(real.Module, compileError("blocked by CSP")) },
      "blocked by CSP",
    ],
    ["in an edge runtime", { ...real, Module: refusing(real.Module, () => new EvalError("disallowed")) }, "disallowed"],
    ["beyond a size limit", oldChrome, /larger than 4KB/],
    [
      "where instantiation fails",
      { ...real, Instance: refusing(real.Instance, () => new RangeError("Out of memory")) },
      "Out of memory",
    ],
    ["where something is thrown that is no Error", { ...real, Module: refusing(real.Module, () => "no") }, "no"],
    ["where an instance has no exports", { ...real, Instance: class {} }, /./],
  ];

  it.each(places)("%s", async (_, webAssembly, message) => {
    for (const entry of ["softmargin", "softmargin/relaxed"] as const) {
      const api = await importIn(webAssembly, entry);
      expect(api.backend.name).toBe("baseline");
      expect(api.backend.reason).toBeInstanceOf(Error);
      if (entry === "softmargin") expect(api.backend.reason?.message).toMatch(message);
      expect(runsLike(api, "baseline")).toBe(true);
      expect(api.createWorkspace({ bytes: 64 }).float32(3)).toEqual(new Float32Array(3));
    }
  });

  it("and from relaxed to simd where only that is refused", async () => {
    const isRelaxed = (bytes: unknown) => relaxedBytes.equals(bytes as Uint8Array);
    const Module = refusing(real.Module, (bytes) =>
      isRelaxed(bytes) ? new real.CompileError("no relaxed") : undefined,
    );
    const api = await importIn({ ...real, Module }, "softmargin/relaxed");
    expect(api.backend).toEqual({ name: "simd", reason: new real.CompileError("no relaxed") });
    expect(runsLike(api, "simd")).toBe(true);
  });
});

describe("ready()", () => {
  it("upgrades the functions where only asynchronous compilation is allowed", async () => {
    const api = await importIn(oldChrome);
    const { backend, ready, createWorkspace, ...rest } = api;
    const held = { ...api };
    const before = createWorkspace({ bytes: 1024 });
    expect(runsLike(held, "baseline")).toBe(true);
    expect(runsLike(held, "simd")).toBe(false);

    const both = [ready(), ready()];
    expect(await both[0]).toBe(backend);
    expect(await both[1]).toBe(backend);
    expect(backend).toEqual({ name: "simd" });
    expect(api.backend).toBe(backend);
    expect(Object.keys(rest).length).toBeGreaterThan(9);
    expect(runsLike(held, "simd")).toBe(true);

    // A workspace stays what it was; a new one cannot be instantiated synchronously, and computes on copies.
    const after = createWorkspace({ bytes: 1024 });
    expect(runsLike({ ...api, ...before }, "baseline")).toBe(true);
    expect(runsLike({ ...api, ...after }, "simd")).toBe(true);
    const x = after.float32(3);
    expect(after.softmax(x, { out: x })).toBe(x);
  });

  it("climbs as high as the engine allows", async () => {
    const { backend, ready } = await importIn(oldChrome, "softmargin/relaxed");
    expect(backend.name).toBe("baseline");
    await ready();
    if (hasRelaxed) expect(backend).toEqual({ name: "relaxed" });
    else expect(backend).toEqual({ name: "simd", reason: expect.objectContaining({ name: "CompileError" }) });
  });

  it("does not try again what the compiler or a policy has refused", async () => {
    const instantiate = vi.fn(real.instantiate);
    const Module = refusing(real.Module, compileError("blocked by CSP"));
    const { backend, ready } = await importIn({ ...real, Module, instantiate });
    expect(await ready()).toBe(backend);
    expect(backend.name).toBe("baseline");
    expect(instantiate).not.toHaveBeenCalled();
  });

  it("resolves to the baseline where asynchronous compilation fails too", async () => {
    const instantiate = () => Promise.reject(new RangeError("not here either"));
    for (const webAssembly of [undefined, {}, { ...oldChrome, instantiate }]) {
      vi.resetModules();
      const api = await importIn(webAssembly);
      expect((await api.ready()).name).toBe("baseline");
      expect(api.backend.reason).toBeInstanceOf(Error);
      expect(runsLike(api, "baseline")).toBe(true);
    }
  });
});
