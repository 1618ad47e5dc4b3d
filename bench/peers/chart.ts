// The speed of softmax by the number of classes, over plain TypeScript, one line per library, as SVG.

import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { Results } from "../results.js";

const NAMES: Readonly<Record<string, string>> = {
  baseline: "softmargin/baseline",
  simd: "softmargin",
  relaxed: "softmargin/relaxed",
  "tfjs wasm": "TensorFlow.js, WASM",
  "ORT web": "ONNX Runtime, WASM",
  "ORT native": "ONNX Runtime, native",
};

export async function svg({ lines }: Results): Promise<string> {
  const values = lines
    .filter(({ job, type }) => job === "softmax" && type === "f32")
    .flatMap(({ shape, speedups }) =>
      Object.entries(NAMES)
        .filter(([name]) => speedups[name] !== undefined)
        .map(([name, library]) => ({ classes: shape[1], speedup: speedups[name], library })),
    );
  const spec: TopLevelSpec = {
    width: 560,
    height: 320,
    background: "white",
    data: { values },
    mark: { type: "line", point: true },
    encoding: {
      x: {
        field: "classes",
        type: "quantitative",
        scale: { type: "log", nice: false },
        title: "classes",
        axis: { format: ",d", values: [10, 100, 1000, 10_000, 100_000] },
      },
      y: { field: "speedup", type: "quantitative", title: "softmax, f32: times as fast as plain TypeScript" },
      color: {
        field: "library",
        type: "nominal",
        sort: Object.values(NAMES),
        title: null,
        legend: { labelLimit: 300 },
      },
    },
  };
  return `${await new View(parse(compile(spec).spec), { renderer: "none" }).toSVG()}\n`;
}
