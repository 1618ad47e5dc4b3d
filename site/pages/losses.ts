import { Bars } from "../drawing/bars.js";
import { byId, chosen, element } from "../drawing/element.js";
import { exact, format, list } from "../drawing/format.js";
import { Plot } from "../drawing/plot.js";
import { alone, byHand, curves, jacobian, losses, probabilities, products } from "../shown/losses.js";

const REACH = 12;
const START = [1, 2, 3, 0, -1, 0.5];
const START_DY = [1, 0, -0.5, 0.5, 0, -1];

const state = { logits: START.slice(0, 3), dy: START_DY.slice(0, 3) };
let panels: Record<string, Bars>;
const plot = new Plot(byId("curves"));
const input = (id: string): HTMLInputElement => byId<HTMLInputElement>(id);

/** Everything that depends on the number of classes. */
function build(classes: number, target: number): void {
  const labels = Array.from({ length: classes }, (_, j) => `class ${"ABCDEF"[j]}`);
  state.logits = labels.map((_, j) => state.logits[j] ?? START[j]);
  state.dy = labels.map((_, j) => state.dy[j] ?? START_DY[j]);
  byId("targets").replaceChildren(
    ...labels.map((label, j) => {
      const radio = element("input", { type: "radio", name: "target", value: j, checked: j === target });
      radio.addEventListener("input", show);
      return element("label", {}, radio, ` ${label.slice(-1)}`);
    }),
  );
  const short = labels.map((label) => label.slice(-1));
  const unit = { min: 0, max: 1, ticks: [0, 1], labels: short };
  const arrows = { min: 1 - classes, max: classes - 1, ticks: [1 - classes, 0, classes - 1], labels: short };
  const change = (name: "logits" | "dy") => (i: number, value: number) => {
    state[name][i] = value;
    show();
  };
  panels = {
    logits: new Bars(byId("logits"), {
      name: "logit",
      labels,
      min: -REACH,
      max: REACH,
      ticks: [-REACH, 0, REACH],
      digits: 1,
      step: 0.1,
      changed: change("logits"),
    }),
    exponentials: new Bars(byId("exponentials"), { ...unit, name: "exponential", digits: 3 }),
    probabilities: new Bars(byId("probabilities"), { ...unit, name: "probability", digits: 3 }),
    surprise: new Bars(byId("surprise"), { name: "minus log p", labels: short, min: 0, max: 20, ticks: [0, 10, 20] }),
    ...Object.fromEntries(
      ["cross-entropy", "Weston–Watkins", "Crammer–Singer"].map((name, i) => [
        `push${i}`,
        new Bars(byId(`push-${i}`), { ...arrows, name: `push of ${name}`, kind: "arrows" }),
      ]),
    ),
    together: new Bars(byId("together"), { ...unit, name: "softmax", digits: 3 }),
    each: new Bars(byId("each"), { ...unit, name: "sigmoid", digits: 3 }),
    upstream: new Bars(byId("upstream"), {
      name: "upstream gradient",
      labels,
      min: -1,
      max: 1,
      ticks: [-1, 0, 1],
      digits: 1,
      step: 0.1,
      changed: change("dy"),
    }),
    downstream: new Bars(byId("downstream"), {
      name: "gradient of the logits",
      labels: short,
      min: -0.5,
      max: 0.5,
      ticks: [0],
      digits: 3,
      kind: "arrows",
    }),
  };
}

function show(): void {
  const temperature = 10 ** Number(input("temperature").value);
  const offset = Number(input("offset").value);
  const isNaive = input("naive").checked;
  const target = Number(chosen("target"));
  byId("temperature-value").textContent = format(temperature);
  byId("offset-value").textContent = format(offset, 0);
  byId("exponent").textContent = isNaive ? "x" : "x − max";

  const x = Float32Array.from(state.logits, (logit) => logit + offset);
  const right = probabilities(x, temperature);
  const hand = byHand(x, temperature, !isNaive);
  const { p, surprise } = isNaive ? hand : right;
  panels["logits"].show(
    state.logits,
    [...x].map((logit) => format(logit, 1)),
  );
  panels["exponentials"].show(hand.e);
  panels["probabilities"].show(p);
  panels["surprise"].show(surprise);
  byId("softmax-says").textContent = saysSoftmax(x, p, right.p, isNaive);

  showLosses(x, target, temperature);
  showAlone(x, target);
  showJacobian(right.p);
}

function saysSoftmax(x: Float32Array, p: Float32Array, right: Float32Array, isNaive: boolean): string {
  if (p.some((value) => Number.isNaN(value)))
    return `By hand this is ${list(p, 3)}; softmax says ${list(right, 3)}, as if nothing had been added.`;
  const sum = p.reduce((a, b) => a + b, 0);
  const order = [...x.keys()].sort((i, j) => x[j] - x[i]);
  const kept = order.every((j, i) => i === 0 || p[order[i - 1]] >= p[j]);
  return `${isNaive ? "By hand, still right here: " : ""}Σ p = ${sum.toFixed(6)}; the order is ${kept ? "kept" : "lost"}.`;
}

