// What is asked of each entry point of the package in each place: every function on every kind of array against values known from closed
// forms, an error of each type, a workspace, and from the deterministic build the digest. Plain TypeScript, no Node.
import type { Functions, Softmargin } from "softmargin";
import { digest } from "../digest/digest.js";

/** Of one entry point in one place. */
export interface Finding {
  /** What runs, and what after ready() if that is another; "refused" where the entry point gives nothing to run. */
  backend: string;
  reason?: string;
  digest?: string;
  /** What did not come out as it should. */
  failed: string[];
}
export type Findings = Record<string, Finding>;

/** Of every entry point that runs the deterministic build, or of the first only: its module is the same in all. The bundler knows. */
declare const EVERY_DIGEST: boolean;

type Entry = Softmargin | (() => Softmargin | Promise<Softmargin>);

/** Of every entry point; what a function throws is a refusal. */
export async function visit(entries: Record<string, Entry>): Promise<Findings> {
  const findings: Findings = {};
  for (const [entry, api] of Object.entries(entries)) {
    try {
      const isKnown = Object.values(findings).some((finding) => finding.digest !== undefined);
      findings[entry] = await conformance(typeof api === "function" ? await api() : api, EVERY_DIGEST || !isKnown);
    } catch (error) {
      findings[entry] = { backend: "refused", reason: String(error), failed: [] };
    }
  }
  return findings;
}

async function conformance(api: Softmargin, withDigest: boolean): Promise<Finding> {
  const failed = wrong(api);
  const { name, reason } = api.backend;
  const after = (await api.ready()).name;
  if (after !== name) failed.push(...wrong(api));
  const finding: Finding = { backend: after === name ? name : `${name}, ${after} after ready()`, failed };
  if (reason) finding.reason = String(reason);
  if (after === "simd" && withDigest) finding.digest = digest(api);
  return finding;
}

const wrong = (api: Softmargin): string[] => [...wrongValues(api), ...wrongErrors(api), ...wrongWorkspace(api)];

type Values = Float32Array | Float64Array | number[];
const kinds: { of(values: readonly number[]): Values; tolerance: number }[] = [
  { of: (values) => Float32Array.from(values), tolerance: 1e-6 },
  { of: (values) => Float64Array.from(values), tolerance: 1e-14 },
  { of: (values) => [...values], tolerance: 1e-14 },
];

type Call = (f: Functions, of: (values: readonly number[]) => Values) => number | Values;
const e = Math.E;
const log = Math.log;
const values: { [name: string]: [call: Call, expected: readonly number[]] } = {
  softmax: [(f, of) => f.softmax(of([1, 2, 3])), [1, e, e * e].map((x) => x / (1 + e + e * e))],
  "softmax over axis 1": [
    (f, of) => f.softmax(of([0, 1, 2, 0, 0, 0]), { shape: [1, 2, 3], axis: 1, temperature: 0.5 }),
    [0, 2, 4, 0, -2, -4].map((x) => 1 / (1 + e ** -x)),
  ],
  softmaxGrad: [(f, of) => f.softmaxGrad(of([0.25, 0.75]), of([1, 0])), [0.1875, -0.1875]],
  logSoftmax: [(f, of) => f.logSoftmax(of([1000, 1])), [0, -999]],
  logSoftmaxGrad: [(f, of) => f.logSoftmaxGrad(of([log(0.25), log(0.75)]), of([1, 0])), [0.75, -0.75]],
  logSumExp: [(f, of) => f.logSumExp(of([0, 0, 0, 0, 5, 5, 5, 5]), { shape: [2, 4] }), [log(4), 5 + log(4)]],
  crossEntropy: [(f, of) => f.crossEntropy(of([0, -40]), [0]), [Math.exp(-40)]],
  "crossEntropy, none": [(f, of) => f.crossEntropy(of([0, 0, 0, 1e8]), [1, 1], { reduction: "none" }), [log(2), 0]],
  crossEntropyGrad: [(f, of) => f.crossEntropyGrad(of([0, 0]), [1]).grad, [0.5, -0.5]],
  hinge: [(f, of) => f.hinge(of([3, 5, 2.5]), [0]), [3.5]],
  "hinge, Crammer–Singer": [(f, of) => f.hinge(of([3, 5, 2.5]), [0], { form: "crammer-singer", p: 2 }), [9]],
  hingeGrad: [(f, of) => f.hingeGrad(of([3, 5, -2]), [0]).grad, [-1, 1, 0]],
};

function wrongValues(api: Softmargin): string[] {
  const failed: string[] = [];
  for (const { of, tolerance } of kinds) {
    for (const [name, [call, expected]] of Object.entries(values)) {
      const result = call(api, of);
      const got = typeof result === "number" ? [result] : Array.from(result);
      const close = got.every((x, i) => Math.abs(x - expected[i]!) <= tolerance * Math.abs(expected[i]!));
      if (!close || got.length !== expected.length) failed.push(`${name}: [${got}] instead of [${expected}]`);
    }
  }
  if (api.initialLoss("crossEntropy", 10) !== log(10)) failed.push("initialLoss");
  return failed;
}

function wrongErrors(api: Softmargin): string[] {
  const errors: { [name: string]: [call: () => void, message: RegExp] } = {
    RangeError: [() => api.crossEntropy([1, 2, 3], [3]), /crossEntropy: targets\[0\].* got 3/],
    TypeError: [() => api.softmax([1, 2], Object({ temprature: 2 })), /softmax: .*temprature/],
  };
  return Object.entries(errors).flatMap(([type, [call, message]]) => {
    try {
      call();
      return [`no ${type}`];
    } catch (error) {
      const right = error instanceof Error && error.name === type && message.test(error.message);
      return right ? [] : [`${error} instead of a ${type}`];
    }
  });
}

/** In a workspace, in place, to the same bits. */
function wrongWorkspace(api: Softmargin): string[] {
  const logits = Float32Array.from({ length: 300 }, (_, i) => ((i * 37) % 101) / 10);
  const targets = Int32Array.from({ length: 30 }, (_, i) => i % 10);
  const workspace = api.createWorkspace({ bytes: 4096 });
  const x = workspace.float32(300);
  x.set(logits);
  const inside = workspace.crossEntropyGrad(x, targets, { grad: x });
  const outside = api.crossEntropyGrad(logits, targets);
  const same = inside.grad === x && outside.grad.every((g, i) => g === x[i]) && inside.loss === outside.loss;
  return same ? [] : ["a workspace gives something else"];
}
