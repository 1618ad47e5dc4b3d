import type { LineResult } from "../../bench/run.js";
import { byId, element, row } from "../drawing/element.js";
import { duration, format, integer } from "../drawing/format.js";
import type { Answer, ErrorsOf, Request } from "../workers/check.worker.js";

/** Of test/digest/digest.txt, put here by the bundler. */
declare const DIGEST: string;

type Check = Request["check"];
const checks: readonly Check[] = ["bits", "accuracy", "speed"];

for (const check of checks) {
  byId(`run-${check}`).addEventListener("click", () =>
    run({ check, thorough: byId<HTMLInputElement>("thorough").checked }),
  );
}

/** A worker of its own, so that no check feels what another has left. One at a time: they would disturb each other. */
function run(request: Request): void {
  const { check } = request;
  const progress = byId<HTMLProgressElement>(`progress-${check}`);
  const say = (text: string): void => {
    byId(`at-${check}`).textContent = text;
  };
  const busy = (now: boolean): void => {
    progress.hidden = !now;
    for (const other of checks) byId<HTMLButtonElement>(`run-${other}`).disabled = now;
    if (!now) say("");
  };
  busy(true);
  result(check, "");
  let wasHidden = document.hidden;
  const hide = (): void => {
    wasHidden ||= document.hidden;
  };
  document.addEventListener("visibilitychange", hide);
  const lines: LineResult[] = [];
  const worker = new Worker(new URL("check.worker.js", import.meta.url), { type: "module" });
  const end = (): void => {
    worker.terminate();
    document.removeEventListener("visibilitychange", hide);
    busy(false);
  };
  worker.addEventListener("error", ({ message }) => {
    end();
    result(check, `The worker failed: ${message}`, "bad");
  });
  worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
    if (data.kind === "progress") {
      say(`${data.text} …`);
      if (data.part !== undefined) progress.value = data.part;
      return;
    }
    if (data.kind === "line") {
      lines.push(data.line);
      showSpeeds(lines);
      return;
    }
    end();
    if (data.kind === "failed") result(check, data.message, "bad");
    else if (data.kind === "bits") showDigest(data);
    else if (data.kind === "accuracy") showErrors(data.errors);
    else showVerdict(lines, data.backend, wasHidden);
  });
  worker.postMessage(request);
}

function result(check: Check, text: string, style = ""): void {
  byId(`result-${check}`).replaceChildren(element("span", { class: style }, text));
}

function showDigest({ digest, backend, ms }: Extract<Answer, { kind: "bits" }>): void {
  const seconds = `${(ms / 1000).toFixed(1)} s`;
  if (backend === "baseline")
    result(
      "bits",
      `${digest}: of the baseline, whose bits are not promised. WebAssembly is refused here. (${seconds})`,
    );
  else if (digest === DIGEST) result("bits", `✓ ${digest}: your browser computes the same bits. (${seconds})`, "good");
  else result("bits", `✗ ${digest}, not ${DIGEST}: please report this.`, "bad");
}

function showErrors(errors: readonly ErrorsOf[]): void {
  const table = byId<HTMLTableElement>("errors");
  table.hidden = false;
  table.tBodies[0].replaceChildren(
    ...errors.map(({ figure, errors: own }) => row(figure, [own["softmargin"], own["by hand"]].map(ulps))),
  );
  const worst = Math.max(...errors.map(({ errors: own }) => own["softmargin"]));
  result("accuracy", `softmargin is off by ${format(worst, 1)} ulp at most.`, worst <= 4 ? "good" : "bad");
}

const ulps = (error: number): string =>
  error < 100 ? format(error, 1) : Number.isFinite(error) ? integer(Math.round(error)) : "∞";

// ---- the benchmark ----

const size = ({ shape: [rows, classes], type }: LineResult): string => `${rows} × ${classes}, ${type}`;
const others = ({ times }: LineResult): string[] => Object.keys(times).filter((name) => name !== "by hand");
/** The fastest of softmargin's builds whose bits are promised, or the baseline where there is none. */
const main = (line: LineResult): string => (line.times["simd"] ? "simd" : "baseline");

/** Where it is narrow only the two that the bar is made of have room. */
const number = (name: string, line: LineResult): string =>
  name === "by hand" || name === main(line) ? "number" : "number other";

function showSpeeds(lines: readonly LineResult[]): void {
  byId("chart").hidden = false;
  const [first] = lines;
  const names = ["by hand", ...others(first)];
  byId("speeds-head").replaceChildren(
    element(
      "tr",
      {},
      element("th", { scope: "col" }, "job"),
      ...names.map((name) => element("th", { scope: "col", class: number(name, first) }, name)),
      element("th", { scope: "col", class: "wider" }, `${main(first)} over by hand`),
    ),
  );
  const longest = Math.max(10, ...lines.map((line) => line.speedups[main(line)]));
  byId("speeds").replaceChildren(
    ...lines.map((line) => {
      const ratio = line.speedups[main(line)];
      const fill = element("span", { class: `amount class-${ratio < 1 ? 1 : 0}` });
      fill.style.setProperty("width", `${(60 * ratio) / longest}%`);
      return element(
        "tr",
        {},
        element(
          "th",
          { scope: "row", class: "plain" },
          line.job,
          element("br"),
          element("small", { class: "muted" }, size(line)),
        ),
        ...names.map((name) => element("td", { class: number(name, line) }, duration(line.times[name].median))),
        element(
          "td",
          {},
          element("div", { class: "amounts" }, fill, element("span", { class: "value" }, `${format(ratio, 1)} ×`)),
        ),
      );
    }),
  );
  byId("machine").textContent = machine();
  byId<HTMLTextAreaElement>("markdown").value = markdown(lines);
}

const machine = (): string => `${navigator.userAgent}; ${navigator.hardwareConcurrency} cores.`;

function markdown(lines: readonly LineResult[]): string {
  const names = ["by hand", ...others(lines[0])];
  const table = [
    ["job", "size", ...names, `${main(lines[0])} over by hand`],
    ["---", "---", ...names.map(() => "--:"), "--:"],
    ...lines.map((line) => [
      line.job,
      size(line),
      ...names.map((name) => duration(line.times[name].median)),
      format(line.speedups[main(line)], 1),
    ]),
  ];
  return `${table.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n\n${machine()} ${new Date().toISOString().slice(0, 10)}\n`;
}

function showVerdict(lines: readonly LineResult[], backend: string, wasHidden: boolean): void {
  const ratios = lines.map((line) => line.speedups[backend]);
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  const note = wasHidden
    ? " The tab was in the background meanwhile, so these times are worth little: measure again."
    : "";
  result(
    "speed",
    `All results are right. ${backend} is ${format(mean, 1)} times as fast as by hand, in the geometric mean.${note}`,
    note ? "bad" : "good",
  );
}

byId("copy").addEventListener("click", async () => {
  const text = byId<HTMLTextAreaElement>("markdown");
  text.select();
  await navigator.clipboard.writeText(text.value).then(
    () => (byId("copied").textContent = "copied"),
    () => (byId("copied").textContent = "selected: copy it with Ctrl+C"),
  );
});
