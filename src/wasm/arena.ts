// Linear memory as the kernels' workbench:
//
//   0 … heapBase   the module's own: constants and scratch tiles
//   … reserved     the class indices of a small call, which are checked where the kernels read them
//   … reserved + n arrays of a workspace; none for the shared kernels
//   … the end      the arena: blocks of the caller's arrays on their way through
//
// The arena is sized to stay in the L2 cache with everything that a block needs. It grows only for a row that is larger than it.

import type { Exports, WasmMemory } from "./exports.js";

const PAGE = 65536;
const ALIGNMENT = 16;
/** What the blocks of one call may take up together. 32 to 512 KiB are alike on a Zen 5 with 1 MiB of L2; 2 MiB is up to 70 % slower. */
export const ARENA_BYTES: number = 128 * 1024;

/** A call of up to so many elements is one block in any case. A multiple of four: what comes after its indices is aligned. */
export const FEW_ELEMENTS = 1024;

export class Arena {
  exports: Exports;
  private readonly instantiate: () => Exports;
  private memory: WasmMemory;
  /** The memory's buffer. Kept, since only `grow` changes it and asking a memory for it is slow. */
  buffer!: ArrayBuffer;
  /** Where `indices` is. */
  readonly indicesAt: number;
  /** Where the arrays of a workspace begin. */
  readonly reserved: number;
  /** Where the arena begins. */
  readonly start: number;
  /** Whether the memory may not grow, since that would detach the arrays of a workspace. */
  readonly isFixed: boolean;
  private next = 0;
  private kept = 0;

  // Views of the whole memory, made anew when it has grown.
  f32!: Float32Array;
  f64!: Float64Array;
  i32!: Int32Array;
  /** Room for the class indices of a call of up to FEW_ELEMENTS. */
  indices!: Int32Array;

  constructor(instantiate: () => Exports, workspaceBytes?: number) {
    this.instantiate = instantiate;
    this.exports = instantiate();
    this.memory = this.exports.memory;
    this.indicesAt = align(this.exports.heapBase);
    this.reserved = this.indicesAt + FEW_ELEMENTS * 4;
    this.start = this.reserved + (workspaceBytes ?? 0);
    this.isFixed = workspaceBytes !== undefined;
    this.grow(this.start + ARENA_BYTES);
  }

  /**
   * Begins anew after a kernel that did not come to its end (a trap, an exhausted stack), and may have left anything behind: in another
   * instance; or, as the arrays of a workspace must stay where they are, with the module's own part of the memory as it was at first,
   * which is all the state that an instance has.
   */
  renew(): void {
    const exports = this.instantiate();
    if (this.isFixed) {
      new Uint8Array(this.buffer, 0, this.reserved).set(new Uint8Array(exports.memory.buffer, 0, this.reserved));
      return;
    }
    this.exports = exports;
    this.memory = exports.memory;
    this.grow(this.start + ARENA_BYTES);
  }

  private grow(end: number): void {
    const pages = Math.max(0, Math.ceil((end - this.memory.buffer.byteLength) / PAGE));
    // Beyond 2^32 the number of pages would wrap around.
    if (end > 65536 * PAGE) throw tooLarge(end);
    try {
      this.memory.grow(pages);
    } catch {
      throw tooLarge(end);
    }
    const { buffer } = this.memory;
    this.buffer = buffer;
    this.f64 = new Float64Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.indices = new Int32Array(buffer, this.indicesAt, FEW_ELEMENTS);
    this.f32 = new Float32Array(buffer); // last: `holds` goes by it, should the stack be exhausted just here
  }

  /** Whether `bytes` fit as it is. */
  holds(bytes: number): boolean {
    return this.start + bytes <= this.f32.length * 4;
  }

  /** Empties the arena and makes sure that it holds `bytes`. Throws a RangeError, before anything has happened, where memory is short. */
  open(bytes: number): void {
    if (!this.holds(bytes)) this.grow(this.start + bytes);
    this.empty();
  }

  /** The same where it holds enough in any case. */
  empty(): void {
    this.next = this.start;
    this.kept = this.start;
  }

  /** What was taken so far stays through `release`. */
  keep(): void {
    this.kept = this.next;
  }

  /** Takes back what was taken since `keep`. */
  release(): void {
    this.next = this.kept;
  }

  /** The next `bytes` of the arena. */
  take(bytes: number): number {
    const at = this.next;
    this.next = align(at + bytes);
    return at;
  }
}

export function align(bytes: number): number {
  return bytes + (-bytes & (ALIGNMENT - 1));
}

function tooLarge(bytes: number): RangeError {
  return new RangeError(`softmargin: this needs ${bytes} bytes of WebAssembly memory, more than there is`);
}
