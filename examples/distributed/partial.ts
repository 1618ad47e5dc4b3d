// A partial result is a vector of sums, in doubles: what merges is an addition.
//
//   empty → add(block)… → merge → result      as accumulators of Apache Beam, states of ClickHouse, monoids of anybody
//
// Addition rounds, so the order is fixed: blocks in a task, then tasks, each in their order. With the same tasks the bits are the same, whoever computed them.

import { createHash } from "node:crypto";
import { endianness } from "node:os";

export type Partial = Float64Array;

export const empty = (size: number): Partial => new Float64Array(size);

/** a += b */
export function merge(a: Partial, b: Partial): Partial {
  if (a.length !== b.length)
    throw new RangeError(`partial results of ${a.length} and of ${b.length} sums: not of one job`);
  for (let i = 0; i < a.length; i++) a[i]! += b[i]!;
  return a;
}

if (endianness() !== "LE") throw new Error("shards and partial results are little-endian, this machine is not");

/** As text, bit by bit. */
export const toText = ({ buffer, byteOffset, byteLength }: Partial): string =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString("base64");

export const fromText = (text: string): Partial => new Float64Array(new Uint8Array(Buffer.from(text, "base64")).buffer);

/** The first digits of SHA-256 of the bits. */
export const digest = (partial: Partial): string =>
  createHash("sha256").update(toText(partial)).digest("hex").slice(0, 16);
