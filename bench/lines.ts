// The lines of the benchmark: what is timed at which sizes, and what each line is to reach. The targets are aims, as ratios between two
// contenders of the same run; a run says which of them are met.

import type { Logits, Size, Type } from "./data.js";
import type { JobName } from "./jobs.js";

/** `contender` must be at least so many times as fast as `over`. */
export interface Target {
  readonly contender: string;
  readonly over: string;
  readonly atLeast: number;
}

export interface Line extends Size {
  readonly section: string;
  readonly job: JobName;
  readonly type: Type;
  /** Also on arrays inside a workspace, where nothing is copied. */
  readonly workspace: boolean;
  readonly targets: readonly Target[];
}

const EXPONENTIAL: readonly JobName[] = [
  "softmax",
  "log-softmax",
  "log-sum-exp",
  "cross-entropy",
  "cross-entropy + gradient",
];
const WESTON_WATKINS: readonly JobName[] = ["Weston–Watkins", "Weston–Watkins + gradient"];
const CRAMMER_SINGER: readonly JobName[] = ["Crammer–Singer", "Crammer–Singer + gradient"];
/** The rest: nothing is asked of them but to be faster than the baseline. */
const OTHER: readonly JobName[] = ["softmax gradient", "log-softmax gradient", "soft cross-entropy + gradient"];
/** As in segmentation, where the rows at borders are ignored: what is done about them must not cost more than the rows would. */
const IGNORING: readonly JobName[] = ["cross-entropy + gradient, 1/10 ignored"];
const ALL: readonly JobName[] = [...EXPONENTIAL, ...WESTON_WATKINS, ...CRAMMER_SINGER, ...OTHER];

const isExponential = (job: JobName): boolean => EXPONENTIAL.includes(job);

/** A floor over the baseline. */
const floor = (atLeast: number | undefined, contender = "simd"): Target[] =>
  atLeast === undefined ? [] : [{ contender, over: "baseline", atLeast }];

const FUSED: Target = { contender: "relaxed", over: "simd", atLeast: 1.2 };

interface Given extends Partial<Size> {
  readonly jobs: readonly JobName[];
  readonly classes: number;
  readonly rows: number;
  readonly type?: Type;
  readonly workspace?: boolean;
  readonly targets?: readonly Target[];
  readonly logits?: Logits;
}

function lines(section: string, given: readonly Given[]): Line[] {
  return given.flatMap(
    ({ jobs, classes, rows, type = "f32", inner = 1, features, workspace = false, targets = [], logits }) =>
      jobs.map((job) => ({
        section,
        job,
        type,
        outer: Math.max(1, Math.round(rows / inner)),
        classes,
        inner,
        ...(features !== undefined && { features }),
        workspace,
        ...(logits ? { logits } : {}),
        targets: [...targets, ...(isExponential(job) && !SHORT.includes(section) ? [FUSED] : [])],
      })),
  );
}

const ONE_ROW = "one row of few classes";
const FEW_ROWS = "64 rows";
const CORE = "core";
const ANY_SHAPE = "any shape";
/** Where the call is most of the time, or a floor of another kind is asked: the fused build need not be ahead. */
const SHORT: readonly string[] = [ONE_ROW, FEW_ROWS, CORE, ANY_SHAPE];

const LAYER = "linear layer, f32";
const STEP: JobName = "linear cross-entropy + gradient";
const LAYER_JOBS: readonly JobName[] = ["linear", STEP];
const layer = (
  jobs: readonly JobName[],
  rows: number,
  features: number,
  classes: number,
  targets: readonly Target[] = [],
): Given => ({ jobs, rows, features, classes, targets });

