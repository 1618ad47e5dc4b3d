// Bugs that other libraries had, as they would look here (known-bugs/): each row on every backend, in f32 and f64. The expected values are
// those of the mathematics, or of the thread where it says so; none comes from this library.
import { describe, expect, it } from "vitest";
import { type Api, onEveryBackend } from "../catalogue/backends.js";
import { type Container, toContainer } from "../inputs/values.js";
import type { KnownBug, Want } from "./bug.js";
import { functionBugs } from "./functions.js";
import { lossBugs } from "./losses.js";
import { sigmoidBugs } from "./sigmoids.js";

const TYPES = { f32: "Float32Array", f64: "Float64Array" } as const;

onEveryBackend(({ api }) => {
  describe.each(Object.entries(TYPES))("%s", (type, container) => {
    const rows = [...functionBugs, ...lossBugs, ...sigmoidBugs].filter(
      ({ only }) => only === undefined || only === type,
    );
    it.each(rows.map((bug) => [bug.threads.join(", "), bug.wrong, bug] as const))("%s: %s", (_, __, bug) => {
      const { want } = bug;
      if (typeof want === "object" && "throws" in want) {
        expect(() => call(api, bug, container)).toThrow(
          expect.objectContaining({ name: want.throws, message: expect.stringMatching(want.message) }),
        );
      } else expectWanted(call(api, bug, container), want, container);
    });
  });
});

function call(api: Api, { call: [name, x, second, options], inPlace }: KnownBug, container: Container): unknown {
  const input = toContainer(x, container);
  const args: unknown[] = [input];
  let given = options;
  if (Array.isArray(second)) args.push(/(oftmax|igmoid)Grad$/.test(name) ? toContainer(second, container) : second);
  else if (second !== undefined && "t" in second) args.push(toContainer(second.t as number[], container));
  else given = second as typeof options;
  args.push(inPlace ? { ...given, [inPlace]: input } : given);
  return Reflect.apply(api[name], api, args);
}

function expectWanted(got: unknown, want: Want, container: Container): void {
  if (typeof want === "object" && "grad" in want) {
    const { loss, grad } = got as { loss: unknown; grad: unknown };
    expectNear(loss, want.loss, container);
    expectNear(grad, want.grad, container);
  } else expectNear(got, want as number | number[], container);
}

/** Every number to 8 roundings; NaN, the infinities and what f32 rounds to 0 exactly. A single loss is never −0. */
function expectNear(got: unknown, want: number | readonly number[], container: Container): void {
  const single = container === "Float32Array";
  const wanted = [want].flat().map((x) => (single ? Math.fround(x) : x));
  const results = typeof got === "number" ? [got] : Array.from(got as ArrayLike<number>, (x) => x + 0);
  const near = results.map((x, i) =>
    Math.abs(x - wanted[i]!) <= 8 * (single ? 2 ** -24 : 2 ** -53) * Math.abs(wanted[i]!) && x !== 0 ? wanted[i] : x,
  );
  expect(near).toEqual(wanted);
}
