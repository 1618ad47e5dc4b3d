// A shard is two files in NumPy's format: name.x.npy, [rows, columns] of f32, and name.y.npy, [rows] of i32: the class of each row, −100 where there is none.
//
//   .npy: "\x93NUMPY", two bytes of version, the header's length (16 bits, from version 2 on 32), a Python dict as text, the numbers as they are
//
// Read in blocks of 2^20 numbers, so that a shard may be larger than memory. The size of a block is part of what makes the bits: sums are rounded once a block.

import { type FileHandle, open, rename, writeFile } from "node:fs/promises";

const BLOCK = 2 ** 20;

/** What is wrong with a shard, and stays so however often it is tried. The message begins with its path. */
export class ShardError extends Error {}

export interface Block {
  /** The number of its first row. */
  readonly first: number;
  readonly rows: number;
  readonly columns: number;
  readonly x: Float32Array;
  readonly targets: Int32Array;
}

/** The rows of the shard whose x are in the file `path`. A block is valid until the next one is asked for. */
export async function* blocks(path: string): AsyncGenerator<Block> {
  const x = await openNpy(path, "<f4");
  let y: Npy | undefined;
  try {
    y = await openNpy(path.replace(/\.x\.npy$/, ".y.npy"), "<i4");
    const [rows = 0, columns = 0] = x.shape;
    if (x.shape.length !== 2 || columns === 0)
      throw new ShardError(`${path}: must be [rows, columns], is [${x.shape}]`);
    if (y.shape.length !== 1 || y.shape[0] !== rows)
      throw new ShardError(`${y.path}: must be [${rows}], is [${y.shape}]`);
    const most = Math.max(1, Math.floor(BLOCK / columns));
    const room = { x: new Float32Array(most * columns), targets: new Int32Array(most) };
    for (let first = 0; first < rows; first += most) {
      const n = Math.min(most, rows - first);
      const block = { x: room.x.subarray(0, n * columns), targets: room.targets.subarray(0, n) };
      await readNumbers(x, first * columns, block.x);
      await readNumbers(y, first, block.targets);
      yield { first, rows: n, columns, ...block };
    }
  } finally {
    await Promise.all([x.file.close(), y?.file.close()]);
  }
}

type NpyType = "<f4" | "<f8" | "<i4";
type Numbers = Float32Array | Float64Array | Int32Array;

interface Npy {
  readonly path: string;
  readonly file: FileHandle;
  readonly shape: readonly number[];
  /** Where the numbers begin, in bytes. */
  readonly start: number;
}

async function openNpy(path: string, type: NpyType): Promise<Npy> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "ENOENT" ? new ShardError(`${path}: there is no such file`) : error;
  });
  try {
    const head = Buffer.alloc(12);
    await file.read(head, 0, 12, 0);
    if (head.toString("latin1", 0, 6) !== "\x93NUMPY") throw new ShardError(`${path}: is not in .npy format`);
    const isLong = head[6]! > 1;
    const [length, at] = isLong ? [head.readUInt32LE(8), 12] : [head.readUInt16LE(8), 10];
    const text = Buffer.alloc(Math.min(length, 2 ** 16));
    await file.read(text, 0, text.length, at);
    const header = text.toString("latin1");
    const found = (pattern: RegExp) => pattern.exec(header)?.[1];
    const shape = (found(/'shape': *\(([^)]*)\)/)?.match(/\d+/g) ?? []).map(Number);
    if (found(/'descr': *'([^']*)'/) !== type) throw new ShardError(`${path}: must hold ${type}, has ${header.trim()}`);
    if (found(/'fortran_order': *(\w+)/) !== "False") throw new ShardError(`${path}: must be in C order`);
    const expected = at + length + shape.reduce((a, b) => a * b, 1) * Number(type[2]);
    const { size } = await file.stat();
    if (size !== expected) throw new ShardError(`${path}: has ${size} bytes, its header says ${expected}`);
    return { path, file, shape, start: at + length };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readNumbers({ path, file, start }: Npy, from: number, to: Numbers): Promise<void> {
  const bytes = new Uint8Array(to.buffer, to.byteOffset, to.byteLength);
  for (let read = 0; read < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, read, bytes.length - read, start + from * to.BYTES_PER_ELEMENT + read);
    if (bytesRead === 0) throw new ShardError(`${path}: was cut while it was read`);
    read += bytesRead;
  }
}

/** All of a small file of doubles. */
export async function readDoubles(path: string): Promise<Float64Array> {
  const npy = await openNpy(path, "<f8");
  const numbers = new Float64Array(npy.shape.reduce((a, b) => a * b, 1));
  await readNumbers(npy, 0, numbers);
  await npy.file.close();
  return numbers;
}

/** Writes an array in a file that is there as a whole or not at all. */
export async function writeNpy(path: string, numbers: Numbers, shape: readonly number[]): Promise<void> {
  const type = { Float32Array: "<f4", Float64Array: "<f8", Int32Array: "<i4" }[numbers[Symbol.toStringTag]];
  const dict = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`;
  // The numbers begin at a multiple of 64.
  const header = `${dict.padEnd(Math.ceil((dict.length + 11) / 64) * 64 - 11)}\n`;
  const head = Buffer.from(`\x93NUMPY\x01\x00..${header}`, "latin1");
  head.writeUInt16LE(header.length, 8);
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  await writeFile(`${path}.part`, Buffer.concat([head, bytes]));
  await rename(`${path}.part`, path);
}
