import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { z } from 'zod';
import type { Clock } from '../../base/clock';
import { type Disposable, DisposableStore } from '../../base/disposable';
import type { Logger } from '../../base/logger';
import type { TaskId } from '../../core/ids';
import type { MissedStart } from '../../core/plannedTask';
import { guard } from '../commands/commandRegistry';
import type { ExecutorLink } from '../executorLink';
import { oneLine } from '../markdownText';
import { tellsTheUser } from '../notifications';
import type { Kept } from '../tasks/lookedAt';
import type { Scheduled, ScheduleList } from './scheduleList';
import { missedOf, missedWords } from './scheduledRow';

const key = 'airlock.missedStarts';
const namesSchema = z.array(z.string());
const maxRemembered = 500;
/** What was missed while nobody worked is made up for a moment after somebody does: then the alarm can say so. */
const settleMs = 5_000;

export interface MissedStartParts {
  readonly list: ScheduleList;
  readonly link: ExecutorLink;
  /** What VS Code keeps over reloads. */
  readonly kept: Kept;
  readonly clock: Clock;
  readonly runNow: (scheduled: Scheduled) => Promise<void>;
  readonly open: (scheduled: Scheduled) => Promise<void>;
  readonly reveal: (taskId: TaskId) => Promise<void>;
  readonly logger: Logger;
}

interface Missed {
  readonly scheduled: Scheduled;
  readonly missed: MissedStart;
}

interface Button {
  readonly title: string;
  readonly press: () => PromiseLike<void>;
}

/** Says that a start was missed: once for each, over reloads too. */
export class MissedStarts implements Disposable {
  private readonly store = new DisposableStore();
  private timer: Disposable | undefined;

  constructor(private readonly parts: MissedStartParts) {
    this.store.add(parts.list.onDidChange(() => this.look()));
    // A window that only looks on tells while the user looks at it.
    this.store.add(vscode.window.onDidChangeWindowState(() => this.look()));
    this.look();
  }

  dispose(): void {
    this.timer?.dispose();
    this.store.dispose();
  }

  private look(): void {
    if (this.news().length === 0 || !tellsTheUser(this.parts.link)) return;
    this.timer ??= this.parts.clock.setTimer(settleMs, () => {
      this.timer = undefined;
      void guard('Missed starts', this.parts.logger, () => this.tell());
    });
  }

  private news(): Missed[] {
    const told = new Set(this.remembered());
    return this.parts.list.all().flatMap((scheduled): Missed[] => {
      const missed = missedOf(scheduled.plan, scheduled.starting);
      return missed && !told.has(nameOf({ scheduled, missed })) ? [{ scheduled, missed }] : [];
    });
  }

  private async tell(): Promise<void> {
    const news = this.news();
    const [first] = news;
    if (!first || !tellsTheUser(this.parts.link)) return;
    // Before it is shown: a window that is closed meanwhile must not tell it again.
    await this.parts.kept.update(key, [...this.remembered(), ...news.map(nameOf)].slice(-maxRemembered));
    const title = oneLine(first.scheduled.plan.name, 80);
    const message =
      news.length === 1
        ? l10n.t('“{0}”: {1}', title, missedWords(first.missed))
        : l10n.t('{0} task definitions missed their starts, among them “{1}”.', news.length, title);
    const buttons = news.length === 1 ? this.buttonsFor(first) : [showSchedule()];
    const chosen = await vscode.window.showWarningMessage(message, ...buttons.map((button) => button.title));
    await buttons.find((button) => button.title === chosen)?.press();
  }

  private buttonsFor({ scheduled, missed: { madeUpBy } }: Missed): Button[] {
    const open = { title: l10n.t('Open'), press: () => this.parts.open(scheduled) };
    const runNow = l10n.t('Run Now');
    if (madeUpBy === null) return [{ title: runNow, press: () => this.parts.runNow(scheduled) }, open];
    if (this.parts.link.state.tasks.get(madeUpBy)?.status === 'queued') {
      return [{ title: runNow, press: () => vscode.commands.executeCommand('airlock.runTaskNow', madeUpBy) }, open];
    }
    return [{ title: l10n.t('Show Task'), press: () => this.parts.reveal(madeUpBy) }, open];
  }

  private remembered(): readonly string[] {
    return namesSchema.safeParse(this.parts.kept.get(key)).data ?? [];
  }
}

function nameOf({ scheduled, missed }: Missed): string {
  return `${scheduled.plan.path}@${missed.at}`;
}

function showSchedule(): Button {
  return { title: l10n.t('Show Schedule…'), press: () => vscode.commands.executeCommand('airlock.showSchedule') };
}
