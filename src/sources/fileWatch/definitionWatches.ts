import type { Disposable } from '../../base/disposable';
import type { Diagnostic } from '../../core/diagnostic';
import type { LoadedDefinition } from '../taskDefinitions/definitionFolder';
import { FileWatcher, type FileChange, type FileWatcherOptions } from './fileWatcher';

interface Watched {
  readonly trigger: string;
  readonly watcher: FileWatcher;
  changes: readonly FileChange[];
  problem: string | null;
}

/** The file watches of a repository's task definitions: as many as there are enabled, and what each has seen. */
export class DefinitionWatches implements Disposable {
  private readonly watched = new Map<string, Watched>();

  constructor(
    private readonly ports: Pick<FileWatcherOptions, 'repo' | 'ownWrites' | 'clock'>,
    /** Something was seen. */
    private readonly onNews: () => void,
  ) {}

  /** Begins and ends watches so that they are those of these definitions. */
  follow(loaded: readonly LoadedDefinition[]): void {
    const wanted = new Map(
      loaded.flatMap(({ file, read: { definition } }) =>
        definition?.enabled && definition.trigger?.type === 'file_watch' ? [[file, definition.trigger] as const] : [],
      ),
    );
    for (const [file, { trigger, watcher }] of this.watched) {
      if (JSON.stringify(wanted.get(file)) === trigger) continue;
      watcher.dispose();
      this.watched.delete(file);
    }
    for (const [file, watch] of wanted) {
      if (this.watched.has(file)) continue;
      const watcher = new FileWatcher({
        ...this.ports,
        watch,
        onChange: (changes) => {
          entry.changes = [...changes, ...entry.changes].slice(0, 100);
          this.onNews();
        },
        onProblem: (message) => {
          entry.problem = message;
          this.onNews();
        },
      });
      const entry: Watched = { trigger: JSON.stringify(watch), watcher, changes: [], problem: null };
      this.watched.set(file, entry);
    }
  }

  /** What was seen and nothing was started for yet, the latest first. */
  changesOf(file: string): readonly FileChange[] {
    return this.watched.get(file)?.changes ?? [];
  }

  forget(file: string): void {
    const entry = this.watched.get(file);
    if (entry) entry.changes = [];
  }

  problemOf({ file, path, read }: LoadedDefinition): Diagnostic[] {
    const problem = this.watched.get(file)?.problem ?? null;
    return problem === null ? [] : [{ path, ...read.place(['trigger', 'path']), severity: 'error', message: problem }];
  }

  dispose(): void {
    for (const { watcher } of this.watched.values()) watcher.dispose();
    this.watched.clear();
  }
}
