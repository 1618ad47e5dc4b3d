// Numbers for people.

/** At most `digits` behind the point, powers of ten where that says nothing. */
export function format(x: number, digits = 2): string {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  const size = Math.abs(x);
  const text = size !== 0 && (size >= 1e6 || size < 0.5 * 10 ** -digits) ? x.toExponential(1) : x.toFixed(digits);
  return signed(text);
}

/** All digits of a double, or of a single. */
export function exact(x: number, single = false): string {
  if (!Number.isFinite(x)) return format(x);
  return signed(String(single ? Number(x.toPrecision(9)) : x));
}

export const list = (values: ArrayLike<number>, digits = 4): string =>
  `[${Array.from(values, (x) => format(x, digits)).join(", ")}]`;

export const integer = (x: number): string => x.toLocaleString("en-US");

/** Nanoseconds. */
export function duration(ns: number): string {
  const [unit, name] = ns < 1e3 ? [1, "ns"] : ns < 1e6 ? [1e3, "µs"] : ns < 1e9 ? [1e6, "ms"] : [1e9, "s"];
  return `${(ns / unit).toPrecision(3)} ${name}`;
}

const signed = (text: string): string => text.replace(/-/g, "−");
