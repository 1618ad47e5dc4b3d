// A call on arrays of any size as a series of blocks: some rows that fit into the arena together with all that belongs to them. Each block
// is copied in, computed in place and copied out, each byte once in and once out while it is in the cache. Arrays that lie in the
// workspace are used where they are.

import {
  bufferOf,
  byteOffsetOf,
  bytesPerElement,
  copy,
  copyInt32,
  isHalf,
  lengthOf,
  setFrom,
  Window,
} from "../arguments/typedArrays.js";
import { totalOf } from "../functions/reduction.js";
import type { ClassIndices, FloatArray, Shape } from "../kernels.js";
import { ARENA_BYTES, type Arena } from "./arena.js";
import type { Exports } from "./exports.js";

/** Room to round each piece up to a whole vector. */
const ROUNDED = 16 * 11;

/** For kernels that take no inner > 1: rows are transposed whatever the number of classes. */
export const NONE_NARROW: Exports["narrow"] = { 4: 0, 8: 0 };

/** Where a loss has its total, its class weights and the arrays of the block; 0 where there is none. */
export class LossPointers {
  total = 0;
  weight = 0;
  losses = 0;
  grads = 0;
  complements = 0;
  top = 0;
  logits = 0;
  targets = 0;
  probabilities = 0;
  sampleWeight = 0;
  gradOutput = 0;
}

export class Blocks {
  readonly arena: Arena;
  /** The blocks for calls that do not fit into an arena that must not grow. */
  readonly shared: this | undefined;

  // The call under way …
  protected allRows = 0;
  protected classes = 0;
  private innerSize = 0;
  /** The bytes of an element, and the memory as such elements. */
  bytes: 4 | 8 = 4;
  protected view: FloatArray;
  /** Whether rows are transposed on the way in and out, since their classes are not next to each other. */
  private swaps = false;
  private spare = 0;
  /** Whether the elements of a block lie one after the other: it is some whole outer positions. Otherwise it is a part of one. */
  private isFlat = true;
  private rowsPerBlock = 0;
  // … and its block.
  rows = 0;
  firstRow = 0;
  elements = 0;
  /** Where it begins in an array of [outer, C, inner]. */
  private start = 0;

  readonly pointers: LossPointers = new LossPointers();
  private readonly results = new Window();
  private readonly perRow = new Window();

  constructor(arena: Arena, shared?: Blocks) {
    this.arena = arena;
    this.shared = shared as this | undefined;
    this.view = arena.f32;
  }

  get exports(): Exports {
    return this.arena.exports;
  }

  /** Begins a call on arrays like x. */
  protected begin(x: FloatArray): void {
    this.arena.begin();
    this.bytes = bytesPerElement(x);
  }

  /**
   * Begins a call on arrays like x, of a shape, with room for blocks of `slots` arrays of [rows, C] (x and the result share one), `perRow` further bytes
   * a row and `kept` elements once; `narrow` is the largest number of classes that the kernel takes with inner > 1. Goes to the first block.
   * Throws where memory is short. Returns the blocks that the call goes through: the shared ones where the arena would have to grow but must not.
   */
  open(x: FloatArray, shape: Shape, narrow: Exports["narrow"], slots: number, perRow = 0, kept = 0): this {
    const fits = this.tryOpen(x, shape, narrow, slots, perRow, kept);
    return fits ? this : this.shared!.open(x, shape, narrow, slots, perRow, kept);
  }

  /** The same; false where the arena would have to grow but must not. */
  tryOpen(
    x: FloatArray,
    shape: Shape,
    narrow: Exports["narrow"],
    slots: number,
    perRow: number,
    kept: number,
  ): boolean {
    this.begin(x);
    const { bytes } = this;
    const { outer, classes, inner } = shape;
    const swaps = inner > 1 && classes > narrow[bytes];
    const row = (slots + (swaps ? 1 : 0)) * classes * bytes + perRow;
    const fixed = ROUNDED + kept * bytes;
    const all = outer * inner;
    const isOne = fixed + all * row <= ARENA_BYTES;
    let rows = isOne ? all : Math.max(1, Math.floor((ARENA_BYTES - fixed) / row));
    // Single elements: whole blocks of the kernels, so that sums do not depend on how many arrays a call has.
    if (!isOne && classes === 1) rows &= -512;
    return this.openBlocks(shape, rows, fixed + rows * row, swaps);
  }

  /** `open` where a row is an element, whatever the shape. */
  openElements(x: FloatArray, { outer, classes, inner }: Shape, slots: number): this {
    return this.open(x, { outer: outer * classes * inner, classes: 1, inner: 1 }, NONE_NARROW, slots, 0, 2);
  }

