// Each property (properties.ts) a hundred times. A failure prints its seed and path; `npm run fuzz` goes on for longer.
import fc from "fast-check";
import { describe, it } from "vitest";
import { onEveryBackend } from "../catalogue/backends.js";
import { containers, toContainer } from "../inputs/values.js";
import { expectSameBits } from "../oracle/expectClose.js";
import { properties } from "./properties.js";

onEveryBackend((backend) => {
  for (const { name, on, of } of properties) {
    it.skipIf(on && !on.includes(backend.name))(name, () => {
      fc.assert(of(backend), { numRuns: 100 });
    });
  }

  describe("softmax", () => {
    it("is the same for equal logits at every position of every length", () => {
      for (let classes = 1; classes <= 200; classes++) {
        for (const kind of containers) {
          const p = backend.api.softmax(toContainer(Array<number>(classes).fill(0.3), kind));
          expectSameBits(p, Array<number>(classes).fill(p[0]!), () => `${kind}, C = ${classes}`);
        }
      }
    });
  });
});
