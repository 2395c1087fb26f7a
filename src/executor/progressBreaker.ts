import { messageOf, UserError } from '../base/errors';
import type { RunState } from '../core/liveState';
import { stateOf, type HostedRun } from './hostedRun';
import type { ExecutorPorts } from './ports';

/** To find one wrong line may take as long as to write so many: a smaller change counts as one of this size. */
const leastLines = 20;

const whatThen = 'Look at what it does, then let it go on (Retry) or cancel it.';

/**
 * Stops an agent that gets nowhere, or whose change costs out of all proportion. Looks before each request to the model.
 * It gets on when its files are as they were never before in this run, when checks have said something new, or when it has
 * reported, claimed or asked something new; reading and running commands alone is no progress.
 */
export class ProgressBreaker {
  private readonly seen = new Set<string>();
  private turns = 0;
  /** What the run had cost when the user let it go on beyond its limit; `undefined` before the first look. */
  private allowedUsd: number | undefined;

  constructor(
    private readonly ports: ExecutorPorts,
    private readonly run: Pick<HostedRun, 'runId' | 'snapshots' | 'breakers'>,
    /** Called at half of the way with what the agent is to be told. */
    private readonly onHalfWay: (words: string) => void,
  ) {}

  /** Something from outside may have helped it on: it counts anew. */
  reset(): void {
    this.turns = 0;
  }

  /** The agent said how far it is. */
  reported(percent: number | null, message: string): void {
    if (this.learn([`report ${percent} ${message}`])) this.reset();
  }

  /** @throws {UserError} `no-progress`, `change-too-dear`. When the run goes on, it counts anew. */
  async look(): Promise<void> {
    await this.lookAtProgress();
    await this.lookAtCost();
  }

  private async lookAtProgress(): Promise<void> {
    const { maxIdleTurns } = this.run.breakers;
    if (maxIdleTurns === 0) return;
    this.turns = this.learn(marksOf(this.state)) ? 0 : this.turns + 1;
    if (this.turns === Math.ceil(maxIdleTurns / 2) && this.turns > 1) {
      this.onHalfWay(
        `In your last ${this.turns} turns no file has changed, no check was run and you have reported nothing. If you get on, ` +
          'say how far you are; if you do not, do something else, or end with what you know.',
      );
    }
    if (this.turns <= maxIdleTurns || (await this.filesAreNew())) return;
    throw new UserError(
      'no-progress',
      `In ${this.turns} turns the agent has changed no file, had nothing checked and reported nothing, so it was stopped before ` +
        `it costs more. ${whatThen} The setting airlock.breaker.turnsWithoutProgress says how many are too many.`,
      { turns: this.turns },
    );
  }

  /** The files of the last turn are perhaps not kept yet, or never are. What changes while it is looked at is not at rest. */
  private async filesAreNew(): Promise<boolean> {
    const isNew = this.learn([`tree ${(await this.treeNow()) ?? 'unsteady'}`]);
    if (isNew) this.reset();
    return isNew;
  }

  private async lookAtCost(): Promise<void> {
    const { maxUsdPerLine } = this.run.breakers;
    const costUsd = this.state.costUsd ?? 0;
    const isFirst = this.allowedUsd === undefined;
    this.allowedUsd ??= 0;
    if (maxUsdPerLine === null || costUsd - this.allowedUsd <= maxUsdPerLine * leastLines) return;
    const lines = await this.changedLines();
    if (lines === undefined || costUsd - this.allowedUsd <= maxUsdPerLine * Math.max(leastLines, lines)) return;
    if (isFirst) {
      // Only the user can have let it go on from here.
      this.allowedUsd = costUsd;
      return;
    }
    throw new UserError(
      'change-too-dear',
      `The run has cost $${costUsd.toFixed(2)} and changed ${lines} ${lines === 1 ? 'line' : 'lines'}, so it was stopped before it ` +
        `costs more. ${whatThen} The setting airlock.breaker.costPerLine says how much a changed line may cost.`,
      { costUsd, lines },
    );
  }

  /** Against the base, in all files; `undefined` when it cannot be told. */
  private async changedLines(): Promise<number | undefined> {
    const tree = await this.treeNow();
    const { workspace } = this.run.snapshots;
    if (tree === undefined) return undefined;
    const files = await workspace.changes(workspace.baseTree, tree);
    return files.reduce((sum, { insertions, deletions }) => sum + (insertions ?? 0) + (deletions ?? 0), 0);
  }

  private async treeNow(): Promise<string | undefined> {
    try {
      return (await this.run.snapshots.take('turn', 'to see whether the run gets on')).tree;
    } catch (error) {
      this.ports.logger.debug('Whether a run gets on could not be seen', { reason: messageOf(error) });
      return undefined;
    }
  }

  /** @returns whether one of them was not known. */
  private learn(marks: readonly string[]): boolean {
    const before = this.seen.size;
    for (const mark of marks) this.seen.add(mark);
    return this.seen.size > before;
  }

  private get state(): RunState {
    return stateOf(this.ports, this.run.runId);
  }
}

/** What changes when a run gets on. */
function marksOf(run: RunState): string[] {
  return [
    `tree ${run.baseTree}`,
    ...run.snapshots.map(({ tree }) => `tree ${tree}`),
    `checks ${run.rounds} ${run.checks.length}`,
    `claims ${run.claims}`,
    `question ${run.question?.callId} ${run.question?.answer}`,
  ];
}
