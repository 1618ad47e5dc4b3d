// A page for each function, from its comment in src/api.ts and the types of its options. A comment that leaves out what a user must know is an error.

import { join } from "node:path";
import temml from "temml";
import ts from "typescript";
import { root } from "../../scripts/setup.js";
import { codeBlock, escaped } from "./code.js";
import { markdown } from "./documents.js";
import type { Page } from "./frame.js";
import { ABOUT } from "./functions.js";
import { accuracyOf, timeOf } from "./measured.js";
import { type Option, optionsOf, typesIn } from "./options.js";

interface Described {
  readonly name: string;
  readonly says: string;
  /** The texts of its tags; those of `param` by the parameter's name. */
  readonly tags: ReadonlyMap<string, string>;
  readonly params: ReadonlyMap<string, string>;
  readonly signatures: readonly string[];
  readonly options: readonly Option[];
}

/** They take and return no numbers. docs/api.md tells of them. */
const NOT_OF_NUMBERS = ["ready", "createWorkspace"];
const REQUIRED = ["shape", "special", "throws", "example"];

export function reference(): Page[] {
  const program = ts.createProgram([join(root, "src", "api.ts")], { module: ts.ModuleKind.NodeNext, strict: true });
  const source = (name: string): ts.SourceFile => program.getSourceFile(join(root, "src", name))!;
  const functions = describe(source("api.ts"), program.getTypeChecker());
  const pages = functions.map(
    (one): Page => ({
      path: `reference/${one.name}.html`,
      title: one.name,
      description: `softmargin's ${one.name}: formula, shapes, options, special values, errors, accuracy, cost.`,
      body: pageOf(one),
    }),
  );
  const rows = functions.map(({ name, says }) => [
    `<a href="${name}.html">${code(name)}</a>`,
    text(firstSentence(says)),
  ]);
  const types = typesIn([source("options.ts"), source("functions/reduction.ts")]);
  const body = `<h1>Reference</h1>
<p class="lead">Every function takes flat arrays and, last, options. What holds for all of them, shapes and axes, kinds of arrays, means, weights, workspaces, is in <a href="../docs/api.html">API</a>.</p>
${table(["function", "what it is"], rows)}
<h2>Types</h2>
${table(["type", "what it is", "declared as"], types.map(typeRow))}`;
  return [
    { path: "reference/index.html", title: "Reference", description: "Every function of softmargin.", body },
    ...pages,
  ];
}

function pageOf({ name, says, tags, params, signatures, options }: Described): string {
  const about = ABOUT[name];
  if (!about) throw new Error(`site/generator/functions.ts says nothing about ${name}`);
  const said = (tag: string): string => (tags.has(tag) ? `<p>${sentence(tags.get(tag)!)}</p>` : "");
  const parts = {
    Example: codeBlock(tags.get("example")!),
    Arguments: table(
      ["name", "what it is"],
      [...params].map(([param, what]) => [code(param), text(what)]),
    ),
    Options: table(["name", "type", "what it says"], options.map(optionRow)),
    Returns: said("returns"),
    Shapes: `<p>${text(tags.get("shape")!)}</p>`,
    "Special values": said("special"),
    Errors: said("throws"),
    Accuracy: accuracyOf(about.figure),
    Cost: `<p>${sentence(`${about.cost}.${timeOf(about.job)}`)}</p>`,
    "In PyTorch": codeBlock(about.torch),
    See: said("see"),
  };
  const math = temml.renderToString(about.formula, { displayMode: true, throwOnError: true });
  return `<article class="function"><h1>${code(name)}</h1>
<p class="lead">${text(says)}</p>
<div class="formula">${math.replace(/ (?:style|class)="[^"]*"/g, "")}</div>
${codeBlock(signatures.join("\n"))}
${Object.entries(parts)
  .filter(([, html]) => html !== "")
  .map(([title, html]) => `<h2>${title}</h2>\n${html}`)
  .join("\n")}
</article>`;
}

