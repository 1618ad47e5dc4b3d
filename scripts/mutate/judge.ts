// Judges modules by the conformance tests' own shapes, arguments and tolerances, in a process that can be killed. What the oracle says
// is the same for every module and is worked out once, which makes this a hundred times faster than to start the test runner.

import { create } from "softmargin/wasm";
import { ops } from "../../test/catalogue/ops.js";
import { random } from "../../test/inputs/random.js";
import { shapes } from "../../test/inputs/shapes.js";
import { valueClasses } from "../../test/inputs/values.js";
import { DOUBLE, expectClose, SINGLE } from "../../test/oracle/expectClose.js";
import type { Layout } from "../../test/oracle/oracle.js";

export interface Verdict {
  /** What was found to be wrong. */
  readonly fault: string | undefined;
  /** Whether any result differs from that of the module given first, be it only in the last bit. */
  readonly differs: boolean;
}

/** Every length on its own, in batches that end in a full and in a partial vector, and along an inner axis. */
const layouts: Layout[] = [
  ...shapes["a row"]!,
  ...shapes["a batch"]!.filter(({ outer, classes }) => outer === (classes % 2 === 0 ? 5 : 17)),
  ...shapes["many rows"]!,
  ...shapes["an inner axis"]!,
];

const problems = ops.flatMap((op) =>
  (["Float32Array", "Float64Array"] as const).flatMap((container) =>
    layouts.map((layout, seed) => {
      const values = valueClasses[seed % valueClasses.length]!;
      const trial = op.draw({ layout, container, values, random: random(seed) });
      const rounding = container === "Float32Array" ? SINGLE : DOUBLE;
      return { op, trial, rounding, want: Object.entries(trial.expected(rounding)), first: new Map<string, number>() };
    }),
  ),
);

function judge(bytes: Uint8Array): Verdict {
  let differs = false;
  try {
    const api = create(bytes);
    for (const { op, trial, rounding, want, first } of problems) {
      const got = trial.run(api);
      for (const [name, expected] of want) {
        const positiveZeros = op.positive.includes(name);
        expectClose(got[name]!, expected, rounding, () => `${name} of ${trial.describe()}`, { positiveZeros });
        const bits = hash(got[name]!);
        if (!first.has(name)) first.set(name, bits);
        else if (first.get(name) !== bits) differs = true;
      }
    }
  } catch (error) {
    return { fault: String(error), differs: true };
  }
  return { fault: undefined, differs };
}

/** FNV-1a over the bits; which NaN it is may change with the engine's tiers. */
function hash(values: ArrayLike<number>): number {
  const words = new Uint32Array(
    Float64Array.from(values, (value) => (Number.isNaN(value) ? Number.NaN : value)).buffer,
  );
  let h = 0x811c9dc5;
  for (const word of words) h = Math.imul(h ^ word, 0x01000193);
  return h;
}

process.on("message", (bytes: Uint8Array) => process.send!(judge(bytes)));
process.send!("ready");
