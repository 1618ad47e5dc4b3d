// What losses share: how a call is drawn, with and without its gradient, and what is measured of one.
import type { LossValue } from "../../../src/functions/reduction.js";
import * as inputs from "../../inputs/draw.js";
import type { Random } from "../../inputs/random.js";
import { copyOf, type Values } from "../../inputs/values.js";
import * as oracle from "../../oracle/oracle.js";
import { add, multiply, real, sum } from "../../oracle/real.js";
import type { Call, Entry, Floats, FunctionName, Measured, Op, Trial } from "./entry.js";

/** The entry of the gradient. What is drawn and measured of it is in that of the loss. */
export function withGradient(loss: Entry, outputs: readonly string[] = ["grad"]): Entry {
  return { ...loss, options: [...loss.options, "gradOutput", "accumulate", ...outputs], ops: [], measured: [] };
}

export interface LossOfRows {
  readonly name: FunctionName;
  readonly title?: string;
  readonly targets: "classes" | "probabilities";
  /** Whether the loss of a target at −Infinity is defined by its formula. */
  readonly maskedTargets: boolean;
  options(random: Random): oracle.LossOptions;
  oracle(
    rows: readonly number[][],
    targets: inputs.Targets,
    options: oracle.LossOptions,
    rounding: oracle.Rounding,
  ): oracle.Loss;
}

export function lossOp(of: LossOfRows): Op {
  return {
    name: `${of.title ?? of.name} of ${of.targets}`,
    positive: ["loss", "fusedLoss"],
    gradient: "grad",
    draw(problem) {
      const { layout, random } = problem;
      const options: oracle.LossOptions = {
        ...inputs.drawLossOptions(random, layout),
        ...of.options(random),
        ...(of.targets === "classes"
          ? inputs.defined({ ignoreIndex: inputs.drawIgnoreIndex(random, layout.classes) })
          : {}),
      };
      const { x, targets } = inputs.drawLossArguments(problem, of.targets, of.maskedTargets, options);
      return drawLoss(of.name, problem, {
        x,
        targets: of.targets === "classes" ? targets.indices : targets.distribution,
        given: () => ({ ...inputs.presentation(random, layout, of.targets), ...inputs.inContainers(random, options) }),
        oracle: (at, rounding) => of.oracle(oracle.rowsOf(at, layout), targets, options, rounding),
      });
    },
  };
}

interface DrawnLoss {
  readonly x: Values;
  /** As the API takes them. */
  readonly targets: unknown;
  /** Draws how the API is given the options. */
  given(): inputs.GivenOptions;
  oracle(x: ArrayLike<number>, rounding: oracle.Rounding): oracle.Loss;
}

/** Draws what becomes of the gradient: a new array, one that is given, the logits; added or not. */
export function drawLoss(name: FunctionName, problem: inputs.Problem, { x, targets, ...drawn }: DrawnLoss): Trial {
  const { layout, random } = problem;
  const accumulate = random.chance(0.3);
  const grad = accumulate ? random.pick(["fresh", "in place"]) : random.pick(["none", "fresh", "in place"]);
  const previous = grad === "in place" ? x : inputs.drawArray({ ...problem, values: "normal" });
  const given = drawn.given();
  return {
    describe: () =>
      `${name}(${inputs.show(x)}, ${inputs.show(targets)}, ${inputs.show(given)}), accumulate: ${accumulate}, grad: ${grad}`,
    run(api) {
      const loss = api[name] as Call<LossValue>;
      const lossAndGrad = api[`${name}Grad` as FunctionName] as Call<{ loss: LossValue; grad: Values }>;
      const { gradOutput: _, ...lossOptions } = given;
      const plain = loss(copyOf(x), targets, lossOptions);
      const input = copyOf(x);
      const buffer = grad === "none" ? {} : { grad: grad === "fresh" ? copyOf(previous) : input };
      const fused = lossAndGrad(input, targets, { ...given, ...buffer, ...(accumulate ? { accumulate } : {}) });
      return { loss: asArray(plain), fusedLoss: asArray(fused.loss), grad: fused.grad };
    },
    expected(rounding) {
      const { loss, grad } = drawn.oracle(x, rounding);
      const flat = oracle.flatten(grad, layout);
      return { loss, fusedLoss: loss, grad: accumulate ? flat.map((g, i) => add(g, real(previous[i]!))) : flat };
    },
    x: Array.from(x),
    objective(at) {
      const { objective } = drawn.oracle(at, oracle.EXACT);
      const present = () => sum(at.map((xi, i) => multiply(real(xi), real(previous[i]!))));
      return accumulate ? add(objective, present()) : objective;
    },
  };
}

function asArray(loss: LossValue): ArrayLike<number> {
  if (typeof loss === "number") return [loss];
  return "sum" in loss ? [loss.sum, loss.denominator] : loss;
}

/** A loss of each row or element with some options, or its gradient. The figure's name begins with the function's. */
export function figure(
  name: string,
  bound: Measured["bound"],
  targets: "targets" | "probabilities",
  options: oracle.LossOptions,
  want: Measured["want"],
): Measured {
  const run: Measured["run"] = (f, { x, shape, ...batch }) => {
    const loss = f[name.split(",")[0] as FunctionName] as Call<Floats | { grad: Floats }>;
    const result = loss(x, batch[targets], { shape, reduction: "none", ...options });
    return "grad" in result ? result.grad : result;
  };
  return { name, bound, run, want };
}
