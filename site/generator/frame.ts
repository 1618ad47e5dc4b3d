// What every page has around it: its policy, its way to the others, and what runs.

export interface Page {
  /** Of the file, from the folder of the site. */
  readonly path: string;
  readonly title: string;
  readonly description: string;
  /** HTML. */
  readonly body: string;
  /** A script of its own, scripts/NAME.js. */
  readonly script?: string;
}

/** Nothing from elsewhere, nothing inline; WebAssembly may be compiled. */
export const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

const PARTS: readonly (readonly [path: string, name: string])[] = [
  ["index.html", "Start"],
  ["losses.html", "Logits to losses"],
  ["classifier.html", "Classifier"],
  ["head.html", "Train a head"],
  ["token.html", "Token"],
  ["check.html", "Check it here"],
  ["reference/index.html", "Reference"],
  ["docs/evidence.html", "Evidence"],
];

/** `all` pages are known, so that none of docs/ is left out. */
export function framed(
  { path, title, description, body, script }: Page,
  all: readonly Page[],
  watched: boolean,
): string {
  const up = "../".repeat(path.split("/").length - 1);
  const isHere = (part: string): boolean =>
    part === path || (part.startsWith("reference/") && path.startsWith("reference/"));
  const links = PARTS.map(
    ([part, name]) => `<a href="${up}${part}"${isHere(part) ? ' aria-current="page"' : ""}>${name}</a>`,
  );
  const documents = all
    .filter((page) => page.path.startsWith("docs/") && !PARTS.some(([part]) => part === page.path))
    .map((page) => `<a href="${up}${page.path}">${page.title}</a> `);
  const scripts = ["frame", ...(script ? [script] : []), ...(watched ? ["reload"] : [])];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="${description}">
<title>${title === "softmargin" ? title : `${title} – softmargin`}</title>
<link rel="icon" href="${up}icon.svg">
<link rel="stylesheet" href="${up}style.css">
${scripts.map((name) => `<script type="module" src="${up}scripts/${name}.js"></script>`).join("\n")}
</head>
<body>
<a class="skip" href="#main">To the content</a>
<header>
<a class="name" href="${up}index.html">softmargin</a>
<nav aria-label="Parts">${links.join("")}</nav>
</header>
<p id="refused" class="notice" role="status" hidden></p>
<noscript><p class="notice">Everything on these pages is computed by the package in your browser, so they need JavaScript. Reference and evidence can be read without.</p></noscript>
<main id="main">
${focusable(body)}
</main>
<footer>
<p>Computed in this tab by <b id="backend">…</b>. Nothing is loaded from elsewhere, nothing is sent. MIT licence.</p>
<p>${documents.join("")}</p>
</footer>
</body>
</html>
`;
}

/** What scrolls sideways on a narrow screen can be reached by the keyboard. */
const focusable = (html: string): string =>
  html.replace(/<(?=div class="(?:wide|formula)|pre>)[^>]*/g, '$& tabindex="0"');
