// Every part of the page in Chromium, by Playwright.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { coreLines } from "../../bench/lines.js";

type Part = (name: string, run: () => Promise<readonly string[]>) => Promise<void>;

const PARTS = [
  "index",
  "losses",
  "classifier",
  "head",
  "token",
  "check",
  "reference/index",
  "reference/hinge",
  "docs/evidence",
];
/** Widths that are judged; and of them those that are kept as pictures. */
const WIDTHS = [360, 800, 1600];
const SHOWN = { light: [360, 1600], dark: [800] };
const LARGEST_START = 90_000;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function throughChromium(program: string, folder: string, screenshots: string, part: Part): Promise<void> {
  const server = await serve(folder);
  const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox", "--disable-gpu"] });
  const visit = new Visits(browser, `${server.url}/site`);
  try {
    await part("start", () => start(visit, server));
    await part("from logits to losses", () => losses(visit));
    await part("a linear classifier", () => classifier(visit));
    await part("train a head", () => head(visit, screenshots));
    await part("a token", () => token(visit));
    await part("check it here", () => check(visit));
    await part("without WebAssembly", () => without(visit, server));
    await part("looks", () => looks(visit, screenshots));
  } finally {
    await browser.close();
    server.close();
  }
}

/** What is not as it must be. */
class Faults extends Array<string> {
  expect(is: boolean, otherwise: string): void {
    if (!is) this.push(otherwise);
  }
}

async function start(visit: Visits, server: Awaited<ReturnType<typeof serve>>): Promise<Faults> {
  const faults = new Faults();
  server.gzipped = 0;
  await visit.page("index", {}, faults, async (page) => {
    const ms = await page.evaluate(() => performance.now());
    faults.expect(server.gzipped <= LARGEST_START, `${server.gzipped} bytes of gzip, more than ${LARGEST_START}`);
    console.log(`ready after ${ms.toFixed(0)} ms, ${server.gzipped} bytes of gzip`);
    faults.expect(
      (await page.textContent("#probabilities")) === "[0.090031, 0.244728, 0.665241]",
      "softmax of [1, 2, 3]",
    );
    await page.fill("#x2", "5");
    faults.expect((await page.textContent("#probabilities"))!.includes("0.936240"), "softmax of [1, 2, 5]");
    faults.expect((await page.locator("#wrong .bad").count()) === 3, "by hand three losses are wrong");
  });
  return faults;
}

async function losses(visit: Visits): Promise<Faults> {
  const faults = new Faults();
  await visit.page("losses", { hasTouch: true }, faults, async (page) => {
    const first = page.locator('#logits [role="slider"]').first();
    const value = async (): Promise<number> => Number(await first.getAttribute("aria-valuenow"));
    const { x, y, width, height } = (await first.boundingBox())!;
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + width / 2, y + height / 4, { steps: 3 });
    await page.mouse.up();
    faults.expect((await value()) === 6, `dragged to ${await value()}, not 6`);
    await page.touchscreen.tap(x + width / 2, y + (3 * height) / 4);
    faults.expect((await value()) === -6, `tapped at ${await value()}, not −6`);
    await first.focus();
    await page.keyboard.press("ArrowUp");
    faults.expect((await value()) === -5.9, `one key up from −6: ${await value()}`);

    const say = (id: string): Promise<string | null> => page.textContent(`#${id}`);
    const attempt = async (name: string, id: string, expected: string): Promise<void> => {
      await page.click(`[data-try="${name}"]`);
      const said = await say(id);
      faults.expect(said!.includes(expected), `${name}: ${said}, without ${expected}`);
    };
    await attempt("order", "softmax-says", "Σ p = 1.000000; the order is kept");
    await attempt("largest", "probabilities", "0.936");
    await attempt("hot", "probabilities", "0.301");
    await attempt("shift", "probabilities", "0.665");
    await attempt("shift", "sigmoid-says", "1.000 and 3.000");
    await attempt("equal", "losses-says", "log 3 = 1.0986");
    await attempt("ahead", "losses-says", "Both hinges are 0 and push nothing. Cross-entropy still pushes");
    await attempt("wrong", "loss-0", "200");
    await attempt("wrong", "probabilities", "0.000");
    await attempt("overflow", "softmax-says", "softmax says [0.090, 0.245, 0.665]");
    await attempt("overflow", "probabilities", "NaN");
    await attempt("order", "jacobian-says", "[0.1119, 0.0594, −0.1712]");

    await page.locator("#temperature").focus();
    await page.keyboard.press("End");
    faults.expect((await say("temperature-value")) === "10.00", `temperature ${await say("temperature-value")}`);
    await page.selectOption("#classes", "6");
    faults.expect((await page.locator("#probabilities .value").count()) === 6, "six classes");
  });
  return faults;
}

