import { UserError } from '../../base/errors';
import type { KnownTasks } from '../../core/knownTasks';
import type { PlannedTask } from '../../core/plannedTask';
import type { NewTask } from '../../core/task';
import { definedTask, honestyOf } from './definedTask';
import { DefinitionFolder, type LoadedDefinition } from './definitionFolder';
import { byFile, definitionSourceId, environmentOf } from './definitionSource';
import type { TaskDefinition } from './definitionSchema';
import { startsOf } from './dueStart';
import { missedStart } from './missedStart';
import { formatStartKey, timeKey } from './startKey';
import { nextStarts } from './starts';

export interface PlanOptions {
  readonly nowMs: number;
  /** How many starts of each. */
  readonly count: number;
  readonly environment: readonly string[];
  /** What was started until now. Absent: nobody knows. */
  readonly known?: KnownTasks | undefined;
}

/** What the definitions of a repository will start after `nowMs`. */
export async function planOf(repo: string, options: PlanOptions): Promise<PlannedTask[]> {
  const loaded = await new DefinitionFolder(repo).look();
  const sourceId = definitionSourceId(repo);
  const known = options.known && byFile(options.known(sourceId));
  return loaded.map((each) => {
    const { definition, diagnostics } = each.read;
    const starts = definition?.enabled ? startsOf(definition) : undefined;
    return {
      file: each.file,
      path: each.path,
      name: definition?.name ?? '',
      enabled: definition?.enabled ?? false,
      sourceId,
      trigger: definition ? triggerOf(definition) : null,
      startedBy: definition ? startedBy(definition) : 'nothing: the file is wrong',
      next: starts ? nextStarts(starts, options.nowMs, options.count).map(timeKey) : [],
      overlap: definition?.overlap ?? 'skip',
      missed: known ? missedStart(each, known.get(each.file) ?? [], options.nowMs) : null,
      diagnostics: [...diagnostics, ...honestyOf(each.path, each.read, environmentOf(options.environment))],
    };
  });
}

/**
 * The task that is started when a person wants it now, switched off or not.
 * @throws {UserError} `no-definition`, `definition-wrong`.
 */
export async function startNow(
  repo: string,
  name: string,
  options: { readonly nowMs: number; readonly environment: readonly string[] },
): Promise<NewTask> {
  const loaded = await new DefinitionFolder(repo).look();
  const found = loaded.find(
    ({ file, read }) => file === name || file.replace(/\.ya?ml$/i, '') === name || read.definition?.name === name,
  );
  if (!found) {
    const known = loaded.map(({ file }) => file).join(', ') || 'none';
    throw new UserError('no-definition', `There is no task definition “${name}” in ${repo}. There are: ${known}.`, {
      name,
    });
  }
  const task = found.read.definition && definedTask(found.read.definition, repo, environmentOf(options.environment));
  if (!task) throw wrong(found, options.environment);
  const externalId = formatStartKey({ file: found.file, when: `now-${timeKey(options.nowMs)}`, retry: 0 });
  return { ...task, origin: { sourceId: definitionSourceId(repo), externalId } };
}

function wrong({ file, path, read }: LoadedDefinition, environment: readonly string[]): UserError {
  const [first] = [...read.diagnostics, ...honestyOf(path, read, environmentOf(environment))];
  const where = first ? ` Line ${first.line}: ${first.message}` : '';
  return new UserError('definition-wrong', `${file} cannot be started.${where}`, { file });
}

function triggerOf({ schedule, trigger }: TaskDefinition): PlannedTask['trigger'] {
  if (schedule) return 'clock';
  if (!trigger) return 'once';
  return trigger.type === 'interval' ? 'clock' : 'files';
}

function startedBy({ schedule, trigger }: TaskDefinition): string {
  if (schedule) return `${schedule.expression} (${schedule.timezone})`;
  switch (trigger?.type) {
    case 'interval':
      return `every ${trigger.seconds} s`;
    case 'file_watch':
      return `${trigger.event.join(', ')}: ${trigger.path}/${trigger.pattern}`;
    case undefined:
      return 'once';
  }
}
