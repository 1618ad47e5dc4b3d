// argmax, topK, sample: goldens and edges; what a `random` of the caller's can do; draws as a whole.
import { describe, expect, it } from "vitest";
import { onEveryBackend } from "../catalogue/backends.js";
import { caught } from "../catalogue/calls.js";
import { random } from "../inputs/random.js";
import { ranking, sampleChoices } from "../oracle/decisions.js";
import { expectNear } from "../oracle/expectClose.js";

const logs = [0.1, 0.2, 0.3, 0.4].map(Math.log);

onEveryBackend(({ api: { argmax, sample, topK, createWorkspace, softmax } }) => {
  const drawn = (u: number, options: object = {}) => sample(logs, { ...options, random: () => u });

  it("goldens", () => {
    expect(argmax([1, 5, 5, 2])).toBe(1);
    expect(topK([1, 5, 5, 2], 3, { values: "logits" })).toEqual({ indices: Int32Array.of(1, 2, 3), values: [5, 5, 2] });
    const { indices, values } = topK([1, 2, 3], 2);
    expect(indices).toEqual(Int32Array.of(2, 1));
    expectNear(values, [0.66524096, 0.24472847]);
    expect([0.05, 0.25, 0.55, 0.95].map((u) => drawn(u))).toEqual([0, 1, 2, 3]);
    expect([0, 0.42, 0.43].map((u) => drawn(u, { topK: 2 }))).toEqual([2, 2, 3]);
  });

  it.each([Float32Array, Float64Array])("few numbers among many −Infinity, wherever they are, %o", (Kind) => {
    for (const classes of [13, 97, 1003]) {
      for (const k of [1, 4, 6, 8]) {
        for (const at of [0, 3, 5, 7, 12]) {
          const x = new Kind(classes).fill(-Infinity);
          x[at] = 1;
          x[at + 1 < classes ? at + 1 : 0] = 2;
          const order = [...x.keys()].sort((i, j) => (x[i] === x[j] ? i - j : x[j]! - x[i]!));
          expect([...topK(x, k, { values: "logits" }).indices]).toEqual(order.slice(0, k));
        }
      }
    }
  });

  // 4096: the entries of a list in an arena that must not grow
  it.each(["float32", "float64"] as const)("in a workspace, rows that are hardly longer than a list, %s", (kind) => {
    for (let n = 4090; n < 4150; n++) {
      const workspace = createWorkspace({ bytes: 8 * n + 64 });
      const x = workspace[kind](n);
      for (let j = 0; j < n; j++) x[j] = j / n;
      const order = [...x.keys()].reverse();
      for (const k of [2000, 4000]) {
        expect([...workspace.topK(x, k, { values: "logits" }).indices]).toEqual(order.slice(0, k));
        expect(workspace.sample(x, { topK: k, random: () => 0 })).toBe(n - k);
        expect(workspace.sample(x, { topK: k, random: () => 1 - 2 ** -53 })).toBe(n - 1);
      }
      for (const options of [{ topP: 0.999999 }, { minP: 1e-9 }])
        expect(workspace.sample(x, { ...options, random: () => 1 - 2 ** -53 })).toBe(n - 1);
    }
  });

  it.each(["float32", "float64"] as const)("in a workspace, many classes of few values, %s", (kind) => {
    const n = 9000;
    const workspace = createWorkspace({ bytes: 8 * n + 64 });
    const x = workspace[kind](n);
    for (const least of [0, -Infinity]) {
      // The k-th largest is one of many that are equal, and is so again when larger ones have come.
      for (let j = 0; j < n; j++) x[j] = j % 5 === 0 ? 1 + (j % 7) : least;
      const order = [...x.keys()].sort((i, j) => (x[i] === x[j] ? i - j : x[j]! - x[i]!));
      for (const k of [2000, 2100, 3000, 4000]) {
        expect([...workspace.topK(x, k, { values: "logits" }).indices]).toEqual(order.slice(0, k));
        const last = Math.max(...order.slice(0, k).filter((j) => x[j]! > -Infinity));
        expect(workspace.sample(x, { topK: k, random: () => 1 - 2 ** -53 })).toBe(last);
      }
    }
  });

  it.each([Float32Array, Float64Array])("classes behind the last whole vectors are cut as the others, %o", (Kind) => {
    const draw = random(21);
    for (let n = 20_001; n < 20_017; n++) {
      const x = Array.from({ length: n }, () => Math.fround(draw.uniform(-0.1, 0.1)));
      const input = new Kind(x);
      const p = softmax(x);
      for (const at of [20_000, n - 1]) {
        // With half of this one's probability more than that of all larger ones, it is the last that stays.
        const larger = p.reduce((sum, pj, j) => (x[j]! > x[at]! ? sum + pj : sum), 0);
        const last = (isKept: (value: number) => boolean) => x.map(isKept).lastIndexOf(true);
        const drawn = (topP: number) => sample(input, { topP, random: () => 1 - 2 ** -53 });
        expect(drawn(larger + p[at]! / 2)).toBe(last((value) => value >= x[at]!));
        expect(drawn(larger - p[at]! / 4)).toBe(last((value) => value > x[at]!));
      }
    }
  });

  it("what a call draws from is what the array holds then, whatever it held in the call before", () => {
    for (const n of [1000, 32_000, 300_000]) {
      for (const bytes of [64, 65_536]) {
        const x = new Float32Array(n);
        x[3] = 50;
        expect(argmax(x)).toBe(3);
        x[3] = 0;
        x[5] = 50;
        expect(createWorkspace({ bytes }).sample(x, { topP: 0.9, random: () => 0.5 })).toBe(5);
        expect(sample(x, { topP: 0.9, random: () => 0.5 })).toBe(5);
      }
    }
  });

  it("a class as improbable as a draw can be is drawn by it alone", () => {
    // e^-18 is 1.5e-8, e^-36 is 2.3e-16
    const last = (x: Float32Array | Float64Array, below1: number) => sample(x, { random: () => 1 - below1 });
    expect([1e-8, 2e-8].map((u) => last(Float32Array.of(0, -18), u))).toEqual([1, 0]);
    expect([2 ** -53, 2 ** -51].map((u) => last(Float64Array.of(0, -36), u))).toEqual([1, 0]);
  });

  it.each([
    [{ topP: 0.65 }, [2, 3]],
    [{ topP: 0.75 }, [1, 2, 3]],
    [{ minP: 0.45 }, [1, 2, 3]],
    [{ minP: 0.55 }, [2, 3]],
    [{ topK: 3, topP: 0.7 }, [2, 3]],
    [{ topK: 100 }, [0, 1, 2, 3]],
    [{ topP: 1e-9 }, [3]],
    [{ minP: 1 }, [3]],
    [{ temperature: 0 }, [3]],
    [{ temperature: 1e-300 }, [3]],
    [{ temperature: 1e300 }, [0, 1, 2, 3]],
  ])("%j leaves %j", (options, left) => {
    const classes = Array.from({ length: 1000 }, (_, i) => drawn(i / 1000, options));
    expect([...new Set(classes)].sort()).toEqual(left);
    // in the order of the classes
    expect(classes).toEqual([...classes].sort());
  });

  it("rows along any axis, one number or an array", () => {
    const x = Float32Array.of(1, 2, 3, 6, 5, 4);
    expect(argmax(x)).toBe(3);
    expect(argmax(x, { shape: [6] })).toEqual(Int32Array.of(3));
    expect(argmax(x, { shape: [2, 3] })).toEqual(Int32Array.of(2, 0));
    expect(argmax(x, { shape: [2, 3], axis: 0 })).toEqual(Int32Array.of(1, 1, 1));

    const out = new Int32Array(2);
    expect(argmax(x, { shape: [2, 3], out })).toBe(out);
    expect(sample(x, { shape: [2, 3], out, temperature: 0 })).toBe(out);
    expect([...topK(x, 1, { shape: [2, 3], axis: 0, values: "logits" }).values]).toEqual([6, 5, 4]);
    expect(argmax(new Float32Array(0), { shape: [0, 3] })).toEqual(new Int32Array(0));
    expect(sample(new Float32Array(0), { shape: [0, 3] })).toEqual(new Int32Array(0));
    expect(topK(new Float32Array(0), 2, { shape: [0, 3] })).toEqual({
      indices: new Int32Array(0),
      values: new Float32Array(0),
    });
  });

  it("NaN counts as the largest, the first of them", () => {
    expect(argmax([1, Number.NaN, Infinity, Number.NaN])).toBe(1);
    const { indices, values } = topK([1, Number.NaN, Infinity, Number.NaN], 3, { values: "logits" });
    expect(indices).toEqual(Int32Array.of(1, 3, 2));
    expect(values).toEqual([Number.NaN, Number.NaN, Infinity]);
    expect(topK([1, Infinity], 2).values).toEqual([Number.NaN, Number.NaN]);
    expect(argmax([-Infinity, -Infinity])).toBe(0);
  });

  it.each([
    [[Number.NaN], /row 0 of x.*x\[0\] = NaN/],
    [[1, Infinity], /x\[1\] = Infinity/],
    [[-Infinity, -Infinity], /above −Infinity/],
  ])("%j cannot be drawn from, and random is not called", (x, message) => {
    let calls = 0;
    const thrown = caught(() => sample(x, { random: () => calls++ }));
    expect(thrown).toBeInstanceOf(RangeError);
    expect(thrown.message).toMatch(message);
    expect(calls).toBe(0);
  });

  describe("random", () => {
    const x = () => Float32Array.from({ length: 300 }, (_, i) => Math.sin(i));
    const shape = [3, 100];

    it("is called once a row, in their order", () => {
      const us = [0.1, 0.5, 0.9];
      let calls = 0;
      const all = sample(x(), { shape, random: () => us[calls++]! });
      expect(calls).toBe(3);
      const single = us.map((u, r) => sample(x().slice(100 * r, 100 * r + 100), { random: () => u }));
      expect([...all]).toEqual(single);
    });

    it("that throws, or gives no number in [0, 1): nothing written, and the next call is right", () => {
      const want = sample(x(), { shape, random: () => 0.5 });
      for (const bad of [1, -1, Number.NaN, 2, "0.5", undefined, null, 0n]) {
        const out = new Int32Array(3).fill(-7);
        let calls = 0;
        const gives = () => (++calls === 3 ? bad : 0.5) as number;
        expect(() => sample(x(), { shape, out, random: gives })).toThrow(
          /^sample: random\(\) must be a number in \[0, 1\), got/,
        );
        expect([...out]).toEqual([-7, -7, -7]);
      }
      const mine = new EvalError("mine");
      expect(
        caught(() =>
          sample(x(), {
            shape,
            random: () => {
              throw mine;
            },
          }),
        ),
      ).toBe(mine);
      expect(sample(x(), { shape, random: () => 0.5 })).toEqual(want);
    });

    it("that calls the library", () => {
      const want = sample(x(), { shape, random: () => 0.25 });
      const busy = () => {
        softmax(new Float32Array(50_000).fill(1));
        sample(new Float32Array(200), { shape: [2, 100], topP: 0.5 });
        return 0.25;
      };
      expect(sample(x(), { shape, random: busy })).toEqual(want);
    });

    it("that takes the logits away, or the room for the result", () => {
      const take = (array: ArrayBufferView) => () => {
        if (array.byteLength > 0) structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
        return 0.5;
      };
      const logits = x();
      expect(() => sample(logits, { random: take(logits) })).toThrow(/^sample: x must not be detached/);
      const out = new Int32Array(3);
      expect(() => sample(x(), { shape, out, random: take(out) })).toThrow(/^sample: out must not be detached/);
    });

    it("that changes the logits: some class, and nothing else", () => {
      for (const value of [Number.NaN, Infinity, -Infinity, 1e38]) {
        for (const options of [{}, { topK: 3 }, { topP: 0.5 }, { minP: 0.5 }, { topK: 50, topP: 0.9, minP: 0.1 }]) {
          const logits = Float32Array.from({ length: 5000 }, (_, i) => Math.sin(i));
          const index = sample(logits, {
            ...options,
            random: () => {
              logits.fill(value);
              return 0.5;
            },
          });
          expect(index).toBeGreaterThanOrEqual(0);
          expect(index).toBeLessThan(5000);
        }
      }
    });
  });

  // 99.9 % of right samplers stay below, with 15 degrees of freedom
  it("draws have the distribution that they should (χ², 10^5 draws)", () => {
    const x = Float32Array.from({ length: 16 }, (_, j) => Math.sin(3 * j) * 2);
    const draw = random(20261129);
    const counts = new Int32Array(16);
    for (let i = 0; i < 100_000; i++) counts[sample(x, { random: () => draw.uniform() })]!++;
    const p = softmax(x);
    const chi = counts.reduce((sum, count, j) => sum + (count - 1e5 * p[j]!) ** 2 / (1e5 * p[j]!), 0);
    expect(chi).toBeLessThan(37.7);
  });

  describe.each([
    ["flat", () => 1.5],
    ["ascending", (j: number) => j / 30_000],
    ["descending", (j: number) => -j / 30_000],
    ["two-valued", (j: number) => j & 1],
    ["Zipf-like", (j: number) => -1.1 * Math.log(((j * 7919) % 30_011) + 1)],
    ["clustered", (j: number) => -(2 ** -((j * 37) % 120))],
    ["normal", (j: number) => random(j).normal() * 3],
  ])("30,011 %s logits", (_, logit) => {
    const x = Float32Array.from({ length: 30_011 }, (_, j) => logit(j));
    const order = ranking(x);
    const workspace = createWorkspace({ bytes: 4 * x.length });
    const inside = workspace.float32(x.length);
    inside.set(x);

    it("topK and argmax", () => {
      expect(argmax(x)).toBe(order[0]);
      for (const k of [1, 5, 50, 700, 20_000]) {
        expect([...topK(x, k, { values: "logits" }).indices]).toEqual(order.slice(0, k));
        expect([...workspace.topK(inside, k, { values: "logits" }).indices]).toEqual(order.slice(0, k));
      }
    });

    it.each([
      {},
      { topK: 50 },
      { topK: 20_000, topP: 0.5 },
      { topP: 0.9 },
      { topP: 0.999 },
      { minP: 0.05 },
      { topP: 0.6, minP: 1e-3 },
    ])("sample %j", (options) => {
      for (const u of [0, 0.123, 0.5, 0.77, 1 - 2 ** -53]) {
        const got = sample(x, { ...options, random: () => u });
        expect(sampleChoices(x, u, options, 1e-6)).toContain(got);
        expect(workspace.sample(inside, { ...options, random: () => u })).toBe(got);
      }
    });
  });
});