const LOSSES = ["loss-0", "loss-1", "loss-2"];

function showLosses(x: Float32Array, target: number, temperature: number): void {
  const found = losses(x, target, temperature);
  found.forEach(({ loss, grad }, i) => {
    byId(`loss-${i}`).textContent = exact(Number(loss.toPrecision(6)));
    panels[`push${i}`].show(
      grad.map((slope) => -slope),
      [...grad].map((slope) => format(-slope, 3)),
    );
  });
  const classes = x.length;
  const isEqual = x.every((logit) => logit === x[0]);
  byId("losses-says").textContent = isEqual
    ? `All logits are equal: cross-entropy is log ${classes} = ${Math.log(classes).toFixed(4)}, the hinges ${classes - 1} and 1.`
    : found[1].loss === 0
      ? `Both hinges are 0 and push nothing. Cross-entropy still pushes the true class up by ${format(-found[0].grad[target], 4)}.`
      : "";

  const offset = x[target] - state.logits[target];
  const trueLogits = Float32Array.from({ length: 121 }, (_, i) => -REACH + i / 5);
  const ys = curves(
    x,
    target,
    temperature,
    trueLogits.map((logit) => logit + offset),
  );
  plot.show(
    {
      name: "Three losses as functions of the logit of the true class",
      x: { label: "logit of the true class", min: -REACH, max: REACH, ticks: [-12, -6, 0, 6, 12] },
      y: { label: "loss", min: 0, max: 20, ticks: [0, 5, 10, 15, 20] },
    },
    ys.map((values, i) => ({ style: LOSSES[i], xs: trueLogits, ys: values })),
    found.map(({ loss }, i) => ({ style: LOSSES[i], x: state.logits[target], y: loss })),
  );
}

function showAlone(x: Float32Array, target: number): void {
  const { together, each, loss, lossEach } = alone(x, target);
  panels["together"].show(together);
  panels["each"].show(each);
  byId("loss-together").textContent = `cross-entropy ${format(loss, 4)}`;
  byId("loss-each").textContent = `binary cross-entropy, Σ ${format(lossEach, 4)}`;
  byId("sigmoid-says").textContent =
    `Σ = ${together.reduce((a, b) => a + b, 0).toFixed(3)} and ${each.reduce((a, b) => a + b, 0).toFixed(3)}.`;
}

function showJacobian(p: Float32Array): void {
  const classes = p.length;
  const dy = Float32Array.from(state.dy);
  const cells = jacobian(p);
  const letters = [..."ABCDEF"].slice(0, classes);
  const head = element("tr", {}, element("td"), ...letters.map((letter) => element("th", { scope: "col" }, letter)));
  const rows = letters.map((letter, i) => {
    const values = [...cells.subarray(i * classes, (i + 1) * classes)];
    const shown = values.map((value) => {
      const cell = element("td", { class: value > 0 ? "number grows" : "number shrinks" }, format(value, 3));
      cell.style.setProperty("--strength", `${Math.round(Math.min(1, Math.abs(value) / 0.25) * 60)}%`);
      return cell;
    });
    return element("tr", {}, element("th", { scope: "row" }, letter), ...shown);
  });
  byId("heat").replaceChildren(byId("heat").querySelector("caption")!, element("tbody", {}, head, ...rows));
  const { byMatrix, direct } = products(p, dy);
  panels["upstream"].show(dy);
  panels["downstream"].show(direct);
  const difference = Math.max(...direct.map((value, i) => Math.abs(value - byMatrix[i])));
  byId("jacobian-says").textContent =
    `Through the matrix and by softmaxGrad: ${list(direct, 4)}, largest difference ${format(difference, 9)}.`;
}

/** What the sentences to try set. */
const TRIES: Record<
  string,
  { logits?: number[]; temperature?: number; offset?: number; naive?: boolean; target?: number }
> = {
  order: { logits: [1, 2, 3] },
  largest: { logits: [1, 2, 5] },
  hot: { logits: [1, 2, 3], temperature: 10 },
  shift: { logits: [1, 2, 3], offset: 100 },
  equal: { logits: [2, 2, 2] },
  ahead: { logits: [1, 2, 8] },
  wrong: { logits: [10, 2, -10], temperature: 0.1, target: 2 },
  overflow: { logits: [1, 2, 3], offset: 100, naive: true },
};
for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-try]")) {
  button.addEventListener("click", () => {
    const { logits = [], temperature = 1, offset = 0, naive = false, target = 2 } = TRIES[button.dataset["try"]!];
    state.logits = logits;
    byId<HTMLSelectElement>("classes").value = String(logits.length);
    input("temperature").value = String(Math.log10(temperature));
    input("offset").value = String(offset);
    input("naive").checked = naive;
    build(logits.length, target);
    show();
  });
}
byId("classes").addEventListener("input", (event) => {
  const classes = Number((event.target as HTMLSelectElement).value);
  build(classes, Math.min(Number(chosen("target")), classes - 1));
  show();
});
for (const id of ["temperature", "offset", "naive"]) byId(id).addEventListener("input", show);
build(3, 0);
show();
