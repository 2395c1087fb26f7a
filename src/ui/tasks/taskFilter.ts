import { type Disposable, DisposableStore } from '../../base/disposable';
import { Emitter } from '../../base/emitter';
import type { Digest, TaskId } from '../../core/ids';
import { runOf } from '../../core/liveState';
import type { ExecutorLink } from '../executorLink';
import { type FilterWords, filterWords, hasWords, searchText } from './filterText';
import type { Kept } from './lookedAt';
import { PromptTexts } from './promptTexts';
import { type TaskGroup, taskGroups } from './taskGroup';
import type { ListChange, TaskList } from './taskList';

const key = 'airlock.taskFilter';
const maxLength = 500;

/**
 * The tasks of the list that have the words which the user looks for; all of them while there are none. As in the list, an
 * event costs one task's look and tells one row.
 */
export class TaskFilter implements Disposable {
  private readonly store = new DisposableStore();
  private readonly changed = new Emitter<ListChange>();
  private readonly prompts: PromptTexts;
  private current: string;
  private words: FilterWords;
  private matching = new Set<TaskId>();
  /** Tasks that are found, if they are, by a prompt that is still being read. */
  private readonly unread = new Map<Digest, Set<TaskId>>();
  /** The found tasks of a group in their order, until the group is another. */
  private readonly found = new Map<TaskGroup, readonly TaskId[]>();
  private groups = '';

  /** @param kept What VS Code keeps for this folder over reloads. */
  constructor(
    readonly list: TaskList,
    private readonly link: ExecutorLink,
    private readonly kept: Kept,
  ) {
    const text = kept.get(key);
    this.current = typeof text === 'string' ? text : '';
    this.words = filterWords(this.current);
    this.prompts = new PromptTexts(
      async (digest) => (await link.ready()).readBlob(digest),
      (digests) => this.lookAgain(digests),
    );
    this.store.add(this.changed);
    // Another executor may read what this one could not.
    this.store.add(
      link.onDidReset(() => {
        this.prompts.forget();
        this.lookAtAll();
      }),
    );
    this.store.add(list.onDidChange((change) => this.follow(change)));
    this.lookAtAll();
  }

  /** As of the list, and everything when the words are others. */
  get onDidChange() {
    return this.changed.event;
  }

  /** What the user looks for; empty for nothing. */
  get text(): string {
    return this.current;
  }

  get isOn(): boolean {
    return this.words.length > 0;
  }

  /** Shows only what has these words. `keep`: after a reload too. */
  async set(text: string, { keep }: { readonly keep: boolean }): Promise<void> {
    const trimmed = text.trim().slice(0, maxLength);
    if (trimmed !== this.current) {
      this.current = trimmed;
      this.words = filterWords(trimmed);
      if (!this.isOn) this.prompts.forget();
      this.lookAtAll();
      this.changed.fire({ kind: 'all' });
    }
    if (keep) await this.kept.update(key, trimmed === '' ? undefined : trimmed);
  }

  /** Something that is no task has the words. */
  matches(text: string): boolean {
    return hasWords(this.words, text.toLowerCase());
  }

  idsOf(group: TaskGroup): readonly TaskId[] {
    if (!this.isOn) return this.list.idsOf(group);
    const known = this.found.get(group);
    if (known) return known;
    const found = this.list.idsOf(group).filter((taskId) => this.matching.has(taskId));
    this.found.set(group, found);
    return found;
  }

  shownGroups(): TaskGroup[] {
    return taskGroups.filter((group) => this.idsOf(group).length > 0);
  }

  /** Where a task is shown; `undefined` when it is not. */
  groupOf(taskId: TaskId): TaskGroup | undefined {
    return this.isOn && !this.matching.has(taskId) ? undefined : this.list.groupOf(taskId);
  }

  counts(): { readonly shown: number; readonly all: number } {
    const count = (idsOf: (group: TaskGroup) => readonly TaskId[]): number =>
      taskGroups.reduce((sum, group) => sum + idsOf(group).length, 0);
    return { shown: count((group) => this.idsOf(group)), all: count((group) => this.list.idsOf(group)) };
  }

  dispose(): void {
    this.prompts.forget();
    this.store.dispose();
  }

  private follow(change: ListChange): void {
    if (!this.isOn) this.changed.fire(change);
    else if (change.kind === 'some') this.tell(change.tasks, change.groups);
    else {
      this.lookAtAll();
      this.changed.fire(change);
    }
  }

  private lookAgain(digests: ReadonlySet<Digest>): void {
    const tasks = [...digests].flatMap((digest) => [...(this.unread.get(digest) ?? [])]);
    for (const digest of digests) this.unread.delete(digest);
    this.tell(new Set(tasks), new Set());
  }

  /** Looks at tasks that changed, and says what is to be shown anew. */
  private tell(tasks: ReadonlySet<TaskId>, moved: ReadonlySet<TaskGroup>): void {
    const groups = new Set(moved);
    for (const taskId of tasks) {
      const group = this.list.groupOf(taskId);
      const wasFound = this.matching.has(taskId);
      if (this.look(taskId) !== wasFound && group) groups.add(group);
    }
    for (const group of groups) this.found.delete(group);
    const before = this.groups;
    this.groups = this.shownGroups().join();
    if (this.groups !== before) {
      this.changed.fire({ kind: 'all' });
      return;
    }
    const shown = [...groups].filter((group) => this.idsOf(group).length > 0);
    const rows = [...tasks].filter((taskId) => this.matching.has(taskId));
    this.changed.fire({ kind: 'some', tasks: new Set(rows), groups: new Set(shown) });
  }

  private lookAtAll(): void {
    this.matching = new Set();
    this.unread.clear();
    this.found.clear();
    if (this.isOn) for (const taskId of this.link.state.tasks.keys()) this.look(taskId);
    this.groups = this.shownGroups().join();
  }

  /** Whether a task has the words, as far as its prompt has been read. */
  private look(taskId: TaskId): boolean {
    const isMatch = this.hasWords(taskId);
    if (isMatch) this.matching.add(taskId);
    else this.matching.delete(taskId);
    return isMatch;
  }

  private hasWords(taskId: TaskId): boolean {
    const task = this.link.state.tasks.get(taskId);
    if (!task) return false;
    const text = searchText(task, runOf(this.link.state, task));
    if (hasWords(this.words, text)) return true;
    const { prompt } = task.spec;
    const prompted = this.prompts.get(prompt);
    if (prompted !== undefined) return hasWords(this.words, `${text}\n${prompted}`);
    const waiting = this.unread.get(prompt) ?? new Set();
    this.unread.set(prompt, waiting.add(taskId));
    return false;
  }
}
