// What chooses among classes. Nothing is measured: a choice is right or wrong, and the values of topK are those of softmax.
import { defined, drawArray, presentation, show } from "../../inputs/draw.js";
import { copyOf, type Values } from "../../inputs/values.js";
import { ranking, type SampleOptions, sampleChoices } from "../../oracle/decisions.js";
import { type Layout, logSoftmax, rowsOf, softmax } from "../../oracle/oracle.js";
import { real } from "../../oracle/real.js";
import type { Right } from "../right.js";
import { type Call, type Entries, LAYOUT, type Op } from "./entry.js";

/** Logits with 0 for what no class can be drawn from. */
export function drawable<A extends Values>(x: A, { classes, inner }: Pick<Layout, "classes" | "inner">): A {
  for (let i = 0; i < x.length; i++) {
    const isFirst = Math.floor(i / inner) % classes === 0;
    if (Number.isNaN(x[i]) || x[i] === Infinity || (isFirst && x[i] === -Infinity)) x[i] = 0;
  }
  return x;
}

const indicesOf = (result: unknown): ArrayLike<number> =>
  typeof result === "number" ? [result] : (result as Int32Array);

const argmax: Op = {
  name: "argmax",
  draw(problem) {
    const { layout, random } = problem;
    const x = drawArray(problem);
    const options = presentation(random, layout, "function");
    return {
      describe: () => `argmax(${show(x)}, ${show(options)})`,
      run: (api) => ({ indices: indicesOf((api.argmax as Call<unknown>)(copyOf(x), options)) }),
      expected: () => ({ indices: rowsOf(x, layout).map((row) => real(ranking(row)[0]!)) }),
      x: Array.from(x),
    };
  },
};

const topK: Op = {
  name: "topK",
  draw(problem) {
    const { layout, random } = problem;
    const x = drawArray(problem);
    const k = random.integer(1, layout.classes);
    const temperature = random.pick([undefined, 1, 0.5, 10]);
    const values = random.pick([undefined, "probabilities", "logProbabilities", "logits"] as const);
    const options = { ...presentation(random, layout, "function"), ...defined({ temperature, values }) };
    return {
      describe: () => `topK(${show(x)}, ${k}, ${show(options)})`,
      run: (api) => ({ ...api.topK(copyOf(x), k, options) }),
      expected(rounding) {
        const rows = rowsOf(x, layout).map((row) => {
          const order = ranking(row).slice(0, k);
          const f = { logits: () => row.map(real), probabilities: softmax, logProbabilities: logSoftmax };
          const all = f[values ?? "probabilities"](row, temperature ?? 1, rounding);
          return order.map((j) => [real(j), all[j]!] as const);
        });
        return { indices: rows.flat().map(([j]) => j), values: rows.flat().map(([, value]) => value) };
      },
      x: Array.from(x),
    };
  },
};

const sample: Op = {
  name: "sample",
  draw(problem) {
    const { layout, container, random } = problem;
    const x = drawable(drawArray(problem), layout);
    // Nearer to a boundary than this share of the sum, either side of it is right.
    const boundary = container === "Float32Array" ? 1e-6 : 1e-12;
    const drawn: SampleOptions = defined({
      temperature: random.pick([undefined, 1, 0.5, 10, 0]),
      topK: random.pick([undefined, undefined, 1, 2, layout.classes, random.integer(1, layout.classes)]),
      topP: random.pick([undefined, undefined, 1, 0.9, 0.5, 0.1]),
      minP: random.pick([undefined, undefined, 0, 0.05, 0.5, 1]),
    });
    // A number for each row that is not on a boundary, if there is one; the largest logit is never on one.
    const decided = (row: readonly number[], restriction: SampleOptions) => {
      for (let i = 0; i < 9; i++) {
        const u = random.uniform();
        const choices = [...sampleChoices(row, u, restriction, boundary)];
        if (choices.length === 1) return { u, choice: choices[0]! };
      }
      return undefined;
    };
    const rows = rowsOf(x, layout);
    const tried = rows.map((row) => decided(row, drawn));
    const restriction: SampleOptions = tried.includes(undefined) ? { temperature: 0 } : drawn;
    const draws = rows.map((row, r) => tried[r] ?? decided(row, restriction)!);
    if (restriction !== drawn) for (const [r, row] of rows.entries()) draws[r] = decided(row, restriction)!;
    const options = { ...presentation(random, layout, "function"), ...restriction };
    return {
      describe: () => `sample(${show(x)}, ${show(options)}), u: ${draws.map(({ u }) => u)}`,
      run(api) {
        const us = draws.map(({ u }) => u).values();
        const given = { ...options, random: () => us.next().value as number };
        return { classes: indicesOf((api.sample as Call<unknown>)(copyOf(x), given)) };
      },
      expected: () => ({ classes: draws.map(({ choice }) => real(choice)) }),
      x: Array.from(x),
    };
  },
};

const ofClasses: Right = { out: ({ rows }) => new Int32Array(rows).fill(-5) };

export const decisions: Entries<"argmax" | "topK" | "sample"> = {
  argmax: { positional: ["x"], options: [...LAYOUT, "out"], own: ofClasses, ops: [argmax], measured: [] },
  topK: { positional: ["x", "k"], options: [...LAYOUT, "temperature", "values"], ops: [topK], measured: [] },
  sample: {
    positional: ["x"],
    options: [...LAYOUT, "temperature", "topK", "topP", "minP", "random", "out"],
    own: ofClasses,
    ops: [sample],
    measured: [],
  },
};
