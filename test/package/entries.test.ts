// The entry points: the same functions everywhere, the backend they say they are, and softmargin/wasm over one's own module.
import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import * as simd from "softmargin";
import * as baseline from "softmargin/baseline";
import * as relaxed from "softmargin/relaxed";
import { create } from "softmargin/wasm";
import { describe, expect, it } from "vitest";
import { allSignatures, ops } from "../catalogue/functions.js";
import { random } from "../inputs/random.js";

const file = (name: string) => new URL(`../../dist/${name}`, import.meta.url);
const bytes = readFileSync(file("simd.wasm"));

// the types of Node 20 know no constructor
const { Module } = Reflect.get(globalThis, "WebAssembly") as { Module: new (bytes: Uint8Array) => object };

describe("entry points", () => {
  it("export the same names", () => {
    const names = Object.keys(baseline).sort();
    const functions = allSignatures.map(({ name }) => name);
    expect(names).toEqual([...functions, "backend", "createWorkspace", "initialLoss", "ready"].sort());
    expect(Object.keys(simd).sort()).toEqual(names);
    expect(Object.keys(relaxed).sort()).toEqual(names);
    expect(Object.keys(create(bytes)).sort()).toEqual(names);
  });

  it("say which backend runs, and why no faster one does", () => {
    expect(baseline.backend).toEqual({ name: "baseline" });
    expect(simd.backend).toEqual({ name: "simd" });
    expect(inspect(simd.backend)).toBe("{ name: 'simd' }");
    expect(() => Object.assign(simd.backend, { name: "relaxed" })).toThrow(TypeError);
    if (relaxed.backend.name === "relaxed") expect(relaxed.backend.reason).toBeUndefined();
    else {
      expect(relaxed.backend.name).toBe("simd");
      expect(relaxed.backend.reason).toBeInstanceOf(Error);
      expect(relaxed.backend.reason?.message).not.toBe("");
    }
  });

  it("are ready at once", async () => {
    for (const { ready, backend } of [simd, relaxed, baseline, create(bytes)]) {
      const { name } = backend;
      expect(await ready()).toBe(backend);
      expect(backend.name).toBe(name);
    }
  });

  it("have functions that need no this", () => {
    const { softmax } = simd;
    expect(softmax.call(undefined, [0, 0])).toEqual([0.5, 0.5]);
  });

  it("the baseline does without WebAssembly", () => {
    expect(readFileSync(file("baseline.js"), "utf8")).not.toMatch(/WebAssembly/);
  });
});

describe("softmargin/wasm", () => {
  const sources: [string, () => unknown][] = [
    ["a Buffer", () => bytes],
    ["a Uint8Array inside a larger buffer", () => new Uint8Array([0, ...bytes, 0]).subarray(1, 1 + bytes.length)],
    ["an ArrayBuffer", () => Uint8Array.from(bytes).buffer],
    ["a WebAssembly.Module", () => new Module(bytes)],
    ["a promise of bytes", () => Promise.resolve(bytes)],
    ["a promise of a WebAssembly.Module", () => Promise.resolve(new Module(bytes))],
    ["a DataView", () => new DataView(Uint8Array.from(bytes).buffer)],
    ["a WebAssembly.Module of another realm", () => runInNewContext("new WebAssembly.Module(bytes)", { bytes })],
    ["a Response", () => new Response(bytes, { headers: { "content-type": "application/wasm" } })],
    ["a Response of another type", () => new Response(bytes, { headers: { "content-type": "text/html" } })],
    ["a promise of a Response", () => Promise.resolve(new Response(bytes))],
    ["a promise of a namespace", () => Promise.resolve({ default: new Module(bytes) })],
  ];

  it.each(sources)("from %s is the SIMD build", async (_, source) => {
    const api = await create(source());
    expect(api.backend.name).toBe("simd");
    for (const op of ops) {
      const layout = { outer: 4, classes: 10, inner: 3 };
      const trial = op.draw({ layout, container: "Float32Array", values: "normal", random: random(9) });
      expect(trial.run(api)).toEqual(trial.run(simd));
    }
  });

  it("at once from bytes, whatever every object has been given", () => {
    const keys = ["then", "arrayBuffer"] as const;
    try {
      for (const key of keys) Object.defineProperty(Object.prototype, key, { value: () => 0, configurable: true });
      expect(create(bytes).softmax([0, 0])).toEqual([0.5, 0.5]);
    } finally {
      for (const key of keys) Reflect.deleteProperty(Object.prototype, key);
    }
  });

  it("instances do not share anything", () => {
    const [one, two] = [create(bytes), create(bytes)];
    const workspace = one.createWorkspace({ bytes: 1024 });
    const x = workspace.float32(3);
    x.set([1, 2, 3]);
    expect(Array.from(two.softmax(x))).toEqual(Array.from(one.softmax(x)));
    expect(Array.from(x)).toEqual([1, 2, 3]);
  });

  it("from anything else is an error at once, or of the promise", async () => {
    for (const source of [undefined, null, "simd.wasm", 5, () => bytes]) {
      expect(() => create(source)).toThrow(TypeError);
      expect(() => create(source)).toThrow(/^create: source must be .*, got /);
    }
    expect(() => create({})).toThrow(TypeError);
    expect(() => create(new Uint8Array([1, 2, 3]))).toThrow();
    // an empty module: valid WebAssembly, but not these kernels
    expect(() => create(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]))).toThrow(TypeError);
    await expect(create(Promise.resolve("simd.wasm"))).rejects.toThrow(TypeError);
    await expect(create(Promise.reject(new EvalError("offline")))).rejects.toThrow(EvalError);
    await expect(create(new Response("no", { status: 404 }))).rejects.toThrow(
      TypeError("create: source must be a module, got HTTP status 404"),
    );
    await expect(create(new Response("<!doctype html>"))).rejects.toThrow();
    await expect(create(Promise.resolve({ default: "/simd.wasm" }))).rejects.toThrow(TypeError);
  });
});
