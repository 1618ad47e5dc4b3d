// @assemblyscript/loader as it is needed here, made from its source. It fills in Object.hasOwn, which every engine with SIMD has, and makes a
// TextDecoder, which some engines lack, for strings that the kernels do not have: importing it must have no side effects. It prepares
// imports and wraps exports, 1.9 kB (gzip) for nothing: the modules import nothing, and their exports are called as they are. And it
// knows a module by `instanceof`, which fails for one of another realm, as edge sandboxes and test runners pass them in.

/** The path of its source. */
export const LOADER: RegExp = /@assemblyscript[\\/]loader[\\/]index\.js$/;

export function leanLoader(source: string): string {
  let code = source;
  const replace = (from: RegExp, to = ""): void => {
    if (!from.test(code)) throw new Error(`the loader has changed: no ${from}`);
    code = code.replace(from, to);
  };
  replace(/^Object\.hasOwn = [^}]*};/m);
  replace(/^const utf16 = new TextDecoder\(.*$/m);
  replace(/const extended = preInstantiate\(imports\);/g);
  replace(/const exports = postInstantiate\(extended, (result\.)?instance\);/g);
  replace(/, exports(?= };$)/gm);
  replace(
    /src instanceof WebAssembly\.Module/,
    'Object.prototype.toString.call(src) === "[object WebAssembly.Module]"',
  );
  return code;
}
