// The changes that could be made to a source file, one at a time: each is one that no right program should survive.
//
// Found in the text, of AssemblyScript or TypeScript, where the formatter leaves spaces around binary operators and none inside generics. Left alone:
// comments, strings, imports, types, and the whole numbers of constants at the top level, which are sizes, where more is as good.

export interface Mutant {
  readonly file: string;
  readonly line: number;
  readonly before: string;
  readonly after: string;
  /** The whole file, changed. */
  readonly text: string;
}

const BLANKED =
  /\/\/.*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|^import [\s\S]*?;$|^export (?:\*|\{)[\s\S]*?;$|^(?:export )?type [\s\S]*?;$|^(?:export )?interface [\s\S]*?^\}$/gm;

const vector = (method: string) => new RegExp(`(?<=\\b(?:v128|[if]\\d+x\\d+)\\.)${method}\\b`, "g");

const OPERATORS: readonly (readonly [RegExp, string | ((found: string) => string)])[] = [
  [/(?<= )\+(?= )/g, "-"],
  [/(?<= )-(?= )/g, "+"],
  [/(?<= )\*(?= )/g, "/"],
  [/(?<= )\/(?= )/g, "*"],
  [/(?<= )\+=(?= )/g, "-="],
  [/(?<= )<<(?= )/g, ">>"],
  [/(?<= )<(?= )/g, ">="],
  [/(?<= )<=(?= )/g, ">"],
  [/(?<= )>(?= )/g, "<="],
  [/(?<= )>=(?= )/g, "<"],
  [/(?<= )===?(?= )/g, (found) => found.replace("=", "!")],
  [/(?<= )!==?(?= )/g, (found) => found.replace("!", "=")],
  [/(?<= )&&(?= )/g, "||"],
  [/(?<= )\|\|(?= )/g, "&&"],
  [vector("add"), "sub"],
  [vector("sub"), "add"],
  [vector("mul"), "add"],
  [vector("div"), "mul"],
  [vector("pmax"), "pmin"],
  [vector("lt"), "ge"],
  [vector("gt"), "le"],
  [vector("eq"), "ne"],
  [vector("and"), "or"],
  [vector("neg"), "abs"],
  // a whole number, and one with a fraction: a coefficient
  [/(?<![\w.])\d+(?![\w.])/g, (found) => String(Number(found) + 1)],
  [/(?<![\w.])\d+\.\d+(?:e[+-]?\d+)?(?!\w)/g, (found) => String(Number(found) * 1.0625)],
  // a statement that stands by itself: a call or an assignment, not the declaration of a name
  [
    /^ +(?!const |let |return|throw|super)[\w.]+(?:<\w+>)?(?:\(.*\)| [-+*/|&]?= .*);$/gm,
    (found) => found.replace(/\S.*/, ";"),
  ],
];

/** Every mutant of a file. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const code = source.replace(BLANKED, (text) => text.replace(/\S/g, " "));
  return OPERATORS.flatMap(([pattern, change]) =>
    Array.from(code.matchAll(pattern)).flatMap(({ 0: found, index }): Mutant[] => {
      const from = source.lastIndexOf("\n", index) + 1;
      const to = source.indexOf("\n", index);
      const before = source.slice(from, to);
      if (/^\d+$/.test(found) && /^(export )?const /.test(before)) return [];
      const changed = typeof change === "string" ? change : change(found);
      const text = source.slice(0, index) + changed + source.slice(index + found.length);
      const after = text.slice(from, to + changed.length - found.length);
      return [{ file, line: source.slice(0, from).split("\n").length, before, after, text }];
    }),
  );
}
