// The argmax of half floats by their bits, as every engine runs it, with a Float16Array or without: against the numbers that the bits stand for.
import { assert, describe, it } from "vitest";
import { random } from "../inputs/random.js";
import { half } from "../oracle/half.js";
import { type Memory, modules } from "./modules.js";

interface Exports extends Memory {
  argmaxHalf(bytes: number, indices: number, x: number, rows: number, cols: number): void;
}

const numbers = Float64Array.from({ length: 65_536 }, (_, h) => half(h));

/** The first NaN, or else the first of the largest. */
function expected(bits: Uint16Array): number {
  let first = 0;
  for (let j = 0; j < bits.length; j++) {
    const x = numbers[bits[j]!]!;
    if (Number.isNaN(x)) return j;
    if (x > numbers[bits[first]!]!) first = j;
  }
  return first;
}

describe.each(modules.filter(({ runs }) => runs))("$name", ({ instantiate }) => {
  const exports = instantiate<Exports>();
  exports.memory.grow(8);
  const { buffer } = exports.memory;
  const indices = exports.heapBase();

  /** The argmax of each row of `cols`. The bits lie where no vector begins. */
  function argmaxOf(bits: Uint16Array, cols: number): Int32Array {
    const rows = bits.length / cols;
    const x = indices + 4 * rows + 2;
    new Uint16Array(buffer, x, bits.length).set(bits);
    exports.argmaxHalf(2, indices, x, rows, cols);
    return new Int32Array(buffer, indices, rows);
  }

  function check(bits: Uint16Array, cols = bits.length): void {
    const got = argmaxOf(bits, cols);
    for (let r = 0; r < got.length; r++) {
      const row = bits.subarray(r * cols, (r + 1) * cols);
      if (got[r] !== expected(row)) assert.fail(`got ${got[r]}, expected ${expected(row)} of ${row}`);
    }
  }

  it.each([
    ["1, and the next number", 0x3c00, 0x3c01],
    ["−1, and the next number", 0xbc00, 0xbbff],
    ["−0 and the least positive number", 0x8000, 0x0001],
    ["the largest negative number and −0", 0x8001, 0x8000],
    ["a negative number and 0", 0x8001, 0x0000],
    ["the largest number and infinity", 0x7bff, 0x7c00],
    ["−infinity, and the least number", 0xfc00, 0xfbff],
    ["infinity and the first NaN", 0x7c00, 0x7c01],
    ["infinity and the last NaN", 0x7c00, 0x7fff],
    ["infinity and the first NaN with a sign", 0x7c00, 0xfc01],
    ["−infinity and the first NaN with a sign", 0xfc00, 0xfc01],
    ["−infinity and the last NaN with a sign", 0xfc00, 0xffff],
    ["0 and −0, which are equal", 0x0000, 0x8000],
    ["−0 and 0, which are equal", 0x8000, 0x0000],
  ])("%s: the larger one is found wherever it is, the first of two", (_, smaller, larger) => {
    for (let cols = 32; cols <= 200; cols++) {
      const bits = new Uint16Array(cols * cols).fill(smaller);
      for (let r = 0; r < cols; r++) {
        bits[r * cols + r] = larger;
        bits[r * cols + cols - 1] = larger;
      }
      check(bits, cols);
    }
  });

  it("each of all 65,536 half floats among others", () => {
    const draw = random(16);
    for (let h = 0; h < 65_536; h += 256) {
      for (const others of [0x0000, 0x3c00, 0x7c00, 0x8000, 0xbc00, 0xfc00, draw.integer(0, 65_535)]) {
        const bits = new Uint16Array(256 * 37).fill(others);
        for (let i = 0; i < 256; i++) bits[i * 37 + draw.integer(0, 36)] = h + i;
        check(bits, 37);
      }
    }
  });

  it("all equal: the first", () => {
    for (let h = 0; h < 65_536; h++) check(new Uint16Array(45).fill(h));
  });

  it.each([
    ["any bits", 0, 65_535],
    ["positive numbers", 0, 0x7c00],
    ["negative numbers", 0x8000, 0xfc00],
    ["few numbers, so that many are equal", 0x3c00, 0x3c03],
    ["few negative numbers", 0xbc00, 0xbc03],
  ])("random rows of %s", (_, from, to) => {
    const draw = random(17);
    for (let cols = 32; cols <= 200; cols++)
      check(
        Uint16Array.from({ length: 9 * cols }, () => draw.integer(from, to)),
        cols,
      );
    check(Uint16Array.from({ length: 151_936 }, () => draw.integer(from, to)));
  });

  it("a row of 151,936, the largest at its ends", () => {
    for (const at of [0, 1, 31, 32, 100_000, 151_903, 151_904, 151_934, 151_935]) {
      for (const [smaller, larger] of [
        [0x3800, 0x3c00],
        [0xbc00, 0xb800],
        [0xbc00, 0xfe00],
      ] as const) {
        const bits = new Uint16Array(151_936).fill(smaller);
        bits[at] = larger;
        check(bits);
      }
    }
  });
});
