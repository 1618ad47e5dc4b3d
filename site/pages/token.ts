import { byId, controls, element } from "../drawing/element.js";
import { duration, format, integer } from "../drawing/format.js";
import { type Choice, VOCABULARY } from "../shown/token.js";
import type { Answer, Request } from "../workers/token.worker.js";

const worker = new Worker(new URL("token.worker.js", import.meta.url), { type: "module" });
const slider = (id: string): number => Number(byId<HTMLInputElement>(id).value);
const say = (id: string, text: string): void => {
  byId(id).textContent = text;
};

let request: Request;
let known: Answer;

function choose(): Choice {
  const power = slider("topK");
  return {
    temperature: slider("temperature"),
    topK: power === 18 ? VOCABULARY : 2 ** power,
    topP: slider("topP"),
    minP: slider("minP"),
  };
}

function ask(): void {
  const choice = choose();
  say("temperature-value", format(choice.temperature));
  say("topK-value", choice.topK === VOCABULARY ? "all" : integer(choice.topK));
  say("topP-value", format(choice.topP));
  say("minP-value", format(choice.minP));
  request = { id: (request?.id ?? 0) + 1, choice };
  known = { id: request.id };
  for (const id of ["sample", "sort", "ratio", "status"]) say(id, id === "status" ? "" : "…");
  worker.postMessage(request);
}

worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
  if (data.id !== request.id) return;
  known = { ...known, ...data };
  show(known);
});
worker.addEventListener("error", ({ message }) => say("status", `The worker failed: ${message}`));

// The rows stay what they are, so that nothing jumps.
const rows = Array.from({ length: 13 }, () => {
  const [token, p, after, drawn] = ["", "number", "number", "number"].map((style) => element("td", { class: style }));
  const fill = element("span", { class: "amount class-0" });
  const mark = element("span", { class: "expected" });
  const bar = element("td", {}, element("div", { class: "amounts", "aria-hidden": "true" }, fill, mark));
  const line = element("tr", {}, token, p, after, drawn, bar);
  byId("tokens").append(line);
  return { line, token, p, after, drawn, fill, mark };
});

function show({ left, entropy, tokens, counts, draws = 0, sample, sort }: Answer): void {
  if (left !== undefined && entropy !== undefined && tokens) {
    say("left", `${integer(left)} of ${integer(VOCABULARY)}`);
    say("entropy", `${format(entropy, 3)} nats`);
    const sum = (of: "p" | "after"): number => tokens.reduce((total, token) => total + token[of], 0);
    const others = { p: 1 - sum("p"), after: left > tokens.length ? 1 - sum("after") : 0 };
    const longest = Math.max(others.after, ...tokens.map(({ after }) => after));
    for (const [i, cells] of rows.entries()) {
      const { p, after } = tokens[i] ?? others;
      const share = draws > 0 ? counts![i] / draws : 0;
      cells.token.textContent = tokens[i] ? `#${tokens[i].token}` : `the ${integer(VOCABULARY - tokens.length)} others`;
      cells.p.textContent = percent(p);
      cells.after.textContent = after > 0 ? percent(after) : "–";
      cells.drawn.textContent = String(counts?.[i] ?? 0);
      cells.line.classList.toggle("gone", after === 0);
      cells.fill.style.setProperty("width", `${Math.min(100, (90 * share) / longest)}%`);
      cells.mark.style.setProperty("left", `${(90 * after) / longest}%`);
      cells.mark.hidden = after === 0;
    }
  }
  byId<HTMLProgressElement>("draws").value = draws;
  if (sample !== undefined) say("sample", duration(sample));
  if (sample === undefined || sort === undefined) return;
  say("sort", duration(sort));
  say("ratio", `${format(sort / sample, 0)} times`);
  say("status", `1,000 draws are done; one takes ${duration(sample)} here, and ${duration(sort)} by a sort.`);
}

const percent = (p: number): string => `${format(100 * p, 2)} %`;

controls(["temperature", "topK", "topP", "minP"], ask);
