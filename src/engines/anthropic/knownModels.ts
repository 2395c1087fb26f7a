import type { Effort } from '../../core/engine';

/** What is known of a model of Anthropic's. */
export interface KnownModel {
  /** Tokens of prompt and answer together. */
  readonly contextTokens: number;
  /** It decides by itself how much it thinks, when it is let. Others are asked without. */
  readonly thinksAdaptively: boolean;
  /** What it takes for its effort. */
  readonly efforts: readonly Effort[];
}

const large = 1_000_000;
const small = 200_000;
const older: KnownModel = { contextTokens: small, thinksAdaptively: false, efforts: [] };
const of46: KnownModel = { contextTokens: large, thinksAdaptively: true, efforts: ['low', 'medium', 'high', 'max'] };
const newer: KnownModel = { ...of46, efforts: ['low', 'medium', 'high', 'xhigh', 'max'] };

/**
 * By the beginning of the name, the longer first. From https://platform.claude.com/docs/en/about-claude/models/overview and
 * https://platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting, October 2026.
 */
const models: readonly (readonly [prefix: string, model: KnownModel])[] = [
  ['claude-3', older],
  ['claude-haiku-4', older],
  ['claude-sonnet-4-6', of46],
  ['claude-sonnet-4', older],
  ['claude-opus-4-5', { ...older, efforts: ['low', 'medium', 'high'] }],
  ['claude-opus-4-6', of46],
  ['claude-opus-4-7', newer],
  ['claude-opus-4-8', newer],
  ['claude-opus-4', older],
  ['claude-haiku-5', newer],
  ['claude-sonnet-5', newer],
  ['claude-opus-5', newer],
  ['claude-fable-5', newer],
  ['claude-mythos', newer],
];

/** @returns `undefined` for a model that is not in the list. */
export function knownModel(name: string): KnownModel | undefined {
  const found = models.find(([prefix]) => name.startsWith(prefix))?.[1];
  return found && name.endsWith('[1m]') ? { ...found, contextTokens: large } : found;
}
