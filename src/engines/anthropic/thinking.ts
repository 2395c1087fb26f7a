import type { MessageCreateParamsStreaming } from '@anthropic-ai/sdk/resources/messages';
import type { Effort } from '../../core/engine';
import { knownModel } from './knownModels';

type ThinkingParts = Pick<MessageCreateParamsStreaming, 'thinking' | 'output_config'>;

/**
 * What is asked of a model about its thinking. Only models that are known to take it are asked: others, and servers of
 * others, refuse what they do not know. Newer models keep their thoughts to themselves unless they are asked to show a summary.
 */
export function thinkingParts(model: string, effort: Effort | null): ThinkingParts {
  const known = knownModel(model);
  if (!known) return {};
  return {
    ...(known.thinksAdaptively ? { thinking: { type: 'adaptive', display: 'summarized' } } : {}),
    ...(effort !== null && known.efforts.includes(effort) ? { output_config: { effort } } : {}),
  };
}

/** Why an effort that was asked for is not; `undefined` when it is. */
export function effortIgnored(model: string, effort: Effort | null): string | undefined {
  const known = knownModel(model);
  if (effort === null || known?.efforts.includes(effort)) return undefined;
  const takes = !known || known.efforts.length === 0 ? 'none that is known' : known.efforts.join(', ');
  return `The effort “${effort}” is not asked of ${model}: it takes ${takes}.`;
}
