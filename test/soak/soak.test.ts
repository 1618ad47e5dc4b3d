// A short version of `npm run soak`.
import { describe, expect, it } from "vitest";
import { backends } from "../catalogue/backends.js";
import { leaks, soak } from "./soak.js";

describe.each(backends.filter(({ name }) => name !== "baseline").map((backend) => [backend.name, backend] as const))(
  "%s",
  (name, { runs }) => {
    it.runIf(runs)("20,000 calls leave nothing behind", () => {
      const result = soak(name as "simd" | "relaxed", 20_000, 1, () => {});
      expect(leaks(result)).toEqual([]);
      expect(result.errors).toBeGreaterThan(1000);
    });
  },
);
