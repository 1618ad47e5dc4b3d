import { crossEntropyGrad, hinge } from "softmargin";
import { byId, chosen, controls, element, row } from "../drawing/element.js";
import { format } from "../drawing/format.js";
import { Plot } from "../drawing/plot.js";
import {
  lossAndGradients,
  type Model,
  type Objective,
  type Points,
  regions,
  step,
  untrained,
} from "../shown/classifier.js";

const PER_CLASS = 6;
const COUNT = 3 * PER_CLASS;
const SHAPES = ["round", "triangle", "square"];
const STEPS_A_FRAME = 2;
const LONGEST = 400;

const canvas = byId<HTMLCanvasElement>("regions");
const plane = byId("plane");
const plot = new Plot(byId("curve"));
const input = (id: string): HTMLInputElement => byId<HTMLInputElement>(id);
const isStill = matchMedia("(prefers-reduced-motion: reduce)");

const points: Points = { x: new Float32Array(2 * COUNT), y: Uint8Array.from({ length: COUNT }, (_, i) => i % 3) };
const model: Model = { weight: new Float32Array(6), bias: new Float32Array(3) };
let history: number[] = [];
let running = false;

// The plane is [−1, 1]², its grid one point for each pixel of the canvas.
const size = canvas.width;
const grid = new Float32Array(2 * size * size);
for (let i = 0; i < size * size; i++) {
  grid[2 * i] = (2 * ((i % size) + 0.5)) / size - 1;
  grid[2 * i + 1] = 1 - (2 * (Math.floor(i / size) + 0.5)) / size;
}

function objective(): Objective {
  const l2 = Number(input("l2").value);
  return {
    loss: chosen("loss") as Objective["loss"],
    p: input("squared").checked ? 2 : 1,
    l2: l2 <= -4 ? 0 : 10 ** l2,
  };
}

/** Three clouds around the corners of a triangle. */
function scatter(seed = Math.random()): void {
  let state = seed * 4294967296;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
  const spread = input("overlap").checked ? 0.75 : 0.34;
  for (let i = 0; i < COUNT; i++) {
    const angle = 0.5 + (points.y[i] * 2 * Math.PI) / 3;
    const noise = (): number => (uniform() + uniform() + uniform() - 1.5) * spread;
    points.x[2 * i] = clamp(0.55 * Math.cos(angle) + noise());
    points.x[2 * i + 1] = clamp(0.55 * Math.sin(angle) + noise());
  }
}

const clamp = (value: number): number => Math.max(-0.96, Math.min(0.96, value));

function forget(): void {
  model.weight.fill(0);
  model.bias.fill(0);
  history = [];
  showAll();
}

// ---- the points ----

const buttons = Array.from({ length: COUNT }, (_, i) => {
  const c = points.y[i];
  const button = element("button", { type: "button", class: `point class-${c} ${SHAPES[c]}` }, element("span"));
  const move = (x: number, y: number): void => {
    points.x[2 * i] = clamp(x);
    points.x[2 * i + 1] = clamp(y);
    showAll();
  };
  button.addEventListener("pointerdown", (event) => button.setPointerCapture(event.pointerId));
  button.addEventListener("pointermove", ({ pointerId, clientX, clientY }) => {
    if (!button.hasPointerCapture(pointerId)) return;
    const { left, bottom, width, height } = plane.getBoundingClientRect();
    move((2 * (clientX - left)) / width - 1, (2 * (bottom - clientY)) / height - 1);
  });
  button.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!by) return;
    event.preventDefault();
    move(points.x[2 * i] + 0.04 * by[0], points.x[2 * i + 1] + 0.04 * by[1]);
  });
  return button;
});
plane.append(...buttons);

function showPoints(): void {
  const { scores } = regions(points.x, model);
  // A point holds the boundary where its loss is not 0; for a softmax, where it pushes by more than a tenth.
  const isSoft = chosen("loss") === "softmax";
  const { grad } = crossEntropyGrad(scores, points.y, { reduction: "sum" });
  const violations = hinge(scores, points.y, { reduction: "none" });
  for (const [i, button] of buttons.entries()) {
    const [x, y] = [points.x[2 * i], points.x[2 * i + 1]];
    const isHeld = isSoft ? -grad[3 * i + points.y[i]] > 0.1 : violations[i] > 0;
    button.style.setProperty("left", `${50 * (x + 1)}%`);
    button.style.setProperty("bottom", `${50 * (y + 1)}%`);
    button.classList.toggle("held", isHeld);
    button.setAttribute(
      "aria-label",
      `point of class ${"ABC"[points.y[i]]} at ${format(x)}, ${format(y)}${isHeld ? ", pushes" : ""}`,
    );
  }
}

