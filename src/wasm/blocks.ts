// A call on arrays of any size as a series of blocks: some rows that fit into the arena together with all that belongs to them. Each block
// is copied in, computed in place and copied out, each byte once in and once out while it is in the cache. Arrays that lie in the
// workspace are used where they are.

import { bufferOf, byteOffsetOf, copy, FEW, fillWith, lengthOf, Window } from "../arguments/typedArrays.js";
import type { FloatArray, Shape } from "../kernels.js";
import { ARENA_BYTES, type Arena } from "./arena.js";
import type { TypedExports } from "./exports.js";

/** For every piece is rounded up to a whole vector. */
const ROUNDED = 16 * 11;

export class Blocks {
  protected readonly arena: Arena;

  // The call under way …
  private allOuters = 0;
  private classes = 0;
  private allInners = 0;
  protected typed: TypedExports;
  protected view: FloatArray;
  /** log₂ of the bytes of an element. */
  protected log2Bytes = 0;
  /** Whether wide rows are transposed on the way in and out, since their classes are not next to each other. */
  private swaps = false;
  /** Whether one block is all there is, and nothing lies in a workspace: nothing to look up. Makes small calls a tenth faster. */
  private isWhole = false;
  private outersPerBlock = 0;
  private innersPerBlock = 0;
  // … and its block: inner positions inner … inner + inners of outer positions outer … outer + outers; one of the two is all there are.
  private outer = 0;
  private outers = 0;
  private inner = 0;
  private inners = 0;
  private spare = 0;
  private readonly results = new Window();
  private readonly perRow = new Window();
  // What follows from these, for it is asked for often.
  protected rows = 0;
  protected firstRow = 0;
  private elements = 0;
  /** The block's outer and inner size as the kernel sees it. */
  protected rowOuters = 0;
  protected rowInners = 0;
  /** Set from the beginning of a call to its end, so still set where the last one did not get there. */
  private isRunning = false;

  constructor(arena: Arena) {
    this.arena = arena;
    this.typed = arena.exports.f32;
    this.view = arena.f32;
  }

  /** The kernels for a call on x, of an instance in good order. */
  protected kernelsFor(x: FloatArray): TypedExports {
    if (this.isRunning) this.recover();
    const { exports } = this.arena;
    this.typed = x instanceof Float32Array ? exports.f32 : exports.f64;
    return this.typed;
  }

  private recover(): void {
    this.arena.renew();
    this.isRunning = false;
  }

  /**
   * Begins a call with the kernels of `kernelsFor`: makes room for blocks of `slots` arrays of [rows, C] (x and the result share one), `perRow`
   * further bytes a row and `kept` elements once; `narrow` is the largest number of classes that the kernel takes with inner > 1. Then the
   * first block is at hand. False where the arena would have to grow but must not; throws before anything has happened where it cannot.
   */
  protected open(shape: Shape, narrow: number, slots: number, perRow: number, kept: number): boolean {
    const { arena } = this;
    const { outer, classes, inner } = shape;
    const size = this.typed.bytes;
    const rows = outer * inner;
    this.view = size === 4 ? arena.f32 : arena.f64;
    this.log2Bytes = size === 4 ? 2 : 3;
    const elements = rows * classes;
    const bytes = ROUNDED + (kept + slots * elements) * size + rows * perRow;
    this.isWhole = bytes <= ARENA_BYTES && (inner === 1 || classes <= narrow) && !arena.isFixed;
    if (!this.isWhole) return this.openBlocks(shape, narrow, slots, perRow, kept);
    arena.empty();
    this.rows = rows;
    this.firstRow = 0;
    this.elements = elements;
    this.rowOuters = outer;
    this.rowInners = inner;
    this.isRunning = true;
    return true;
  }

