// Elements without a framework, and without inline styles, which the policy refuses: styles are set on the object.

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** An element with attributes (those that are undefined or false are left out) and children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  set(made, attributes);
  made.append(...children);
  return made;
}

export function set(target: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) target.removeAttribute(name);
    else target.setAttribute(name, value === true ? "" : String(value));
  }
}

/** The element with this id, which the page must have. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found as E;
}

/** Calls `changed` at once and whenever one of the page's controls with these ids changes. */
export function controls(ids: readonly string[], changed: () => void): void {
  for (const id of ids) byId(id).addEventListener("input", changed);
  changed();
}

/** The chosen one of the radio buttons of this name. */
export const chosen = (name: string): string =>
  document.querySelector<HTMLInputElement>(`input[name="${name}"]:checked`)!.value;

/** A list of numbers for a table, as text that lines up. */
export function row(head: string, cells: readonly string[]): HTMLTableRowElement {
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, head),
    ...cells.map((cell) => element("td", { class: "number" }, cell)),
  );
}
