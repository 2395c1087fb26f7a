import type { Clock } from '../../base/clock';
import { sha256 } from '../../base/digest';
import { messageOf } from '../../base/errors';
import type { Logger } from '../../base/logger';
import type { Diagnostic, DiagnosticSink } from '../../core/diagnostic';
import type { KnownTasks } from '../../core/knownTasks';
import type { TaskState } from '../../core/liveState';
import { lateStartMs } from '../../core/plannedTask';
import type { AcceptAnswer, OfferedTask, Report, ReportBody, SourceListener, TaskSource } from '../../core/source';
import { isEnded, type NewTask } from '../../core/task';
import { Poller, type LookResult } from '../poller';
import { DefinitionWatches } from '../fileWatch/definitionWatches';
import type { OwnWrites } from '../ownWrites';
import { contextOfChanges, definedTask, honestyOf } from './definedTask';
import { DefinitionFolder, type LoadedDefinition } from './definitionFolder';
import type { TaskDefinition } from './definitionSchema';
import { dueStart, startsOf } from './dueStart';
import { handle, type Notice } from './handlers';
import { dueRetry, isLastTry } from './retry';
import { formatStartKey, isByHand, parseStartKey, timeKey } from './startKey';

/** A few `lstat`s, and the times of what is due; nothing is read while nothing changes. */
const lookEveryMs = 2_000;

export interface DefinitionSourceOptions {
  /** Absolute path of the repository that the definitions lie in and their tasks are for. */
  readonly repo: string;
  /** Names of environment variables that prompts may have. */
  readonly environment: readonly string[];
  readonly known: KnownTasks;
  readonly ownWrites: OwnWrites;
  readonly onDiagnostics: DiagnosticSink;
  /** Told what `notify` says. */
  readonly onNotice: Notice;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The source id of a repository's definitions: the same after a restart. */
export function definitionSourceId(repo: string): string {
  const id = `tasks:${repo}`;
  return id.length <= 200 ? id : `tasks:${sha256(id)}`;
}

/** The values of the allowed environment variables. */
export function environmentOf(names: readonly string[]): (name: string) => string | undefined {
  return (name) => (names.includes(name) ? process.env[name] : undefined);
}

/** Task definitions of a repository (`.airlock/tasks/*.yaml`) as a source: once, on a schedule, or as files change. */
export function createDefinitionSource(options: DefinitionSourceOptions): TaskSource {
  return new DefinitionSource(options);
}

class DefinitionSource implements TaskSource {
  readonly id: string;
  private readonly folder: DefinitionFolder;
  private readonly poller: Poller;
  private readonly env: (name: string) => string | undefined;
  private listener: SourceListener | undefined;
  private loaded: readonly LoadedDefinition[] | undefined;
  /** What was last said of each file’s starts. */
  private readonly alarms = new Map<string, { readonly atMs: number; readonly diagnostic: Diagnostic }>();
  private readonly watches: DefinitionWatches;
  /** Starts for changed files that are not taken yet. */
  private readonly watchStarts = new Map<string, OfferedTask>();
  private offered: string | undefined;
  private told = '[]';

  constructor(private readonly options: DefinitionSourceOptions) {
    this.id = definitionSourceId(options.repo);
    this.folder = new DefinitionFolder(options.repo);
    this.env = environmentOf(options.environment);
    const { repo, ownWrites, clock } = options;
    this.watches = new DefinitionWatches({ repo, ownWrites, clock }, () => this.poller.now());
    this.poller = new Poller({ look: () => this.look(), intervalMs: lookEveryMs, clock: options.clock });
  }

  start(listener: SourceListener): void {
    this.listener = listener;
    this.poller.now();
  }

  refresh(): void {
    this.offered = undefined;
    if (this.listener) this.poller.now();
  }

  async accept(externalId: string): Promise<AcceptAnswer> {
    this.loaded ??= await this.folder.look();
    const definition = this.definitionOf(externalId);
    if (definition && (definition.enabled || isByHand(externalId))) return { kind: 'accepted' };
    return { kind: 'unavailable', reason: 'Its definition is not there any more, is switched off or is wrong.' };
  }

  async progress(): Promise<void> {}

