// Linear memory as the kernels' workbench:
//
//   0 … heapBase   the module's own: constants and scratch tiles
//   … start        arrays of a workspace; none for the shared kernels
//   … the end      the arena: blocks of the caller's arrays on their way through
//
// The arena is sized to stay in the L2 cache with everything that a block needs. It grows only for a row that is larger than it.

import { memoryError } from "../arguments/errors.js";
import type { Exports } from "./exports.js";

const PAGE = 65536;
/** Linear memory ends here: beyond it a number of pages would wrap around. */
const LARGEST = 65536 * PAGE;
const ALIGNMENT = 16;
/** What the blocks of one call may take up together. 32 to 512 KiB are alike on a Zen 5 with 1 MiB of L2; 2 MiB is up to 70 % slower. */
export const ARENA_BYTES: number = 128 * 1024;

/** … and those of a linear layer. */
const LAYER_BYTES = 15 * 2 ** 20;

export class Arena {
  exports!: Exports;
  private readonly instantiate: () => Exports;
  /** Where the arrays of a workspace begin. */
  readonly reserved: number;
  /** Where the arena begins. */
  readonly start: number;
  /** Whether the memory may not grow, since that would detach the arrays of a workspace. */
  readonly isFixed: boolean;
  /** Whether a call is under way, or was cut short anywhere: by a trap, by an exhausted stack. */
  private isRunning = false;
  private next = 0;
  private kept = 0;

  // The memory's buffer, which is slow to ask for, and views of all of it: made anew when the memory has grown.
  buffer!: ArrayBuffer;
  f32!: Float32Array;
  f64!: Float64Array;
  i32!: Int32Array;
  u16!: Uint16Array;

  constructor(instantiate: () => Exports, workspaceBytes?: number) {
    const exports = instantiate();
    this.instantiate = instantiate;
    this.reserved = align(exports.heapBase);
    this.start = this.reserved + (workspaceBytes ?? 0);
    this.isFixed = workspaceBytes !== undefined;
    this.use(exports);
  }

  /** Begins a call, which counts as cut short until `end`. */
  begin(): void {
    if (this.isRunning) this.renew();
    this.isRunning = true;
  }

  end(): void {
    this.isRunning = false;
  }

  /**
   * After a call that was cut short, and may have left anything behind: a new instance. Of a workspace, whose arrays must stay where they are, only the
   * module's own part of the memory becomes what it was at first; an instance has no other state.
   */
  private renew(): void {
    const exports = this.instantiate();
    if (this.isFixed)
      new Uint8Array(this.buffer, 0, this.reserved).set(new Uint8Array(exports.memory.buffer, 0, this.reserved));
    else this.use(exports);
  }

  private use(exports: Exports): void {
    this.exports = exports;
    // A layer in a workspace has its logits in the arena, which cannot grow.
    this.grow(this.start + ARENA_BYTES + Math.min(this.start - this.reserved, LAYER_BYTES));
  }

  private grow(end: number): void {
    const { memory } = this.exports;
    try {
      if (end > LARGEST) throw new RangeError();
      memory.grow(Math.max(0, Math.ceil((end - memory.buffer.byteLength) / PAGE)));
    } catch (error) {
      // Unless the memory is that of a new instance, its views are still right, and the call has changed nothing.
      if (this.buffer === memory.buffer) this.isRunning = false;
      throw memoryError(error, `softmargin: this needs ${end} bytes of WebAssembly memory, more than there is`);
    }
    this.buffer = memory.buffer;
    this.f32 = new Float32Array(this.buffer);
    this.f64 = new Float64Array(this.buffer);
    this.i32 = new Int32Array(this.buffer);
    this.u16 = new Uint16Array(this.buffer);
  }

  /** Empties the arena and makes sure that it holds `bytes`: false where it must not grow. Throws a RangeError where memory is short. */
  open(bytes: number): boolean {
    const end = this.start + bytes;
    if (end > this.f32.length * 4) {
      if (this.isFixed) return false;
      this.grow(end);
    }
    this.next = this.start;
    this.kept = this.start;
    return true;
  }

  /** `release` leaves what was taken so far. */
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

function align(bytes: number): number {
  return bytes + (-bytes & (ALIGNMENT - 1));
}
