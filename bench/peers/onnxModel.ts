// Models of a few operators as the bytes of an ONNX file: protobuf messages written by hand, since the libraries that write them carry the whole
// schema. Field numbers are those of onnx.proto; protobuf knows two wire types that are needed here, 0 (varint) and 2 (length and bytes).

type Bytes = readonly number[];

const varint = (n: number): Bytes => (n < 128 ? [n] : [(n % 128) | 128, ...varint(Math.floor(n / 128))]);
const integer = (field: number, n: number): Bytes => [...varint(field << 3), ...varint(n)];
const message = (field: number, ...parts: Bytes[]): Bytes => {
  const body = parts.flat();
  return [...varint((field << 3) | 2), ...varint(body.length), ...body];
};
const text = (field: number, s: string): Bytes => message(field, [...new TextEncoder().encode(s)]);
const floats = (field: number, ...values: number[]): Bytes =>
  message(field, [...new Uint8Array(new Float32Array(values).buffer)]);

export const FLOAT = 1;
export const INT32 = 6;
export const INT64 = 7;
export const FLOAT16 = 10;

export interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, number>>;
}

export interface Model {
  readonly nodes: readonly Node[];
  /** Element type of each input and output. */
  readonly inputs: Readonly<Record<string, number>>;
  readonly outputs: Readonly<Record<string, number>>;
  readonly constants?: Readonly<
    Record<string, { readonly dims: readonly number[]; readonly type: number; readonly values: number[] }>
  >;
}

/** NodeProto: input 1, output 2, op_type 4, attribute 5. AttributeProto: name 1, i 3, type 20 (2 = an integer). */
const node = ({ op, inputs, outputs, attributes = {} }: Node): Bytes =>
  message(
    1,
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, op),
    ...Object.entries(attributes).map(([name, i]) => message(5, text(1, name), integer(3, i), integer(20, 2))),
  );

/** TensorProto: dims 1, data_type 2, float_data 4, int32_data 5, int64_data 7, name 8. */
const constant = (name: string, { dims, type, values }: NonNullable<Model["constants"]>[string]): Bytes =>
  message(
    5,
    ...dims.map((d) => integer(1, d)),
    integer(2, type),
    type === FLOAT ? floats(4, ...values) : message(type === INT64 ? 7 : 5, ...values.map(varint)),
    text(8, name),
  );

/** ValueInfoProto: name 1, type 2; TypeProto: tensor_type 1; its elem_type 1. Shapes are left open. */
const value = (field: number, name: string, type: number): Bytes =>
  message(field, text(1, name), message(2, message(1, integer(1, type))));

/** GraphProto: node 1, name 2, initializer 5, input 11, output 12. ModelProto: ir_version 1, graph 7, opset_import 8 (its version 2). */
export function onnxModel({ nodes, inputs, outputs, constants = {} }: Model): Uint8Array {
  return Uint8Array.from([
    ...integer(1, 8),
    ...message(
      7,
      ...nodes.map(node),
      text(2, "bench"),
      ...Object.entries(constants).map(([name, tensor]) => constant(name, tensor)),
      ...Object.entries(inputs).map(([name, type]) => value(11, name, type)),
      ...Object.entries(outputs).map(([name, type]) => value(12, name, type)),
    ),
    ...message(8, integer(2, 13)),
  ]);
}
