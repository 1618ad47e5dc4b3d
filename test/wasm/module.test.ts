// What the modules are made of, counted instead of timed: an instruction that costs three in a loop is found here on any machine. Read from
// build/*.wat, the text form of the modules that the same run of the compiler wrote.
//
//   f32x4.max, min   eight instructions on x64, for the NaN and the signed zeros; pmax and pmin are one
//   v128.const       V8 makes it anew at every use in a loop: load, move, unpack. Zeros and ones are one instruction and not counted
//   call             what is called for every element should be part of the loop

import { readFileSync, statSync } from "node:fs";
import { describe, expect, test } from "vitest";

/** Found in the innermost loops of a function, for one type. */
interface Counts {
  readonly constants?: number;
  readonly calls?: number;
}

const REST = "what is in front of the rest of a row: four iterations a row, in the loop of restIn";

/** All that is let through, by function; one that is not named here has nothing in its innermost loops. */
const ALLOWED: Readonly<Record<string, Counts & { readonly because: string }>> = {
  "exp/panelExp": { constants: 1, because: "1, once a vector of rows" },
  "softmax/softmax": { constants: 1, because: "the numerator of the row's factor: one division for two rows" },
  "crossEntropy/crossEntropy": {
    constants: 2,
    because: "ones for absent weights, once a call, in the loops of classWeights",
  },
  "argmax/argmax": { calls: 1, because: "columnsArgmax, once for rows side by side: loops themselves" },
  "hinge/hinge": { constants: 1, calls: 1, because: `${REST}; rowHoldsNaN, for rows that may hold one` },
  "index/topK": { constants: 4, because: `of both types, in floorOfTop: once for each part of a row; ${REST}` },
  "sample/exps": { constants: 1, because: REST },
  "sample/sample": { calls: 2, because: "expSums and weightSums: once for a block of 1024 classes" },
  "index/logSumExp": { calls: 2, because: "of both types: rowHoldsNaN, for rows whose maximum is infinite" },
  "product/product": { calls: 2, because: "pack and column, which are loops themselves" },
  "sigmoid/elementwise": { calls: 1, because: "a block of 2 kB" },
  "binaryCrossEntropy/binaryCrossEntropy": { calls: 1, because: "a block of 2 kB" },
};

/**
 * In bytes: a function that is compiled in twice, or a loop unrolled by the compiler, shows here. Raise them with a reason: what the bytes are for.
 *
 *   45,500   softmax, log-softmax, log-sum-exp, cross-entropy, hinge, with gradients, for f32 and f64
 *   18,500   argmax, of it 1,800 for rows side by side where they lie, 800 for half floats by their bits; topK; sample, of it 900 for a first look at
 *            some of a flat row; half floats
 *   10,500   the products of a linear layer: ten sizes of tile for each type
 *   12,000   sigmoid, log-sigmoid, binary cross-entropy, focal, with gradients: the focal loss of f32 and that of f64 have kernels of their own, one for
 *            speed, one for the digits that a square would lose
 *    2,500   what exponentials and their sums lose to rounding, for the focal loss of a class
 */
const MOST = { simd: 89_500, relaxed: 89_500 };

interface Loop {
  readonly name: string;
  readonly instructions: string[];
  isInnermost: boolean;
}

/** Every loop of a module with the instructions that are in no loop inside it. */
function loopsOf(wat: string): Loop[] {
  const loops: Loop[] = [];
  let name = "";
  // The blocks that are open; a loop, or undefined for a block of another kind.
  let open: (Loop | undefined)[] = [];
  for (const line of wat.split("\n")) {
    const instruction = line.trim();
    const start = /^\(func \$"?([^\s"]+)/.exec(instruction);
    if (start) {
      name = start[1]!;
      open = [];
      continue;
    }
    const around = open.filter((block) => block !== undefined).at(-1);
    if (/^loop\b/.test(instruction)) {
      if (around) around.isInnermost = false;
      const loop = { name, instructions: [], isInnermost: true };
      loops.push(loop);
      open.push(loop);
    } else if (/^(block|if)\b/.test(instruction)) open.push(undefined);
    else if (instruction === "end") open.pop();
    else around?.instructions.push(instruction);
  }
  return loops;
}

const isCostlyConstant = (instruction: string): boolean =>
  /^v128\.const/.test(instruction) &&
  !/^v128\.const i32x4( 0x00000000){4}$|^v128\.const i32x4( 0xffffffff){4}$/.test(instruction);
const isCall = (instruction: string): boolean => /^call(_indirect)?\b/.test(instruction);

const isMaxOrMin = (instruction: string): boolean => /^(f32x4|f64x2)\.(max|min)$/.test(instruction);

/** The functions that have more than is allowed, with what they have. */
function tooMany(
  loops: readonly Loop[],
  counts: (instruction: string) => boolean,
  allowed: (name: string) => number = () => 0,
): Record<string, string> {
  const found = new Map<string, string[]>();
  for (const { name, instructions } of loops) {
    found.set(name, [...(found.get(name) ?? []), ...instructions.filter(counts)]);
  }
  const over = [...found].filter(([name, all]) => all.length > allowed(name));
  return Object.fromEntries(
    over.map(([name, all]) => [name, `${all.length}, allowed ${allowed(name)}: ${[...new Set(all)].join("; ")}`]),
  );
}

/** The row of ALLOWED that a function of the module belongs to. */
function allowanceOf(name: string): Counts {
  return ALLOWED[name.replace(/^assembly\//, "").replace(/(<f(32|64)(,f(32|64))?>|F(32|64))$/, "")] ?? {};
}

describe.each(["simd", "relaxed"] as const)("%s.wasm", (name) => {
  const loops = loopsOf(readFileSync(`build/${name}.wat`, "utf8"));
  const innermost = loops.filter((loop) => loop.isInnermost);

  test("the text form is read as it is meant", () => {
    expect(innermost.length).toBeGreaterThan(50);
    expect(
      innermost.some((loop) => loop.name.includes("panelReduce") && loop.instructions.includes("i32x4.max_u")),
    ).toBe(true);
  });

  test("no max or min in a loop", () => {
    expect(tooMany(loops, isMaxOrMin)).toEqual({});
  });

  test("no constants in an innermost loop", () => {
    const found = tooMany(innermost, isCostlyConstant, (of) => allowanceOf(of).constants ?? 0);
    expect(found, "load them from memory, as exp.ts does").toEqual({});
  });

  test("no calls in an innermost loop", () => {
    const found = tooMany(innermost, isCall, (of) => allowanceOf(of).calls ?? 0);
    expect(found, "@inline what is called, or write the loop without it").toEqual({});
  });

  test("size", () => {
    const { size } = statSync(`dist/${name}.wasm`);
    expect(size, `larger than MOST.${name}: find out why, or raise it with a reason`).toBeLessThan(MOST[name]);
  });
});
