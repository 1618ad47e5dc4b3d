// One call of one function of one backend against the oracle.

import type { Problem } from "../inputs/draw.js";
import { expectClose } from "../oracle/expectClose.js";
import { type Backend, roundingOf } from "./backends.js";
import type { Op } from "./ops.js";

export function judge(backend: Backend, op: Op, problem: Problem): void {
  const rounding = roundingOf(backend, problem.container);
  const trial = op.draw(problem);
  const got = trial.run(backend.api);
  for (const [name, want] of Object.entries(trial.expected(rounding))) {
    expectClose(got[name]!, want, rounding, () => `${name} of ${trial.describe()}`, {
      positiveZeros: op.positive.includes(name),
    });
  }
}
