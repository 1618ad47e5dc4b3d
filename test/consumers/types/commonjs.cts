// CommonJS that loads the package as every TypeScript since 5.0 allows it.
import type { Softmargin } from "softmargin" with { "resolution-mode": "import" };

export async function probabilities(logits: Float32Array): Promise<Float32Array> {
  const { softmax }: Softmargin = await import("softmargin");
  const { create } = await import("softmargin/wasm");
  return typeof create === "function" ? softmax(logits) : logits;
}
