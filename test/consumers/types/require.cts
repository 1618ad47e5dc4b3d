// CommonJS with require() of an ES module: Node 20.19, TypeScript 5.8.
import { softmax } from "softmargin";

import baseline = require("softmargin/baseline");

export const probabilities: Float32Array = softmax(new Float32Array(3));
export const same: number[] = baseline.softmax([1, 2, 3]);
