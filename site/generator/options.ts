// The options of a function, with their types and what src/options.ts says of them; and the types that they and the arguments have.

import ts from "typescript";

export interface Option {
  readonly name: string;
  readonly type: string;
  readonly says: string;
}

/** All that the type of a parameter has, wherever it is declared. */
export function optionsOf(parameter: ts.ParameterDeclaration, checker: ts.TypeChecker): Option[] {
  const type = checker.getNonNullableType(checker.getTypeAtLocation(parameter));
  return checker.getPropertiesOfType(type).map((property) => {
    const declared = property.declarations?.find(ts.isPropertySignature)?.type;
    return {
      name: property.name,
      type: declared ? withoutParameters(declared, checker).replace(/ \| undefined$/, "") : "",
      says: ts.displayPartsToString(property.getDocumentationComment(checker)),
    };
  });
}

/** A type parameter says nothing by itself: what it must be does. */
function withoutParameters(node: ts.TypeNode, checker: ts.TypeChecker): string {
  if (!ts.isUnionTypeNode(node)) {
    const symbol = ts.isTypeReferenceNode(node) ? checker.getSymbolAtLocation(node.typeName) : undefined;
    const parameter = symbol?.declarations?.find(ts.isTypeParameterDeclaration);
    const must = parameter?.constraint ?? parameter?.default;
    return must ? withoutParameters(must, checker) : node.getText();
  }
  return node.types.map((member) => withoutParameters(member, checker)).join(" | ");
}

/** The exported type aliases of files, as options and arguments are made of them. */
export function typesIn(files: readonly ts.SourceFile[]): Option[] {
  return files
    .flatMap(({ statements }) => statements.filter(ts.isTypeAliasDeclaration))
    .filter(({ modifiers }) => modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword))
    .map((alias) => ({
      name: alias.name.text,
      type: alias.type.getText().replace(/\s+/g, " "),
      says: (ts.getJSDocCommentsAndTags(alias)[0]?.comment as string | undefined) ?? "",
    }));
}