// ---- the picture ----

/** The classes' colours, as the style sheet has them for light or dark. */
function colours(): number[][] {
  return [0, 1, 2].map((c) => {
    const hex = getComputedStyle(document.documentElement).getPropertyValue(`--class-${c}`).trim();
    return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  });
}

function showRegions(): void {
  const { p } = regions(grid, model);
  const image = new ImageData(size, size);
  const palette = colours();
  for (let i = 0; i < size * size; i++) {
    const row = p.subarray(3 * i, 3 * i + 3);
    const best = row[0] >= row[1] ? (row[0] >= row[2] ? 0 : 2) : row[1] >= row[2] ? 1 : 2;
    const sureness = (row[best] - 1 / 3) * 1.5;
    image.data.set(palette[best], 4 * i);
    image.data[4 * i + 3] = history.length === 0 ? 0 : 40 + 110 * sureness;
  }
  canvas.getContext("2d")!.putImageData(image, 0, 0);
}

function showCurve(): void {
  const start = untrained(objective());
  const top = Math.max(start * 1.15, ...history.slice(0, 3).map((loss) => Math.min(loss, 3 * start)));
  const steps = Math.max(50, history.length - 1);
  plot.show(
    {
      name: "Loss by steps of training",
      x: { label: "steps", min: 0, max: steps, ticks: [0, Math.round(steps / 2), steps] },
      y: { label: "loss", min: 0, max: top, ticks: [0, start] },
    },
    [
      { style: "faint dashed", xs: [0, steps], ys: [start, start] },
      { style: "loss-0", xs: history.map((_, i) => i), ys: history },
    ],
  );
}

function showModel(): void {
  const { loss, gradWeight, gradBias } = lossAndGradients(points, model, objective());
  const { scores } = regions(points.x, model);
  const right = hinge(scores, points.y, { form: "crammer-singer", margin: 0, reduction: "none" }).filter(
    (z) => z === 0,
  );
  const steps = Math.max(0, history.length - 1);
  byId("says").textContent =
    `After ${steps} steps: loss ${format(loss, 4)}, ${steps === 0 ? 0 : right.length} of ${COUNT} points right.`;
  const head = ["class", "w·x", "w·y", "bias", "∂w·x", "∂w·y", "∂bias"].map((name, i) =>
    element("th", { scope: "col", class: i > 0 && "number" }, name),
  );
  const rows = [0, 1, 2].map((c) => {
    const own = (values: Float32Array): number[] => [values[2 * c], values[2 * c + 1]];
    const numbers = [...own(model.weight), model.bias[c], ...own(gradWeight), gradBias![c]];
    return row(
      "ABC"[c],
      numbers.map((value) => (value === 0 ? "0" : value.toFixed(3).replace("-", "−"))),
    );
  });
  byId("model").replaceChildren(
    byId("model").querySelector("caption")!,
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...rows),
  );
}

function showAll(): void {
  showPoints();
  showRegions();
  showCurve();
  showModel();
}

// ---- training ----

function train(steps: number): void {
  const rate = 10 ** Number(input("rate").value);
  if (history.length === 0) history = [lossAndGradients(points, model, objective()).loss];
  for (let i = 0; i < steps; i++) {
    step(points, model, objective(), rate);
    history.push(lossAndGradients(points, model, objective()).loss);
  }
  showAll();
}

function run(now: boolean): void {
  running = now;
  byId("train").textContent = running ? "Pause" : "Train";
  if (!running) return;
  if (isStill.matches) {
    train(LONGEST);
    run(false);
    return;
  }
  const frame = (): void => {
    if (!running) return;
    train(STEPS_A_FRAME);
    if (history.length % LONGEST < STEPS_A_FRAME) run(false);
    else requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

byId("train").addEventListener("click", () => run(!running));
byId("one").addEventListener("click", () => train(1));
byId("reset").addEventListener("click", forget);
for (const id of ["scatter", "overlap"])
  byId(id).addEventListener("click", () => {
    scatter();
    forget();
  });
for (const radio of document.querySelectorAll('input[name="loss"], #squared')) radio.addEventListener("input", forget);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showRegions);
scatter(0.42);
controls(["rate", "l2"], () => {
  const { l2 } = objective();
  byId("rate-value").textContent = format(10 ** Number(input("rate").value), 2);
  byId("l2-value").textContent = l2 === 0 ? "0" : format(l2, 3);
  showAll();
});
