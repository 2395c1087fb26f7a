import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../../../base/clock';
import { sha256 } from '../../../base/digest';
import { Emitter } from '../../../base/emitter';
import { newId } from '../../../base/ids';
import { Mutex } from '../../../base/mutex';
import type { ChangeAnswer, PendingAnswer, ZMemoryApi } from '../api';
import type { ArtifactBody, CompleteBody, FailBody, NewTaskBody, StatusBody } from '../wire';
import { lockFolder, type FolderLock } from './folderLock';
import { RecordFile } from './recordFile';
import { blanked, endedMs, isBlank, isHeld, newStoredTask, storedLineSchema, type StoredTask } from './storedTask';

/** Lines past the number of tasks at which the file is written anew when it is opened. */
const spareLines = 1_000;

/** Something became of a task. */
export interface TaskChange {
  readonly task: StoredTask;
}

/**
 * ZMemory in this process: durable, with the rules of the wire and no wire. A change is on disk before it is answered,
 * and one writer has the folder at a time.
 */
export class EmbeddedZMemory implements ZMemoryApi {
  private readonly changed = new Emitter<TaskChange>();
  private readonly offered = new Emitter<void>();
  private readonly turns = new Mutex();
  /** Names this start, so that a tag of an earlier one never matches. */
  private readonly startId = newId('z');
  private revision = 0;

  readonly onDidChangeTask = this.changed.event;
  /** Fired when there may be something new on offer. */
  readonly onDidChange = this.offered.event;

  private constructor(
    private readonly folder: string,
    private readonly clock: Clock,
    private readonly lock: FolderLock,
    private readonly file: RecordFile,
    private readonly byId: Map<string, StoredTask>,
  ) {}

