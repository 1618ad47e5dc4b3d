// Curves over an axis. The curves are SVG, stretched to the room there is; what is text, or round, is HTML above it.

import { element } from "./element.js";
import { format } from "./format.js";

export interface PlotOptions {
  readonly name: string;
  readonly x: { readonly label: string; readonly min: number; readonly max: number; readonly ticks: readonly number[] };
  readonly y: { readonly label: string; readonly min: number; readonly max: number; readonly ticks: readonly number[] };
}

export interface Curve {
  /** The colour, of style.css. */
  readonly style: string;
  readonly xs: ArrayLike<number>;
  readonly ys: ArrayLike<number>;
}

export interface Mark {
  readonly style: string;
  readonly x: number;
  readonly y: number;
}

const SVG = "http://www.w3.org/2000/svg";

export class Plot {
  private readonly host: HTMLElement;

  constructor(host: HTMLElement) {
    this.host = host;
  }

  show({ name, x, y }: PlotOptions, curves: readonly Curve[], marks: readonly Mark[] = []): void {
    const across = (value: number): number => (100 * (value - x.min)) / (x.max - x.min);
    const up = (value: number): number => (100 * (value - y.min)) / (y.max - y.min);
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 100 100");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", name);
    for (const { style, xs, ys } of curves) {
      const points = Array.from(xs, (value, i) => `${across(value).toFixed(2)},${(100 - up(ys[i])).toFixed(2)}`);
      const line = document.createElementNS(SVG, "polyline");
      line.setAttribute("points", points.join(" "));
      line.setAttribute("class", `curve ${style}`);
      svg.append(line);
    }
    const placed = (className: string, left: number, bottom: number, text = ""): HTMLElement => {
      const label = element("span", { class: className, "aria-hidden": "true" }, text);
      label.style.setProperty("left", `${left}%`);
      label.style.setProperty("bottom", `${bottom}%`);
      return label;
    };
    this.host.replaceChildren(
      element(
        "div",
        { class: "plot" },
        element("span", { class: "y-label" }, y.label),
        element(
          "div",
          { class: "area" },
          ...y.ticks.map((tick) => placed("y-tick", 0, up(tick), format(tick, Number.isInteger(tick) ? 0 : 2))),
          ...x.ticks.map((tick) => placed("x-tick", across(tick), 0, format(tick, 0))),
          element("div", { class: "clip" }, svg),
          ...marks
            .filter((mark) => up(mark.y) <= 100)
            .map((mark) => placed(`mark ${mark.style}`, across(mark.x), up(mark.y))),
        ),
        element("span", { class: "x-label" }, x.label),
      ),
    );
  }
}
