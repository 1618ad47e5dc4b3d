// The benchmark can be trusted: wrong results are refused, contenders take turns, and all jobs come out right on every backend.

import { execFileSync } from "node:child_process";
import * as baseline from "softmargin/baseline";
import { expect, test } from "vitest";
import { byHand } from "../../bench/byHand.js";
import { type Data, makeData } from "../../bench/data.js";
import { type Expected, errorOf, expectedOf, JOBS, type JobName } from "../../bench/jobs.js";
import { allLines, anyShape, engineLines, peerLines, screenLines } from "../../bench/lines.js";
import { measure, speedup, timing } from "../../bench/measure.js";
import { tally } from "../../bench/print.js";
import { disturbed, type Entrant, type LineResult, onArrays, runLine } from "../../bench/run.js";
import { remarks, screenRow } from "../../bench/screen.js";
import { onEveryBackend } from "../catalogue/backends.js";

const jobs = Object.keys(JOBS) as JobName[];
const NO_LINE: LineResult = {
  section: "",
  job: "softmax",
  type: "f32",
  shape: [1, 2, 3],
  times: {},
  yardstick: 1,
  speedups: {},
  errors: {},
  targets: [],
};
const small = { outer: 3, classes: 5, inner: 2 };
const sizeOf = (job: JobName) => (JOBS[job].layer ? { ...small, inner: 1, features: 7 } : small);

onEveryBackend((backend) => {
  test.each(jobs)("%s", (job) => {
    for (const type of ["f32", "f64"] as const) {
      const data = makeData(type, sizeOf(job));
      for (const fresh of [false, true]) {
        const result = JOBS[job].prepare(backend.api, data, fresh)();
        expect(errorOf(result, expectedOf(job, data), data)).toBeLessThan(type === "f32" ? 1e-6 : 1e-12);
        const array = typeof result === "object" && "grad" in result ? result.grad : result;
        // What is of another type has an array of its own.
        if (ArrayBuffer.isView(array) && array.constructor === data.out.constructor)
          expect(array.buffer === data.out.buffer).toBe(!fresh);
      }
    }
  });
});

test.each(jobs)("%s by hand", async (job) => {
  for (const type of ["f32", "f64"] as const) {
    for (const size of [sizeOf(job), { ...sizeOf(job), inner: 1 }]) {
      const data = makeData(type, size);
      const line = { ...size, section: "", job, type, workspace: false, targets: [] };
      const { run } = (await byHand.prepare(line, data))!;
      expect(errorOf(await run(), expectedOf(job, data), data)).toBeLessThan(byHand.tolerance[type]);
    }
  }
});

test("a result that is off anywhere is refused", () => {
  const data = makeData("f64", small);
  const expected = expectedOf("softmax", data);
  const right = Float64Array.from(rightOf(expected, data));
  expect(errorOf(right, expected, data)).toBe(0);
  for (const wrong of [Number.NaN, 0.5]) {
    for (let i = 0; i < right.length; i++) {
      const result = right.slice();
      result[i] = wrong;
      expect(errorOf(result, expected, data)).toBeGreaterThan(1e-3);
    }
  }
  expect(errorOf(right.subarray(1), expected, data)).toBe(Number.POSITIVE_INFINITY);
  expect(errorOf(1.5, { loss: 1 }, data)).toBe(0.5);
});

test("a line with a wrong contender is not timed", async () => {
  const line = {
    ...small,
    section: "",
    job: "softmax",
    type: "f32",
    workspace: false,
    targets: [],
  } as const;
  const zeros: Entrant = onArrays("zeros", {
    ...baseline,
    softmax: ((x: Float32Array) => x.slice().fill(0)) as never,
  });
  await expect(runLine(line, [zeros], { rounds: 1, batchMs: 1, warmupMs: 1 })).rejects.toThrow("zeros is off by 1");
});

test("a line says by how much, and which of its aims are met", async () => {
  const line = { ...small, section: "", job: "softmax", type: "f32", workspace: false } as const;
  const targets = [
    { contender: "b", over: "a", atLeast: 0 },
    { contender: "b", over: "a", atLeast: 1e9 },
    { contender: "absent", over: "a", atLeast: 0 },
  ];
  const entrants = [onArrays("a", baseline), onArrays("b", baseline, true)];
  const result = await runLine({ ...line, targets }, entrants, { rounds: 3, batchMs: 1, warmupMs: 1 }, "b");
  expect(result.targets.map(({ met }) => met)).toEqual([true, false]);
  expect(result.speedups["a"]).toBe(1);
  expect(result.ahead!["b"]).toBe(1);
  expect(result.ahead!["a"]).toBe(result.speedups["b"]);
});

