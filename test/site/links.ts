// Every link of every page leads to a file of the folder, and to an element of it if it says so; none leads to another origin but from prose.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export function deadLinks(folder: string): string[] {
  const pages = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".html"));
  return pages.flatMap((page) => {
    const html = readFileSync(join(folder, page), "utf8");
    const inline = / style=|<style|<script>|javascript:/.test(html)
      ? [`${page}: something that its policy refuses`]
      : [];
    const links = [...html.matchAll(/<(\w+)[^>]* (?:href|src)="([^"]*)"/g)];
    const dead = links.flatMap(([, element, link]) => {
      if (link!.startsWith("https://")) return element === "a" ? [] : [`${page}: ${link} is from another origin`];
      const [path, fragment] = link!.split("#") as [string, string?];
      const file = path === "" ? join(folder, page) : join(folder, dirname(page), path);
      if (link!.startsWith("/") || !existsSync(file)) return [`${page}: ${link} leads nowhere`];
      const isThere = fragment === undefined || readFileSync(file, "utf8").includes(` id="${fragment}"`);
      return isThere ? [] : [`${page}: ${link} has no such part`];
    });
    return [...inline, ...dead];
  });
}
