// Rows for which it matters how their sums are formed, found by search: the usual order, or one rounding more, costs the results that are
// named several units in the last place. And the worst ones found for the many roundings of an f32 cross-entropy whose target is spread.
import { describe, expect, it } from "vitest";
import { onEveryBackend } from "../catalogue/backends.js";
import { random } from "../inputs/random.js";
import { difference, divide, exp, log1p, multiply, type Real, real, subtract, sum } from "../oracle/real.js";

function softmaxOf(x: ArrayLike<number>): Real[] {
  const max = Array.from(x).reduce((a, b) => Math.max(a, b));
  const e = Array.from(x, (value) => exp(difference(value, max)));
  const total = sum(e);
  return e.map((value) => divide(value, total));
}

/** In units in the last place of `size`, of numbers with `bits` after the first one. */
function error(got: number, want: Real, size: number, bits: number): number {
  return Math.abs(subtract(real(got), want).hi) / 2 ** (Math.floor(Math.log2(size)) - bits);
}

/** One of each C with a layout of its own: tiles, a row by itself, wide rows with and without a rest. */
const LENGTHS = [7, 40, 60, 104, 1000, 1003, 10_007, 32_768];

onEveryBackend(({ api }) => {
  const { softmax, softmaxGrad, logSoftmaxGrad, logSumExp, crossEntropy, crossEntropyGrad, hingeGrad } = api;

  describe.each([
    [Float32Array, 2 ** -25],
    [Float64Array, 2 ** -54],
  ] as const)("terms of both signs that cancel, %o", (Kind, small) => {
    it.each(LENGTHS)("logSoftmaxGrad keeps Σ dy of %i classes", (classes) => {
      for (const rows of [1, 5]) {
        // 1 and −1, and between them small numbers, which a sum of four in their own type loses
        const dy = new Kind(rows * classes).map((_, i) => [1, small, -1, small][(((i % classes) + 3) >> 2) & 3]!);
        for (let r = 0; r < rows; r++) dy[r * classes] = 0;
        const total = sum(Array.from(dy.subarray(0, classes), real));
        const y = new Kind(rows * classes).fill(-1);
        for (let r = 0; r < rows; r++) y[r * classes] = 0;
        const dx = logSoftmaxGrad(y, dy, { shape: [rows, classes] });
        const bits = Kind === Float32Array ? 23 : 52;
        for (let r = 0; r < rows; r++)
          expect(error(dx[r * classes]!, real(-total.hi), Math.abs(total.hi), bits)).toBeLessThanOrEqual(2);
      }
    });

    it.each(LENGTHS)("softmaxGrad keeps Σ y·dy of %i classes", (classes) => {
      const y = new Kind(classes).fill(0.25);
      const dy = new Kind(classes).map((_, i) => [1, small, -1, small][((i + 3) >> 2) & 3]!);
      dy[0] = 0;
      const dot = sum(Array.from(dy, (value) => real(value / 4)));
      const got = softmaxGrad(y, dy)[0]!;
      expect(error(got, real(-dot.hi / 4), Math.abs(dot.hi / 4), Kind === Float32Array ? 23 : 52)).toBeLessThanOrEqual(
        2,
      );
    });
  });

  it("softmaxGrad of f32 does not round its products", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const draw = random(seed);
      const y = softmax(Float32Array.from({ length: 1000 }, () => draw.uniform(-1, 1)));
      const dy = y.map(() => draw.uniform(-1, 1));
      // Σ y·dy becomes nearly 0.
      const dotOf = () => sum(Array.from(dy, (value, j) => multiply(real(y[j]!), real(value))));
      dy[0] = 0;
      for (const j of [1, 2]) dy[j]! -= dotOf().hi / y[j]!;
      const want = multiply(real(-y[0]!), dotOf());
      const size = Math.max(Math.abs(want.hi), y[0]! * 2 ** -20);
      expect(error(softmaxGrad(y, dy)[0]!, want, size, 23)).toBeLessThanOrEqual(2);
    }
  });

  it("counts equal scores of more classes than an f32 can count", () => {
    const classes = 2 ** 25 + 64;
    const x = new Float32Array(classes);
    expect(logSumExp(x)).toEqual(Float32Array.of(Math.log(classes)));
    const { loss, grad } = hingeGrad(x, [0], { grad: x });
    expect(loss).toBe(classes - 1);
    expect(grad[0]).toBe(Math.fround(1 - classes));
  });

  it.each([
    [[-3.640625, 2.53125, -0.984375, 1.171875, 3.546875, -2.0625, 0.359375]],
    [[-3.34375, 0.84375, 3.203125, 1.703125, -0.953125, -0.34375, -0.296875, 0.75]],
    [[-3.21875, 2.6875, -0.984375, -2.65625, -3.1875, 0.203125, -1.78125, 3.890625, 2.5625, -3.15625]],
  ])("the f32 probabilities of a short row, within 2 ulp (added up in f32: 2.6 to 2.9), %j", (x) => {
    const want = softmaxOf(x);
    softmax(new Float32Array(x)).forEach((p, j) => {
      expect(error(p, want[j]!, want[j]!.hi, 23)).toBeLessThanOrEqual(2);
    });
  });

  it.each([
    [
      [-0.59375, 0.421875, 0.421875, -0.984375, -0.734375, -0.453125, 0.703125, -0.40625],
      [0.394, 0.142, 0.024, 0.378, 0.572, 0.585, 0.115, 0.218],
    ],
    [
      [0.96875, 0.828125, -0.421875, -0.703125],
      [0.336, 0.612, 0.412, 0.112],
    ],
    // Q / Σ, without what its two sums have lost
    [
      [-0.75, 0.890625, 0.53125, -0.109375],
      [0.788, 0.25, 0.206, 0.27],
    ],
    [
      [0.421875, 0.140625, -0.78125, -0.078125, -0.21875, -0.578125, 0.671875, -0.203125],
      [0.423, 0.69, 0.8, 0.215, 0.656, 0.759, 0.125, 0.932],
    ],
  ])(
    "the f64 gradient with class probabilities, within 2 ulp of its terms (with a rounding more: 3.1 to 4), %j",
    (x, t) => {
      const p = softmaxOf(x);
      const mass = sum(t.map(real));
      const { grad } = crossEntropyGrad(new Float64Array(x), new Float64Array(t), { shape: [t.length] });
      grad.forEach((g, j) => {
        const gained = multiply(p[j]!, mass);
        expect(error(g, subtract(gained, real(t[j]!)), Math.max(gained.hi, t[j]!), 52)).toBeLessThanOrEqual(2);
      });
    },
  );

  it.each([
    [
      "smoothing",
      3.1,
      [
        47.53572463989258, -48.91277313232422, 35.60475158691406, -72.50826263427734, 43.64592742919922,
        44.67223358154297,
      ],
      [1, 0, 0, 0, 0, 0],
      0.1,
      [1, 1, 1, 1, 1, 1],
    ],
    [
      "probabilities, smoothing and weights",
      4.4,
      [3.5819814205169678, 13.16615104675293, 1.4667918682098389, -19.149410247802734, 7.606149196624756],
      [0.00426980247721076, 0.07313816994428635, 0.006246635224670172, 0.12195942550897598, 0.7941712737083435],
      0.40045723937696787,
      [0.04426385834813118, 0.7737789750099182, 0.20406091213226318, 0.45224839448928833, 0.460584431886673],
    ],
  ])(
    "the f32 cross-entropy with %s of a row searched for, within %d ulp",
    (_, atMost, x, t, labelSmoothing, weight) => {
      const f32 = (values: number[]) => Float32Array.from(values);
      const max = Math.max(...x);
      const log = log1p(sum(x.filter((value) => value !== max).map((value) => exp(difference(value, max)))));
      const terms = Array.from(f32(x), (value, j) => {
        const q = (1 - labelSmoothing) * t[j]! + labelSmoothing / x.length;
        return multiply(real(weight[j]! * q), subtract(log, difference(value, max)));
      });
      const want = sum(terms);
      const targets = t.includes(1) ? [t.indexOf(1)] : f32(t);
      const loss = crossEntropy(f32(x), targets, {
        shape: [x.length],
        labelSmoothing,
        weight: f32(weight),
        reduction: "sum",
      });
      expect(error(loss, want, want.hi, 23)).toBeLessThanOrEqual(atMost);
    },
  );
});
