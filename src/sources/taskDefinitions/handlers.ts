import type { Logger } from '../../base/logger';
import type { ReportBody } from '../../core/source';
import { isCompletion } from '../../core/task';
import type { TaskDefinition } from './definitionSchema';
import { fillIn, type TemplateValues } from './template';

/** Shows a person a sentence. */
export type Notice = (message: string) => void;

interface HandlerPorts {
  readonly env: TemplateValues['env'];
  readonly notify: Notice;
  readonly logger: Logger;
}

/** Does what `on_success` or `on_failure` say. `context.outcome`, `context.branch` and `context.error` are the end's own. */
export function handle(definition: TaskDefinition, body: ReportBody, { env, notify, logger }: HandlerPorts): void {
  const { outcome, branch, error } = body;
  const context = { ...definition.task.context, name: definition.name, outcome, branch: branch ?? '', error };
  for (const handler of isCompletion(outcome) ? definition.on_success : definition.on_failure) {
    const { text } = fillIn('log' in handler ? handler.log : handler.notify, { env, context });
    if ('log' in handler) logger.info(text, { task: definition.name });
    else notify(text);
  }
}
