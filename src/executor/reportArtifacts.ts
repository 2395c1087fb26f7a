import { messageOf, UserError } from '../base/errors';
import type { ArtifactKind } from '../core/artifact';
import type { CheckResult } from '../core/evidence';
import type { Digest } from '../core/ids';
import type { ReportState, RunState } from '../core/liveState';
import { SourceUnreachableError, type TaskSource } from '../core/source';
import type { ExecutorPorts } from './ports';
import { recordedEnd } from './recordedEnd';
import { isReportOf } from './runReport';

/** A larger patch is left out whole: a part of it would not apply. */
const maxPatchBytes = 4 * 1024 * 1024;
/** Of the output of one check, its end. */
const maxOutputChars = 32 * 1024;
const maxLogChars = 512 * 1024;
/** So often an outcome waits for its artifacts. Then it goes without: it matters more. */
const maxWaits = 3;

/**
 * Hands over to a source what belongs to a report, before the report. Each one that was taken is in the journal, so that a
 * report which is sent again sends none of them again. One that a source does not want is no failure.
 */
export class ReportArtifacts {
  constructor(private readonly ports: ExecutorPorts) {}

  /**
   * @returns The names of those that the source has now.
   * @throws {SourceUnreachableError} when one could not be handed over and may be later.
   */
  async handOver(source: TaskSource, { report, attempts, attached = [] }: ReportState): Promise<readonly string[]> {
    const names = [...attached];
    if (!source.attach) return names;
    // The run that it is about, while it is known.
    const run = [...this.ports.events.state.runs.values()].find((each) => isReportOf(report.reportId, each));
    for (const kind of run ? (source.artifacts ?? []) : []) {
      const name = fileNames[kind];
      if (!run || names.includes(name) || (report.amends && kind !== 'pullRequest')) continue;
      try {
        const content = await this.contentOf(kind, run);
        if (content === undefined || !(await source.attach(report, { kind, name, content }))) continue;
      } catch (error) {
        if (error instanceof SourceUnreachableError && (report.amends || attempts < maxWaits)) throw error;
        this.ports.logger.warn('An artifact was not handed over', {
          reportId: report.reportId,
          name,
          reason: messageOf(error),
        });
        continue;
      }
      const { reportId, taskId } = report;
      await this.ports.events.append([{ kind: 'report.attached', taskId, reportId, name }]);
      names.push(name);
    }
    return names;
  }

  /** `undefined` when there is none. */
  private async contentOf(kind: ArtifactKind, run: RunState): Promise<string | undefined> {
    const content = await this.read(kind, run);
    return content === undefined || content === '' ? undefined : this.ports.redact(content);
  }

  private async read(kind: ArtifactKind, run: RunState): Promise<string | undefined> {
    switch (kind) {
      case 'patch':
        return this.patchOf(run);
      case 'evidence':
        return run.checks.length === 0 ? undefined : this.evidenceOf(run);
      case 'log': {
        if (run.sessionId === null) return undefined;
        const text = await recordedEnd(this.ports.sessionFolder(run.id, run.sessionId));
        return text?.slice(-maxLogChars);
      }
      case 'pullRequest':
        return this.ports.events.state.tasks.get(run.taskId)?.pullRequests?.at(-1);
    }
  }

  private async patchOf({ repo, baseCommit, commit }: RunState): Promise<string | undefined> {
    if (baseCommit === null || commit === null) return undefined;
    try {
      return await this.ports.workspaces.patch(repo, baseCommit, commit, maxPatchBytes);
    } catch (error) {
      if (error instanceof UserError && error.code === 'git-output-too-large') return undefined;
      throw error;
    }
  }

  private async evidenceOf(run: RunState): Promise<string> {
    const checks = await Promise.all(run.checks.map((check) => this.checkOf(check)));
    const { verdict, baseCommit, commit, branch } = run;
    return JSON.stringify({ verdict, baseCommit, commit, branch, checks }, null, 2);
  }

  private async checkOf({ output, ...check }: CheckResult): Promise<unknown> {
    return { ...check, output: await this.endOf(output) };
  }

  private async endOf(digest: Digest): Promise<string> {
    const text = Buffer.from((await this.ports.blobs.get(digest)) ?? '').toString('utf8');
    return text.length <= maxOutputChars ? text : `[…]\n${text.slice(-maxOutputChars)}`;
  }
}

const fileNames: Readonly<Record<ArtifactKind, string>> = {
  patch: 'airlock.patch',
  evidence: 'airlock-evidence.json',
  log: 'airlock-log.txt',
  pullRequest: 'airlock-pull-request.txt',
};