  /** Does what the definition wants to be done at its end. What is to be retried has not failed yet. */
  async report(report: Report, body: ReportBody): Promise<void> {
    this.loaded ??= await this.folder.look();
    const definition = this.definitionOf(report.externalId);
    if (!definition || (report.kind === 'fail' && !isLastTry(definition, report.externalId, body.outcome))) return;
    const { onNotice, logger } = this.options;
    handle(definition, body, { env: this.env, notify: onNotice, logger });
  }

  dispose(): void {
    this.listener = undefined;
    this.poller.dispose();
    this.watches.dispose();
    this.options.onDiagnostics(this.id, []);
  }

  private definitionOf(externalId: string): TaskDefinition | undefined {
    const file = parseStartKey(externalId)?.file;
    return this.loaded?.find((each) => each.file === file)?.read.definition;
  }

  /** Never rejects. */
  private async look(): Promise<LookResult> {
    try {
      this.loaded = await this.folder.look();
      if (!this.listener) return { kind: 'looked' };
      this.watches.follow(this.loaded);
      this.offer(this.loaded, this.listener);
    } catch (error) {
      this.options.logger.error('Task definitions could not be read', error, { repo: this.options.repo });
      const message = `The task definitions of ${this.options.repo} cannot be read: ${messageOf(error)}`;
      this.listener?.health({ kind: 'down', message });
    }
    return { kind: 'looked' };
  }

  private offer(loaded: readonly LoadedDefinition[], listener: SourceListener): void {
    const before = this.options.known(this.id);
    const taken = new Set(before.map(({ spec }) => spec.origin.externalId));
    const known = byFile(before);
    const tasks = loaded.flatMap((each) => [
      ...stillOpen(each, known.get(each.file) ?? [], this.options.repo),
      ...this.dueOf(each, known.get(each.file) ?? [], listener),
    ]);
    this.diagnose(loaded);
    const ids = JSON.stringify(tasks.map(({ externalId }) => externalId));
    // What could not be taken, because there was no room for it, comes again.
    const isTaken = tasks.every(({ externalId }) => taken.has(externalId));
    if (ids === this.offered && isTaken) return;
    const isFirst = this.offered === undefined;
    listener.offer({ tasks, complete: true, problems: [] });
    if (isFirst) listener.health({ kind: 'ok' });
    this.offered = ids;
  }

  private dueOf(loaded: LoadedDefinition, known: readonly TaskState[], listener: SourceListener): OfferedTask[] {
    const { definition } = loaded.read;
    if (!definition?.enabled) return [];
    const nowMs = this.options.clock.nowMs();
    const retry = dueRetry(definition, known, nowMs);
    if (retry !== null) return this.offeredOf(definition, retry);
    const starts = startsOf(definition);
    if (starts) return this.timedStart(loaded, definition, known, listener);
    if (definition.trigger) return this.watchedStart(loaded, definition, known, listener);
    const task = definedTask(definition, this.options.repo, this.env);
    if (!task) return [];
    const when = `once-${sha256(`${task.title}\n${task.prompt}`).slice(0, 8)}`;
    return [{ externalId: formatStartKey({ file: loaded.file, when, retry: 0 }), task }];
  }

  private timedStart(
    loaded: LoadedDefinition,
    definition: TaskDefinition,
    known: readonly TaskState[],
    listener: SourceListener,
  ): OfferedTask[] {
    const starts = startsOf(definition);
    if (!starts) return [];
    const nowMs = this.options.clock.nowMs();
    const { writtenAtMs, file } = loaded;
    const due = dueStart(starts, known, { writtenAtMs, nowMs, overlap: definition.overlap });
    if (due.kind === 'none') return [];
    const when = timeKey(due.atMs);
    switch (due.kind) {
      case 'skip':
        this.alarm(loaded, due.atMs, 'information', `The start of ${when} was skipped: the one before is not over.`);
        return [];
      case 'wait':
        this.alarm(loaded, due.atMs, 'information', `The start of ${when} waits: the one before is not over.`);
        return [];
      case 'replace':
        for (const { status, spec } of known) {
          if (!isEnded(status)) listener.cancel(spec.origin.externalId, `The start of ${when} takes its place.`);
        }
        break;
      case 'start':
        break;
    }
    if (nowMs - due.atMs > lateStartMs || due.count > 1) {
      const others = due.count > 1 ? `, and ${due.count - 1} before it` : '';
      const message = `The start of ${when}${others} was missed: Airlock did not run, or the machine slept. It was made up for once, at ${timeKey(nowMs)}.`;
      this.alarm(loaded, due.atMs, 'warning', message);
    } else this.alarms.delete(file);
    return this.offeredOf(definition, formatStartKey({ file, when, retry: 0 }));
  }

