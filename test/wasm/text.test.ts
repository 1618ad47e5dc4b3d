// How the modules are written into dist/ as text, and read back: scripts/build.ts does the one, every import the other.
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromText, toLiteral } from "../../src/wasm/text.js";

const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);
/** Every byte after every other: what one leaves behind must not change the next. */
const everyPair = Uint8Array.from({ length: 2 * 65536 }, (_, i) => (i % 2 === 0 ? i >> 9 : (i >> 1) & 255));

/** Through UTF-8 and a parser, as a file is. */
const textOf = (bytes: Uint8Array): string =>
  runInNewContext(Buffer.from(Buffer.from(toLiteral(bytes), "utf8")).toString("utf8")) as string;

function withoutBuffer<R>(f: () => R): R {
  const { Buffer } = globalThis;
  Reflect.deleteProperty(globalThis, "Buffer");
  try {
    return f();
  } finally {
    globalThis.Buffer = Buffer;
  }
}

describe("bytes as text", () => {
  it("come back as they were, with a Buffer or without", () => {
    for (const bytes of [new Uint8Array(0), everyByte, Uint8Array.from(everyByte).reverse(), everyPair]) {
      const text = textOf(bytes);
      expect(Buffer.compare(fromText(text), bytes)).toBe(0);
      expect(
        Buffer.compare(
          withoutBuffer(() => fromText(text)),
          bytes,
        ),
      ).toBe(0);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => Buffer.compare(fromText(textOf(bytes)), bytes) === 0),
    );
  });

  it("hold nothing that ends a string, a line or a script", () => {
    expect(toLiteral(everyPair).slice(1, -1)).not.toMatch(/["\n\r<]|\0/);
  });
});
