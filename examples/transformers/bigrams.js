// A language model that fits on a page: which letter follows which, as an ONNX model that looks a row of a table up.

import { FLOAT, FLOAT16, INT64, onnxModel } from "../../bench/peers/onnxModel.ts";

const TEXT = `a loss is small where the model is sure and right and it is large where the model is sure and wrong the softmax turns logits
into probabilities that add up to one the larger a logit is the larger is its share the cross entropy is minus the logarithm of the share
of the true class and its gradient is the difference between what the model says and what is true`;

export const LETTERS = " abcdefghijklmnopqrstuvwxyz";
export const encode = (text) => [...text].map((letter) => LETTERS.indexOf(letter));
export const decode = (ids) => Array.from(ids, (id) => LETTERS[Number(id)]).join("");

/** Row i: the logarithms of how often each letter follows letter i, rare ones not excluded. */
export function table() {
  const counts = new Float64Array(LETTERS.length ** 2).fill(0.02);
  const ids = encode(TEXT.replaceAll("\n", " "));
  for (let t = 1; t < ids.length; t++) counts[ids[t - 1] * LETTERS.length + ids[t]]++;
  return Array.from(counts, Math.log);
}

/** input_ids [batch, length], int64 → logits [batch, length, letters], f32 or f16. */
export function bigramModel({ float16 = false } = {}) {
  const dims = [LETTERS.length, LETTERS.length];
  return onnxModel({
    nodes: [
      { op: "Gather", inputs: ["table", "input_ids"], outputs: [float16 ? "wide" : "logits"] },
      ...(float16 ? [{ op: "Cast", inputs: ["wide"], outputs: ["logits"], attributes: { to: FLOAT16 } }] : []),
    ],
    inputs: { input_ids: INT64 },
    outputs: { logits: float16 ? FLOAT16 : FLOAT },
    constants: { table: { dims, type: FLOAT, values: table() } },
  });
}

/** The files that `from_pretrained` reads: a GPT-2 without layers, so without anything to remember. */
export const config = {
  architectures: ["GPT2LMHeadModel"],
  model_type: "gpt2",
  vocab_size: LETTERS.length,
  n_layer: 0,
  n_head: 1,
  n_embd: 1,
};
