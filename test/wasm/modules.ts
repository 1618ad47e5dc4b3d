// The modules as they are, for tests of their kernels: each with a function that makes a new instance, and whether it runs here.
import { readFileSync } from "node:fs";

interface Wasm {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
  validate(bytes: Uint8Array): boolean;
}

const wasm = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;

export interface Memory {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  heapBase(): number;
}

interface Module {
  readonly name: string;
  readonly runs: boolean;
  readonly instantiate: <E extends Memory>() => E;
}

export const modules: readonly Module[] = ["simd", "relaxed"].map((name) => {
  const bytes = readFileSync(`dist/${name}.wasm`);
  return {
    name,
    runs: wasm.validate(bytes),
    instantiate: <E extends Memory>() => new wasm.Instance(new wasm.Module(bytes)).exports as E,
  };
});
