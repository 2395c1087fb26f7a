import { keyBlock, longestAnchor, secretShapes } from './secretShapes';

/** What stands where a secret stood. */
export const redactedMark = '[redacted]';

/** Known values that are shorter would be found in ordinary words. */
const shortestKnown = 8;
/** So much of a known value is shown: it says which one it was, and lets a terminal show what cannot be one. */
const shownStart = 4;

/** Colours may stand in the middle of a secret, as when a search marks what it has found. */
const colour = '\\u001b\\[[\\d;:]*[mK]';
const colours = new RegExp(colour, 'g');
const colourRun = new RegExp(`(?:${colour})*`, 'y');

/** What can follow an anchor. */
type Rest =
  | { readonly kind: 'shape'; readonly run: RegExp; readonly minLength: number }
  /** Known values that begin alike: what comes after the anchor. */
  | { readonly kind: 'known'; readonly values: readonly string[] }
  | { readonly kind: 'block' };

/** What is looked for: made once for a session, shared by all of its streams. */
export interface SecretPatterns {
  /** One group for each of `rests`. */
  readonly anchors: RegExp;
  readonly rests: readonly Rest[];
}

/**
 * @param known secrets that the product itself has, such as the model's key. Values of less than 8 characters are left out.
 */
export function secretPatterns(known: readonly string[] = []): SecretPatterns {
  const byStart = new Map<string, string[]>();
  for (const value of new Set(known)) {
    if (value.length < shortestKnown) continue;
    const start = value.slice(0, shownStart);
    byStart.set(start, [...(byStart.get(start) ?? []), value.slice(shownStart)]);
  }
  const parts: { readonly anchor: string; readonly rest: Rest }[] = [
    ...[...byStart].map(([start, values]) => ({
      anchor: start.replace(/[^A-Za-z0-9_]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
      rest: { kind: 'known' as const, values },
    })),
    ...secretShapes.map(({ anchor, characters, minLength }) => ({
      anchor,
      rest: { kind: 'shape' as const, run: runOf(characters), minLength },
    })),
    { anchor: keyBlock.begin, rest: { kind: 'block' } },
  ];
  return {
    anchors: new RegExp(parts.map(({ anchor }) => `(${anchor})`).join('|'), 'g'),
    rests: parts.map(({ rest }) => rest),
  };
}

function runOf(characters: string): RegExp {
  return new RegExp(`(?:[${characters}]|${colour})*`, 'y');
}

/** No token is longer. */
const longestToken = 4096;
/** What may be left of a token whose beginning was left out. */
const longestRemains = 512;
const tokenRun = runOf('A-Za-z0-9_+/=.-');
const blockEndAfterGap = new RegExp(`^[^]{0,${keyBlock.maxChars}}?${keyBlock.end}`);

type Mode =
  | { readonly kind: 'open' }
  /** After an anchor: what follows may be the beginning of a secret. */
  | { readonly kind: 'held'; readonly rest: Exclude<Rest, { kind: 'block' }> }
  /** In a secret: what `run` matches is part of it, for at most `left` characters more. */
  | { readonly kind: 'token'; readonly run: RegExp; left: number }
  /** In a private key, for at most `left` characters more. */
  | { readonly kind: 'block'; left: number };

const open: Mode = { kind: 'open' };

/**
 * Replaces secrets in one stream of text, wherever its pieces end. What may become a secret is held back, and no more than
 * that: at most the length of a known value or the shortest length of a shape. Of a secret its anchor stays, which is the same
 * for all of its kind.
 */
export class Redactor {
  private mode: Mode = open;
  /** The end of what was given out: an anchor may begin there. */
  private before = '';
  /** What is not given out yet. */
  private held = '';
  private afterGap = false;
  /** The text that is looked at, how far that has come, and the end of the last secret in it. */
  private text = '';
  private at = 0;
  private floor = 0;
  /** Where the next anchor can begin. */
  private from = 0;

  constructor(private readonly patterns: SecretPatterns) {}

  /** @param piece escape sequences in it are whole. */
  redact(piece: string): string {
    if (piece === '') return '';
    this.text = this.before + this.held + (this.afterGap ? piece.replace(blockEndAfterGap, redactedMark) : piece);
    this.afterGap = false;
    this.at = this.before.length;
    this.floor = 0;
    this.from = 0;
    this.held = '';
    let shown = '';
    while (this.at < this.text.length) shown += this.step();
    const end = this.text.length - this.held.length;
    this.before = this.text.slice(Math.max(this.floor, end - longestAnchor), end);
    this.text = '';
    return shown;
  }

  /** The stream rests here: what was held back is no secret. */
  flush(): string {
    if (this.mode.kind !== 'held') return '';
    const { held } = this;
    this.mode = open;
    this.held = '';
    this.before = (this.before + held).slice(-longestAnchor);
    return held;
  }

  /**
   * Something is left out before the next piece: what has begun is taken for a secret, and so is what may be the end of one.
   * @returns what is shown before the gap.
   */
  gap(): string {
    const shown = this.mode.kind === 'held' && this.held !== '' ? redactedMark : '';
    this.before = '';
    this.held = '';
    this.afterGap = true;
    this.mode = { kind: 'token', run: tokenRun, left: longestRemains };
    return shown;
  }

  /** Goes on as far as can be told. @returns what is shown of it. */
  private step(): string {
    switch (this.mode.kind) {
      case 'open':
        return this.search();
      case 'held':
        return this.mode.rest.kind === 'shape' ? this.measure(this.mode.rest) : this.compare(this.mode.rest.values);
      case 'token':
        return this.skipToken(this.mode);
      case 'block':
        return this.skipBlock(this.mode);
    }
  }

  /** For the next anchor that ends past what was looked at. */
  private search(): string {
    const { text, at } = this;
    const { anchors, rests } = this.patterns;
    anchors.lastIndex = this.from;
    for (let match = anchors.exec(text); match; match = anchors.exec(text)) {
      const end = match.index + match[0].length;
      const rest = rests[match.indexOf(match[0], 1) - 1];
      if (end > at && rest) {
        this.from = match.index + 1;
        return this.foundAnchor(end, rest);
      }
      // One that ends before may hold the beginning of another.
      anchors.lastIndex = match.index + 1;
    }
    this.at = text.length;
    return text.slice(at);
  }

  private foundAnchor(end: number, rest: Rest): string {
    const anchor = this.text.slice(this.at, end);
    this.at = end;
    if (rest.kind !== 'block') {
      this.mode = { kind: 'held', rest };
      return anchor;
    }
    this.mode = { kind: 'block', left: keyBlock.maxChars };
    return anchor + redactedMark;
  }

  private measure({ run, minLength }: Extract<Rest, { kind: 'shape' }>): string {
    const matched = matchAt(run, this.text, this.at);
    if (matched.replace(colours, '').length >= minLength) {
      this.mode = { kind: 'token', run, left: longestToken };
      return redactedMark;
    }
    if (this.at + matched.length === this.text.length) this.hold(this.at);
    // What came after an anchor is looked through like anything else: it may hold another one.
    else this.mode = open;
    return '';
  }

  private compare(values: readonly string[]): string {
    const found = matchKnown(this.text, this.at, values);
    if (found === 'partial') this.hold(this.at);
    else {
      this.mode = open;
      if (found !== 'none') {
        this.skipTo(found);
        return redactedMark;
      }
    }
    return '';
  }

  private skipToken(mode: Extract<Mode, { kind: 'token' }>): string {
    const length = Math.min(mode.left, matchAt(mode.run, this.text, this.at).length);
    mode.left -= length;
    this.skipTo(this.at + length);
    if (this.at < this.text.length) this.mode = open;
    return '';
  }

  private skipBlock(mode: Extract<Mode, { kind: 'block' }>): string {
    const most = Math.min(this.text.length, this.at + mode.left);
    const end = new RegExp(keyBlock.end).exec(this.text.slice(this.at, most));
    if (end) this.skipTo(this.at + end.index + end[0].length);
    else if (most < this.text.length) this.skipTo(most);
    else {
      // Its last line may have begun.
      const kept = Math.max(this.at, most - longestAnchor);
      mode.left -= kept - this.at;
      this.skipTo(kept);
      this.hold(kept);
      return '';
    }
    this.mode = open;
    return '';
  }

  private skipTo(end: number): void {
    this.at = end;
    this.floor = end;
    this.from = end;
  }

  private hold(from: number): void {
    this.held = this.text.slice(from);
    this.at = this.text.length;
  }
}

function matchAt(sticky: RegExp, text: string, at: number): string {
  sticky.lastIndex = at;
  return sticky.exec(text)?.[0] ?? '';
}

/** @returns where the longest of `values` that stands at `at` ends; or that one may stand there, once there is more. */
function matchKnown(text: string, at: number, values: readonly string[]): number | 'partial' | 'none' {
  let candidates = values;
  let end: number | 'none' = 'none';
  let index = at;
  for (let length = 0; ; length += 1) {
    index += matchAt(colourRun, text, index).length;
    if (index >= text.length) return end === 'none' ? 'partial' : end;
    candidates = candidates.filter((value) => value[length] === text[index]);
    if (candidates.length === 0) return end;
    index += 1;
    if (candidates.some((value) => value.length === length + 1)) end = index;
  }
}

/** Secrets of a text that is whole. */
export function redacted(text: string, patterns: SecretPatterns): string {
  const redactor = new Redactor(patterns);
  return redactor.redact(text) + redactor.flush();
}
