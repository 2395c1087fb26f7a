type Attributes = Readonly<Record<string, string>>;

/** An element with attributes and children; a string becomes text, never markup. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  dress(made, attributes, children);
  return made;
}

/** The same for a custom element. */
export function customElement(
  name: `${string}-${string}`,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElement {
  const made = document.createElement(name);
  dress(made, attributes, children);
  return made;
}

function dress(made: HTMLElement, attributes: Attributes, children: readonly (Node | string)[]): void {
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
}