/** All lines, for arrays of about `elements` elements where the number of rows is free. */
export function allLines(elements: number): Line[] {
  const rowsOf = (classes: number): number => Math.max(1, Math.round(elements / classes));
  const at = (
    jobs: readonly JobName[],
    classes: number,
    targets: readonly Target[],
    more: Partial<Given> = {},
  ): Given => ({
    jobs,
    classes,
    rows: rowsOf(classes),
    targets,
    ...more,
  });
  /** The same jobs at C = 10, 1000 and 32000, each with its floors. */
  const three = (jobs: readonly JobName[], targets: readonly Target[][], more: Partial<Given> = {}): Given[] =>
    [10, 1000, 32000].map((classes, i) => at(jobs, classes, targets[i]!, more));
  const inWorkspace = (floors: readonly (number | undefined)[], arrays: readonly number[]): Target[][] =>
    arrays.map((atLeast, i) => [...floor(atLeast), ...floor(floors[i], "workspace")]);
  const both = (simd: number, relaxed: number): Target[] => [...floor(simd), ...floor(relaxed, "relaxed")];

  return [
    // The shortest calls first, before the engine has seen other shapes and types.
    ...lines(FEW_ROWS, [{ jobs: ALL, classes: 10, rows: 64, targets: floor(5) }]),
    ...lines(
      ONE_ROW,
      [2, 3, 4, 5, 6, 7, 8, 9, 10].map((classes) => ({ jobs: ALL, classes, rows: 1, targets: floor(1) })),
    ),
    ...lines("softmax, f32", [
      at(["softmax"], 10, floor(10)),
      at(["log-softmax"], 10, []),
      at(["softmax"], 16, floor(10)),
      at(["log-softmax"], 16, []),
      ...[32, 64, 128, 256].map((classes) => at(["softmax", "log-softmax"], classes, [])),
      ...[1000, 4096, 32000].map((classes) => at(["softmax", "log-softmax"], classes, floor(12))),
      ...[10, 1000, 32000].map((classes) => at(["log-sum-exp"], classes, [])),
    ]),
    ...lines("one row of 128,256 classes, f32", [
      { jobs: EXPONENTIAL, classes: 128_256, rows: 1, targets: floor(12) },
      { jobs: [...WESTON_WATKINS, ...CRAMMER_SINGER], classes: 128_256, rows: 1 },
    ]),
    ...lines("cross-entropy, f32", [
      ...three(["cross-entropy"], [floor(10), floor(13), floor(13)]),
      ...three(["cross-entropy + gradient"], [floor(10), floor(12), floor(12)]),
      at(IGNORING, 10, floor(1)),
    ]),
    ...lines("hinge, f32", [
      ...three(WESTON_WATKINS, inWorkspace([undefined, 25, 25], [8, 12, 12]), { workspace: true }),
      ...three(CRAMMER_SINGER, inWorkspace([7, 7, 7], [6, 3, 3]), { workspace: true }),
    ]),
    ...lines("sigmoids, f32", [
      at(["sigmoid", "log-sigmoid", "binary cross-entropy + gradient"], 1000, [...floor(8), ...beyond(8)]),
      at(["focal loss + gradient"], 1000, [...floor(6), ...beyond(6)]),
    ]),
    ...decisionLines(),
    ...lines(LAYER, [
      ...[
        [1, 8, 2],
        [4, 64, 8],
        [32, 64, 3],
        [8, 50, 5],
      ].map(([rows, features, classes]) =>
        layer(LAYER_JOBS, rows!, features!, classes!, rows! * features! * classes! < 2000 ? [] : floor(1)),
      ),
      layer(["linear"], 200, 784, 10, floor(6)),
      layer([STEP], 200, 784, 10, [...floor(8), { contender: "simd", over: "by hand", atLeast: 14 }]),
      layer(["linear"], 240, 512, 1000, floor(6)),
      layer([STEP], 240, 512, 1000, [...floor(8), { contender: "simd", over: "by hand", atLeast: 18 }]),
    ]),
    ...lines("other gradients, f32", three(OTHER, [floor(1), floor(1), floor(1)])),
    ...lines("(8, 21, 77, 77), axis 1, f32", [
      { jobs: ["cross-entropy + gradient"], classes: 21, inner: 77 * 77, rows: 8 * 77 * 77, targets: floor(10) },
      { jobs: ["softmax", "Weston–Watkins + gradient"], classes: 21, inner: 77 * 77, rows: 8 * 77 * 77 },
      { jobs: IGNORING, classes: 21, inner: 77 * 77, rows: 8 * 77 * 77, targets: floor(1) },
    ]),
    ...lines("f64", [
      ...three(EXPONENTIAL, [both(4, 5), both(4, 5), both(4, 5)], { type: "f64" }),
      ...three(WESTON_WATKINS, [floor(6), floor(6), floor(6)], { type: "f64" }),
      ...three(CRAMMER_SINGER, [floor(2), floor(2), floor(2)], { type: "f64" }),
      ...three(OTHER, [floor(1), floor(1), floor(1)], { type: "f64" }),
    ]),
  ];
}

/** Those that other libraries make, too; their draws are of another generator. */
const DECISIONS: readonly JobName[] = ["argmax", "topK 5", "topK 50", "sample"];

