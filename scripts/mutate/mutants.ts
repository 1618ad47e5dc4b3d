// All the small changes that could be made to a source file, one at a time: AssemblyScript or TypeScript.
//
// A token is enough to tell what can be changed, since the formatter leaves spaces around binary operators and none inside casts and
// generics. Comments, strings, imports, declarations of types and decorators are left alone; so are the sizes and alignments given to
// memory.data, where more room is as good.

export interface Mutant {
  readonly file: string;
  readonly start: number;
  readonly before: string;
  readonly after: string;
}

interface Token {
  readonly kind: "number" | "word" | "operator" | "punctuation";
  readonly text: string;
  readonly start: number;
}

const SKIPPED =
  /\/\/.*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|(?<=[(=,:] ?)\/(?:[^/\\\n]|\\.)+\/[a-z]*|@[a-z]+$|\s+/my;
const DECLARATION =
  /^import [\s\S]*?;$|^export (?:type )?(?:\*|\{)[\s\S]*?;$|^(?:export )?type [\s\S]*?;$|^(?:export )?interface [\s\S]*?^\}$/my;
const TOKENS: [Token["kind"], RegExp][] = [
  ["number", /0x[\da-f]+|\d+(?:\.\d+)?(?:e[+-]?\d+)?/iy],
  ["word", /[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*/y],
  [
    "operator",
    />>>=|===|!==|>>>|<<=|>>=|\*\*|&&=|\|\|=|\?\?=|=>|<=|>=|==|!=|&&|\|\||\?\?|\?\.|\+\+|--|\+=|-=|\*=|\/=|<<|>>|[-+*/%<>&|^!=~?]/y,
  ],
  ["punctuation", /./y],
];

function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < source.length; ) {
    const skipped = match(DECLARATION, source, at) ?? match(SKIPPED, source, at);
    if (skipped !== undefined) {
      at += skipped.length;
      continue;
    }
    for (const [kind, pattern] of TOKENS) {
      const text = match(pattern, source, at);
      if (text === undefined) continue;
      tokens.push({ kind, text, start: at });
      at += text.length;
      break;
    }
  }
  return tokens;
}

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  const text = pattern.exec(source)?.[0];
  return text === "" ? undefined : text;
}

/** With a space on both sides. */
const BINARY: Record<string, string[]> = {
  "+": ["-"],
  "-": ["+"],
  "*": ["/"],
  "/": ["*"],
  "%": ["*"],
  "<<": [">>"],
  ">>": ["<<"],
  ">>>": [">>"],
  "&": ["|"],
  "|": ["&"],
  "&&": ["||"],
  "||": ["&&"],
  "??": ["&&"],
  "<": ["<=", ">"],
  "<=": ["<", ">"],
  ">": [">=", "<"],
  ">=": [">", "<"],
  "==": ["!="],
  "!=": ["=="],
  "===": ["!=="],
  "!==": ["==="],
  "+=": ["-="],
  "-=": ["+="],
  "*=": ["/="],
  "/=": ["*="],
};

/** Anywhere. */
const UNARY: Record<string, string> = { "++": "--", "--": "++", "!": "" };

const WORDS: Record<string, string> = {
  true: "false",
  false: "true",
  min: "max",
  max: "min",
  Infinity: "0",
  NaN: "0",
  continue: "",
};

/** The last part of v128.add, i64x2.shuffle, Math.min, … */
const METHODS: Record<string, string> = {
  add: "sub",
  sub: "add",
  mul: "add",
  div: "mul",
  min: "max",
  max: "min",
  pmin: "pmax",
  pmax: "pmin",
  lt: "le",
  le: "lt",
  gt: "ge",
  ge: "gt",
  eq: "ne",
  ne: "eq",
  and: "or",
  or: "and",
  xor: "or",
  andnot: "and",
  shl: "shr_u",
  shr_u: "shl",
  shr_s: "shl",
  floor: "ceil",
  neg: "abs",
};
const VECTORS = /^(?:v128|[if]\d+x\d+|Math)\.(\w+)$/;

/** Every mutant of a file. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const tokens = tokenize(source);
  const isKernel = file.startsWith("assembly/");
  const mutants: Mutant[] = [];
  for (const [i, token] of tokens.entries()) {
    const { kind, text, start } = token;
    const add = (after: string, before = text) => mutants.push({ file, start, before, after });
    const spaced = source[start - 1] === " " && /\s/.test(source[start + text.length] ?? "");

    if (kind === "number") {
      const isType = !isKernel && (tokens[i - 1]?.text === "|" || tokens[i + 1]?.text === "|");
      if (!isType && !isSize(tokens, i)) for (const after of numbers(text)) add(after);
    } else if (kind === "word") {
      const method = VECTORS.exec(text)?.[1];
      if (method !== undefined && METHODS[method] !== undefined) add(text.replace(/\w+$/, METHODS[method]));
      else if (/^(?:min|max)$/.test(text) ? source[start + 3] === "(" : WORDS[text] !== undefined) add(WORDS[text]!);
      else if (text === "if") {
        const condition = parenthesised(source, start + text.length);
        if (condition !== undefined && !/[<>=!]/.test(condition.replace(/<[A-Za-z]\w*>/g, ""))) {
          mutants.push({
            file,
            start: source.indexOf("(", start),
            before: `(${condition})`,
            after: `(!(${condition}))`,
          });
        }
      }
    } else if (kind === "operator") {
      // in TypeScript types are joined by | and &
      if (spaced && (isKernel || !/^[|&]$/.test(text))) for (const after of BINARY[text] ?? []) add(after);
      // what follows a value is TypeScript's assertion, not a negation
      else if (text === "!" && /[\w)\]]/.test(source[start - 1] ?? "")) continue;
      else if (UNARY[text] !== undefined && !spaced) add(UNARY[text]);
      else if (text === "-" && !/\s/.test(source[start + 1] ?? "")) add("");
    }
  }
  return mutants;
}

function numbers(text: string): string[] {
  if (/^0x/i.test(text)) return [`0x${(BigInt(text) ^ 1n).toString(16)}`];
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value === 0 ? ["1"] : [`${value + 1}`, `${value - 1}`];
  return [`${value * (1 + 1 / 16)}`, `-${text}`];
}

/** Whether a number is an argument of memory.data(size, align), outside an array of values. */
function isSize(tokens: readonly Token[], i: number): boolean {
  let j = i;
  while (j > 0 && /^[\d,*]|^\w+$/.test(tokens[j - 1]!.text) && tokens[j - 1]!.text !== "memory.data") j--;
  return tokens[j - 1]?.text === "(" && tokens[j - 2]?.text === "memory.data";
}

/** What the parentheses that begin next enclose, if it is on one line. */
function parenthesised(source: string, from: number): string | undefined {
  const open = source.indexOf("(", from);
  let depth = 0;
  for (let i = open; i < source.length && source[i] !== "\n"; i++) {
    if (source[i] === "(") depth++;
    if (source[i] === ")" && --depth === 0) return source.slice(open + 1, i);
  }
  return undefined;
}

export function applied({ start, before, after }: Mutant, source: string): string {
  return source.slice(0, start) + after + source.slice(start + before.length);
}

/** The line that a mutant changes, as it is, and as it becomes; and its number. */
export function lineOf(mutant: Mutant, source: string): { number: number; before: string; after: string } {
  const from = source.lastIndexOf("\n", mutant.start) + 1;
  const cut = (text: string) => text.slice(from, text.indexOf("\n", mutant.start)).trim();
  return { number: source.slice(0, from).split("\n").length, before: cut(source), after: cut(applied(mutant, source)) };
}
