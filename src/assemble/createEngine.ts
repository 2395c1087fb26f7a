import type { Prices } from '../analytics/prices';
import type { Clock } from '../base/clock';
import { isOnThisMachine } from '../base/thisMachine';
import type { Engine } from '../core/engine';
import { noUsage } from '../core/usage';
import { createAnthropicEngine } from '../engines/anthropic/anthropicEngine';
import { createClaudeCodeEngine } from '../engines/claudeCode/claudeCodeEngine';
import { createSampleEngine } from '../engines/scripted/sampleEngine';
import { scriptedModelName } from '../engines/scripted/scriptedModel';
import type { AirlockOptions, EngineChoice } from './options';

/** The model when nobody names one. */
export const defaultModel = 'claude-sonnet-5-5';

/** The engine that was chosen, and those that a persona may name besides. */
export function createEngines(
  options: AirlockOptions,
  clock: Clock,
  prices: Prices,
): { readonly engine: Engine; readonly engines: readonly Engine[] } {
  const { engine, otherEngines = [], logger } = options;
  return {
    engine: createEngine(engine, options, clock, prices),
    engines: [
      ...otherEngines.map((choice) => createEngine(choice, options, clock, prices)),
      // The samples need no key, whatever else is set up.
      createSampleEngine({ clock, logger }),
    ],
  };
}

/** Every server that is asked is on this machine. */
export function isLocal({ engine, otherEngines = [] }: AirlockOptions): boolean {
  const servers = [engine, ...otherEngines].flatMap((choice) => (choice.kind === 'none' ? [] : [choice.baseUrl]));
  return servers.length > 0 && servers.every((server) => server !== null && isOnThisMachine(server));
}

function createEngine(
  choice: EngineChoice,
  { engineLimits: limits = {}, logger }: AirlockOptions,
  clock: Clock,
  prices: Prices,
): Engine {
  const isFree = (model: string): boolean =>
    prices.costOf(model, { ...noUsage, inputTokens: 1, outputTokens: 1 }) === 0;
  switch (choice.kind) {
    case 'scripted':
      return createAnthropicEngine({
        kind: 'scripted',
        credential: { kind: 'authToken', read: () => Promise.resolve(choice.token) },
        baseUrl: choice.baseUrl,
        defaultModel: scriptedModelName,
        limits,
        clock,
        logger,
      });
    case 'none':
      return createAnthropicEngine({
        credential: { kind: 'apiKey', read: () => Promise.resolve(undefined) },
        defaultModel,
        clock,
        logger,
      });
    case 'claude-code':
      return createClaudeCodeEngine({
        path: choice.path,
        searchPath: process.env['PATH'] ?? '',
        processMode: choice.process,
        credential: choice.credential,
        ...(choice.baseUrl === null ? {} : { baseUrl: choice.baseUrl }),
        defaultModel: choice.model ?? defaultModel,
        serverLimits: limits,
        isFree,
        limits: choice.limits ?? {},
        clock,
        logger,
      });
    case 'anthropic':
      return createAnthropicEngine({
        credential: choice.credential,
        ...(choice.baseUrl === null ? {} : { baseUrl: choice.baseUrl }),
        defaultModel: choice.model ?? defaultModel,
        contextTokens: choice.contextTokens ?? null,
        isFree,
        limits,
        clock,
        logger,
      });
  }
}
