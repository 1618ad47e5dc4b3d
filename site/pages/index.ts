import { crossEntropy } from "softmargin";
import { byId, controls, element } from "../drawing/element.js";
import { exact, list } from "../drawing/format.js";
import * as start from "../shown/start.js";

const { softmaxByHand, lossByHand, ...calls } = start;
const input = (id: string): HTMLInputElement => byId<HTMLInputElement>(id);

function read(): { x: number[]; y: number } {
  return { x: ["x0", "x1", "x2"].map((id) => Number(input(id).value)), y: Number(input("y").value) };
}

function text(value: unknown): string {
  if (typeof value === "number") return exact(Number(value.toPrecision(12)));
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    const isWhole = value instanceof Int32Array;
    return list(value as number[], isWhole ? 0 : 6);
  }
  return `{ ${Object.entries(value as object)
    .map(([key, entry]) => `${key}: ${text(entry)}`)
    .join(", ")} }`;
}

function show(): void {
  const { x, y } = read();
  for (const [name, call] of Object.entries(calls)) byId(name).textContent = text(call(x, y));
}
controls(["x0", "x1", "x2", "y"], show);
byId("again").addEventListener("click", () => {
  const { x, y } = read();
  byId("drawn").textContent = text(calls.drawn(x, y));
});

/** What a call returns, or how it fails. */
function outcome(call: () => number): { text: string; value: number } {
  try {
    const value = call();
    return { text: exact(value === 0 ? 0 : value), value };
  } catch (error) {
    return { text: (error as Error).name, value: Number.NaN };
  }
}

const WRONG: readonly (readonly [name: string, x: number[], y: number])[] = [
  ["a sure and right answer: logits [40, 0], class 0", [40, 0], 0],
  ["a sure and wrong one: logits [0, 800], class 0", [0, 800], 0],
  ["262,144 equal logits, class 0", new Array(262_144).fill(1.5), 0],
];
byId("wrong").append(
  ...WRONG.map(([name, x, y]) => {
    const hand = outcome(() => lossByHand(x, y));
    const right = outcome(() => crossEntropy(x, y));
    const isWrong = !(Math.abs(hand.value - right.value) <= 1e-9 * right.value);
    return element(
      "tr",
      {},
      element("th", { scope: "row", class: "plain" }, name),
      element(
        "td",
        { "data-label": "by hand" },
        element("code", {}, hand.text),
        isWrong ? element("span", { class: "bad" }, " wrong") : "",
      ),
      element("td", { "data-label": "softmargin" }, element("code", {}, right.text)),
    );
  }),
);
