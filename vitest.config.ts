import { fileURLToPath } from "node:url";
import { defineConfig, type ViteUserConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// The tests run what users install: the built files.
const dist = (file: string) => fileURLToPath(new URL(`dist/${file}`, import.meta.url));

/** One after the other these take as long as all other files: they begin first, or one core would wait for the other at the end. */
const LONGEST = /(conformance|conformanceOfLosses|digest|special|properties)\.test\.ts$/;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => LONGEST.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

const config: ViteUserConfig = defineConfig({
  resolve: {
    alias: [
      { find: /^softmargin$/, replacement: dist("index.js") },
      { find: /^softmargin\/(relaxed|baseline|wasm)$/, replacement: dist("$1.js") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    maxWorkers: "100%",
    // the reference's numbers are short-lived objects: with room for them conformance takes 10 % less
    execArgv: ["--max-semi-space-size=64"],
    testTimeout: 120_000,
    sequence: { sequencer: LongestFirst },
    typecheck: { enabled: true, include: ["test/**/*.test-d.ts"] },
  },
});

export default config;
