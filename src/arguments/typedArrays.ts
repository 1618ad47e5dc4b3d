// Typed arrays are read and copied by the engine's own getters and methods, taken at import. An array can have a `length`, a `set` or a
// `constructor` of its own that lies or runs code; none of these is used. Nor do later changes of the prototypes matter.

/** An array of logits, scores, probabilities or gradients. Its element type decides the precision of the computation. */
export type FloatArray = Float32Array | Float64Array;

const prototype = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array;
const getter = (key: PropertyKey): ((this: unknown) => unknown) =>
  Object.getOwnPropertyDescriptor(prototype, key)?.get as (this: unknown) => unknown;
const tagGetter = getter(Symbol.toStringTag);
const lengthGetter = getter("length");
const bufferGetter = getter("buffer");
const byteOffsetGetter = getter("byteOffset");
const byteLengthGetter = getter("byteLength");
const { set, fill, keys } = prototype;

/** "Float32Array" and so on; undefined for anything that is not a typed array. `instanceof` fails for arrays of another realm. */
export function kindOf(value: unknown): string | undefined {
  return tagGetter.call(value) as string | undefined;
}

/** The same, but "Float32Array" for half floats: they are computed in f32. */
export function computedKindOf(value: unknown): string | undefined {
  const kind = kindOf(value);
  return kind === "Float16Array" ? "Float32Array" : kind;
}

/** 0 once the buffer is detached, or has shrunk away from the array. */
export function lengthOf(array: unknown): number {
  return lengthGetter.call(array) as number;
}

/** Only where needed: V8 moves a small array out of its heap when it is asked for its buffer, which takes longer than to compute ten classes. */
export function bufferOf(array: unknown): ArrayBuffer {
  return bufferGetter.call(array) as ArrayBuffer;
}

/** Whether an array has lost its memory: its buffer is detached, or has shrunk away from it. */
export function isLost(array: unknown): boolean {
  return throws(() => keys.call(array as Uint8Array));
}

/** Whether two buffers may be the same memory, as several SharedArrayBuffers can. (A buffer of another realm is taken for one.) */
export function mayBeOne(a: ArrayBuffer, b: ArrayBuffer): boolean {
  return a === b || !(a instanceof ArrayBuffer || b instanceof ArrayBuffer);
}

/** Whether two arrays share bytes; `partly`: without being the very same range. */
export function overlaps(a: ArrayLike<unknown>, b: FloatArray, partly: boolean): boolean {
  if (!mayBeOne(bufferOf(a), bufferOf(b))) return false;
  const aStart = byteOffsetOf(a);
  const bStart = byteOffsetOf(b);
  const aEnd = aStart + byteLengthOf(a);
  const bEnd = bStart + byteLengthOf(b);
  const isSame = aStart === bStart && aEnd === bEnd && lengthOf(a) === lengthOf(b);
  return !(partly && isSame) && aStart < bEnd && bStart < aEnd;
}

/** Whether f throws: engines without the newest properties show some states of a buffer in no other way. */
export function throws(f: () => unknown): boolean {
  try {
    f();
    return false;
  } catch {
    return true;
  }
}

export function byteOffsetOf(array: unknown): number {
  return byteOffsetGetter.call(array) as number;
}

export function byteLengthOf(array: unknown): number {
  return byteLengthGetter.call(array) as number;
}

/** Absent in Node 20 and 22. Typed as Float32Array, which it resembles in all but the bits of its elements. */
export const Float16: Float32ArrayConstructor | undefined = (globalThis as { Float16Array?: Float32ArrayConstructor })
  .Float16Array;

export function isHalf(array: unknown): boolean {
  return Float16 !== undefined && array instanceof Float16;
}

/** Whether an array is computed in f32. */
export function isSingle(array: unknown): boolean {
  return array instanceof Float32Array || isHalf(array);
}

/** The bytes of an element in the computation. */
export function bytesPerElement(array: FloatArray): 4 | 8 {
  return isSingle(array) ? 4 : 8;
}

/** The elements from `start` on, `n` of them, as an array of the same kind over the same memory. */
export function windowOf(array: FloatArray, start: number, n: number): FloatArray {
  const kind = array instanceof Float32Array ? Float32Array : Float64Array;
  return new kind(bufferOf(array), byteOffsetOf(array) + start * kind.BYTES_PER_ELEMENT, n);
}

/** A new array of the same elements. */
export function copyOf<A extends FloatArray>(array: A): A {
  return (isSingle(array) ? new Float32Array(array) : new Float64Array(array)) as A;
}

/** to[at + i] = from[i] for all i. */
export function setFrom(to: FloatArray | Int32Array | Uint16Array, from: ArrayLike<number>, at = 0): void {
  set.call(to as unknown as Uint8Array, from, at);
}

/**
 * Up to so many elements are copied one by one: TypedArray.set takes longer, and as long again for the view that it needs of a part. A softmax
 * of five classes took 47 ns more with it (Node 24; 74 on Node 22, 66 on Node 20), one of twenty about the same.
 */
export const FEW = 16;

/** Keeps the view that was last asked for: to make a view takes as long as to copy two hundred elements. */
export class Window {
  private array: FloatArray | undefined;
  private start = 0;
  private n = 0;
  private part!: FloatArray;

  of(array: FloatArray, start: number, n: number): FloatArray {
    if (array !== this.array || start !== this.start || n !== this.n) {
      this.part = windowOf(array, start, n);
      this.array = array;
      this.start = start;
      this.n = n;
    }
    return this.part;
  }
}

/** to[at + i] = from[start + i] for i < n. A `window` keeps the view of `from`, an array that stays. */
export function copy(to: FloatArray, at: number, from: FloatArray, start: number, n: number, window?: Window): void {
  // A loop for each kind: one that has seen two kinds checks the kind of every element in V8.
  if (n > FEW) copyMany(to, at, from, start, n, window);
  else if (from instanceof Float32Array) for (let i = 0; i < n; i++) to[at + i] = from[start + i]!;
  else for (let i = 0; i < n; i++) to[at + i] = from[start + i]!;
}

function copyMany(
  to: FloatArray,
  at: number,
  from: FloatArray,
  start: number,
  n: number,
  window: Window | undefined,
): void {
  const whole = start === 0 && n === lengthOf(from);
  setFrom(to, whole ? from : window ? window.of(from, start, n) : windowOf(from, start, n), at);
}

/** The same for integers. */
export function copyInt32(to: Int32Array, at: number, from: Int32Array, start: number, n: number): void {
  if (n <= FEW) for (let i = 0; i < n; i++) to[at + i] = from[start + i]!;
  else if (n === lengthOf(from)) setFrom(to, from, at);
  else setFrom(to, new Int32Array(bufferOf(from), byteOffsetOf(from) + 4 * start, n), at);
}

export function fillWith(array: FloatArray, value: number, start: number, end: number): void {
  fill.call(array as unknown as Uint8Array, value, start, end);
}
