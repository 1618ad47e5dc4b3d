// The tests as they are, but on a mutant: a module in place of the one that was built (MUTANT_MODULE), or src/ in place of dist/ with one
// file changed (MUTANT_FILE, MUTANT_TEXT).

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig, type ViteUserConfig } from "vitest/config";
import { LOADER, leanLoader } from "../leanLoader.js";

const { MUTANT_FILE, MUTANT_TEXT, MUTANT_MODULE } = process.env;
const at = (path: string): string => resolve(import.meta.dirname, "../..", path);
const index: string = at(MUTANT_FILE ? "src/index.ts" : "dist/index.js");

/** In place of dist/index.js: the same functions over the mutant. */
async function entryOver(module: string): Promise<string> {
  return `
    import { readFileSync } from "node:fs";
    import { create } from "softmargin/wasm";
    export const { ${Object.keys(await import(index)).join(", ")} } = create(readFileSync(${JSON.stringify(module)}));
  `;
}

const config: ViteUserConfig = defineConfig({
  root: at("."),
  resolve: {
    alias: [
      { find: /^softmargin$/, replacement: index },
      { find: /^softmargin\/(\w+)$/, replacement: at(MUTANT_FILE ? "src/$1.ts" : "dist/$1.js") },
    ],
  },
  plugins: [
    {
      name: "mutant",
      enforce: "pre",
      load: (id) => {
        if (MUTANT_MODULE && id === index) return entryOver(MUTANT_MODULE);
        if (LOADER.test(id)) return leanLoader(readFileSync(id, "utf8"));
        return MUTANT_FILE && id === at(MUTANT_FILE) ? readFileSync(MUTANT_TEXT!, "utf8") : null;
      },
    },
  ],
  test: {
    include: ["test/**/*.test.ts"],
    server: { deps: { inline: [LOADER] } },
    pool: "threads",
    maxWorkers: 1,
    bail: 1,
    testTimeout: 120_000,
    isolate: false,
  },
});

export default config;