/** A floor over the loops that one writes by hand, or another contender. */
const beyond = (atLeast: number, over = "by hand"): Target[] => [{ contender: "simd", over, atLeast }];

/** So many classes as a large vocabulary has. */
const VOCABULARY = 151_936;

function decisionLines(): Line[] {
  const draws: JobName[] = ["sample", "sample, topK 50", "sample, topP 0.9", "sample, minP 0.05"];
  const row = (
    jobs: readonly JobName[],
    classes: number,
    targets: readonly Target[] = [],
    more: Partial<Given> = {},
  ) => ({
    jobs,
    classes,
    rows: 1,
    logits: "peaked" as const,
    workspace: true,
    targets,
    ...more,
  });
  // No longer than so many times a log-sum-exp of the same row.
  const within = (times: number): Target[] => beyond(Number((1 / times).toFixed(2)), "log-sum-exp");
  const hard: Logits[] = ["flat", "ascending", "descending", "two-valued", "all equal", "Zipf"];
  return [
    ...lines("decisions, a token", [
      row(["argmax"], VOCABULARY, beyond(6)),
      row(["topK 5", "topK 50"], VOCABULARY, [...beyond(4), ...beyond(500, "as written")]),
      row(["sample"], VOCABULARY, within(1.3)),
      row(["sample, topK 50"], VOCABULARY, within(0.5)),
      row(["sample, topP 0.9"], VOCABULARY, [...within(1.5), ...beyond(300, "as written")]),
      row(["sample, minP 0.05"], VOCABULARY, within(1.3)),
      ...[1000, 32_000].map((classes) => row(["argmax", "topK 5", "topK 50", ...draws], classes)),
      ...[4000, 16_000, 65_536, 262_144].map((classes) => row(["sample, topP 0.9"], classes)),
    ]),
    ...lines(
      "decisions, what is hard to select from",
      hard.map((logits) => row(["topK 50", "sample, topP 0.9"], VOCABULARY, within(6), { logits })),
    ),
    ...lines("decisions, many rows", [
      { jobs: ["argmax"], classes: 10, rows: 10_000, targets: beyond(1.5) },
      { jobs: ["argmax"], classes: 21, inner: 512 * 512, rows: 512 * 512, targets: beyond(4) },
      { jobs: ["topK 5"], classes: 1000, rows: 1000, targets: beyond(3) },
      { jobs: ["sample", "sample, topP 0.9"], classes: 1000, rows: 1000 },
    ]),
    ...lines("decisions, half floats", [
      row(["argmax", "sample, topP 0.9"], VOCABULARY, HALF, { logits: "half floats", workspace: false }),
      { jobs: ["softmax"], classes: 1000, rows: 1000, logits: "half floats", targets: HALF },
      {
        jobs: ["float16ToFloat32"],
        classes: 1000,
        rows: 1000,
        logits: "half floats",
        targets: beyond(3, "as written"),
      },
    ]),
  ];
}

/** Half floats take no more than 1.25 times as long. */
const HALF: readonly Target[] = [{ contender: "half floats", over: "simd", atLeast: 0.8 }];

/** What `npm run bench` shows: large batches, a row of a large vocabulary, calls on few numbers. */
export function screenLines(elements: number): Line[] {
  const at = (classes: number, jobs: readonly JobName[], more: Partial<Given> = {}): Given => ({
    jobs,
    classes,
    rows: Math.max(1, Math.round(elements / classes)),
    ...more,
  });
  const small: JobName[] = ["softmax", "cross-entropy + gradient", "Weston–Watkins + gradient"];
  return [
    ...lines(`about ${elements.toLocaleString("en")} numbers`, [
      at(10, ["softmax", "cross-entropy + gradient"]),
      at(1000, ["softmax", "log-softmax", "log-sum-exp", "cross-entropy", "cross-entropy + gradient"]),
      at(1000, [...WESTON_WATKINS, ...CRAMMER_SINGER, "softmax gradient"]),
      at(21, ["softmax"], { inner: 77 * 77 }),
      at(1000, ["softmax"], { type: "f64" }),
    ]),
    ...lines("a token", [
      { jobs: ["argmax", "topK 50", "sample, topP 0.9"], classes: VOCABULARY, rows: 1, logits: "peaked" },
    ]),
    ...lines("linear layer", [
      layer([STEP], 32, 64, 3),
      layer(LAYER_JOBS, 200, 784, 10),
      layer([STEP], 240, 512, 1000),
    ]),
    ...lines("few numbers", [
      { jobs: small, classes: 10, rows: 1 },
      { jobs: small, classes: 10, rows: 64 },
    ]),
  ];
}

