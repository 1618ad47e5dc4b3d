// Judges modules by the conformance tests' own shapes, arguments and tolerances, in a process that can be killed. What the oracle says
// is the same for every module and is worked out once, which makes this a hundred times faster than to start the test runner.

import { create } from "softmargin/wasm";
import { ops } from "../../test/catalogue/functions.js";
import { random } from "../../test/inputs/random.js";
import { shapes } from "../../test/inputs/shapes.js";
import { valueClasses } from "../../test/inputs/values.js";
import { DOUBLE, expectClose, SINGLE } from "../../test/oracle/expectClose.js";

/** Every length on its own, in batches that end in a full and in a partial vector, and along an inner axis. */
const layouts = [
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
      return { op, trial, rounding, want: Object.entries(trial.expected(rounding)) };
    }),
  ),
);

/** What is found to be wrong first. */
function judge(bytes: Uint8Array): string | undefined {
  try {
    const api = create(bytes);
    for (const { op, trial, rounding, want } of problems) {
      const got = trial.run(api);
      for (const [name, expected] of want) {
        const positiveZeros = op.positive?.includes(name) ?? false;
        expectClose(got[name]!, expected, rounding, () => `${name} of ${trial.describe()}`, { positiveZeros });
      }
    }
    return undefined;
  } catch (error) {
    return String(error);
  }
}

process.on("message", (bytes: Uint8Array) => process.send!({ fault: judge(bytes) }));
process.send!({});