function describe(file: ts.SourceFile, checker: ts.TypeChecker): Described[] {
  const members = file.statements
    .filter(ts.isInterfaceDeclaration)
    .filter(({ name }) => ["Functions", "Softmargin"].includes(name.text))
    .flatMap((declaration) => declaration.members.filter(ts.isMethodSignature))
    .filter(({ name }) => !NOT_OF_NUMBERS.includes(name.getText()));
  const described = new Map<string, Described>();
  for (const name of new Set(members.map((member) => member.name.getText()))) {
    const overloads = members.filter((member) => member.name.getText() === name);
    const { says, tags, params } = commentOf(overloads[0]);
    const missing = REQUIRED.filter((tag) => !tags.get(tag));
    if (missing.length > 0) throw new Error(`src/api.ts: ${name} has no ${missing.map((tag) => `@${tag}`).join(", ")}`);
    // What a gradient does not say of its arguments, its function says; and of a layer's, that of the cross-entropy.
    const like = [name.replace(/Grad$/, ""), name.replace("Hinge", "CrossEntropy")].find((other) => other !== name);
    const last = overloads.at(-1)!.parameters;
    const all = last.map((parameter) => parameter.name.getText());
    const known = (param: string): string => params.get(param) ?? described.get(like ?? "")?.params.get(param) ?? "";
    described.set(name, {
      name,
      says,
      tags,
      params: new Map(all.map((param) => [param, known(param)])),
      signatures: overloads.map((member) => member.getText().replace(/^ {2}/gm, "")),
      options: all.at(-1) === "options" ? optionsOf(last.at(-1)!, checker) : [],
    });
  }
  return [...described.values()];
}

function commentOf(member: ts.MethodSignature): Pick<Described, "says" | "tags" | "params"> {
  const comment = ts.getJSDocCommentsAndTags(member).find(ts.isJSDoc);
  const tags = new Map<string, string>();
  const params = new Map<string, string>();
  for (const tag of comment?.tags ?? []) {
    // As it is written: TypeScript takes the first word of some tags for a name.
    const words = tag
      .getText()
      .replace(/^ *\* ?/gm, "")
      .replace(/^@\w+\s*/, "")
      .trim();
    if (ts.isJSDocParameterTag(tag)) params.set(tag.name.getText(), ts.getTextOfJSDocComment(tag.comment) ?? "");
    else tags.set(tag.tagName.text, words);
  }
  return { says: ts.getTextOfJSDocComment(comment?.comment) ?? "", tags, params };
}

// ---- HTML ----

const code = (name: string): string => `<code>${escaped(name)}</code>`;
const optionRow = ({ name, type, says }: Option): string[] => [code(name), code(type), text(says)];
const typeRow = ({ name, type, says }: Option): string[] => [code(name), text(says), code(type)];
const sentence = (says: string): string => text(says).replace(/^[a-z]/, (letter) => letter.toUpperCase());
const firstSentence = (says: string): string => /^.*?(?:\.|$)(?= |$)/s.exec(says.replace(/\s+/g, " "))![0];

function table(head: string[], rows: string[][]): string {
  if (rows.length === 0) return "";
  const lines = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`);
  const titles = head.map((cell) => `<th scope="col">${cell}</th>`).join("");
  return `<div class="wide stack"><table><thead><tr>${titles}</tr></thead><tbody>${lines.join("\n")}</tbody></table></div>`;
}

/** What comments have of Markdown, in one paragraph; x_j and e^x as they are meant; functions that are named as links. */
function text(says: string): string {
  return markdown(says.replace(/\s+/g, " ").replace(/([_*<|])/g, "\\$1"))
    .replace(/^<p>|<\/p>\s*$/g, "")
    .replace(/(?<!\w)([a-zA-ZΣ])_([a-z])(?!\w)/g, "$1<sub>$2</sub>")
    .replace(
      /(?<=[\w)>])\^(?:\(((?:[^()]|\([^()]*\))*)\)|(−?\w+|γ))/g,
      (_, inner, plain) => `<sup>${inner ?? plain}</sup>`,
    )
    .replace(/\b(as|those of|from) (\w+)/g, (all, as, name) =>
      ABOUT[name] ? `${as} <a href="${name}.html">${name}</a>` : all,
    );
}
