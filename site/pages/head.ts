import { initialLoss } from "softmargin";
import { byId, chosen, element } from "../drawing/element.js";
import { format, integer } from "../drawing/format.js";
import { Plot } from "../drawing/plot.js";
import { CLASSES } from "../shown/head.js";
import type { Answer, Digits, Judgement, Progress, Request } from "../workers/head.worker.js";

const SHOWN = 12;
const SIDE = 28;
/** From this confidence on it is called sure. */
const SURE = 0.9;

const untrained = initialLoss("crossEntropy", CLASSES);
const plot = new Plot(byId("curve"));
const bar = byId<HTMLProgressElement>("progress");
const say = (id: string, text: string): void => {
  byId(id).textContent = text;
};

let worker: Worker | undefined;
let steps: number[] = [];
let losses: number[] = [];
let test: Digits;
let some: readonly HTMLElement[] = [];

byId("train").addEventListener("click", () => (worker ? end("Stopped.") : begin()));

function begin(): void {
  [steps, losses] = [[], []];
  for (const id of ["first", "loss", "speed", "wait", "right"]) say(id, "…");
  say("status", "");
  say("at", "fetches the digits …");
  bar.value = 0;
  showCurve(1);
  say("train", "Stop");
  const own = new Worker(new URL("head.worker.js", import.meta.url), { type: "module" });
  worker = own;
  own.addEventListener("error", ({ message }) => end(`The worker failed: ${message}`));
  own.addEventListener("message", ({ data }: MessageEvent<Answer>) => worker === own && hear(data));
  own.postMessage({ width: Number(chosen("width")), shown: SHOWN } satisfies Request);
  watch(own);
}

function end(status: string): void {
  worker?.terminate();
  worker = undefined;
  say("train", "Train");
  say("at", "");
  say("status", status);
}

function hear(answer: Answer): void {
  if (answer.kind === "digits") {
    test = answer;
    some = Array.from({ length: SHOWN }, (_, i) => picture(i));
    byId("some").replaceChildren(...some);
  } else if (answer.kind === "features") {
    bar.value = answer.part;
    say("at", "makes features …");
  } else if (answer.kind === "steps") {
    showProgress(answer);
    for (const [i, shown] of some.entries()) judge(shown, i, answer);
  } else if (answer.kind === "done") {
    showJudgement(answer);
  } else {
    end(answer.message);
  }
}

let lastFrame = 0;
// A page that nobody sees draws nothing.
document.addEventListener("visibilitychange", () => {
  lastFrame = performance.now();
});

/** The longest time between two frames, which is how long a click may have to wait, as long as this worker works. */
function watch(own: Worker): void {
  let longest = 0;
  lastFrame = performance.now();
  const frame = (now: number): void => {
    if (worker !== own) return;
    longest = Math.max(longest, now - lastFrame);
    lastFrame = now;
    say("wait", `${format(longest, 0)} ms`);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

function showProgress({ steps: now, of, loss, digitsPerSecond }: Progress): void {
  steps.push(now);
  losses.push(loss);
  if (now === 0) say("first", format(loss, 4));
  say("loss", format(loss, 4));
  say("speed", integer(Math.round(digitsPerSecond)));
  say("at", `step ${integer(now)} of ${integer(of)}`);
  bar.value = now / of;
  showCurve(of);
}

function showCurve(of: number): void {
  plot.show(
    {
      name: "Loss by steps of training",
      x: { label: "steps", min: 0, max: of, ticks: of === 1 ? [0] : [0, of / 2, of] },
      y: { label: "loss", min: 0, max: 1.15 * untrained, ticks: [0, 1, untrained] },
    },
    [
      { style: "faint dashed", xs: [0, of], ys: [untrained, untrained] },
      { style: "loss-0", xs: steps, ys: losses },
    ],
  );
}

function showJudgement(judgement: Judgement): void {
  const { guesses, confidence } = judgement;
  const all = [...guesses.keys()];
  const isRight = (i: number): boolean => guesses[i] === test.labels[i];
  const share = (of: readonly number[]): string => `${format((100 * of.filter(isRight).length) / of.length, 1)} %`;
  const sure = all.filter((i) => confidence[i] >= SURE);
  const unsure = all.sort((a, b) => confidence[a] - confidence[b]).slice(0, SHOWN);
  say("right", share(all));
  bar.value = 1;
  byId("unsure").replaceChildren(...unsure.map((i) => judge(picture(i), i, judgement)));
  say(
    "sure",
    `Of the ${integer(all.length)} test digits, the ${SHOWN} of the lowest confidence. ` +
      `Of the ${integer(sure.length)} that it is ${100 * SURE} % sure of, ${share(sure)} are right. In an application the others go to a person.`,
  );
  end(`${share(all)} of the test digits are right.`);
}

/** A test digit, with room for what the head says. */
function picture(i: number): HTMLElement {
  const canvas = element("canvas", { width: SIDE, height: SIDE, role: "img", "aria-label": `a ${test.labels[i]}` });
  const image = new ImageData(SIDE, SIDE); // black, as opaque as there is ink
  for (let p = 0; p < SIDE * SIDE; p++) image.data[4 * p + 3] = test.images[i * SIDE * SIDE + p];
  canvas.getContext("2d")!.putImageData(image, 0, 0);
  return element("li", {}, canvas, element("span"));
}

function judge(shown: HTMLElement, i: number, { guesses, confidence }: Judgement): HTMLElement {
  const isRight = guesses[i] === test.labels[i];
  const guess = element(
    "b",
    { class: isRight ? "good" : "bad" },
    isRight ? `${guesses[i]}` : `${guesses[i]}, not ${test.labels[i]}`,
  );
  shown.lastElementChild!.replaceChildren(guess, element("br"), `${format(100 * confidence[i], 0)} %`);
  return shown;
}

showCurve(1);
