// The ABI of assembly/index.ts, as seen from here. Pointers are byte offsets into `memory`, 0 where an array is absent. `bytes`: those of an element, 4
// for f32 or 8 for f64.

type Pointer = number;
type Bytes = 4 | 8;
type Map = (
  bytes: Bytes,
  y: Pointer,
  x: Pointer,
  outer: number,
  cols: number,
  inner: number,
  temperature: number,
) => void;
type MapGrad = (bytes: Bytes, dx: Pointer, y: Pointer, dy: Pointer, outer: number, cols: number, inner: number) => void;

export interface Kernels {
  readonly softmax: Map;
  readonly softmaxGrad: MapGrad;
  readonly logSoftmax: Map;
  readonly logSoftmaxGrad: MapGrad;
  readonly logSumExp: Map;
  readonly crossEntropy: (
    bytes: Bytes,
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
  readonly hinge: (
    bytes: Bytes,
    total: Pointer,
    loss: Pointer,
    grad: Pointer,
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
  readonly linear: (
    bytes: Bytes,
    z: Pointer,
    x: Pointer,
    w: Pointer,
    bias: Pointer,
    rows: number,
    features: number,
    classes: number,
    stride: number,
  ) => void;
  readonly linearGradX: (
    bytes: Bytes,
    dx: Pointer,
    g: Pointer,
    w: Pointer,
    rows: number,
    features: number,
    classes: number,
    stride: number,
    add: number,
  ) => void;
  readonly linearGradWeight: (
    bytes: Bytes,
    dw: Pointer,
    g: Pointer,
    x: Pointer,
    rows: number,
    features: number,
    classes: number,
    stride: number,
  ) => void;
  readonly linearGradBias: (
    bytes: Bytes,
    dbias: Pointer,
    g: Pointer,
    rows: number,
    classes: number,
    stride: number,
  ) => void;
  readonly keepRows: (
    bytes: Bytes,
    g: Pointer,
    to: Pointer,
    x: Pointer,
    rows: number,
    features: number,
    classes: number,
  ) => number;
  readonly decay: (bytes: Bytes, dw: Pointer, w: Pointer, n: number, l2: number) => number;
  readonly argmax: (bytes: Bytes, indices: Pointer, x: Pointer, outer: number, cols: number, inner: number) => void;
  readonly topK: (
    bytes: Bytes,
    indices: Pointer,
    values: Pointer,
    list: Pointer,
    ids: Pointer,
    order: Pointer,
    spare: Pointer,
    x: Pointer,
    rows: number,
    cols: number,
    k: number,
    kind: number,
    temperature: number,
    capacity: number,
  ) => number;
  readonly sample: (
    bytes: Bytes,
    classes: Pointer,
    sums: Pointer,
    list: Pointer,
    ids: Pointer,
    weights: Pointer,
    x: Pointer,
    tops: Pointer,
    u: Pointer,
    rows: number,
    cols: number,
    temperature: number,
    k: number,
    topP: number,
    minP: number,
    capacity: number,
  ) => number;
  readonly float16ToFloat32: (bytes: 4, y: Pointer, x: Pointer, n: number) => void;
  readonly sigmoid: (bytes: Bytes, y: Pointer, x: Pointer, n: number) => void;
  readonly sigmoidGrad: (bytes: Bytes, dx: Pointer, y: Pointer, dy: Pointer, n: number) => void;
  readonly logSigmoid: Kernels["sigmoid"];
  readonly logSigmoidGrad: Kernels["sigmoidGrad"];
  readonly binaryCrossEntropy: (
    bytes: Bytes,
    total: Pointer,
    loss: Pointer,
    grad: Pointer,
    x: Pointer,
    targets: Pointer,
    weight: Pointer,
    posWeight: Pointer,
    gradOutput: Pointer,
    n: number,
    smoothing: number,
    gamma: number,
    gradScale: number,
  ) => void;
  readonly add: (bytes: Bytes, y: Pointer, x: Pointer, n: number) => void;
  readonly swapAxes: (
    bytes: Bytes,
    to: Pointer,
    from: Pointer,
    rows: number,
    cols: number,
    toStride: number,
    fromStride: number,
  ) => void;
}

const NAMES: readonly (keyof Kernels)[] = [
  "softmax",
  "softmaxGrad",
  "logSoftmax",
  "logSoftmaxGrad",
  "logSumExp",
  "crossEntropy",
  "hinge",
  "linear",
  "linearGradX",
  "linearGradWeight",
  "linearGradBias",
  "keepRows",
  "decay",
  "argmax",
  "topK",
  "sample",
  "float16ToFloat32",
  "add",
  "swapAxes",
  "sigmoid",
  "sigmoidGrad",
  "logSigmoid",
  "logSigmoidGrad",
  "binaryCrossEntropy",
];

export interface Exports extends Kernels {
  readonly heapBase: number;
  /** The largest number of classes for which softmaxGrad and hinge take inner > 1, for f32 and f64; and the other kernels. */
  readonly narrow: Readonly<Record<Bytes, number>>;
  readonly narrowExp: Readonly<Record<Bytes, number>>;
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
}

/** Exports that say a number. */
const NUMBERS = ["heapBase", "narrow", "narrowExp"] as const;

/** The exports of an instance, in an object of which V8 knows the shape. */
export function readExports(raw: Record<string, unknown>): Exports {
  const memory = raw["memory"] as Partial<Exports["memory"]> | undefined;
  if (typeof memory?.grow !== "function") throw new TypeError("softmargin: not a softmargin module, no memory");
  const exports: Record<string, unknown> = { memory };
  for (const name of [...NAMES, ...NUMBERS]) {
    if (typeof raw[name] !== "function") throw new TypeError(`softmargin: not a softmargin module, no export ${name}`);
    exports[name] = raw[name];
  }
  const { heapBase, narrow, narrowExp } = raw as Record<(typeof NUMBERS)[number], (bytes?: Bytes) => number>;
  exports["heapBase"] = heapBase();
  exports["narrow"] = { 4: narrow(4), 8: narrow(8) };
  exports["narrowExp"] = { 4: narrowExp(4), 8: narrowExp(8) };
  return exports as unknown as Exports;
}
