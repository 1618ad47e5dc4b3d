import { fileURLToPath } from "node:url";
import { defineConfig, type ViteUserConfig } from "vitest/config";

// The tests run what users install: the built files.
const dist = (file: string) => fileURLToPath(new URL(`dist/${file}`, import.meta.url));

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
    testTimeout: 120_000,
    typecheck: { enabled: true, include: ["test/**/*.test-d.ts"] },
  },
});

export default config;
