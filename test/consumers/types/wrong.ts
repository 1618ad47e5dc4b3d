// Arrays of another kind, a call a line: the error about each must speak of arrays, and not of their methods.
import {
  binaryCrossEntropy,
  crossEntropy,
  float16ToFloat32,
  hinge,
  linear,
  linearHingeGrad,
  sigmoid,
  softmax,
  softmaxGrad,
  topK,
} from "softmargin";

const f32 = new Float32Array(2);
const f64 = new Float64Array(2);
const i32 = new Int32Array(2);

sigmoid(i32);
topK(i32, 1);
softmax(f32, { out: i32 });
softmax(f32, { out: f64 });
softmaxGrad(f32, i32);
softmaxGrad(f64, f32);
linear(f32, f64);
linearHingeGrad(f32, f32, 0, { gradX: f64 });
float16ToFloat32(f32);
float16ToFloat32(new Uint16Array(2), { out: i32 });
crossEntropy(f32, f64);
hinge(f64, f32);
binaryCrossEntropy(f32, f64);
softmax(f32, { shape: new BigInt64Array(2) });
