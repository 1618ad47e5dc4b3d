// One call of one function against the oracle.

import type { Problem } from "../inputs/draw.js";
import { expectClose } from "../oracle/expectClose.js";
import type { Rounding } from "../oracle/oracle.js";
import { type Backend, roundingOf } from "./backends.js";
import type { Op, Trial } from "./entries/entry.js";

/** A call that any backend may be asked for: what the oracle says is worked out once for all that round alike. */
export function question(op: Op, problem: Problem): (backend: Backend) => void {
  const trial = op.draw(problem);
  const answers = new Map<Rounding, ReturnType<Trial["expected"]>>();
  return (backend) => {
    const rounding = roundingOf(backend, problem.container);
    const answer = answers.get(rounding) ?? trial.expected(rounding);
    answers.set(rounding, answer);
    const got = trial.run(backend.api);
    for (const [name, want] of Object.entries(answer)) {
      expectClose(got[name]!, want, rounding, () => `${name} of ${trial.describe()}`, {
        positiveZeros: op.positive?.includes(name) ?? false,
      });
    }
  };
}

export function judge(backend: Backend, op: Op, problem: Problem): void {
  question(op, problem)(backend);
}
