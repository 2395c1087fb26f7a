import { silentLogger } from '../../src/base/logger';
import { UserError } from '../../src/base/errors';
import { implementer } from '../../src/core/builtInPersonas';
import type { HostLoad } from '../../src/core/hostLoad';
import type { RunId, TaskId } from '../../src/core/ids';
import type { TaskSource } from '../../src/core/source';
import type { NewTask } from '../../src/core/task';
import { LocalExecutor } from '../../src/executor/localExecutor';
import { defaultSettings, type ExecutorPorts, type ExecutorSettings } from '../../src/executor/ports';
import { FakeClock, settle } from './clock';
import { MemoryBlobs, MemoryLog, PaperRoom } from './memoryLog';

export interface QueueRoomOptions {
  readonly clock?: FakeClock;
  /** An earlier life of the same storage. */
  readonly log?: MemoryLog;
  readonly blobs?: MemoryBlobs;
  readonly sources?: readonly TaskSource[];
  readonly settings?: Partial<ExecutorSettings>;
}

/**
 * The whole executor over a journal in memory, with runs that get as far as their workspace and stay there until the test ends
 * them: for what is decided about the queue, and not what a run does.
 */
export class QueueRoom {
  readonly clock: FakeClock;
  readonly log: MemoryLog;
  readonly blobs: MemoryBlobs;
  readonly disk = new PaperRoom();
  readonly executor: LocalExecutor;
  host: HostLoad = { cpu: null, memory: null };
  /** How often somebody looked at `host`. */
  hostLooks = 0;
  private readonly working = new Map<RunId, (error: Error) => void>();

  constructor(options: QueueRoomOptions = {}) {
    this.clock = options.clock ?? new FakeClock();
    this.log = options.log ?? new MemoryLog(this.clock);
    this.blobs = options.blobs ?? new MemoryBlobs();
    this.executor = new LocalExecutor({
      ports: this.ports(options.sources ?? []),
      settings: { ...defaultSettings, ...options.settings },
      process: { pid: 1, startTicks: 1, bootId: 'boot' },
      version: '0.0.0',
      afterEnd: () => Promise.resolve(),
    });
  }

  /** Titles of the tasks that are in work. */
  get inWork(): string[] {
    const { state } = this.log;
    return [...this.working.keys()].flatMap((runId) => {
      const run = state.runs.get(runId);
      return (run && state.tasks.get(run.taskId)?.spec.title) ?? [];
    });
  }

  async start(): Promise<void> {
    await this.executor.start();
    await this.executor.startQueue();
    await settle();
  }

  async add(title: string, task: Partial<NewTask> = {}): Promise<TaskId> {
    const taskId = await this.executor.add({ title, prompt: 'Do it.', ...task });
    await settle();
    return taskId;
  }

  /** Its run fails for good. */
  async fail(taskId: TaskId): Promise<void> {
    const runId = this.log.state.tasks.get(taskId)?.runId ?? '';
    this.working.get(runId)?.(new UserError('nothing-to-do', 'The test ended it.'));
    await settle();
  }

  private ports(sources: readonly TaskSource[]): ExecutorPorts {
    const workspaces: Partial<ExecutorPorts['workspaces']> = {
      create: ({ runId, signal }) =>
        new Promise((_resolve, reject) => {
          const end = (error: Error): void => {
            this.working.delete(runId);
            reject(error);
          };
          this.working.set(runId, end);
          signal?.addEventListener('abort', () => end(new Error('aborted')), { once: true });
        }),
      reopen: () => Promise.resolve(undefined),
      stored: () => Promise.resolve([]),
    };
    const ports: Partial<Record<keyof ExecutorPorts, unknown>> = {
      events: this.log,
      blobs: this.blobs,
      room: this.disk,
      host: {
        look: () => {
          this.hostLooks += 1;
          return this.host;
        },
      },
      jails: { shutdown: () => Promise.resolve() },
      sessions: { shutdown: () => Promise.resolve() },
      workspaces,
      personas: {
        of: () =>
          Promise.resolve({ personas: [{ persona: implementer, origin: { kind: 'builtIn' } }], diagnostics: [] }),
      },
      engine: { kind: 'anthropic', defaultModel: 'model-a' },
      sources,
      priceList: 'none',
      repositories: () => ['/home/dev/project'],
      clock: this.clock,
      logger: silentLogger,
    };
    return ports as unknown as ExecutorPorts;
  }
}
