import { z } from 'zod';
import { probeToolName } from '../anthropic/toolProbe';
import type { ParsedScenario, ScriptedTurn } from './scenario';

const blockSchema = z.looseObject({ type: z.string() });
const contentSchema = z.union([z.string(), z.array(blockSchema)]);

/** What the script needs to see of a request. */
export const scriptedRequestSchema = z.object({
  model: z.string(),
  stream: z.literal(true, 'this server answers streamed requests only'),
  messages: z.array(z.object({ role: z.enum(['user', 'assistant']), content: contentSchema })).min(1),
  tools: z.array(z.looseObject({ name: z.string() })).default([]),
});
export type ScriptedRequest = z.infer<typeof scriptedRequestSchema>;
type Content = z.infer<typeof contentSchema>;

/** Everything that the script says begins with this, so that nobody takes it for an AI's words. */
export const scriptedPrefix = '[scripted model, no AI] ';

const unknownTask: ScriptedTurn = {
  say: 'I am only a script and know nothing but the sample tasks, so I have done nothing. Set an API key or a model server to have this task done by a model.',
  calls: [],
};
/** A script does call tools. */
const ready: ScriptedTurn = { say: 'I am ready.', calls: [{ tool: probeToolName, input: { word: 'ready' } }] };
const scriptIsOver: ScriptedTurn = { say: 'My script for this task ends here; I can do nothing more.', calls: [] };

/**
 * The turn that the script takes next. It depends on the request alone: the number of answers in it is the place in the
 * script, so a conversation that is resumed goes on where it was.
 */
export function nextTurn(scenarios: readonly ParsedScenario[], request: ScriptedRequest): ScriptedTurn {
  if (request.tools.length === 1 && request.tools[0]?.name === probeToolName) return ready;
  const opening = request.messages.find((message) => message.role === 'user');
  const task = opening ? textOf(opening.content) : '';
  const scenario = scenarios.find(({ marker }) => task.includes(marker));
  if (!scenario) return unknownTask;
  const step = scenario.steps[request.messages.filter((message) => message.role === 'assistant').length];
  if (!step) return scriptIsOver;
  const results = lastResults(request);
  return step.instead.find(({ whenResultContains }) => results.includes(whenResultContains)) ?? step;
}

function lastResults({ messages }: ScriptedRequest): string {
  const last = messages.at(-1);
  if (last?.role !== 'user' || typeof last.content === 'string') return '';
  return last.content
    .filter((block) => block.type === 'tool_result')
    .map((block) => textOf(contentSchema.catch('').parse(block.content)))
    .join('\n');
}

function textOf(content: Content): string {
  if (typeof content === 'string') return content;
  return content.map((block) => (typeof block.text === 'string' ? block.text : '')).join('\n');
}
