// docs/*.md as pages: one source, shown in the repository and here.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Marked } from "marked";
import { root } from "../../scripts/setup.js";
import { codeBlock, escaped } from "./code.js";
import type { Page } from "./frame.js";

export function documents(): Page[] {
  return readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => {
      const text = readFileSync(join(root, "docs", name), "utf8");
      const title = titleOf(text);
      const body = `<article>${live(name)}${markdown(text)}</article>`;
      return { path: `docs/${name.replace(".md", ".html")}`, title, description: `softmargin: ${title}`, body };
    });
}

const titleOf = (document: string): string => /^# (.*)/.exec(document)![1]!;

/** What can be seen at once stands above what is claimed. */
function live(name: string): string {
  return name === "evidence.md"
    ? '<p class="notice">You need not believe this page: <a href="../check.html">check it here</a>, in your own browser, in some seconds.</p>'
    : "";
}

/** The anchor that the repository's viewer gives a heading, too. */
export const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/<[^>]*>|&\w+;|[^\p{L}\p{N} -]/gu, "")
    .replace(/ /g, "-");

export function markdown(text: string): string {
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth }) {
        const inner = this.parser.parseInline(tokens);
        return `<h${depth} id="${anchor(inner)}">${inner}</h${depth}>\n`;
      },
      code: ({ text }) => codeBlock(text),
      html: ({ text }) => (text.startsWith("<!--") ? "" : text),
      // Where it is narrow, cells of words go below each other, each with the name of its column; columns of numbers stay columns.
      table({ header, rows }) {
        const isStacked = header.every(({ align }) => align !== "right");
        const cell = (tag: string, { tokens, align }: (typeof header)[number], column: number) => {
          const name = header[column]!.text;
          const label = isStacked && tag === "td" && column > 0 && name ? ` data-label="${escaped(name)}"` : "";
          return `<${tag}${label}${align === "right" ? ' class="number"' : ""}>${this.parser.parseInline(tokens)}</${tag}>`;
        };
        const line = (cells: typeof header, tag: string) =>
          `<tr>${cells.map((each, column) => cell(tag, each, column)).join("")}</tr>`;
        const body = rows.map((cells) => line(cells, "td")).join("\n");
        return `<div class="wide${isStacked ? " stack" : ""}"><table><thead>${line(header, "th")}</thead><tbody>${body}</tbody></table></div>`;
      },
      link({ href, tokens }) {
        return linked(href, this.parser.parseInline(tokens));
      },
      image: ({ href, text }) => `<img src="${basename(href)}" alt="${escaped(text)}">`,
    },
  });
  return marked.parse(text, { async: false });
}

/** Other documents are pages; what else the repository holds is named, and cannot be followed from here. */
function linked(href: string, inner: string): string {
  if (/^(https?:|#)/.test(href)) return `<a href="${href}">${inner}</a>`;
  const [file, fragment] = href.split("#") as [string, string?];
  if (/^[\w-]+\.md$/.test(file) && existsSync(join(root, "docs", file))) {
    const name = inner === file ? titleOf(readFileSync(join(root, "docs", file), "utf8")) : inner;
    return `<a href="${file.replace(".md", ".html")}${fragment ? `#${fragment}` : ""}">${name}</a>`;
  }
  return `<span title="${escaped(`in the repository: ${file}`)}">${inner}</span>`;
}
