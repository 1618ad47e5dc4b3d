// docs/running.md says what `npm run test:engines` found, and nothing was found that must not be.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { places } from "../engines/places.js";
import { columns, type Results, withTable } from "../engines/table.js";

const results: Results = JSON.parse(readFileSync("test/engines/results.json", "utf8"));
const document = readFileSync("docs/running.md", "utf8");

test("the table is that of the last run", () => {
  expect(withTable(document, results)).toBe(document);
});

test("every place was visited, and showed what it must", () => {
  expect(results.places.map(({ name }) => name)).toEqual(places.map(({ name }) => name));
  for (const [i, { findings }] of results.places.entries()) {
    for (const column of columns) {
      expect(findings[column]).toMatchObject({ backend: places[i]!.expected[column], failed: [] });
      expect([undefined, results.digest]).toContain(findings[column]!.digest);
    }
  }
});