  /** The same for a call of several blocks, or over arrays of a workspace. */
  private openBlocks(shape: Shape, narrow: number, slots: number, perRow: number, kept: number): boolean {
    const { arena } = this;
    const { outer, classes, inner } = shape;
    const size = this.typed.bytes;
    const swaps = inner > 1 && classes > narrow;
    const row = (slots + (swaps ? 1 : 0)) * classes * size + perRow;
    const fixed = ROUNDED + kept * size;
    const rows = Math.min(outer * inner, Math.max(1, Math.floor((ARENA_BYTES - fixed) / row)));
    if (arena.isFixed && !arena.holds(fixed + rows * row)) return false;
    arena.open(fixed + rows * row);
    // It may have grown.
    this.view = size === 4 ? arena.f32 : arena.f64;
    this.allOuters = outer;
    this.classes = classes;
    this.allInners = inner;
    this.swaps = swaps;
    this.outersPerBlock = swaps ? 1 : Math.max(1, Math.floor(rows / inner));
    this.innersPerBlock = Math.min(rows, inner);
    this.outer = 0;
    this.outers = 0;
    this.inner = inner;
    this.inners = 0;
    if (swaps) {
      this.spare = arena.take(this.innersPerBlock * classes * size);
      arena.keep();
    }
    this.isRunning = this.nextBlock();
    return true;
  }

  /** Goes on to the next block, if there is one; the arena is empty then but for what stays. */
  protected next(): boolean {
    this.isRunning = !this.isWhole && this.nextBlock();
    return this.isRunning;
  }

  private nextBlock(): boolean {
    const { allOuters: outer, classes, allInners: inner } = this;
    this.inner += this.inners;
    if (this.inner >= inner) {
      this.outer += this.outers;
      this.inner = 0;
    }
    if (this.outer >= outer) return false;
    const outers = Math.min(this.outersPerBlock, outer - this.outer);
    const inners = Math.min(this.innersPerBlock, inner - this.inner);
    this.outers = outers;
    this.inners = inners;
    this.rows = outers * inners;
    this.firstRow = this.outer * inner + this.inner;
    this.elements = this.rows * classes;
    this.rowOuters = this.swaps ? inners : outers;
    this.rowInners = this.swaps ? 1 : inners;
    this.arena.release();
    return true;
  }

  /** Where the block of an array lies in the workspace; 0 if it does not, or not as the kernel takes it. */
  private inPlace(array: FloatArray): number {
    const { buffer, reserved, start } = this.arena;
    // To ask a small array for its buffer makes V8 move it out of its heap: not without need.
    if (start === reserved || this.swaps || this.inners < this.allInners || bufferOf(array) !== buffer) return 0;
    const byteOffset = byteOffsetOf(array);
    if (byteOffset < reserved || byteOffset + lengthOf(array) * this.typed.bytes > start) return 0;
    return byteOffset + this.outer * this.classes * this.allInners * this.typed.bytes;
  }

  /** The block of an array for the kernel: where it lies, or a copy in the arena. */
  protected enter(array: FloatArray): number {
    return this.isWhole ? this.enterWhole(array) : this.enterBlock(array);
  }

  private enterWhole(array: FloatArray): number {
    const at = this.arena.take(this.elements << this.log2Bytes);
    copy(this.view, at >>> this.log2Bytes, array, 0, this.elements);
    return at;
  }

  private enterBlock(array: FloatArray): number {
    const there = this.inPlace(array);
    if (there !== 0) return there;
    const at = this.arena.take(this.elements * this.typed.bytes);
    if (this.swaps) {
      const { classes } = this;
      this.copyIn(this.spare, array);
      this.typed.swapAxes(at, this.spare, classes, this.inners, classes, this.inners);
    } else this.copyIn(at, array);
    return at;
  }

  // What belongs to the rows of the block, copied into the arena. The few are not moved by `copy`: V8 makes a loop slow that has seen arrays of
  // every kind.

  protected enterFactors(values: Float64Array): number {
    const { firstRow, rows } = this;
    const { f64 } = this.arena;
    const at = this.arena.take(rows * 8);
    const to = at >>> 3;
    if (rows > FEW) copy(f64, to, values, firstRow, rows);
    else for (let r = 0; r < rows; r++) f64[to + r] = values[firstRow + r]!;
    return at;
  }