test("contenders take turns, each the first one once", async () => {
  const order: string[] = [];
  // A call takes as long as a batch, so that each batch is one call.
  const wait = (name: string) => () => {
    order.push(name);
    for (const end = performance.now() + 2; performance.now() < end; );
  };
  await measure(
    [
      { name: "a", run: wait("a") },
      { name: "b", run: wait("b") },
    ],
    { rounds: 4, batchMs: 2, warmupMs: 0, prepare: () => order.push(" ") },
  );
  expect(order.join("").trimEnd()).toMatch(/ a b b a a b b a$/);
});

test("a line that was measured while the machine was slow is named", () => {
  const lines = [100, 104, 120].map((yardstick) => ({ ...NO_LINE, yardstick }));
  expect(disturbed(lines)).toEqual([{ ...NO_LINE, yardstick: 120 }]);
  expect(tally([lines, [{ ...NO_LINE, yardstick: 200 }]])).toMatch(
    /^0 of 0 aims met\n.*busy.*\n {2}: softmax, f32, 1 × 2 × 3$/,
  );
});

test("figures", () => {
  expect(timing([5, 1, 2, 100])).toEqual({ median: 3.5, min: 1, mad: 2 });
  // The ratio of each round, not of the medians: the machine was three times as slow in the second.
  expect(speedup({ slow: [10, 30, 11], fast: [2, 6, 2] }, "fast", "slow")).toBe(5);
});

test("the screen", () => {
  const time = (median: number) => ({ median, min: median, mad: 0 });
  const fast = {
    ...NO_LINE,
    times: { "by hand": time(4e6), softmargin: time(4e5), "new array": time(9e5) },
    speedups: { "by hand": 2, softmargin: 20 },
  };
  expect(screenRow(fast, 20)).toMatch(/^softmax, \[1, 2, 3\] +4.00 ms +– +400 µs +– {2}█{12} 10.0×$/);
  expect(remarks([fast])).toEqual([
    "Nothing here is slower than by hand.",
    "Into a new array a softmax takes 900 µs, into `out` 400 µs.",
  ]);
  const slow = { ...NO_LINE, yardstick: 2, speedups: { "by hand": 2, softmargin: 1 } };
  expect(remarks([{ ...fast, times: {} }, slow])).toEqual([
    expect.stringContaining("Slower than by hand: softmax, [1, 2, 3] (0.50)."),
    "During 1 of 2 lines the machine was busy with something else.",
  ]);
});

test("each step of the ladder is right to so many digits", () => {
  const printed = execFileSync(process.execPath, ["--import", "tsx", "bench/ladder.ts", "--quick"], {
    encoding: "utf8",
  });
  const errors = [...printed.matchAll(/^\| \d\. [^|]*\| (\S+) \| (\S+) \|/gm)].map(([, ...both]) => both.map(Number));
  const [formula, subtracted, rounded, exact, library] = errors as [number, number][];
  expect(errors).toHaveLength(5);
  expect(formula![1]).toBeNaN();
  for (const error of subtracted!) expect(error).toBeLessThan(2);
  expect(rounded![0]).toBeGreaterThan(2 * exact![0]);
  for (const error of library!) expect(error).toBeLessThan(3);
});

test("no line is asked twice", () => {
  for (const lines of [allLines(1e6), anyShape(), engineLines(1e6), peerLines(1e6), screenLines(1e6)]) {
    const keys = lines.map(({ job, type, outer, classes, inner, logits }) =>
      [job, type, outer, classes, inner, logits].join(),
    );
    expect(new Set(keys).size).toBe(keys.length);
  }
});

function rightOf({ values }: Expected, data: Data): number[] {
  const right: number[] = [];
  for (let o = 0; o < data.outer; o++) {
    for (let j = 0; j < data.classes; j++) {
      for (let i = 0; i < data.inner; i++) right.push(values![(o * data.inner + i) % data.distinct]![j]!);
    }
  }
  return right;
}
