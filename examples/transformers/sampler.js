import { sample } from "softmargin";

/**
 * A logits processor for `generate` with `do_sample: false`: leaves one token in each row, the one that `sample` draws.
 * Options: temperature, topK, topP, minP, random, as those of `sample`.
 */
export const sampler = (options) => (_inputIds, logits) => {
  const [rows, classes] = logits.dims;
  const tokens = sample(logits.data, { ...options, shape: [rows, classes] });
  logits.data.fill(-Infinity);
  tokens.forEach((token, row) => {
    logits.data[row * classes + token] = 0;
  });
  return logits;
};
