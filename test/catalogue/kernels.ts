// The kernels of assembly/index.ts: what each array holds, in the order of the arguments (outputs, inputs, sizes, scalars), and ways to call them.

/** The arguments of a call by name: byte offsets, sizes, scalars. */
export type Args = Readonly<Record<string, number>>;

/** How many elements an array has, and of which type: that of the kernel, or one of its own. */
interface Room {
  readonly length: (args: Args) => number;
  readonly type?: "f64" | "f32" | "i32" | "u16";
}
type Arrays = Readonly<Record<string, Room>>;

interface Kernel {
  readonly writes: Arrays;
  readonly reads: Arrays;
  readonly scalars: readonly string[];
  /** Calls that differ in more than their sizes: the arrays that are absent, and the scalars, for [outer, cols, inner]. */
  readonly ways: readonly { readonly absent?: readonly string[]; readonly scalars?: (sizes: Args) => Args }[];
}

const rows = ({ outer, inner }: Args): number => outer! * inner!;
const LOGITS: Room = { length: (args) => rows(args) * args["cols"]! };
const PER_CLASS: Room = { length: ({ cols }) => cols! };
const PER_ROW: Room = { length: rows, type: "f64" };
const PAIR_PER_ROW: Room = { length: (args) => 2 * rows(args), type: "f64" };
const THREE_PER_ROW: Room = { length: (args) => 3 * rows(args), type: "f64" };
const INDICES: Room = { length: rows, type: "i32" };
const TOTAL: Room = { length: () => 2, type: "f64" };
// Of kernels that take their rows one after the other, each by itself, and lists of its classes.
const BY_ROWS: Room = { length: ({ rows, cols }) => rows! * cols! };
const ROW_INDICES: Room = { length: ({ rows }) => rows!, type: "i32" };
const TOP: Room = { length: ({ rows, k }) => rows! * k! };
const TOP_INDICES: Room = { ...TOP, type: "i32" };
const LIST: Room = { length: ({ capacity }) => capacity! };
const LIST_INDICES: Room = { ...LIST, type: "i32" };
const BLOCKS: Room = { length: ({ cols }) => Math.floor(cols! / 1024) + 1, type: "f64" };
const inRows = ({ outer, cols, inner }: Args): Args => ({ rows: outer! * inner!, capacity: Math.ceil(cols! / 4) * 4 });
const SIZES = ["outer", "cols", "inner"];

// A linear layer: three classes of more, `stride` from row to row of the logits.
const FEATURES: Room = { length: ({ rows, features }) => rows! * features! };
const WEIGHTS: Room = { length: ({ classes, features }) => classes! * features! };
const BIAS: Room = { length: ({ classes }) => classes! };
const STRIDED: Room = { length: ({ rows, classes, stride }) => (rows! - 1) * stride! + classes! };
const LAYER_SIZES = ["rows", "features", "classes", "stride"];
const layerOf = ({ outer, cols, inner }: Args): Args => ({
  rows: outer! * inner!,
  features: cols!,
  classes: 3,
  stride: 5,
});

const FACTORS = { weight: PER_CLASS, sampleWeight: PER_ROW, gradOutput: PER_ROW };
const WITHOUT_FACTORS = Object.keys(FACTORS);

const forward: Kernel = {
  writes: { y: LOGITS },
  reads: { x: LOGITS },
  scalars: [...SIZES, "temperature"],
  ways: [{ scalars: () => ({ temperature: 0.7 }) }],
};
const product: Kernel = { writes: { dx: LOGITS }, reads: { y: LOGITS, dy: LOGITS }, scalars: SIZES, ways: [{}] };

const ELEMENTS: Room = { length: ({ n }) => n! };
const all = ({ outer, cols, inner }: Args): Args => ({ n: outer! * cols! * inner! });
const elementwise: Kernel = {
  writes: { y: ELEMENTS },
  reads: { x: ELEMENTS },
  scalars: ["n"],
  ways: [{ scalars: all }],
};
const elementwiseProduct: Kernel = { ...elementwise, writes: { dx: ELEMENTS }, reads: { y: ELEMENTS, dy: ELEMENTS } };

