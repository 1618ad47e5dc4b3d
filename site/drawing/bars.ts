// One column for each class: bars from zero, or arrows, or bars that are dragged by mouse, finger and arrow keys.

import { element, set } from "./element.js";
import { format } from "./format.js";

export interface BarsOptions {
  /** What the bars are, for who does not see them. */
  readonly name: string;
  readonly labels: readonly string[];
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
  readonly digits?: number;
  readonly kind?: "bars" | "arrows";
  /** Makes them draggable, in steps. */
  readonly step?: number;
  readonly changed?: (i: number, value: number) => void;
}

export class Bars {
  private readonly options: BarsOptions;
  private readonly columns: { track: HTMLElement; fill: HTMLElement; value: HTMLElement }[] = [];
  private values: number[] = [];

  constructor(host: HTMLElement, options: BarsOptions) {
    this.options = options;
    const { labels, ticks, name, kind = "bars", changed } = options;
    const lines = ticks.map((tick) => {
      const line = element("span", { class: tick === 0 ? "tick zero" : "tick" }, element("span", {}, format(tick, 0)));
      line.style.setProperty("bottom", `${this.percent(tick)}%`);
      return line;
    });
    const columns = labels.map((label, i) => {
      const fill = element("span", { class: `fill class-${i}` });
      const track = element("div", { class: "track" }, fill);
      const value = element("span", { class: "value" });
      if (changed) this.makeSlider(track, i, `${name} of ${label}`);
      this.columns.push({ track, fill, value });
      return element("div", { class: "column" }, value, track, element("span", { class: "label" }, label));
    });
    host.replaceChildren(
      element(
        "div",
        { class: `bars ${kind}${changed ? " editable" : ""}`, role: "group", "aria-label": name },
        element("div", { class: "axis", "aria-hidden": "true" }, element("div", { class: "lines" }, ...lines)),
        ...columns,
      ),
    );
  }

  /** Values beyond the axis are cut off there; `texts` are shown instead of the numbers. */
  show(values: ArrayLike<number>, texts?: readonly string[]): void {
    this.values = Array.from(values);
    const zero = this.percent(0);
    for (const [i, { track, fill, value }] of this.columns.entries()) {
      const at = this.percent(this.values[i]);
      const text = texts?.[i] ?? format(this.values[i], this.options.digits);
      value.textContent = text;
      fill.style.setProperty("bottom", `${Math.min(at, zero)}%`);
      fill.style.setProperty("height", `${Math.abs(at - zero)}%`);
      fill.classList.toggle("down", at < zero);
      fill.classList.toggle("none", Math.abs(at - zero) < 0.1);
      fill.classList.toggle("broken", !Number.isFinite(this.values[i]));
      if (this.options.changed) set(track, { "aria-valuenow": this.values[i], "aria-valuetext": text });
    }
  }

  /** Where a value is between bottom and top. */
  private percent(value: number): number {
    const { min, max } = this.options;
    if (Number.isNaN(value)) return (100 * (0 - min)) / (max - min);
    return (100 * (Math.max(min, Math.min(max, value)) - min)) / (max - min);
  }

  private makeSlider(track: HTMLElement, i: number, label: string): void {
    const { min, max, step = 1 } = this.options;
    set(track, {
      role: "slider",
      tabindex: 0,
      "aria-label": label,
      "aria-valuemin": min,
      "aria-valuemax": max,
      "aria-orientation": "vertical",
    });
    const change = (value: number): void => {
      const rounded = Math.round(value / step) * step;
      this.options.changed!(i, Math.max(min, Math.min(max, Number(rounded.toFixed(6)))));
    };
    const toPointer = ({ clientY }: PointerEvent): void => {
      const { bottom, height } = track.getBoundingClientRect();
      change(min + ((bottom - clientY) / height) * (max - min));
    };
    track.addEventListener("pointerdown", (event) => {
      track.setPointerCapture(event.pointerId);
      toPointer(event);
    });
    track.addEventListener("pointermove", (event) => {
      if (track.hasPointerCapture(event.pointerId)) toPointer(event);
    });
    track.addEventListener("keydown", (event) => {
      const value = this.values[i];
      const targets: Record<string, number> = {
        ArrowUp: value + step,
        ArrowRight: value + step,
        ArrowDown: value - step,
        ArrowLeft: value - step,
        PageUp: value + 10 * step,
        PageDown: value - 10 * step,
        Home: min,
        End: max,
      };
      const target = targets[event.key];
      if (target === undefined) return;
      event.preventDefault();
      change(target);
    });
  }
}
