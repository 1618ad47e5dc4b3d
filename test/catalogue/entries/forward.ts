// What functions of logits share, and the products with their Jacobians: how a call is drawn and measured.
import type { Row } from "../../accuracy/row.js";
import { defined, drawArray, presentation, show } from "../../inputs/draw.js";
import { type Container, copyOf, toContainer, type Values } from "../../inputs/values.js";
import { EXACT, flatten, type Layout, type Rounding, rowsOf } from "../../oracle/oracle.js";
import { multiply, type Real, real, sum } from "../../oracle/real.js";
import { result } from "../right.js";
import {
  type Call,
  type Entry,
  type FunctionName,
  type Given,
  LAYOUT,
  type Measured,
  type Op,
  type Wanted,
} from "./entry.js";

interface Forward {
  readonly name: FunctionName;
  /** The results that are never −0. */
  readonly positive?: readonly string[];
  /** Those that are measured; absent if the function has none. */
  readonly temperatures?: readonly number[];
  /** Whether a row has one result. */
  readonly isReduced?: boolean;
  readonly row: (x: readonly number[], temperature: number, rounding: Rounding) => Real[];
  readonly bound: Measured["bound"];
  readonly want: (row: Row) => Wanted[];
}

export function forward(of: Forward): Entry {
  const { name, temperatures, isReduced, bound, want } = of;
  return {
    positional: ["x"],
    options: [...LAYOUT, ...(temperatures ? ["temperature"] : []), "out"],
    ...(isReduced ? { own: { out: ({ rows }) => result(rows) } } : {}),
    ops: [forwardOp(of)],
    measured: (temperatures ?? [1]).map((temperature) => ({
      name: temperature === 1 ? name : `${name}, temperature`,
      bound,
      temperature,
      run: (f, { x, shape }) => (f[name] as Call<Values>)(x, temperature === 1 ? { shape } : { shape, temperature }),
      want,
    })),
  };
}

function forwardOp({ name, positive = [], temperatures, isReduced, row }: Forward): Op {
  return {
    name,
    positive,
    draw(problem) {
      const { layout, container, random } = problem;
      const x = drawArray(problem);
      const temperature = temperatures && random.pick([undefined, undefined, 1, 0.5, 0.1, 2, 10]);
      const options = { ...presentation(random, layout, "function"), ...defined({ temperature }) };
      const resultLayout = isReduced ? { ...layout, classes: 1 } : layout;
      const out = random.pick(isReduced ? ["none", "fresh"] : ["none", "fresh", "in place"]);
      return {
        describe: () => `${name}(${show(x)}, ${show(options)}), out: ${out}`,
        run(api) {
          const input = copyOf(x);
          const y = (api[name] as Call<Values>)(input, {
            ...options,
            ...outOption(out, input, resultLayout, container),
          });
          return { y };
        },
        expected(rounding) {
          const rows = rowsOf(x, layout).map((xr) => row(xr, temperature ?? 1, rounding));
          return { y: flatten(rows, resultLayout) };
        },
        x: Array.from(x),
      };
    },
  };
}

interface Product {
  readonly name: FunctionName;
  readonly forward: (x: readonly number[], temperature: number, rounding: Rounding) => Real[];
  readonly row: (y: readonly number[], dy: readonly number[], rounding: Rounding) => Real[];
  /** What rounding y may change, in u, where that is more than what the result itself may be off. */
  readonly sensitivity?: (y: number, dy: number) => number;
  /** What y is in a batch. */
  readonly of: "y" | "logY";
  readonly want: (y: Given["y"], dy: Given["dy"]) => Wanted[];
}

/** A vector–Jacobian product. */
export function product(given: Product): Entry {
  const { name, of, want } = given;
  return {
    first: "y",
    positional: ["x", "dy"],
    options: [...LAYOUT, "out"],
    ops: [productOp(given)],
    measured: [
      {
        name,
        bound: { f32: 4, f64: 4 },
        run: (f, { dy, shape, ...batch }) => (f[name] as Call<Values>)(batch[of], dy, { shape }),
        want: (_, { dy, ...row }) => want(row[of], dy),
      },
    ],
  };
}

function productOp({ name, forward, row, sensitivity }: Product): Op {
  return {
    name,
    gradient: "dx",
    draw(problem) {
      const { layout, container, random } = problem;
      const x = drawArray(problem);
      const forwardFlat = (x: ArrayLike<number>) => {
        const rows = rowsOf(x, layout).map((xr) => forward(xr, 1, EXACT));
        return flatten(rows, layout);
      };
      const exact = forwardFlat(x).map(({ hi }) => hi);
      const y = toContainer(exact, container);
      const dy = drawArray({ ...problem, values: random.pick(["normal", "equal"] as const) });
      const options = presentation(random, layout, "function");
      const out = random.pick(["none", "fresh", "in place", "over dy"]);
      return {
        describe: () => `${name}(${show(y)}, ${show(dy)}, ${show(options)}), out: ${out}`,
        run(api) {
          const [input, upstream] = [copyOf(y), copyOf(dy)];
          const target = out === "over dy" ? { out: upstream } : outOption(out, input, layout, container);
          return { dx: (api[name] as Call<Values>)(input, upstream, { ...options, ...target }) };
        },
        expected(rounding) {
          const dyRows = rowsOf(dy, layout);
          const rows = rowsOf(y, layout).map((yr, r) => row(yr, dyRows[r]!, rounding));
          return { dx: flatten(rows, layout) };
        },
        x: Array.from(x),
        slack: Array.from(y, (yi, i) => sensitivity?.(yi, dy[i]!) ?? 0),
        objective: (x) => sum(forwardFlat(x).map((value, i) => multiply(value, real(dy[i]!)))),
      };
    },
  };
}

function outOption(out: string, input: Values, layout: Layout, container: Container): { out?: Values } {
  if (out === "none") return {};
  const { outer, classes, inner } = layout;
  return { out: out === "fresh" ? toContainer(Array<number>(outer * classes * inner).fill(-99), container) : input };
}
