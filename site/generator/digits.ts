// The digits that the page "Train a head" fetches: one in six of MNIST's to learn from, one in five of those to test on, each a byte for its class and
// 784 for its pixels, packed by gzip. The page unpacks them itself: not every host does.

import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pixels, readMnist } from "../../examples/mnist/mnist.js";

const ONE_IN = { train: 6, test: 5 };

export function writeDigits(folder: string): void {
  const file = (name: string): string => join(folder, `digits-${name}.bin`);
  const names = ["train", "test"] as const;
  if (names.every((name) => existsSync(file(name)))) return;
  const all = readMnist();
  for (const name of names) {
    const { count, images, labels } = all[name];
    const bytes = new Uint8Array((count / ONE_IN[name]) * (1 + pixels));
    for (let from = 0, to = 0; from < count; from += ONE_IN[name], to += 1 + pixels) {
      bytes[to] = labels[from];
      bytes.set(images.subarray(from * pixels, (from + 1) * pixels), to + 1);
    }
    writeFileSync(file(name), gzipSync(bytes, { level: 9 }));
  }
}
