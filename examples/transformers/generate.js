// `generate` of @huggingface/transformers, with `sample` choosing the tokens.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AutoModelForCausalLM, env, random as library, Tensor } from "@huggingface/transformers";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { bigramModel, config, decode, encode } from "./bigrams.js";
import { sampler } from "./sampler.js";

env.allowRemoteModels = false;
const folder = mkdtempSync(join(tmpdir(), "softmargin-bigrams-"));
mkdirSync(join(folder, "onnx"));
writeFileSync(join(folder, "config.json"), JSON.stringify(config));
writeFileSync(join(folder, "onnx", "model.onnx"), bigramModel());
const model = await AutoModelForCausalLM.from_pretrained(folder, { dtype: "fp32" });
rmSync(folder, { recursive: true });

const inputs = new Tensor("int64", BigInt64Array.from([...encode("the "), ...encode("and ")], BigInt), [2, 4]);
const generate = async (options) =>
  (await model.generate({ inputs, max_new_tokens: 60, ...options })).tolist().map(decode);

const seeded = (seed) => {
  const generator = xoroshiro128plus(seed);
  return () => uniformFloat64(generator);
};
const bySample = (options) => generate({ do_sample: false, logits_processor: [sampler(options)] });
const byLibrary = (options) => {
  library.seed(1); // one seed for the whole process
  return generate({ do_sample: true, top_k: 0, ...options });
};

const greedy = await generate({ do_sample: false });
console.log("greedy          ", greedy);
assert.deepEqual(await bySample({ temperature: 0 }), greedy);

// A share of 1 % leaves the most probable letter: with top_p the text would be the greedy one.
const all = await byLibrary({});
console.log("library, top_p  ", await byLibrary({ top_p: 0.01 }));
assert.deepEqual(await byLibrary({ top_p: 0.01 }), all);
assert.deepEqual(await byLibrary({ min_p: 0.99 }), all);
assert.deepEqual(await bySample({ topP: 0.01 }), greedy);
assert.deepEqual(await bySample({ minP: 0.99 }), greedy);

const options = { temperature: 0.9, topP: 0.9, minP: 0.05 };
const text = await bySample({ ...options, random: seeded(1) });
console.log("sample, seed 1  ", text);
assert.notDeepEqual(text, greedy);

// A seed for each call: two at a time do not disturb each other.
const [one, two] = await Promise.all([1, 2].map((seed) => bySample({ ...options, random: seeded(seed) })));
console.log("sample, seed 2  ", two);
assert.deepEqual(one, text);
assert.notDeepEqual(two, text);
await model.dispose();
