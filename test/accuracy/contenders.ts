// Whose accuracy is measured: the three backends, and other libraries where bench/peers is installed.
import { createRequire } from "node:module";
import { dirname } from "node:path";
import type { Functions } from "softmargin";
import * as simd from "softmargin";
import * as baseline from "softmargin/baseline";
import * as relaxed from "softmargin/relaxed";
import type { Contender } from "./measure.js";

export const backends: readonly Contender[] = [
  ...(simd.backend.name === "simd" ? [own("simd", simd)] : []),
  ...(relaxed.backend.name === "relaxed" ? [own("relaxed", relaxed)] : []),
  own("baseline", baseline),
];

function own(name: string, functions: Functions): Contender {
  return { name, functions, types: ["f32", "f64"] };
}

type Unary = (x: Float32Array, options: { shape: number[] }) => Promise<ArrayLike<number>>;
type PeerName = "softmax" | "logSoftmax" | "logSumExp";

/** What they have in common with this library, in f32. */
function peer(name: string, functions: { [name in PeerName]?: Unary }): Contender {
  return { name, functions: functions as object as Functions, only: Object.keys(functions), types: ["f32"] };
}

/** Those that are installed; `missing` is called for each other one. */
export async function peers(missing: (name: string, why: string) => void): Promise<Contender[]> {
  const found: Contender[] = [];
  for (const [name, load] of Object.entries({
    "tfjs wasm": tfjs("wasm"),
    "tfjs cpu": tfjs("cpu"),
    "ORT web": ort("web"),
    "ORT native": ort("node"),
  })) {
    try {
      found.push(peer(name, await load()));
    } catch (error) {
      missing(name, error instanceof Error ? error.message.split("\n")[0]! : String(error));
    }
  }
  return found;
}

const folder = new URL("../../bench/peers/", import.meta.url);
const require = createRequire(new URL("package.json", folder));

// Only what is used of them, since their types are there no more often than they are.
interface Tensor {
  data(): Promise<Float32Array>;
  dispose(): void;
}

interface Tensorflow {
  tensor2d(x: Float32Array, shape: number[]): Tensor;
  softmax(x: Tensor): Tensor;
  logSoftmax(x: Tensor): Tensor;
  logSumExp(x: Tensor, axis: number): Tensor;
  setBackend(name: string): Promise<boolean>;
}

function tfjs(backend: "wasm" | "cpu") {
  return async (): Promise<{ [name in PeerName]: Unary }> => {
    const tf: Tensorflow = require("@tensorflow/tfjs-core");
    const own = `@tensorflow/tfjs-backend-${backend}`;
    const module = require(own);
    if (backend === "wasm") module.setWasmPaths(`${dirname(require.resolve(own))}/`);
    if (!(await tf.setBackend(backend))) throw new Error("the backend does not start");
    const run =
      (f: (x: Tensor) => Tensor): Unary =>
      async (x, { shape }) => {
        await tf.setBackend(backend);
        const input = tf.tensor2d(x, shape);
        const result = f(input);
        const values = await result.data();
        for (const tensor of [input, result]) tensor.dispose();
        return values;
      };
    return {
      softmax: run((x) => tf.softmax(x)),
      logSoftmax: run((x) => tf.logSoftmax(x)),
      logSumExp: run((x) => tf.logSumExp(x, 1)),
    };
  };
}

interface Onnx {
  env: { wasm: { numThreads: number } };
  InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> };
  Tensor: new (type: "float32", data: Float32Array, dims: number[]) => object;
}

interface Session {
  run(feeds: { x: object }): Promise<{ y: { data: Float32Array } }>;
}

function ort(kind: "web" | "node") {
  return async (): Promise<{ [name in PeerName]: Unary }> => {
    const onnx: Onnx = require(`onnxruntime-${kind}`);
    if (kind === "web") onnx.env.wasm.numThreads = 1;
    const run = async (op: string, attribute: string): Promise<Unary> => {
      const provider = kind === "web" ? "wasm" : "cpu";
      const options = { executionProviders: [provider], intraOpNumThreads: 1, logSeverityLevel: 3 };
      const session = await onnx.InferenceSession.create(model(op, attribute), options);
      return async (x, { shape }) => (await session.run({ x: new onnx.Tensor("float32", x, shape) })).y.data;
    };
    return {
      softmax: await run("Softmax", "axis"),
      logSoftmax: await run("LogSoftmax", "axis"),
      logSumExp: await run("ReduceLogSumExp", "axes"),
    };
  };
}

/**
 * The bytes of an ONNX model y = op(x) over axis 1, opset 13. Protobuf: a field is its number and wire type (0 a varint, 2 bytes), then the value.
 * ModelProto: ir_version 1, graph 7, opset_import 8. GraphProto: node 1, name 2, input 11, output 12. NodeProto: input 1, output 2, op_type 4,
 * attribute 5. AttributeProto: name 1, i 3, ints 8, type 20 (INT 2, INTS 7).
 */
function model(op: string, attribute: string): Uint8Array {
  const integer = (field: number, n: number) =>
    [field << 3, n].flatMap((v) => (v < 128 ? [v] : [(v & 127) | 128, v >> 7]));
  const message = (field: number, ...parts: number[][]) => {
    const body = parts.flat();
    return [(field << 3) | 2, ...integer(0, body.length).slice(1), ...body];
  };
  const text = (field: number, s: string) => message(field, [...new TextEncoder().encode(s)]);
  const isList = attribute === "axes";
  const axis = message(5, text(1, attribute), integer(isList ? 8 : 3, 1), integer(20, isList ? 7 : 2));
  const value = (field: number, name: string) => message(field, text(1, name), message(2, message(1, integer(1, 1))));
  const graph = message(
    7,
    message(1, text(1, "x"), text(2, "y"), text(4, op), axis),
    text(2, "g"),
    value(11, "x"),
    value(12, "y"),
  );
  return Uint8Array.from([...integer(1, 8), ...graph, ...message(8, integer(2, 13))]);
}