export const kernels: Readonly<Record<string, Kernel>> = {
  softmax: forward,
  softmaxGrad: product,
  logSoftmax: forward,
  logSoftmaxGrad: product,
  logSumExp: { ...forward, writes: { lse: PER_ROW }, ways: [{ scalars: () => ({ temperature: 1 }) }] },
  crossEntropy: {
    writes: { total: TOTAL, loss: PER_ROW, grad: LOGITS, complements: THREE_PER_ROW },
    reads: { x: LOGITS, targets: INDICES, probabilities: LOGITS, ...FACTORS },
    scalars: [...SIZES, "smoothing", "temperature", "gradScale"],
    ways: [
      ["grad", "complements", "probabilities", ...WITHOUT_FACTORS],
      ["complements", "probabilities", ...WITHOUT_FACTORS],
      ["loss", "complements", "probabilities", ...WITHOUT_FACTORS],
      ["complements", "probabilities"],
      ["complements", "targets", ...WITHOUT_FACTORS],
      ["complements", "targets"],
      ["grad", "probabilities", ...WITHOUT_FACTORS],
      ["probabilities"],
    ].flatMap((absent) =>
      [0, 0.1].map((smoothing) => ({ absent, scalars: () => ({ smoothing, temperature: 1, gradScale: 1 }) })),
    ),
  },
  hinge: {
    writes: { total: TOTAL, loss: PER_ROW, grad: LOGITS, top: PAIR_PER_ROW },
    reads: { x: LOGITS, targets: INDICES, ...FACTORS },
    scalars: [...SIZES, "westonWatkins", "margin", "squared", "divisor", "gradScale"],
    ways: [
      ["grad", "top", ...WITHOUT_FACTORS],
      ["top", ...WITHOUT_FACTORS],
      ["top", "loss", ...WITHOUT_FACTORS],
      ["top"],
      ["grad"],
    ].flatMap((absent) =>
      (absent.includes("top") ? [1, 0] : [0]).flatMap((westonWatkins) =>
        [1, 0].map((squared) => ({
          absent,
          scalars: () => ({ westonWatkins, margin: 1, squared, divisor: 1, gradScale: 1 }),
        })),
      ),
    ),
  },
  linear: {
    writes: { z: STRIDED },
    reads: { x: FEATURES, w: WEIGHTS, bias: BIAS },
    scalars: LAYER_SIZES,
    ways: [{ scalars: layerOf }, { absent: ["bias"], scalars: layerOf }],
  },
  linearGradX: {
    writes: { dx: FEATURES },
    reads: { g: STRIDED, w: WEIGHTS },
    scalars: [...LAYER_SIZES, "add"],
    ways: [0, 1].map((add) => ({ scalars: (sizes) => ({ ...layerOf(sizes), add }) })),
  },
  linearGradWeight: {
    writes: { dw: WEIGHTS },
    reads: { g: STRIDED, x: FEATURES },
    scalars: LAYER_SIZES,
    ways: [{ scalars: layerOf }],
  },
  linearGradBias: {
    writes: { dbias: BIAS },
    reads: { g: STRIDED },
    scalars: ["rows", "classes", "stride"],
    ways: [{ scalars: layerOf }],
  },
  keepRows: {
    writes: { g: { length: ({ rows, classes }) => rows! * classes! }, to: FEATURES },
    reads: { x: FEATURES },
    scalars: ["rows", "features", "classes"],
    ways: [{ scalars: layerOf }],
  },
  decay: {
    writes: { dw: { length: ({ n }) => n! } },
    reads: { w: { length: ({ n }) => n! } },
    scalars: ["n", "l2"],
    ways: [{ scalars: ({ outer, cols, inner }) => ({ n: outer! * cols! * inner!, l2: 0.1 }) }],
  },
  argmax: { writes: { indices: INDICES }, reads: { x: LOGITS }, scalars: SIZES, ways: [{}] },
  argmaxHalf: {
    writes: { indices: ROW_INDICES },
    reads: { bits: { ...BY_ROWS, type: "u16" } },
    scalars: ["rows", "cols"],
    ways: [{ scalars: ({ outer, cols, inner }) => ({ rows: outer! * inner!, cols: cols! + 31 }) }],
  },
  topK: {
    writes: {
      indices: TOP_INDICES,
      values: TOP,
      list: LIST,
      ids: LIST_INDICES,
      order: LIST_INDICES,
      spare: LIST_INDICES,
    },
    reads: { x: BY_ROWS },
    scalars: ["rows", "cols", "k", "kind", "temperature", "capacity"],
    ways: [0, 1, 2].map((kind) => ({
      scalars: (sizes) => ({ ...inRows(sizes), k: Math.min(3, sizes["cols"]!), kind, temperature: 0.7 }),
    })),
  },
  sample: {
    writes: { classes: ROW_INDICES, sums: BLOCKS, list: LIST, ids: LIST_INDICES, weights: LIST },
    reads: { x: BY_ROWS, tops: ROW_INDICES, u: { length: ({ rows }) => rows!, type: "f64" } },
    scalars: ["rows", "cols", "temperature", "k", "topP", "minP", "capacity"],
    ways: [{}, { k: 3 }, { topP: 0.9 }, { minP: 0.1 }, { k: 9, topP: 0.5, minP: 0.2 }].map((restriction) => ({
      scalars: (sizes) => ({ ...inRows(sizes), temperature: 0.7, k: 1e9, topP: 1, minP: 0, ...restriction }),
    })),
  },
  float16ToFloat32: {
    writes: { y: { length: ({ n }) => n!, type: "f32" } },
    reads: { bits: { length: ({ n }) => n!, type: "u16" } },
    scalars: ["n"],
    ways: [{ scalars: ({ outer, cols, inner }) => ({ n: outer! * cols! * inner! }) }],
  },
  sigmoid: elementwise,
  sigmoidGrad: elementwiseProduct,
  logSigmoid: elementwise,
  logSigmoidGrad: elementwiseProduct,
  binaryCrossEntropy: {
    writes: { total: TOTAL, loss: ELEMENTS, grad: ELEMENTS },
    reads: { x: ELEMENTS, targets: ELEMENTS, weight: ELEMENTS, posWeight: ELEMENTS, gradOutput: ELEMENTS },
    scalars: ["n", "smoothing", "gamma", "gradScale"],
    ways: [["grad", "weight"], ["loss", "posWeight", "gradOutput"], []].flatMap((absent) =>
      [0, 1, 2, 0.5].map((gamma) => ({
        absent,
        scalars: (sizes) => ({ ...all(sizes), smoothing: 0.1, gamma, gradScale: 1 }),
      })),
    ),
  },
  add: {
    writes: { y: { length: ({ n }) => n! } },
    reads: { x: { length: ({ n }) => n! } },
    scalars: ["n"],
    ways: [{ scalars: ({ outer, cols, inner }) => ({ n: outer! * cols! * inner! }) }],
  },
  swapAxes: {
    writes: { to: { length: ({ rows, cols, toStride }) => (cols! - 1) * toStride! + rows! } },
    reads: { from: { length: ({ rows, cols, fromStride }) => (rows! - 1) * fromStride! + cols! } },
    scalars: ["rows", "cols", "toStride", "fromStride"],
    ways: [
      {
        scalars: ({ outer, cols, inner }) => ({
          rows: outer!,
          cols: cols! * inner!,
          toStride: outer!,
          fromStride: cols! * inner!,
        }),
      },
    ],
  },
};

/** Exports that are no kernels. */
const FACTS = /^(memory|heapBase|isRelaxed|narrow(Exp)?)$/;

/** A call of a kernel. */
export interface Call {
  readonly kernel: Kernel;
  readonly bytes: number;
  readonly args: Args;
}

/** What a call of an export is: the kernel, the bytes of an element, the arguments by name; undefined for an export that is no kernel. */
export function kernelOf(name: string): ((args: readonly number[]) => Call) | undefined {
  if (FACTS.test(name)) return undefined;
  const kernel = kernels[name];
  if (kernel === undefined)
    throw new Error(`test/catalogue/kernels.ts does not know the export ${name}: add its arrays`);
  const names = [...Object.keys(kernel.writes), ...Object.keys(kernel.reads), ...kernel.scalars];
  return ([bytes, ...args]) => ({
    kernel,
    bytes: bytes!,
    args: Object.fromEntries(names.map((key, i) => [key, Number(args[i])])),
  });
}

/** Where an array ends that begins at 0. */
export function bytesOf({ length, type }: Room, args: Args, bytes: number): number {
  const sizes = { f64: 8, f32: 4, i32: 4, u16: 2 };
  return length(args) * (type === undefined ? bytes : sizes[type]);
}
