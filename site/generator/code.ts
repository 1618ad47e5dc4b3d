// Code on a page is the code that runs: cut out of the module that the page's script imports.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/setup.js";

/** `<code-of name="losses:jacobian" />` becomes that function of shown/losses.ts; with `line` only what a one-line function returns. */
export function withCode(html: string): string {
  return html.replace(/<code-of name="(\w+):(\w+)"( line)? \/>/g, (_, file, name, line) => {
    const text = readFileSync(join(root, "site", "shown", `${file}.ts`), "utf8");
    const pattern = line
      ? new RegExp(`^export const ${name}\\b.*? =>\\s*([^]*?);\\n`, "m")
      : new RegExp(`^export ((?:function|const) ${name}\\b[^]*?\\n(?:}|\\);?|];|};)\\n)`, "m");
    const found = pattern.exec(text)?.[1];
    if (found === undefined) throw new Error(`site/shown/${file}.ts exports no ${name}`);
    return line ? `<code>${escaped(found)}</code>` : codeBlock(found);
  });
}

export function codeBlock(code: string): string {
  return `<pre><code>${withComments(escaped(code.trimEnd()))}</code></pre>`;
}

export function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}

/** Comments in a quieter colour. */
function withComments(code: string): string {
  return code.replace(/(^|\s)(\/\/.*)$/gm, "$1<i>$2</i>");
}