  /** One start for all that has changed since the last one. */
  private watchedStart(
    loaded: LoadedDefinition,
    definition: TaskDefinition,
    known: readonly TaskState[],
    listener: SourceListener,
  ): OfferedTask[] {
    const { file } = loaded;
    const waiting = this.watchStarts.get(file);
    // It comes again until it is taken.
    if (waiting && !known.some(({ spec }) => spec.origin.externalId === waiting.externalId)) return [waiting];
    this.watchStarts.delete(file);
    const changes = this.watches.changesOf(file);
    if (changes.length === 0) return [];
    const open = known.filter(({ status }) => !isEnded(status));
    if (open.length > 0 && definition.overlap === 'queue') return [];
    this.watches.forget(file);
    const atMs = this.options.clock.nowMs();
    if (open.length > 0 && definition.overlap === 'skip') {
      this.alarm(
        loaded,
        atMs,
        'information',
        `A change of ${changes[0]?.path ?? ''} was skipped: the task before is not over.`,
      );
      return [];
    }
    for (const { spec } of open) listener.cancel(spec.origin.externalId, 'A later change takes its place.');
    const task = definedTask(definition, this.options.repo, this.env, contextOfChanges(changes));
    if (!task) return [];
    const start = { externalId: formatStartKey({ file, when: timeKey(atMs), retry: 0 }), task };
    this.watchStarts.set(file, start);
    return [start];
  }

  private offeredOf(definition: TaskDefinition, externalId: string): OfferedTask[] {
    const task = definedTask(definition, this.options.repo, this.env);
    return task ? [{ externalId, task }] : [];
  }

  private alarm(loaded: LoadedDefinition, atMs: number, severity: Diagnostic['severity'], message: string): void {
    if (this.alarms.get(loaded.file)?.atMs === atMs) return;
    const { path, read } = loaded;
    const place = read.place([read.definition?.schedule ? 'schedule' : 'trigger']);
    this.alarms.set(loaded.file, { atMs, diagnostic: { path, ...place, severity, message } });
    this.options.logger.warn(message, { path });
  }

  private diagnose(loaded: readonly LoadedDefinition[]): void {
    const diagnostics = loaded.flatMap((each): Diagnostic[] => {
      const { path, file, read } = each;
      const alarm = this.alarms.get(file);
      const honest = honestyOf(path, read, this.env);
      return [...read.diagnostics, ...honest, ...this.watches.problemOf(each), ...(alarm ? [alarm.diagnostic] : [])];
    });
    const now = JSON.stringify(diagnostics);
    if (now === this.told) return;
    this.told = now;
    this.options.onDiagnostics(this.id, diagnostics);
  }
}

/** The tasks of each definition, by the name of its file. */
export function byFile(tasks: readonly TaskState[]): Map<string, TaskState[]> {
  const found = new Map<string, TaskState[]>();
  for (const task of tasks) {
    const file = parseStartKey(task.spec.origin.externalId)?.file ?? '';
    found.set(file, [...(found.get(file) ?? []), task]);
  }
  return found;
}

/** What came from a definition and has not ended stays on offer while the definition is there and switched on. */
function stillOpen({ read }: LoadedDefinition, known: readonly TaskState[], repo: string): OfferedTask[] {
  const isOff = read.definition?.enabled === false;
  return known.flatMap(({ status, spec }) => {
    if (isOff && !isByHand(spec.origin.externalId)) return [];
    // It is known already: what it says does not matter any more.
    const task: NewTask = { title: spec.title, prompt: spec.title, repo };
    return isEnded(status) ? [] : [{ externalId: spec.origin.externalId, task }];
  });
}
