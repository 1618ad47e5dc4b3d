// How the modules are written into dist/ as text, and read back: scripts/build.ts does the one, every import the other.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromText, toText } from "../../src/wasm/text.js";

const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);
/** Every byte after every other: what one leaves behind must not change the next. */
const everyPair = Uint8Array.from({ length: 2 * 65536 }, (_, i) => (i % 2 === 0 ? i >> 9 : (i >> 1) & 255));

describe("bytes as text", () => {
  it("come back as they were", () => {
    for (const bytes of [new Uint8Array(0), everyByte, Uint8Array.from(everyByte).reverse(), everyPair]) {
      expect(Buffer.compare(fromText(toText(bytes)), bytes)).toBe(0);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => Buffer.compare(fromText(toText(bytes)), bytes) === 0),
    );
  });

  it("are printable characters that need no escaping in a string", () => {
    expect(toText(everyPair)).toMatch(/^[!#-[\]-~]*$/);
  });

  it("are one character each for the most frequent ones, two at most", () => {
    const lengths = Array.from(everyByte, (byte) => toText(Uint8Array.of(byte)).length);
    expect(new Set(lengths)).toEqual(new Set([1, 2]));
    // i32.const, local.get, local.set, drop, end, the prefixes of SIMD and the like; small numbers; small negative ones in LEB128
    for (const byte of [0x41, 0x20, 0x21, 0x1a, 0x0b, 0xfd, 0xfc, 0, 1, 2, 16, 0xff, 0xf0])
      expect(lengths[byte]).toBe(1);
  });
});
