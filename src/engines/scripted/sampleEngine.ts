import type { Clock } from '../../base/clock';
import type { Logger } from '../../base/logger';
import type { Conversation, Engine } from '../../core/engine';
import { createAnthropicEngine } from '../anthropic/anthropicEngine';
import { sampleTasks } from './sampleTasks';
import { type ScriptedModel, scriptedModelName, startScriptedModel } from './scriptedModel';

/** Slow enough for people to follow. */
const turnDelayMs = 400;

/** Plays the sample tasks for whoever has no key yet. Its server lives as long as a conversation does, and knows nothing but them. */
export function createSampleEngine(parts: { readonly clock: Clock; readonly logger: Logger }): Engine {
  return {
    kind: 'scripted',
    lane: 'scripted',
    defaultModel: scriptedModelName,
    async open(options) {
      const model = await startScriptedModel({ scenarios: sampleTasks.map(({ script }) => script), turnDelayMs });
      try {
        const engine = createAnthropicEngine({
          kind: 'scripted',
          credential: { kind: 'authToken', read: () => Promise.resolve(model.token) },
          baseUrl: model.baseUrl,
          defaultModel: scriptedModelName,
          ...parts,
        });
        return endingWith(model, await engine.open(options));
      } catch (error) {
        await model.close();
        throw error;
      }
    },
  };
}

function endingWith(model: ScriptedModel, conversation: Conversation): Conversation {
  return {
    send: (text) => conversation.send(text),
    resume: () => conversation.resume(),
    async close() {
      try {
        await conversation.close();
      } finally {
        await model.close();
      }
    },
  };
}