  /** Opens blocks of so many rows, in `room` bytes; false where the arena would have to grow but must not. */
  protected openBlocks({ outer, classes, inner }: Shape, rows: number, room: number, swaps: boolean): boolean {
    const { arena, bytes } = this;
    if (!arena.open(room)) {
      arena.end();
      return false;
    }
    this.view = bytes === 4 ? arena.f32 : arena.f64;
    this.allRows = outer * inner;
    this.classes = classes;
    this.innerSize = inner;
    this.swaps = swaps;
    this.isFlat = !swaps && rows >= inner;
    this.rowsPerBlock = this.isFlat ? rows - (rows % inner) : Math.min(rows, inner);
    if (swaps) {
      this.spare = arena.take(this.rowsPerBlock * classes * bytes);
      arena.keep();
    }
    this.setBlock(0);
    return true;
  }

  /** Goes on to the next block, with an arena that is empty but for what stays. If there is none, ends the call and returns false. */
  next(): boolean {
    const row = this.firstRow + this.rows;
    if (row === this.allRows) {
      this.arena.end();
      return false;
    }
    this.arena.release();
    this.setBlock(row);
    return true;
  }

  private setBlock(firstRow: number): void {
    const { classes, innerSize } = this;
    const inner = firstRow % innerSize;
    const rows = Math.min(this.rowsPerBlock, this.isFlat ? this.allRows - firstRow : innerSize - inner);
    this.firstRow = firstRow;
    this.rows = rows;
    this.elements = rows * classes;
    this.start = (firstRow - inner) * classes + inner;
  }

  /** The block's outer and inner size as the kernel sees it. */
  get rowOuters(): number {
    return this.rows / this.rowInners;
  }

  get rowInners(): number {
    if (this.isFlat) return this.innerSize;
    return this.swaps ? 1 : this.rows;
  }

  /** Which element of `view` lies at `at`. */
  protected index(at: number): number {
    return at >>> (this.bytes === 4 ? 2 : 3);
  }

  /** Where an array lies in the workspace; 0 if it does not. */
  inWorkspace(array: FloatArray): number {
    const { buffer, reserved, start } = this.arena;
    // The buffer comes last: see bufferOf.
    if (start === reserved || isHalf(array) || bufferOf(array) !== buffer) return 0;
    const at = byteOffsetOf(array);
    return at >= reserved && at + lengthOf(array) * bytesPerElement(array) <= start ? at : 0;
  }

  /** Where the block of an array lies in the workspace; 0 if it does not, or not as the kernel takes it. */
  inPlace(array: FloatArray): number {
    if (!this.isFlat) return 0;
    const at = this.inWorkspace(array);
    return at === 0 ? 0 : at + this.start * this.bytes;
  }

  /** The block of an array for the kernel: where it lies, or a copy in the arena. */
  enter(array: FloatArray): number {
    const there = this.inPlace(array);
    if (there !== 0) return there;
    const at = this.arena.take(this.elements * this.bytes);
    if (this.isFlat) this.bring(at, array, this.start, this.elements);
    else this.enterParts(at, array);
    return at;
  }

  private enterParts(at: number, array: FloatArray): void {
    const { classes, rows, bytes } = this;
    this.copyIn(this.swaps ? this.spare : at, array);
    if (this.swaps) this.exports.swapAxes(bytes, at, this.spare, classes, rows, classes, rows);
  }

  /** Copies n elements of an array, from `start` on, to `at`. */
  protected bring(at: number, array: FloatArray, start: number, n: number): void {
    if (isHalf(array)) this.widen(at, array, start, n);
    else copy(this.view, this.index(at), array, start, n);
  }

  /** The same for half floats: their bits go to the second half of the room, and are widened to all of it. */
  widen(at: number, halves: FloatArray | Uint16Array, start: number, n: number): void {
    const bits = at + 2 * n;
    this.bringBits(bits, halves, start, n);
    this.exports.float16ToFloat32(4, at, bits, n);
  }

  private bringBits(at: number, halves: FloatArray | Uint16Array, start: number, n: number): void {
    setFrom(this.arena.u16, new Uint16Array(bufferOf(halves), byteOffsetOf(halves) + 2 * start, n), at >>> 1);
  }

  /** The bits of a block of half floats, as they lie one after the other. */
  enterBits(halves: FloatArray): number {
    const at = this.arena.take(this.elements * 2);
    this.bringBits(at, halves, this.start, this.elements);
    return at;
  }

  /** Room for a value for each element of the block. */
  takeElements(): number {
    return this.arena.take(this.rows * this.bytes);
  }

