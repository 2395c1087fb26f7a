// The parts of the page, one below the other: what has not changed stays as it is, with its focus and its scroll position.
import { focusGridPlace, gridPlaceOf } from './toolkit';

export interface Part {
  readonly name: string;
  /** The part is made anew when this is another. */
  readonly signature: string;
  readonly make: () => HTMLElement;
}

interface Made {
  readonly signature: string;
  readonly element: HTMLElement;
}

export class Slots {
  private made = new Map<string, Made>();

  constructor(private readonly root: HTMLElement) {}

  /** Shows these parts and no others. */
  show(parts: readonly Part[]): void {
    const before = this.made;
    this.made = new Map();
    parts.forEach(({ name, signature, make }, index) => {
      const kept = before.get(name);
      before.delete(name);
      const element = kept?.signature === signature ? kept.element : make();
      this.made.set(name, { signature, element });
      if (kept?.element === element) return;
      if (kept) replaceKeepingFocus(kept.element, element);
      else this.root.insertBefore(element, this.root.children[index] ?? null);
    });
    for (const { element } of before.values()) element.remove();
  }
}

/** What had the focus is made anew: the same place gets it back. */
function replaceKeepingFocus(old: HTMLElement, element: HTMLElement): void {
  const active = old.contains(document.activeElement) ? document.activeElement : null;
  const key = active?.closest<HTMLElement>('[data-key]')?.dataset['key'];
  const place = gridPlaceOf(active);
  old.replaceWith(element);
  if (place) focusGridPlace(element, place);
  else if (key) element.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus();
}
