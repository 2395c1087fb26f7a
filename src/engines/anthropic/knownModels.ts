/** What is known of a model of Anthropic's. */
export interface KnownModel {
  /** Tokens of prompt and answer together. */
  readonly contextTokens: number;
}

const large = 1_000_000;
const small = 200_000;

/** By the beginning of the name. From https://platform.claude.com/docs/en/about-claude/models/overview, October 2026. */
const contextTokens: readonly (readonly [prefix: string, tokens: number])[] = [
  ['claude-3', small],
  ['claude-haiku-4', small],
  ['claude-sonnet-4-6', large],
  ['claude-sonnet-4', small],
  ['claude-opus-4-6', large],
  ['claude-opus-4-7', large],
  ['claude-opus-4-8', large],
  ['claude-opus-4', small],
  ['claude-haiku-5', large],
  ['claude-sonnet-5', large],
  ['claude-opus-5', large],
  ['claude-fable-5', large],
  ['claude-mythos', large],
];

/** @returns `undefined` for a model that is not in the list. */
export function knownModel(model: string): KnownModel | undefined {
  if (model.endsWith('[1m]')) return { contextTokens: large };
  const found = contextTokens.find(([prefix]) => model.startsWith(prefix));
  return found && { contextTokens: found[1] };
}
