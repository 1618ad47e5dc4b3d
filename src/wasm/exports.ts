// What assembly/index.ts exports, as the compiler describes it (build/abi.d.ts).

import type * as abi from "../../build/abi.js";
import { NAMES } from "../../build/abi.js";

type Answers = "heapBase" | "narrow" | "narrowExp";
/** A boolean is 0 or 1, also as an argument: to convert one, V8 takes as long as for the rest of the call. */
type Kernel<F> = F extends (...args: infer A) => infer R
  ? (...args: { [I in keyof A]: number }) => R extends boolean ? number : R
  : never;
type Kernels = { readonly [K in Exclude<keyof typeof abi, Answers | "NAMES">]: Kernel<(typeof abi)[K]> };
/** By the bytes of an element: f32 and f64. */
type PerType = Readonly<Record<4 | 8, number>>;

export interface Exports extends Kernels {
  readonly heapBase: number;
  /** The largest number of classes that a kernel takes with inner > 1; and a kernel that computes exponentials. */
  readonly narrow: PerType;
  readonly narrowExp: PerType;
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
}

/** The exports of an instance. Spread: V8 makes a dictionary of an object that is filled key by key. */
export function readExports(raw: Record<string, unknown>): Exports {
  const memory = raw["memory"] as Partial<Exports["memory"]> | undefined;
  if (typeof memory?.grow !== "function") throw new TypeError("softmargin: not a softmargin module, no memory");
  for (const name of NAMES)
    if (typeof raw[name] !== "function") throw new TypeError(`softmargin: not a softmargin module, no export ${name}`);
  const { heapBase, narrow, narrowExp } = raw as Pick<typeof abi, Answers>;
  return {
    ...(raw as unknown as Exports),
    heapBase: heapBase(),
    narrow: { 4: narrow(4), 8: narrow(8) },
    narrowExp: { 4: narrowExp(4), 8: narrowExp(8) },
  };
}
