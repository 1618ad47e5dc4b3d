// Tables of Markdown.

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}

/** Two digits that count, or three from a hundred on. */
export function ratio(x: number): string {
  return x.toFixed(x >= 99.5 ? 0 : x >= 0.995 ? 1 : 2);
}
