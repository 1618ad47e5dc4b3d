// Charts by the number of classes, one line per way, as SVG.

import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { Results } from "../results.js";
import type { LineResult } from "../run.js";

/** The speed of softmax over plain TypeScript. */
export const softmaxChart = ({ lines }: Results): Promise<string> =>
  svg(
    lines.filter(({ job, type }) => job === "softmax" && type === "f32"),
    {
      baseline: "softmargin/baseline",
      simd: "softmargin",
      relaxed: "softmargin/relaxed",
      "tfjs wasm": "TensorFlow.js, WASM",
      "ORT web": "ONNX Runtime, WASM",
      "ORT native": "ONNX Runtime, native",
    },
    ({ speedups }, name) => speedups[name],
    { title: "softmax, f32: times as fast as plain TypeScript" },
    [10, 100, 1000, 10_000, 100_000],
  );

/** The time to pick a token with top-p. */
export const tokenChart = ({ lines }: Results): Promise<string> =>
  svg(
    lines.filter(({ section, job }) => section === "decisions, a token" && job === "sample, topP 0.9"),
    {
      "as written": "a sort of objects",
      "by hand": "the best loop by hand",
      baseline: "softmargin/baseline",
      simd: "softmargin",
      workspace: "softmargin, in a workspace",
    },
    ({ times }, name) => times[name] && times[name].median / 1e6,
    { title: "a token, topP 0.9: milliseconds", scale: { type: "log" }, axis: { format: "~g" } },
    [1000, 10_000, 100_000],
  );

function svg(
  lines: readonly LineResult[],
  names: Readonly<Record<string, string>>,
  of: (line: LineResult, name: string) => number | undefined,
  y: object,
  ticks: readonly number[],
): Promise<string> {
  const values = lines.flatMap((line) =>
    Object.entries(names)
      .map(([name, way]) => ({ classes: line.shape[1], y: of(line, name), way }))
      .filter((point) => point.y !== undefined),
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
        axis: { format: ",d", values: [...ticks] },
      },
      y: { field: "y", type: "quantitative", ...y },
      color: {
        field: "way",
        type: "nominal",
        sort: Object.values(names),
        title: null,
        legend: { labelLimit: 300 },
      },
    },
  };
  return new View(parse(compile(spec).spec), { renderer: "none" }).toSVG().then((text) => `${text}\n`);
}