/** Shapes between those above, where nothing may be slower than the baseline. */
export function anyShape(): Line[] {
  const sizes = [1, 2, 7, 40].flatMap((rows) => [2, 5, 17, 50, 65, 130, 1000].map((classes) => ({ rows, classes })));
  return (["f32", "f64"] as const).flatMap((type) =>
    sizes.flatMap((size) => lines(ANY_SHAPE, [{ jobs: ALL, type, ...size, targets: floor(1) }])),
  );
}

/** What is run on every engine, and in the page. */
export function coreLines(elements: number): Line[] {
  const jobs: JobName[] = [
    "softmax",
    "cross-entropy + gradient",
    "Weston–Watkins + gradient",
    "Crammer–Singer + gradient",
  ];
  const rows = (classes: number): number => Math.max(1, Math.round(elements / classes));
  return lines(CORE, [
    { jobs, classes: 10, rows: rows(10) },
    { jobs, classes: 1000, rows: rows(1000) },
    { jobs: ["argmax", "sample, topP 0.9"], classes: 32_000, rows: 1, logits: "peaked" },
    { jobs: ["softmax"], classes: 1000, rows: rows(1000), type: "f64" },
  ]);
}

/** What is run on every engine, and takes too long for the page. */
export function engineLines(elements: number): Line[] {
  return [...coreLines(elements), ...lines(CORE, [layer([STEP], 200, 784, 10), layer([STEP], 1024, 512, 1000)])];
}

/** What other libraries are compared in, and how far ahead of each of them softmargin must be. */
export function peerLines(elements: number): Line[] {
  const ahead = (contender: string, over: string, atLeast: number): Target => ({ contender, over, atLeast });
  const rows = (classes: number): number => Math.max(1, Math.round(elements / classes));
  const softmaxTargets = (classes: number): Target[] => [
    ...(classes >= 1000
      ? [ahead("simd", "tfjs wasm", 1.7), ahead("simd", "ORT web", 3), ahead("simd", "ORT native", 0.65)]
      : []),
    ...(classes <= 16 ? [ahead("simd", "tfjs wasm", 3), ahead("simd", "ORT native", 1)] : []),
  ];
  const native = (classes: number): Target[] => (classes >= 256 ? [ahead("relaxed", "ORT native", 0.85)] : []);
  const losses = (job: JobName, atLeast: number): Given[] =>
    [10, 1000, 32000].map((classes) => ({
      jobs: [job],
      classes,
      rows: rows(classes),
      targets: [ahead("simd", "tfjs wasm", atLeast)],
    }));
  return [
    ...[10, 16, 32, 64, 128, 256, 1000, 4096, 32000, 128_256].flatMap((classes) => [
      ...lines("softmax, f32", [
        { jobs: ["softmax"], classes, rows: rows(classes), targets: [...softmaxTargets(classes), ...native(classes)] },
      ]),
    ]),
    ...lines(
      "log-softmax, f32",
      [10, 1000, 32000].map((classes) => ({
        jobs: ["log-softmax"],
        classes,
        rows: rows(classes),
        targets: classes >= 1000 ? softmaxTargets(classes) : [],
      })),
    ),
    ...lines("cross-entropy, f32", [...losses("cross-entropy", 6), ...losses("cross-entropy + gradient", 12)]),
    ...lines(LAYER, [
      layer(["linear"], 200, 784, 10),
      layer([STEP], 200, 784, 10, [ahead("simd", "tfjs wasm", 7)]),
      layer(["linear"], 240, 512, 1000),
      layer([STEP], 240, 512, 1000, [ahead("simd", "tfjs wasm", 17)]),
    ]),
    ...lines("hinge, f32", [
      ...losses("Weston–Watkins", 25),
      ...losses("Weston–Watkins + gradient", 25),
      ...[10, 1000, 32000].map((classes) => ({ jobs: CRAMMER_SINGER, classes, rows: rows(classes) })),
    ]),
    ...lines("sigmoids, f32", [
      { jobs: ["sigmoid", "binary cross-entropy + gradient"], classes: 1000, rows: rows(1000) },
    ]),
    ...lines("decisions, f32", [
      ...[1000, 32000].map((classes) => ({ jobs: DECISIONS, classes, rows: rows(classes) })),
      { jobs: DECISIONS, classes: VOCABULARY, rows: 1, logits: "peaked" },
    ]),
  ];
}
