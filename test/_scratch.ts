import { backends, roundingOf } from "./backends.js";
import { ops } from "./ops.js";
import { random } from "./random.js";
import { containers, valueClasses } from "./values.js";

const L = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const CLASSES = [...L(1, 17), 31, 32, 33, 63, 64, 65, 129];
const layouts = CLASSES.flatMap((classes) =>
  [1, 3, 4, 5].flatMap((outer) => [1, 3, 4].map((inner) => ({ outer, classes, inner }))),
);
const seen = new Map<string, { worst: number; n: number; text: string }>();
const only = process.argv[2];
for (const backend of backends) {
  if (!backend.runs) continue;
  for (const op of ops)
    for (const container of containers.slice(0, 2)) {
      if (only && !`${backend.name} ${op.name} ${container}`.includes(only)) continue;
      const rounding = roundingOf(backend, container);
      for (const [s, layout] of layouts.entries())
        for (const [i, values] of valueClasses.entries()) {
          const trial = op.draw({ layout, container, values, random: random(s * 100 + i + 5000) });
          let got: Record<string, ArrayLike<number>>;
          try {
            got = trial.run(backend.api);
          } catch (e) {
            console.log(backend.name, op.name, trial.describe(), e);
            continue;
          }
          for (const [name, want] of Object.entries(trial.expected(rounding))) {
            for (let k = 0; k < want.length; k++) {
              const w = want[k]!,
                g = got[name]![k]!;
              const nearest = rounding.u === 2 ** -24 ? Math.fround(w.hi) : w.hi;
              let ratio: number;
              if (!Number.isFinite(nearest)) ratio = Object.is(g, nearest) ? 0 : Infinity;
              else if (w.hi === 0 && w.err === 0) ratio = g === 0 ? 0 : Infinity;
              else ratio = Math.abs(g - w.hi - w.lo) / ((w.err + Math.abs(w.hi)) * rounding.u + rounding.tiny);
              if (Object.is(g, -0) && op.positive.includes(name)) ratio = Infinity;
              if (Number.isNaN(ratio)) ratio = Infinity;
              const key = `${backend.name} ${container} ${op.name}.${name} ${values}`;
              const e = seen.get(key) ?? { worst: 0, n: 0, text: "" };
              if (ratio > 1) e.n++;
              if (ratio > e.worst) {
                e.worst = ratio;
                e.text = `[${k}] got ${g} want ${w.hi} err ${w.err} ulps(u) ${Math.abs(g - w.hi - w.lo) / Math.abs(w.hi) / rounding.u} :: ${trial.describe()}`;
              }
              seen.set(key, e);
            }
          }
        }
    }
}
for (const [key, e] of seen)
  console.log(
    `${e.worst > 1 ? "FAIL" : "ok  "} ${e.worst.toFixed(3)} n=${e.n} ${key}${e.worst > 1 ? `\n       ${e.text.slice(0, 120) + " ... " + e.text.slice(-420)}` : ""}`,
  );