  /** @throws {UserError} `zmemory-storage-in-use`, `zmemory-store-damaged`, `zmemory-lock-unavailable`. */
  static async open(folder: string, clock: Clock): Promise<EmbeddedZMemory> {
    await mkdir(path.join(folder, 'artifacts'), { recursive: true, mode: 0o700 });
    const lock = await lockFolder(path.join(folder, 'lock'));
    try {
      const tasks = new Map<string, StoredTask>();
      let lines = 0;
      const file = await RecordFile.open(path.join(folder, 'tasks.jsonl'), (record) => {
        lines += 1;
        for (const task of storedLineSchema.parse(record).tasks) tasks.set(task.id, task);
      });
      if (lines > tasks.size + spareLines) await file.replace([...tasks.values()].map(lineOf));
      return new EmbeddedZMemory(folder, clock, lock, file, tasks);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Every task, oldest first. */
  list(): readonly StoredTask[] {
    return [...this.byId.values()];
  }

  get(id: string): StoredTask | undefined {
    return this.byId.get(id);
  }

  /**
   * Puts tasks in: all of them or none. One whose id is there already stays as it is and is answered.
   * @throws {UserError} `task-invalid`, `disk-full`.
   */
  async create(bodies: readonly NewTaskBody[]): Promise<readonly StoredTask[]> {
    const tasks = bodies.map((body) => newStoredTask(body, this.nowText()));
    return this.turns.run(async () => {
      const fresh = new Map(tasks.filter(({ id }) => !this.byId.has(id)).map((task) => [task.id, task]));
      if (fresh.size > 0) await this.store([...fresh.values()]);
      return tasks.map((task) => this.byId.get(task.id) ?? task);
    });
  }

  async pending(agent: string, knownTag: string | null): Promise<PendingAnswer> {
    const tag = this.tag;
    if (tag === knownTag) return { kind: 'unchanged' };
    const entries = this.list().filter((task) => task.status === 'pending' && (task.agent ?? agent) === agent);
    return { kind: 'tasks', entries, tag };
  }

  /** Names what is on offer now. */
  get tag(): string {
    return `"${this.startId}-${this.revision}"`;
  }

  accept(id: string, agent: string): Promise<ChangeAnswer> {
    return this.change(id, (task) => {
      if (task.status !== 'pending') return `it is ${task.status}`;
      if (task.agent !== null && task.agent !== agent) return 'it is for another agent';
      return { ...task, status: 'accepted', agent };
    });
  }

  setStatus(id: string, { status, progress }: StatusBody): Promise<ChangeAnswer> {
    return this.change(id, (task) => {
      if (status !== 'in_progress' && status !== 'accepted') return 'status can be set to "accepted" or "in_progress"';
      if (!isHeld(task)) return `it is ${task.status}`;
      return { ...task, status, progress: progress ?? task.progress };
    });
  }

  complete(id: string, { result, completed_at }: CompleteBody): Promise<ChangeAnswer> {
    return this.change(id, (task) =>
      isHeld(task) ? { ...task, status: 'completed', progress: 100, result, completed_at } : `it is ${task.status}`,
    );
  }

  fail(id: string, { error, failed_at }: FailBody): Promise<ChangeAnswer> {
    return this.change(id, (task) =>
      isHeld(task) ? { ...task, status: 'failed', error, failed_at } : `it is ${task.status}`,
    );
  }

  async addArtifact(id: string, { name, content }: ArtifactBody): Promise<ChangeAnswer> {
    const artifact = { name, sha256: sha256(content), bytes: Buffer.byteLength(content) };
    return this.change(id, async (task) => {
      await writeFile(this.fileOf(artifact.sha256), content, { mode: 0o600, flush: true });
      return { ...task, artifacts: [...task.artifacts.filter((other) => other.name !== name), artifact] };
    });
  }

  async stateOf(id: string): Promise<StoredTask | undefined> {
    return this.byId.get(id);
  }

  /**
   * Deletes the texts and artifacts of tasks that were over before that. The tasks stay, so that none is offered again and a
   * report that comes twice finds its task.
   */
  forget(beforeMs: number): Promise<void> {
    return this.turns.run(async () => {
      const over = this.list().filter((task) => endedMs(task) <= beforeMs && !isBlank(task));
      const blank = new Map(over.map((task) => [task.id, blanked(task)]));
      const kept = this.list().map((task) => blank.get(task.id) ?? task);
      // First: killed in between, the tasks still have their texts, so that this is done again.
      await this.removeAllBut(new Set(kept.flatMap(({ artifacts }) => artifacts.map(({ sha256: digest }) => digest))));
      if (over.length === 0) return;
      await this.file.replace(kept.map(lineOf));
      for (const task of kept) this.byId.set(task.id, task);
    });
  }

  /** Those that no task names any more go too: one of the same name was put in their place, or a process was killed over them. */
  private async removeAllBut(named: ReadonlySet<string>): Promise<void> {
    for (const digest of await readdir(path.join(this.folder, 'artifacts'))) {
      if (!named.has(digest)) await rm(this.fileOf(digest), { force: true });
    }
  }

  private fileOf(digest: string): string {
    return path.join(this.folder, 'artifacts', digest);
  }

  /** Writes what waits and lets go of the folder. */
  async close(): Promise<void> {
    await this.turns.run(async () => {
      try {
        await this.file.close();
      } finally {
        await this.lock.release();
      }
    });
    this.changed.dispose();
    this.offered.dispose();
  }

  /** Answers the task as it is to be, or why it cannot be changed so. */
  private change(
    id: string,
    decide: (task: StoredTask) => StoredTask | string | Promise<StoredTask>,
  ): Promise<ChangeAnswer> {
    return this.turns.run(async (): Promise<ChangeAnswer> => {
      const task = this.byId.get(id);
      if (!task) return { kind: 'refused', reason: 'there is no such task' };
      const decided = await decide(task);
      if (typeof decided === 'string') return { kind: 'refused', reason: decided };
      await this.store([{ ...decided, updated_at: this.nowText() }]);
      return { kind: 'done' };
    });
  }

  private async store(tasks: readonly StoredTask[]): Promise<readonly StoredTask[]> {
    await this.file.append({ v: 1, tasks });
    const offerChanged = tasks.some((task) => (this.byId.get(task.id)?.status ?? 'pending') === 'pending');
    for (const task of tasks) this.byId.set(task.id, task);
    if (offerChanged) this.revision += 1;
    for (const task of tasks) this.changed.fire({ task });
    if (tasks.some((task) => task.status === 'pending')) this.offered.fire();
    return tasks;
  }

  private nowText(): string {
    return new Date(this.clock.nowMs()).toISOString();
  }
}

function lineOf(task: StoredTask): unknown {
  return { v: 1, tasks: [task] };
}
