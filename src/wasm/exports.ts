// The ABI of assembly/index.ts, as seen from here. Pointers are byte offsets into `memory`, 0 where an array is absent.

type Pointer = number;
export type RowKernel = (
  y: Pointer,
  x: Pointer,
  outer: number,
  cols: number,
  inner: number,
  temperature: number,
) => void;
export type RowGradKernel = (dx: Pointer, y: Pointer, dy: Pointer, outer: number, cols: number, inner: number) => void;
type CrossEntropyKernel = (
  total: Pointer,
  loss: Pointer,
  grad: Pointer,
  x: Pointer,
  targets: Pointer,
  probabilities: Pointer,
  weight: Pointer,
  sampleWeight: Pointer,
  gradOutput: Pointer,
  outer: number,
  cols: number,
  inner: number,
  smoothing: number,
  temperature: number,
  gradScale: number,
) => void;
type HingeKernel = (
  total: Pointer,
  loss: Pointer,
  grad: Pointer,
  top: Pointer,
  x: Pointer,
  targets: Pointer,
  weight: Pointer,
  sampleWeight: Pointer,
  gradOutput: Pointer,
  outer: number,
  cols: number,
  inner: number,
  // 0 or 1: to make a number of a boolean, V8 takes as long as for the rest of the call.
  westonWatkins: number,
  margin: number,
  squared: number,
  divisor: number,
  gradScale: number,
) => void;
type AddKernel = (y: Pointer, x: Pointer, n: number) => void;
type SwapAxesKernel = (
  to: Pointer,
  from: Pointer,
  rows: number,
  cols: number,
  toStride: number,
  fromStride: number,
) => void;

/** The kernels of one element type. */
export interface TypedExports {
  readonly bytes: number;
  /** The largest number of classes for which softmaxGrad and hinge take inner > 1; and the other kernels. */
  readonly narrow: number;
  readonly narrowExp: number;
  readonly softmax: RowKernel;
  readonly softmaxGrad: RowGradKernel;
  readonly logSoftmax: RowKernel;
  readonly logSoftmaxGrad: RowGradKernel;
  readonly logSumExp: RowKernel;
  readonly crossEntropy: CrossEntropyKernel;
  readonly hinge: HingeKernel;
  readonly add: AddKernel;
  readonly swapAxes: SwapAxesKernel;
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

export interface Exports {
  readonly memory: WasmMemory;
  readonly heapBase: number;
  readonly f32: TypedExports;
  readonly f64: TypedExports;
}

const KERNELS = [
  "softmax",
  "softmaxGrad",
  "logSoftmax",
  "logSoftmaxGrad",
  "logSumExp",
  "crossEntropy",
  "hinge",
  "add",
  "swapAxes",
] as const;

/** The exports of an instance, by type. */
export function readExports(raw: Record<string, unknown>): Exports {
  const typed = (suffix: "F32" | "F64", bytes: number): TypedExports => {
    const kernels: Record<string, unknown> = { bytes };
    for (const name of KERNELS) {
      if (typeof raw[name + suffix] !== "function")
        throw new TypeError(`softmargin: not a softmargin module, no export ${name}${suffix}`);
      kernels[name] = raw[name + suffix];
    }
    for (const name of ["narrow", "narrowExp"]) kernels[name] = (raw[name + suffix] as () => number)();
    return kernels as unknown as TypedExports;
  };
  const { memory, heapBase } = raw;
  if (typeof heapBase !== "function" || typeof (memory as Partial<WasmMemory> | undefined)?.grow !== "function")
    throw new TypeError("softmargin: not a softmargin module, no memory");
  const f32 = typed("F32", 4);
  const f64 = typed("F64", 8);
  return {
    memory: memory as WasmMemory,
    heapBase: heapBase() as number,
    f32,
    f64,
  };
}
