// ONNX Runtime by itself: a tensor in, a token out. Half floats are a Float16Array, or where there is none their bits in a Uint16Array.

import assert from "node:assert/strict";
import * as ort from "onnxruntime-web";
import { float16ToFloat32, sample } from "softmargin";
import { bigramModel, decode, encode, LETTERS } from "./bigrams.js";

/** The next token after the last position of logits [1, length, classes]. */
function nextToken({ data, dims }, options) {
  const last = data.subarray(-dims.at(-1));
  return sample(last instanceof Uint16Array ? float16ToFloat32(last) : last, options);
}

async function generate(session, prompt, length, options) {
  const tokens = encode(prompt);
  while (tokens.length < length) {
    const input_ids = new ort.Tensor("int64", BigInt64Array.from(tokens, BigInt), [1, tokens.length]);
    const { logits } = await session.run({ input_ids });
    tokens.push(nextToken(logits, options));
  }
  return decode(tokens);
}

ort.env.wasm.numThreads = 1;
for (const float16 of [false, true]) {
  const session = await ort.InferenceSession.create(bigramModel({ float16 }));
  const { logits } = await session.run({ input_ids: new ort.Tensor("int64", [BigInt(LETTERS.indexOf("t"))], [1, 1]) });
  const name = logits.data.constructor.name;
  const text = await generate(session, "the ", 64, { temperature: 0 });
  console.log(name.padEnd(16), [text]);
  assert.equal(text, "the ".repeat(16));
  assert.equal(nextToken(logits, { minP: 0.5, random: () => 0.99 }), LETTERS.indexOf("h"));
  await session.release();
}
