// ONNX Runtime, compiled to WebAssembly (onnxruntime-web) and native (onnxruntime-node), on one thread. It has no gradients: that of the
// cross-entropy is built from operators; there is no hinge.

import type { InferenceSession, Tensor } from "onnxruntime-common";
import type { Data } from "../data.js";
import { largestOf, type Result } from "../jobs.js";
import type { Line } from "../lines.js";
import type { Entrant } from "../run.js";
import { FLOAT, INT32, INT64, type Model, onnxModel } from "./onnxModel.js";

interface Runtime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: new (type: "float32" | "int32", data: Float32Array | Int32Array, dims: readonly number[]) => Tensor;
}

export async function onnxruntimeWeb(): Promise<Entrant> {
  const ort = await import("onnxruntime-web");
  ort.env.wasm.numThreads = 1;
  return entrant("ORT web", ort as unknown as Runtime, { executionProviders: ["wasm"] });
}

export async function onnxruntimeNode(): Promise<Entrant> {
  const ort = await import("onnxruntime-node");
  return entrant("ORT native", ort as unknown as Runtime, { executionProviders: ["cpu"] });
}

function entrant(name: string, ort: Runtime, options: InferenceSession.SessionOptions): Entrant {
  return {
    name,
    tolerance: { f32: 1e-4, f64: 0 },
    async prepare({ job, inner }, data) {
      const model = inner === 1 && data.type === "f32" ? modelOf(job, data) : undefined;
      if (!model) return undefined;
      const session = await ort.InferenceSession.create(onnxModel(model), {
        ...options,
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        executionMode: "sequential",
        logSeverityLevel: 3,
      });
      const x = data.x as Float32Array;
      const run = async (): Promise<Result> => {
        const feeds: Record<string, Tensor> = {
          x: new ort.Tensor("float32", x, [data.rows, data.features ?? data.classes]),
        };
        if ("w" in model.inputs)
          feeds["w"] = new ort.Tensor("float32", data.weight as Float32Array, [data.classes, data.features!]);
        if ("y" in model.inputs) feeds["y"] = new ort.Tensor("int32", data.targets, [data.rows]);
        const { indices, values, loss, grad } = await session.run(feeds);
        if (indices) return Int32Array.from(indices.data as BigInt64Array, Number);
        if (values) return values.data as Float32Array;
        const mean = (loss!.data as Float32Array)[0]!;
        return grad ? { loss: mean, grad: grad.data as Float32Array } : mean;
      };
      return { run, dispose: () => void session.release() };
    },
  };
}

function modelOf(job: Line["job"], data: Data): Model | undefined {
  const { rows, classes } = data;
  const x = { x: FLOAT };
  const values = { values: FLOAT };
  const topK = (most: number): Model => ({
    nodes: [{ op: "TopK", inputs: ["x", "k"], outputs: ["logits", "indices"] }],
    inputs: x,
    outputs: { indices: INT64 },
    constants: { k: { dims: [1], type: INT64, values: [largestOf(data, most)] } },
  });
  switch (job) {
    case "argmax":
      return {
        nodes: [{ op: "ArgMax", inputs: ["x"], outputs: ["indices"], attributes: { axis: 1, keepdims: 0 } }],
        inputs: x,
        outputs: { indices: INT64 },
      };
    case "topK 5":
      return topK(5);
    case "topK 50":
      return topK(50);
    case "sigmoid":
      return { nodes: [{ op: "Sigmoid", inputs: ["x"], outputs: ["values"] }], inputs: x, outputs: values };
    case "softmax":
      return {
        nodes: [{ op: "Softmax", inputs: ["x"], outputs: ["values"], attributes: { axis: 1 } }],
        inputs: x,
        outputs: values,
      };
    case "linear":
      return {
        nodes: [{ op: "Gemm", inputs: ["x", "w"], outputs: ["values"], attributes: { transB: 1 } }],
        inputs: { ...x, w: FLOAT },
        outputs: values,
      };
    case "log-softmax":
      return {
        nodes: [{ op: "LogSoftmax", inputs: ["x"], outputs: ["values"], attributes: { axis: 1 } }],
        inputs: x,
        outputs: values,
      };
    case "cross-entropy":
      return {
        nodes: [{ op: "SoftmaxCrossEntropyLoss", inputs: ["x", "y"], outputs: ["loss"] }],
        inputs: { ...x, y: INT32 },
        outputs: { loss: FLOAT },
      };
    case "cross-entropy + gradient":
      // (p − [j = y]) / rows, p from the loss's second output
      return {
        nodes: [
          { op: "SoftmaxCrossEntropyLoss", inputs: ["x", "y"], outputs: ["loss", "logP"] },
          { op: "Exp", inputs: ["logP"], outputs: ["p"] },
          { op: "OneHot", inputs: ["y", "classes", "offOn"], outputs: ["target"] },
          { op: "Sub", inputs: ["p", "target"], outputs: ["difference"] },
          { op: "Mul", inputs: ["difference", "scale"], outputs: ["grad"] },
        ],
        inputs: { ...x, y: INT32 },
        outputs: { loss: FLOAT, grad: FLOAT },
        constants: {
          classes: { dims: [1], type: INT32, values: [classes] },
          offOn: { dims: [2], type: FLOAT, values: [0, 1] },
          scale: { dims: [1], type: FLOAT, values: [1 / rows] },
        },
      };
    default:
      return undefined;
  }
}