  protected enterIndices(indices: Int32Array): number {
    const { firstRow, rows } = this;
    const { i32 } = this.arena;
    const at = this.arena.take(rows * 4);
    const to = at >>> 2;
    if (rows > FEW) copy(i32, to, indices, firstRow, rows);
    else for (let r = 0; r < rows; r++) i32[to + r] = indices[firstRow + r]!;
    return at;
  }

  /** Brings what a kernel has left at `at` for each row of the block to where it belongs. */
  protected leaveRows(values: Float64Array, at: number): void {
    const { firstRow, rows } = this;
    const { f64 } = this.arena;
    const from = at >>> 3;
    if (rows > FEW) copy(values, firstRow, f64, from, rows, this.perRow);
    else for (let r = 0; r < rows; r++) values[firstRow + r] = f64[from + r]!;
  }

  /** Where the kernel writes the block of `out`: there, over the copy of x, or in the arena beside it. */
  protected place(out: FloatArray, x: FloatArray, xs: number, accumulate: boolean): number {
    return this.isWhole ? xs : this.placeBlock(out, x, xs, accumulate);
  }

  private placeBlock(out: FloatArray, x: FloatArray, xs: number, accumulate: boolean): number {
    const there = accumulate ? 0 : this.inPlace(out);
    if (there !== 0) return there;
    return this.inPlace(x) === 0 ? xs : this.arena.take(this.elements * this.typed.bytes);
  }

  /** Brings a result from where `place` put it to where it belongs. */
  protected leave(out: FloatArray, results: number, accumulate: boolean): void {
    if (!this.isWhole) {
      this.leaveBlock(out, results, accumulate);
      return;
    }
    if (accumulate) this.typed.add(results, this.enterWhole(out), this.elements);
    copy(out, 0, this.view, results >>> this.log2Bytes, this.elements, this.results);
  }

  private leaveBlock(out: FloatArray, results: number, accumulate: boolean): void {
    const there = this.inPlace(out);
    if (results === there) return;
    if (this.swaps) {
      const { classes } = this;
      this.typed.swapAxes(this.spare, results, this.inners, classes, this.inners, classes);
      results = this.spare;
    }
    if (accumulate && there !== 0) {
      this.typed.add(there, results, this.elements);
      return;
    }
    if (accumulate) {
      const old = this.arena.take(this.elements * this.typed.bytes);
      this.copyIn(old, out);
      this.typed.add(results, old, this.elements);
    }
    this.copyOut(out, results);
  }

  /** Sets the block of a result to 0. */
  protected clear(out: FloatArray): void {
    if (this.isWhole) {
      fillWith(out, 0, 0, this.elements);
      return;
    }
    const { classes, outer, inner, inners, allInners } = this;
    const start = outer * classes * allInners + inner;
    if (inners === allInners) fillWith(out, 0, start, start + this.elements);
    else for (let j = 0; j < classes; j++) fillWith(out, 0, start + j * allInners, start + j * allInners + inners);
  }

  /** Copies the block of an array, [outers, C, inners], to `at`. */
  private copyIn(at: number, array: FloatArray): void {
    const { view, classes, outer, inner, inners, allInners } = this;
    const to = at >>> this.log2Bytes;
    if (inners === allInners) copy(view, to, array, outer * classes * inners, this.elements);
    else
      for (let j = 0; j < classes; j++)
        copy(view, to + j * inners, array, (outer * classes + j) * allInners + inner, inners);
  }

  private copyOut(array: FloatArray, at: number): void {
    const { view, classes, outer, inner, inners, allInners } = this;
    const from = at >>> this.log2Bytes;
    if (inners === allInners) copy(array, outer * classes * inners, view, from, this.elements, this.results);
    else
      for (let j = 0; j < classes; j++)
        copy(array, (outer * classes + j) * allInners + inner, view, from + j * inners, inners);
  }
}