async function classifier(visit: Visits): Promise<Faults> {
  const faults = new Faults();
  const steps = async (page: Page): Promise<[steps: number, loss: number]> => {
    const [, count, loss] = /After (\d+) steps: loss ([\d.]+)/.exec((await page.textContent("#says"))!)!;
    return [Number(count), Number(loss)];
  };
  await visit.page("classifier", {}, faults, async (page) => {
    const point = page.locator(".point").first();
    const place = async (): Promise<string | null> => point.getAttribute("aria-label");
    const before = await place();
    const { x, y } = (await point.boundingBox())!;
    await page.mouse.move(x + 14, y + 14);
    await page.mouse.down();
    await page.mouse.move(x + 60, y + 14, { steps: 3 });
    await page.mouse.up();
    const dragged = await place();
    faults.expect(dragged !== before, "a point was not dragged");
    await point.focus();
    await page.keyboard.press("ArrowUp");
    faults.expect((await place()) !== dragged, "a point did not follow the keys");

    for (const [loss, initial] of [
      ["softmax", 1.0986],
      ["weston-watkins", 2],
      ["crammer-singer", 1],
    ] as const) {
      await page.check(`[value="${loss}"]`);
      await page.click("#one");
      await page.click("#reset");
      faults.expect((await steps(page))[1] === initial, `${loss} begins at ${(await steps(page))[1]}, not ${initial}`);
    }
    await page.click("#train");
    await page.waitForFunction(() => /After (\d{2,}) steps/.test(document.getElementById("says")!.textContent!));
    await page.click("#train");
    faults.expect((await steps(page))[1] < 1, `trained to ${(await steps(page))[1]}`);
  });
  await visit.page("classifier", { reducedMotion: "reduce" }, faults, async (page) => {
    await page.click("#train");
    faults.expect((await steps(page))[0] === 400, `${(await steps(page))[0]} steps at once`);
  });
  return faults;
}

async function head(visit: Visits, screenshots: string): Promise<Faults> {
  const faults = new Faults();
  await visit.page("head", {}, faults, async (page) => {
    const say = async (id: string): Promise<string> => (await page.textContent(`#${id}`))!;
    const start = performance.now();
    await page.click("#train");
    await page.waitForFunction(() => /^step/.test(document.getElementById("at")!.textContent!));
    await page.check('[value="256"]');
    faults.expect((await say("train")) === "Stop", "the page answered only when the training was over");
    await page.waitForFunction(() => document.getElementById("status")!.textContent, null, { timeout: 60_000 });
    const [ms, wait] = [performance.now() - start, Number.parseFloat(await say("wait"))];
    faults.expect(wait > 0 && wait < ms / 4, `the page waited ${wait} of ${ms} ms`);
    faults.expect((await say("first")) === "2.3026", `the first loss: ${await say("first")}`);
    faults.expect(Number.parseFloat(await say("right")) >= 94, `right: ${await say("right")}`);
    const sureness = (await page.locator("#unsure li").allTextContents()).map((text) => /(\d\d) %$/.exec(text)![1]);
    faults.expect(sureness.length === 12 && sureness.every((percent) => Number(percent) < 50), `unsure: ${sureness}`);
    faults.push(...(await judge(page, "head, when it is done")));
    await page.screenshot({ path: join(screenshots, "head-done.png"), fullPage: true });

    await page.click("#train");
    await page.click("#train");
    faults.expect((await say("status")) === "Stopped.", `stopped: ${await say("status")}`);
  });
  return faults;
}

async function token(visit: Visits): Promise<Faults> {
  const faults = new Faults();
  await visit.page("token", {}, faults, async (page) => {
    const done = async (): Promise<void> => {
      await page.waitForFunction(() => document.getElementById("status")!.textContent !== "");
    };
    await done();
    const drawn = await page.locator("#tokens td:nth-child(4)").allTextContents();
    const sum = drawn.reduce((total, count) => total + Number(count), 0);
    faults.expect(sum === 1000, `${sum} draws`);
    faults.expect(!/[^\d]/.test((await page.textContent("#ratio"))!.replace(" times", "")), "no ratio of times");
    await page.locator("#topP").focus();
    await page.keyboard.press("End");
    await done();
    const left = await page.textContent("#left");
    faults.expect(left === "151,936 of 151,936", `left with topP = 1: ${left}`);
    await page.locator("#topK").focus();
    await page.keyboard.press("Home");
    await done();
    faults.expect((await page.textContent("#entropy")) === "0.000 nats", "one token has an entropy of 0");
  });
  return faults;
}

