import { sha256 } from '../base/digest';
import type { ConversationSetup } from '../core/engine';
import type { TaskState } from '../core/liveState';
import type { Persona } from '../core/persona';
import { systemPrompt } from './instructions';
import type { ExecutorPorts, ExecutorSettings } from './ports';

export type SetupSettings = Pick<ExecutorSettings, 'model' | 'maxTurns' | 'maxOutputTokens' | 'effort'>;

/**
 * What a conversation of a persona is, whatever its task will be: the same before there is a task, so that a program which was
 * started with it can be used.
 * @param persona as the task has it: see `narrowed`.
 */
export function conversationSetup(
  { tools }: Pick<ExecutorPorts, 'tools'>,
  settings: SetupSettings,
  persona: Persona,
  { model, maxTurns }: Pick<ConversationSetup, 'model' | 'maxTurns'>,
): ConversationSetup {
  return {
    systemPrompt: systemPrompt(persona),
    model,
    tools: tools.map(({ definition }) => definition).filter(({ name }) => persona.tools.some((each) => each === name)),
    maxTurns,
    maxOutputTokens: settings.maxOutputTokens,
    effort: persona.effort ?? settings.effort,
  };
}

/**
 * Which tasks may know what was said in each other: those of one repository, one persona with the same leave, one model and one
 * source. A review knows of none: what it looks at may be hostile, and must not talk to the next one.
 * @returns `undefined` for a task that shares nothing.
 */
export function sharedContextOf({ spec }: TaskState, persona: Persona, model: string): string | undefined {
  if (spec.parent?.kind === 'review') return undefined;
  return sha256(JSON.stringify([spec.repo, persona, model, spec.origin.sourceId]));
}
