import { systemClock } from '../base/clock';
import { UserError } from '../base/errors';
import type { ListedModel } from '../core/listedModel';
import { listModels } from '../engines/anthropic/modelList';
import type { EngineChoice } from './options';

/**
 * The models of an engine's server, without an executor.
 * @throws {UserError} as `listModels`.
 */
export function modelsOf(choice: EngineChoice, signal?: AbortSignal): Promise<ListedModel[]> {
  switch (choice.kind) {
    case 'anthropic':
    case 'claude-code': {
      const { credential, baseUrl } = choice;
      return listModels({
        credential,
        ...(baseUrl === null ? {} : { baseUrl }),
        clock: systemClock,
        ...(signal ? { signal } : {}),
      });
    }
    case 'scripted':
    case 'none':
      throw new UserError(
        'model-key-missing',
        'No model server is set. Set ANTHROPIC_API_KEY, or ANTHROPIC_BASE_URL for another server.',
        { retryable: false },
      );
  }
}