  /** Factors of classes and rows, spread to the elements of the block. */
  spread({ classes, inner }: Shape, perClass: FloatArray | undefined, perRow: FloatArray | undefined): number {
    const at = this.takeElements();
    const { view, firstRow, rows } = this;
    const to = this.index(at);
    let i = firstRow % inner;
    let j = Math.floor(firstRow / inner) % classes;
    let row = Math.floor(firstRow / (inner * classes)) * inner;
    for (let k = 0; k < rows; k++) {
      view[to + k] = (perClass === undefined ? 1 : perClass[j]!) * (perRow === undefined ? 1 : perRow[row + i]!);
      if (++i < inner) continue;
      i = 0;
      if (++j < classes) continue;
      j = 0;
      row += inner;
    }
    return at;
  }

  /** A number for each class, for the whole call. */
  enterClasses(values: FloatArray): number {
    const there = this.inWorkspace(values);
    if (there !== 0) return there;
    const at = this.arena.take(this.classes * this.bytes);
    this.bring(at, values, 0, this.classes);
    this.arena.keep();
    return at;
  }

  /** Room for the total of losses, which is 0 so far, for the whole call. */
  takeTotal(): number {
    const { arena } = this;
    const at = arena.take(16);
    arena.keep();
    arena.f64[at >>> 3] = 0;
    arena.f64[(at >>> 3) + 1] = 0;
    return at;
  }

  /** The total that the kernels have added up over all blocks. */
  readTotal(at: number): number {
    const { f64 } = this.arena;
    return totalOf(f64[at >>> 3]!, f64[(at >>> 3) + 1]!);
  }

  enterRows(values: Float64Array): number {
    const at = this.arena.take(this.rows * 8);
    copy(this.arena.f64, at >>> 3, values, this.firstRow, this.rows);
    return at;
  }

  enterIndices(indices: ClassIndices): number {
    const at = this.arena.take(this.rows * 4);
    indices.copyTo(this.arena.i32, at >>> 2, this.firstRow, this.rows);
    return at;
  }

  /** Copies the n numbers for each row of the block, which a kernel has left at `at`, to their place in `values`. */
  leaveRows(values: FloatArray, at: number, n = 1): void {
    copy(values, this.firstRow * n, this.arena.f64, at >>> 3, this.rows * n, this.perRow);
  }

  /** The same for n integers a row. */
  leaveIndices(indices: Int32Array, at: number, n: number): void {
    copyInt32(indices, this.firstRow * n, this.arena.i32, at >>> 2, this.rows * n);
  }

  /** The same for n numbers of the call's type a row. */
  leaveValues(values: FloatArray, at: number, n: number): void {
    copy(values, this.firstRow * n, this.view, this.index(at), this.rows * n);
  }

  /** Where the kernel writes the block of `out`: in the workspace, over the copy of x, or, if x has no copy or with `apart`, in the arena. */
  place(out: FloatArray, x: FloatArray, xs: number, accumulate: boolean, apart = false): number {
    const there = accumulate ? 0 : this.inPlace(out);
    if (there !== 0) return there;
    return this.inPlace(x) === 0 && !apart ? xs : this.arena.take(this.elements * this.bytes);
  }

  /** Copies a result from where `place` put it to `out`, or adds it. */
  leave(out: FloatArray, results: number, accumulate: boolean): void {
    const there = this.inPlace(out);
    if (results === there) return;
    if (this.isFlat && !accumulate) copy(out, this.start, this.view, this.index(results), this.elements, this.results);
    else this.leaveParts(out, results, there, accumulate);
  }

  private leaveParts(out: FloatArray, results: number, there: number, accumulate: boolean): void {
    const { bytes, classes, rows, elements, arena, exports } = this;
    if (this.swaps) {
      exports.swapAxes(bytes, this.spare, results, rows, classes, rows, classes);
      results = this.spare;
    }
    if (there !== 0) {
      exports.add(bytes, there, results, elements);
      return;
    }
    if (accumulate) {
      const old = arena.take(elements * bytes);
      this.copyIn(old, out);
      exports.add(bytes, results, old, elements);
    }
    this.copyOut(out, results);
  }

  /** Copies the block of an array to `at`. */
  private copyIn(at: number, array: FloatArray): void {
    const { bytes, classes, rows, start, innerSize } = this;
    if (this.isWhole()) this.bring(at, array, start, this.elements);
    else for (let j = 0; j < classes; j++) this.bring(at + j * rows * bytes, array, start + j * innerSize, rows);
  }

  private copyOut(array: FloatArray, at: number): void {
    const { view, classes, rows, start, innerSize } = this;
    const from = this.index(at);
    if (this.isWhole()) copy(array, start, view, from, this.elements, this.results);
    else for (let j = 0; j < classes; j++) copy(array, start + j * innerSize, view, from + j * rows, rows);
  }

  /** Whether the block is whole outer positions. */
  private isWhole(): boolean {
    return this.isFlat || this.rows === this.innerSize;
  }
}
