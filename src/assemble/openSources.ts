import path from 'node:path';
import type { Clock } from '../base/clock';
import type { KnownTasks } from '../core/knownTasks';
import type { TaskSource } from '../core/source';
import type { OwnWrites } from '../sources/ownWrites';
import { repositoryResolver } from '../sources/repositoryResolver';
import { createDefinitionSource } from '../sources/taskDefinitions/definitionSource';
import { noRows, parseRowChoice } from '../sources/taskFile/rowChoice';
import { createTaskFileSource } from '../sources/taskFile/taskFileSource';
import { openEmbeddedZMemory } from '../sources/zmemory/embeddedServer';
import { connectZMemory, createZMemorySource } from '../sources/zmemory/zmemorySource';
import type { AirlockOptions, SourceChoice } from './options';

/** The sources that were chosen, in their order. What must be closed after them is added to `ends`; what they write is in `ownWrites`. */
export async function openSources(
  options: AirlockOptions,
  clock: Clock,
  known: KnownTasks,
  ends: (() => Promise<void>)[],
  ownWrites: OwnWrites,
): Promise<TaskSource[]> {
  const { logger, onDiagnostics = () => {}, onNotice = () => {} } = options;
  const resolveRepository = repositoryResolver(options.repositories);
  const open = async (choice: SourceChoice): Promise<TaskSource> => {
    switch (choice.kind) {
      case 'server': {
        const { kind: _kind, name, timeoutMs, ...server } = choice;
        const limits = timeoutMs === undefined ? {} : { timeoutMs };
        return connectZMemory({ ...server, id: `zmemory:${name}`, limits, resolveRepository, clock, logger });
      }
      case 'embedded': {
        const api = await openEmbeddedZMemory({ storage: path.join(options.storage, 'zmemory'), clock });
        ends.push(() => api.close());
        const id = 'zmemory:embedded';
        return createZMemorySource({ id, api, agent: choice.agent, resolveRepository, clock, logger });
      }
      case 'taskFile':
        return createTaskFileSource({
          ...choice,
          rows: choice.rows === '' ? noRows : parseRowChoice(choice.rows),
          isQuiet: choice.rows === '',
          known,
          ownWrites,
          onDiagnostics,
          clock,
          logger,
        });
      case 'taskDefinitions':
        return createDefinitionSource({ ...choice, known, ownWrites, onDiagnostics, onNotice, clock, logger });
    }
  };
  const sources: TaskSource[] = [];
  for (const choice of options.sources) sources.push(await open(choice));
  return sources;
}
