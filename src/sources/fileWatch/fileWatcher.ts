import { watch, type FSWatcher } from 'chokidar';
import path from 'node:path';
import picomatch from 'picomatch';
import type { Clock } from '../../base/clock';
import type { Disposable } from '../../base/disposable';
import { messageOf, systemCodeOf } from '../../base/errors';
import type { OwnWrites } from '../ownWrites';
import type { FileEvent, FileWatch } from '../taskDefinitions/definitionSchema';

export interface FileChange {
  /** Relative to the repository. */
  readonly path: string;
  readonly event: FileEvent;
}

export interface FileWatcherOptions {
  readonly repo: string;
  readonly watch: FileWatch;
  readonly ownWrites: OwnWrites;
  readonly clock: Clock;
  /** Told when it has been quiet for a while, what has changed since; the latest first. */
  readonly onChange: (changes: readonly FileChange[]) => void;
  /** Told what keeps it from seeing everything, in words. */
  readonly onProblem: (message: string) => void;
  /** Told once, when it sees changes. */
  readonly onReady?: () => void;
}

/** More than these are not named to a task. */
const maxChanges = 100;

/** Never looked into: git's own, what packages bring, and what Airlock is just writing. */
const neverWatched = /(?:^|\/)(?:\.git|node_modules)(?:\/|$)|(?:^|\/)\.[^/]+\.airlock-[^/]+$/;

/** Follows files of a repository, and tells of changes together once it is quiet. What Airlock wrote itself is no change. */
export class FileWatcher implements Disposable {
  private readonly watcher: FSWatcher;
  private readonly root: string;
  private changes = new Map<string, FileEvent>();
  private timer: Disposable | undefined;
  private hasProblem = false;
  private ended = false;

  constructor(private readonly options: FileWatcherOptions) {
    const { repo, watch: wanted } = options;
    this.root = path.resolve(repo, wanted.path);
    const fits = picomatch(wanted.pattern, { dot: true });
    this.watcher = watch(this.root, {
      ignoreInitial: true,
      followSymlinks: false,
      ignored: (file, stats) =>
        neverWatched.test(path.relative(repo, file)) ||
        // A file that is itself what is watched has no path below it.
        (stats?.isFile() === true && file !== this.root && !fits(path.relative(this.root, file))),
    });
    const names = { add: 'created', change: 'modified', unlink: 'deleted' } as const;
    for (const [name, event] of [
      ['add', names.add],
      ['change', names.change],
      ['unlink', names.unlink],
    ] as const) {
      this.watcher.on(name, (file) => {
        const isFitting = file === this.root || fits(path.relative(this.root, file));
        if (isFitting && wanted.event.includes(event)) this.note(file, event);
      });
    }
    this.watcher.on('error', (error) => this.failed(error));
    this.watcher.on('ready', () => options.onReady?.());
  }

  dispose(): void {
    this.ended = true;
    this.timer?.dispose();
    // Nothing is left to be done when closing goes wrong.
    this.watcher.close().catch(() => {});
  }

  private note(file: string, event: FileEvent): void {
    if (this.ended) return;
    this.changes.delete(file);
    this.changes.set(file, event);
    this.timer?.dispose();
    this.timer = this.options.clock.setTimer(this.options.watch.debounce * 1000, () => {
      this.tell().catch((error: unknown) => this.failed(error));
    });
  }

  private async tell(): Promise<void> {
    const changes = [...this.changes].reverse();
    this.changes = new Map();
    const own = await Promise.all(changes.map(([file]) => this.options.ownWrites.isOwn(file)));
    const others = changes
      .filter((_, index) => !own[index])
      .slice(0, maxChanges)
      .map(([file, event]) => ({ path: path.relative(this.options.repo, file), event }));
    if (others.length > 0 && !this.ended) this.options.onChange(others);
  }

  private failed(error: unknown): void {
    if (this.hasProblem) return;
    this.hasProblem = true;
    const code = systemCodeOf(error);
    this.options.onProblem(
      code === 'ENOSPC' || code === 'EMFILE'
        ? `Not all files can be watched: the system allows no more watches (${code}). Watch a smaller folder, or raise fs.inotify.max_user_watches and max_user_instances with sysctl.`
        : `Not all files can be watched: ${messageOf(error)}`,
    );
  }
}
