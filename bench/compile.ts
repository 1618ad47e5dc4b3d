// Modules of the benchmark's own, in bench/assembly, compiled as the kernels are.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";

/** Compiles bench/assembly/`name`.ts; the path of the module. */
export function compile(name: string): string {
  mkdirSync("build", { recursive: true });
  const file = `build/${name}.wasm`;
  const config = ["--config", `bench/assembly/${name}.json`, "--target", "simd"];
  const asc = [
    "node_modules/assemblyscript/bin/asc.js",
    ...config,
    "--outFile",
    file,
    "--textFile",
    `build/${name}.wat`,
  ];
  execFileSync(process.execPath, asc);
  return file;
}

/** An instance of the module in a file, whose memory has `bytes` bytes more, and where they begin. */
export function instantiate(
  file: string,
  bytes: number,
): { exports: WebAssembly.Exports; memory: ArrayBuffer; start: number } {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)));
  const memory = exports["memory"] as WebAssembly.Memory;
  const pages = Math.ceil(bytes / 65536);
  const start = memory.grow(pages) * 65536;
  return { exports, memory: memory.buffer, start };
}