async function check(visit: Visits): Promise<Faults> {
  const faults = new Faults();
  await visit.page("check", {}, faults, async (page) => {
    const run = async (name: string): Promise<string> => {
      await page.click(`#run-${name}`);
      const result = page.locator(`#result-${name} span:not(:empty)`);
      return (await result.textContent({ timeout: 60_000 }))!;
    };
    for (const [name, expected] of [
      ["bits", /^✓/],
      ["accuracy", /off by [0-3]\.\d ulp/],
      ["speed", /^All results are right/],
    ] as const) {
      const said = await run(name);
      faults.expect(expected.test(said), `${name}: ${said}`);
    }
    const markdown = await page.inputValue("#markdown");
    const copied = markdown.split("\n").filter((line) => line.includes(" × ")).length;
    faults.expect(copied === coreLines(100_000).length, `copied:\n${markdown}`);
    faults.push(...(await judge(page, "check, when it is done")));
  });
  return faults;
}

/** Where WebAssembly is missing, or refused by a policy, the baseline computes the same and the page says so. */
async function without(visit: Visits, server: Awaited<ReturnType<typeof serve>>): Promise<Faults> {
  const faults = new Faults();
  const judgeBaseline = async (page: Page): Promise<void> => {
    faults.expect(await page.locator("#refused").isVisible(), "the page does not say that the baseline runs");
    await page.click('[data-try="largest"]');
    faults.expect(
      (await page.textContent("#probabilities"))!.includes("0.936"),
      "softmax of [1, 2, 5] on the baseline",
    );
  };
  await visit.page("losses", {}, faults, judgeBaseline, () => Reflect.deleteProperty(globalThis, "WebAssembly"));
  server.policy = "script-src 'self'";
  await visit.page("losses", {}, new Faults(), judgeBaseline); // the refusal is reported as an error
  server.policy = undefined;
  return faults;
}

/** Each part in both schemes and all widths: nothing is cut off, axe finds nothing. */
async function looks(visit: Visits, screenshots: string): Promise<Faults> {
  const faults = new Faults();
  for (const colorScheme of ["light", "dark"] as const) {
    for (const name of PARTS) {
      await visit.page(name, { colorScheme }, faults, async (page) => {
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 900 });
          const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          faults.expect(excess <= 0, `${name} is ${excess} pixels wider than ${width}`);
          if (!SHOWN[colorScheme].includes(width)) continue;
          const file = `${name.replace("/", "-")}-${width}-${colorScheme}.png`;
          await page.screenshot({ path: join(screenshots, file), fullPage: true });
        }
        // What dark changes is colours.
        const rules = colorScheme === "dark" ? ["color-contrast"] : undefined;
        faults.push(...(await judge(page, `${name}, ${colorScheme}`, rules)));
      });
    }
  }
  return faults;
}

/** What axe finds, by all its rules or by these. */
async function judge(page: Page, where: string, rules?: string[]): Promise<string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate(async (rules) => {
    type Violation = { id: string; help: string; nodes: { target: string[] }[] };
    type Axe = { run(options: { runOnly?: string[] }): Promise<{ violations: Violation[] }> };
    const { axe } = globalThis as unknown as { axe: Axe };
    const { violations } = await axe.run(rules ? { runOnly: rules } : {});
    return violations.map(
      ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`,
    );
  }, rules);
  return found.map((violation) => `${where}: ${violation}`);
}

class Visits {
  private readonly browser: Browser;
  private readonly url: string;

  constructor(browser: Browser, url: string) {
    this.browser = browser;
    this.url = url;
  }

  /** Opens a page, waits until it is ready, uses it. Errors in it, and requests to elsewhere, are faults. */
  async page(
    name: string,
    options: BrowserContextOptions,
    faults: Faults,
    use: (page: Page) => Promise<void>,
    before?: () => void,
  ): Promise<void> {
    const context = await this.browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
    try {
      const page = await context.newPage();
      if (before) await page.addInitScript(before);
      page.on("pageerror", (error) => faults.push(`${name}: ${error.stack}`));
      page.on("console", (message) => message.type() === "error" && faults.push(`${name}: ${message.text()}`));
      page.on("request", (request) => {
        if (!request.url().startsWith(this.url)) faults.push(`${name} asks for ${request.url()}`);
      });
      page.setDefaultTimeout(20_000);
      await page.goto(`${this.url}/${name}.html`);
      await page.waitForFunction(() => document.documentElement.dataset["ready"]);
      await use(page);
    } finally {
      await context.close();
    }
  }
}

/** A plain server of files that counts what it has sent, as gzip. */
async function serve(folder: string) {
  const types: Record<string, string> = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
  };
  const server = createServer((request, response) => {
    const path = new URL(request.url!, "http://localhost").pathname;
    try {
      const content = readFileSync(join(folder, path));
      state.gzipped += gzipSync(content).length;
      response.setHeader("content-type", types[extname(path)] ?? "text/plain");
      if (state.policy) response.setHeader("content-security-policy", state.policy);
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const state = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    gzipped: 0,
    policy: undefined as string | undefined,
    close(): void {
      server.closeAllConnections();
      server.close();
    },
  };
  return state;
}
