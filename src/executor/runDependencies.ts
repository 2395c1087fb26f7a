import { plainText } from '../base/ansi';
import { messageOf, UserError } from '../base/errors';
import { makeVisible } from '../base/visible';
import type { Dependencies, Preparation, SetupEnd } from '../core/dependencies';
import type { ObjectId } from '../core/ids';
import type { EgressConnection } from '../core/jail';
import type { Workspace } from '../core/workspace';
import type { ExecutorPorts, ExecutorSettings } from './ports';

/** The last line of a setup's output is told no more often. */
const progressEveryMs = 2_000;
const maxLineChars = 200;
const maxWordsChars = 600;

/**
 * The dependencies of the trees of one run. Each tree is asked about once; what was prepared is held until it is released,
 * at the end of the run's work.
 */
export class RunDependencies {
  private readonly prepared = new Map<ObjectId, Promise<Preparation>>();

  constructor(
    private readonly ports: ExecutorPorts,
    private readonly settings: ExecutorSettings,
    private readonly workspace: Workspace,
    private readonly options: {
      readonly signal: AbortSignal;
      /** Told of each connection that a setup asks for. */
      readonly onConnection: (connection: EgressConnection) => void;
    },
  ) {}

  /** Holds what was prepared before there was a run. */
  adopt(tree: ObjectId, preparation: Preparation): void {
    this.prepared.set(tree, Promise.resolve(preparation));
  }

  of(tree: ObjectId): Promise<Preparation> {
    const preparing = this.prepared.get(tree) ?? this.prepare(tree);
    this.prepared.set(tree, preparing);
    return preparing;
  }

  /**
   * Those of the base, without which there is no run.
   * @returns `undefined` when the repository has no setup. @throws {UserError} `setup-failed`, `setup-network`.
   */
  async ofBase(): Promise<Dependencies | undefined> {
    const preparation = await this.of(this.workspace.baseTree);
    if (preparation.kind === 'failed') throw setupFailed(preparation.end);
    return preparation.kind === 'ready' ? preparation.dependencies : undefined;
  }

  /** No jail of the run may be left. */
  async release(): Promise<void> {
    const all = await Promise.allSettled(this.prepared.values());
    this.prepared.clear();
    for (const outcome of all) {
      if (outcome.status === 'fulfilled' && outcome.value.kind === 'ready') outcome.value.dependencies.release();
    }
  }

  private prepare(tree: ObjectId): Promise<Preparation> {
    const { events, blobs } = this.ports;
    const { runId } = this.workspace;
    const { setupDomains, maxDependencyBytes } = this.settings;
    return this.workspace.prepare(tree, {
      allowedDomains: setupDomains,
      maxKeptBytes: maxDependencyBytes,
      ...this.options,
      onStart: async ({ commands, network }) => {
        await events.append([{ kind: 'setup.started', runId, tree, commands: [...commands], network: [...network] }]);
      },
      onOutput: this.teller(),
      onEnd: async ({ problem, output, durationMs }) => {
        const blob = await blobs.put(output);
        const rounded = Math.round(durationMs);
        await events.append([{ kind: 'setup.finished', runId, tree, problem, output: blob, durationMs: rounded }]);
      },
    });
  }

  /** Shows the last line of the output as it goes on, now and then. */
  private teller(): (bytes: Uint8Array) => void {
    const { clock, events, logger } = this.ports;
    let toldAtMs = Number.NEGATIVE_INFINITY;
    return (bytes) => {
      const line = lastLine(bytes);
      if (line === '' || clock.monotonicMs() - toldAtMs < progressEveryMs) return;
      toldAtMs = clock.monotonicMs();
      const message = `Preparing dependencies: ${line}`;
      events
        .append([{ kind: 'run.progress', runId: this.workspace.runId, message, percent: null }])
        .catch((error: unknown) => logger.debug('Progress was not kept', { reason: messageOf(error) }));
    };
  }
}

/** The words for a tree whose setup failed, and what it printed. */
export function describeFailure({ problem, output }: SetupEnd): string {
  return `The setup failed (${problem ?? 'unknown'}).\n${Buffer.from(output).toString('utf8')}`;
}

function setupFailed({ problem, output }: SetupEnd): UserError {
  const words = makeVisible(plainText(output).trim()).slice(-maxWordsChars);
  return new UserError(
    'setup-failed',
    `The setup of this repository failed (${problem ?? 'unknown'}), so the agent was not started. Mend it or .airlock/config.yaml, commit, and retry.${words === '' ? '' : ` It said: ${words}`}`,
    { problem },
  );
}

function lastLine(bytes: Uint8Array): string {
  const lines = plainText(bytes)
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== '');
  return makeVisible(lines.at(-1)?.trim() ?? '').slice(0, maxLineChars);
}
