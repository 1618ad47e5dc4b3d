// npm run test:site [-- word …]: the page as a visitor has it, from a subfolder of a plain server of files. Chromium goes through every part by mouse, finger and
// keyboard, in light and dark, narrow and wide, with and without WebAssembly; axe judges each part; Firefox and WebKitGTK load it, check the digest and
// move a control. Screenshots are left in build/site-screenshots. Ends with 1 if anything is not as it must be. Words of names narrow it.

import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { install, root } from "../../scripts/setup.js"; // importing it sets up the root
import { type Browser, chromium, firefox, installBrowsers, visitBy, webKitGtk } from "../engines/browsers.js";

install(join(root, "site", "generator"));
install(join(root, "examples", "mnist")); // its digits
install(join(root, "test", "site"));
const { buildSite } = await import("../../site/generator/build.js");
const { throughChromium } = await import("./chromium.js");
const { deadLinks } = await import("./links.js");

const folder = mkdtempSync(join(tmpdir(), "softmargin-site-"));
const screenshots = join(root, "build", "site-screenshots");
const words = process.argv.slice(2);
const faults: string[] = [];

async function part(name: string, run: () => Promise<readonly string[]>): Promise<void> {
  if (words.length > 0 && !words.some((word) => name.includes(word))) return;
  const start = performance.now();
  const found = await run().catch((error: Error) => [error.stack ?? String(error)]);
  console.log(
    `${name}: ${found.length === 0 ? "as it must be" : "NOT"}, ${((performance.now() - start) / 1000).toFixed(1)} s`,
  );
  for (const fault of found) console.log(`  ${fault}`);
  faults.push(...found);
}

/** What visit.js found in a browser without a driver. */
interface Findings {
  readonly backend: string;
  readonly digest: string;
  readonly before: string;
  readonly after: string;
}

async function visit(browser: Browser): Promise<readonly string[]> {
  const visited = await visitBy<Findings>(browser)(folder);
  if (typeof visited === "string") return [visited];
  const { backend, digest, before, after } = visited.findings;
  return [
    ...(backend === "simd" ? [] : [`runs ${backend}`]),
    ...(digest.startsWith("✓") ? [] : [`the digest: ${digest}`]),
    ...(Number(after) > Number(before) ? [] : [`a key moved p from ${before} to ${after}`]),
  ];
}

try {
  rmSync(screenshots, { recursive: true, force: true });
  mkdirSync(screenshots, { recursive: true });
  await buildSite(join(folder, "site"), { watched: false });
  copyFileSync(new URL("visit.js", import.meta.url), join(folder, "page.js"));
  await part("links", async () => deadLinks(join(folder, "site")));
  installBrowsers([chromium, firefox, webKitGtk]);
  const program = chromium.program();
  if (program === undefined) faults.push("no Chromium here");
  await Promise.all([
    program && throughChromium(program, folder, screenshots, part),
    part("Firefox", () => visit(firefox)).then(() => part("WebKitGTK", () => visit(webKitGtk))),
  ]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (faults.length > 0) process.exitCode = 1;
