// TensorFlow.js, in WebAssembly (XNNPACK, SIMD, one thread) and plain JavaScript. Its cross-entropy takes one-hot targets, which are made from
// the class indices at each call; the hinge losses are built from tensor operations, and all gradients come from its automatic differentiation.

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import type { Data } from "../data.js";
import { binaryTargets, largestOf, type Result } from "../jobs.js";
import type { Line } from "../lines.js";
import type { Entrant } from "../run.js";

export async function tfjsWasm(): Promise<Entrant> {
  const wasm = await import("@tensorflow/tfjs-backend-wasm");
  wasm.setThreadsCount(1);
  const here = dirname(fileURLToPath(import.meta.url));
  wasm.setWasmPaths(`${join(here, "node_modules/@tensorflow/tfjs-backend-wasm/dist")}/`);
  return entrant("tfjs wasm", "wasm");
}

export async function tfjsCpu(): Promise<Entrant> {
  return entrant("tfjs cpu", "cpu");
}

async function entrant(name: string, backend: string): Promise<Entrant> {
  if (!(await tf.setBackend(backend))) throw new Error(`the ${backend} backend does not start`);
  await tf.ready();
  return {
    name,
    tolerance: { f32: 1e-4, f64: 0 },
    prepare({ job, inner }, data) {
      if (inner > 1 || data.type !== "f32") return undefined;
      const compute = computation(job, data);
      if (!compute) return undefined;
      return {
        isOther: job === "sample",
        ...(job === "binary cross-entropy + gradient" && { tolerance: 1e-3 }), // its sigmoidCrossEntropy is off by 8e-4
        run() {
          // Backends take turns too. Nothing is awaited: one that has started is switched to at once.
          void tf.setBackend(backend);
          tf.engine().startScope();
          const result = compute();
          tf.engine().endScope();
          return result;
        },
      };
    },
  };
}

type Loss = (x: tf.Tensor2D) => tf.Scalar;

function computation(job: Line["job"], data: Data): (() => Result) | undefined {
  const { rows, classes, targets, features, weight } = data;
  const input = (): tf.Tensor2D => tf.tensor2d(data.x as Float32Array, [rows, classes]);
  // oneHot in f32 is wrong in WebAssembly: its ones are the bits of an integer.
  const oneHot = (): tf.Tensor => tf.cast(tf.oneHot(tf.tensor1d(targets, "int32"), classes), "float32");
  const weights = (): tf.Tensor2D => tf.tensor2d(weight as Float32Array, [classes, features!]);
  const value = (loss: () => Loss) => () => loss()(input()).dataSync()[0]!;
  const valueAndGrad = (loss: () => Loss) => () => {
    const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => loss()(x as tf.Tensor2D))(input());
    return { loss: value.dataSync()[0]!, grad: grad.dataSync() };
  };
  const crossEntropy = (): Loss => {
    const target = oneHot();
    return (x) => tf.losses.softmaxCrossEntropy(target, x) as tf.Scalar;
  };
  const own = (x: tf.Tensor, target: tf.Tensor): tf.Tensor => tf.sum(tf.mul(x, target), 1, true);
  const westonWatkins = (): Loss => {
    const target = oneHot();
    // the true class adds its margin, 1
    return (x) => tf.sub(tf.div(tf.sum(tf.relu(tf.add(tf.sub(x, own(x, target)), 1))), rows), 1) as tf.Scalar;
  };
  const crammerSinger = (): Loss => {
    const target = oneHot();
    const far = tf.mul(target, 1e9);
    return (x) => {
      const other = tf.max(tf.sub(x, far), 1, true);
      return tf.mean(tf.relu(tf.add(tf.sub(other, own(x, target)), 1))) as tf.Scalar;
    };
  };
  const topK = (most: number) => () => tf.topk(input(), largestOf(data, most)).indices.dataSync();
  switch (job) {
    case "argmax":
      return () => tf.argMax(input(), 1).dataSync();
    case "topK 5":
      return topK(5);
    case "topK 50":
      return topK(50);
    case "sample":
      return () => tf.multinomial(input(), 1).dataSync();
    case "sigmoid":
      return () => tf.sigmoid(input()).dataSync();
    case "binary cross-entropy + gradient": {
      const labels = binaryTargets(data) as Float32Array;
      return valueAndGrad(() => {
        const target = tf.tensor2d(labels, [rows, classes]);
        return (x) => tf.losses.sigmoidCrossEntropy(target, x) as tf.Scalar;
      });
    }
    case "linear":
      return () => tf.matMul(tf.tensor2d(data.x as Float32Array, [rows, features!]), weights(), false, true).dataSync();
    case "linear cross-entropy + gradient":
      return () => {
        const [x, target] = [tf.tensor2d(data.x as Float32Array, [rows, features!]), oneHot()];
        const loss = (w: tf.Tensor) =>
          tf.losses.softmaxCrossEntropy(target, tf.matMul(x, w as tf.Tensor2D, false, true)) as tf.Scalar;
        const { value, grad } = tf.valueAndGrad(loss)(weights());
        return { loss: value.dataSync()[0]!, grad: grad.dataSync() };
      };
    case "softmax":
      return () => tf.softmax(input()).dataSync();
    case "log-softmax":
      return () => tf.logSoftmax(input()).dataSync();
    case "cross-entropy":
      return value(crossEntropy);
    case "cross-entropy + gradient":
      return valueAndGrad(crossEntropy);
    case "Weston–Watkins":
      return value(westonWatkins);
    case "Weston–Watkins + gradient":
      return valueAndGrad(westonWatkins);
    case "Crammer–Singer":
      return value(crammerSinger);
    case "Crammer–Singer + gradient":
      return valueAndGrad(crammerSinger);
    default:
      return undefined;
  }
}
