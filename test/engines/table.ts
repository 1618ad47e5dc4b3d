// What test:engines found, as the table of docs/running.md.

import type { Findings } from "./conformance.js";

export interface Results {
  readonly date: string;
  /** Of every entry point that ran the deterministic build. */
  readonly digest: string;
  readonly places: readonly PlaceResult[];
}

export interface PlaceResult {
  readonly name: string;
  readonly version: string;
  readonly findings: Findings;
}

export const columns = ["softmargin", "relaxed", "wasm"] as const;

export function table({ places }: Pick<Results, "places">): string {
  const rows = places.map(({ name, version, findings }) => [
    name,
    version,
    ...columns.map((column) => findings[column]?.backend ?? ""),
  ]);
  const head = ["where", "version", "`softmargin`", "`softmargin/relaxed`", "`softmargin/wasm`"];
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rows.map(line)].join("\n");
}

/** The document with the table in the place of the one that is there. */
export function withTable(document: string, results: Results): string {
  const around = /(<!-- npm run test:engines -->\n\n)[\s\S]*?(\n\n<!-- until here -->)/;
  if (!around.test(document)) throw new Error("no place for the table");
  return document.replace(around, (_, before: string, after: string) => before + table(results) + after);
}
