// The folder of static files: pages/*.html in their frame, docs/*.md and the reference beside them, scripts bundled with the package from dist/.

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { root } from "../../scripts/setup.js";
import { withCode } from "./code.js";
import { writeDigits } from "./digits.js";
import { documents, markdown } from "./documents.js";
import { framed, type Page } from "./frame.js";
import { reference } from "./reference.js";

const here = join(root, "site");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** `watched`: pages load again when the server says that there is something new. */
export async function buildSite(folder: string, { watched }: { watched: boolean }): Promise<void> {
  const pages = [...handwritten(), ...documents(), ...reference()];
  await bundle(join(folder, "scripts"), watched);
  for (const page of pages) {
    const path = join(folder, page.path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, framed(page, pages, watched));
  }
  for (const name of ["style.css", "icon.svg"]) cpSync(join(here, name), join(folder, name));
  writeDigits(folder);
  const results = join(root, "bench", "results");
  for (const name of readdirSync(results).filter((name) => name.endsWith(".svg")))
    cpSync(join(results, name), join(folder, "docs", name));
}

/** pages/NAME.html is what is in the frame: a title, a sentence for search engines, the body. pages/NAME.ts makes it move. */
function handwritten(): Page[] {
  return readdirSync(join(here, "pages"))
    .filter((name) => name.endsWith(".html"))
    .map((name) => {
      const text = readFileSync(join(here, "pages", name), "utf8");
      const [, title, description, body] = /^<title>(.*)<\/title>\n<meta content="(.*)" \/>\n([\s\S]*)$/.exec(text)!;
      const script = name.replace(".html", "");
      return { path: name, title: title!, description: description!, body: withReadme(withCode(body!)), script };
    });
}

/** How to install it, and the first example, are README's. */
function withReadme(html: string): string {
  const readme = read("README.md");
  return html
    .replace("<!-- install -->", () => markdown(/^## Install\n([\s\S]*?)^## /m.exec(readme)![1]!))
    .replace("<!-- example -->", () => markdown(/^```ts\n[\s\S]*?^```\n/m.exec(readme)![0]));
}

async function bundle(folder: string, watched: boolean): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  const scripts = (part: string, ending: string): string[] =>
    readdirSync(join(here, part))
      .filter((name) => name.endsWith(ending))
      .map((name) => join(here, part, name));
  await build({
    entryPoints: [
      ...scripts("pages", ".ts"),
      ...scripts("workers", ".worker.ts"),
      ...(watched ? [join(here, "generator", "reload.ts")] : []),
    ],
    outdir: folder,
    entryNames: "[name]",
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    target: "es2022",
    define: { DIGEST: JSON.stringify(read("test/digest/digest.txt").trim()) },
    logLevel: "warning",
  });
}
