import { silentLogger } from '../base/logger';
import type { PersonaList, Personas } from '../core/persona';
import { defaultSettings } from '../executor/ports';
import { createPersonas } from '../personas/personas';
import { committedFiles } from '../workspaces/committedFiles';
import { defaultModel } from './createEngine';
import type { AirlockOptions, EngineChoice } from './options';

/** What Claude Code's short names are at Anthropic's own server. */
const modelAliases = { sonnet: defaultModel, opus: 'claude-opus-5-5', haiku: 'claude-haiku-5-5' };

/** The personas of the user and of repositories, within what the settings allow. */
export function openPersonas({
  personas,
  engine,
  settings,
  onDiagnostics = () => {},
  logger,
}: AirlockOptions): Personas {
  const { personaDomains, runTimeoutMs, maxTurns, maxCostUsd } = { ...defaultSettings, ...settings };
  // Another server has models of its own.
  const isAnthropics = (engine.kind === 'anthropic' || engine.kind === 'claude-code') && engine.baseUrl === null;
  return createPersonas({
    folder: personas ?? null,
    bounds: { domains: personaDomains, timeoutMs: runTimeoutMs, maxTurns, maxCostUsd },
    aliases: isAnthropics ? modelAliases : {},
    committedFiles,
    onDiagnostics,
    logger,
  });
}

/** The personas that tasks for a repository could name, without an executor. */
export function personasOf(
  repo: string | null,
  choice: { readonly folder: string; readonly network: readonly string[]; readonly engine: EngineChoice },
): Promise<PersonaList> {
  const settings = { personaDomains: choice.network };
  const { engine, folder: personas } = choice;
  const options = { storage: '', repositories: () => [], sources: [], logger: silentLogger };
  return openPersonas({ ...options, settings, engine, personas }).of(repo);
}
