// Every entry point as an application uses it; must compile without the types of a browser or of Node.
import {
  backend,
  type ClassIndices,
  type CrossEntropyOptions,
  createWorkspace,
  crossEntropy,
  crossEntropyGrad,
  hingeGrad,
  initialLoss,
  type Softmargin,
  softmax,
  type Workspace,
} from "softmargin";
import * as baseline from "softmargin/baseline";
import * as relaxed from "softmargin/relaxed";
import relaxedModule from "softmargin/relaxed.wasm";
import simdModule from "softmargin/simd.wasm";
import { create, type ModuleSource } from "softmargin/wasm";

const logits = new Float32Array(6);
const targets: ClassIndices = new BigInt64Array(2);
const options: CrossEntropyOptions<"none"> = { reduction: "none", weight: [1, 2, 3], labelSmoothing: 0.1 };

const f32: Float32Array = softmax(logits);
const f64: Float64Array = softmax(new Float64Array(3), { temperature: 2 });
const list: number[] = softmax([1, 2, 3] as const);
const mean: number = crossEntropy(logits, targets);
const losses: Float32Array = crossEntropy(logits, targets, options);
const { loss, grad }: { loss: number; grad: Float32Array } = crossEntropyGrad(logits, targets, { grad: logits });
const hinge: { loss: number[]; grad: number[] } = hingeGrad(list, [0], {
  reduction: "none",
  form: "crammer-singer",
  p: 2,
});
const initial: number = initialLoss("hinge", 10, { perClass: true });
const name: "simd" | "relaxed" | "baseline" = backend.name;
const reason: Error | undefined = backend.reason;

const workspace: Workspace = createWorkspace({ bytes: 64 });
const inPlace: Float32Array = workspace.softmax(workspace.float32(3));

const entries: Softmargin[] = [baseline, relaxed];
const fromModule: Softmargin = create(simdModule as ModuleSource);
const fromPromise: Promise<Softmargin> | Softmargin = create(Promise.resolve(relaxedModule));

// @ts-expect-error: a misspelt option
softmax(logits, { temprature: 2 });
// @ts-expect-error: out of another type
softmax(logits, { out: f64 });
// @ts-expect-error: integers are not logits
softmax(new Int32Array(3));

export const all = [
  f32,
  mean,
  losses,
  loss,
  grad,
  hinge,
  initial,
  name,
  reason,
  inPlace,
  entries,
  fromModule,
  fromPromise,
];
