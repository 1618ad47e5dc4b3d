// Shards to try it with: logits of no model in particular, and the digits of MNIST.

import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Digits, classes as digits, loadMnist, pixels } from "../mnist/mnist.js";
import { createRandom } from "../mnist/random.js";
import { writeNpy } from "./shard.js";

const nameOf = (folder: string, shard: number) => join(folder, String(shard).padStart(5, "0"));

async function writeShard(name: string, x: Float32Array, targets: Int32Array): Promise<void> {
  await writeNpy(`${name}.y.npy`, targets, [targets.length]);
  await writeNpy(`${name}.x.npy`, x, [targets.length, x.length / targets.length]);
}

/** Logits of a model that is right about half of the time, a tenth of the targets −100. */
export async function makeLogits(folder: string, shards: number, rows: number, classes: number): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (let shard = 0; shard < shards; shard++) {
    const name = nameOf(folder, shard);
    if (existsSync(`${name}.x.npy`)) continue;
    const random = createRandom(shard + 1);
    const targets = Int32Array.from({ length: rows }, () => (random() < 0.1 ? -100 : Math.floor(random() * classes)));
    const x = new Float32Array(rows * classes).map(() => 4 * (random() + random() - 1));
    for (let r = 0; r < rows; r++) if (targets[r]! >= 0) x[r * classes + targets[r]!]! += 8 * random();
    await writeShard(name, x, targets);
  }
}

/** The digits to learn from in `folder`/train, those to test on in `folder`/test. */
export async function makeMnist(folder: string, images: number, shards: number): Promise<void> {
  const { train, test } = loadMnist();
  await makeDigits(join(folder, "train"), train, Math.min(images, train.count), shards);
  await makeDigits(join(folder, "test"), test, test.count, 2);
}
export const mnistClasses: number = digits;

async function makeDigits(folder: string, { images, labels }: Digits, count: number, shards: number): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (let shard = 0; shard < shards; shard++) {
    const name = nameOf(folder, shard);
    if (existsSync(`${name}.x.npy`)) continue;
    const [first, end] = [Math.round((shard * count) / shards), Math.round(((shard + 1) * count) / shards)];
    await writeShard(name, images.subarray(first * pixels, end * pixels), Int32Array.from(labels.subarray(first, end)));
  }
}

/** The shards in a folder, in the order of their names, which is that of the sums. */
export function shardsIn(folder: string): string[] {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".x.npy")) : [];
  if (names.length === 0) throw new Error(`${folder}: has no shards, files like 00000.x.npy beside 00000.y.npy`);
  return names.sort().map((name) => join(folder, name));
}
