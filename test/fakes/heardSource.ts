import type { AcceptAnswer, OfferedTask, Report, ReportBody, SourceListener, TaskSource } from '../../src/core/source';
import { settle } from './clock';

/** A source that keeps what it was asked and told. */
export class HeardSource implements TaskSource {
  readonly heard: string[] = [];
  /** What the next reports come to; they are heard all the same. */
  reportFails: Error | undefined;
  answer: () => AcceptAnswer = () => ({ kind: 'accepted' });
  private listener: SourceListener | undefined;

  constructor(readonly id: string) {}

  start(listener: SourceListener): void {
    this.listener = listener;
  }

  async offers(...tasks: OfferedTask[]): Promise<void> {
    this.listener?.offer({ tasks, complete: true, problems: [] });
    await settle();
  }

  refresh(): void {}

  async accept(externalId: string, options?: { readonly isRepeat: boolean }): Promise<AcceptAnswer> {
    this.heard.push(`accept ${externalId}${options?.isRepeat ? ' again' : ''}`);
    return this.answer();
  }

  async progress(): Promise<void> {}

  async report({ externalId, kind }: Report, { outcome }: ReportBody): Promise<void> {
    this.heard.push(`${kind} ${externalId} ${outcome}`);
    if (this.reportFails) throw this.reportFails;
  }

  dispose(): void {}
}

export function keyed(externalId: string, key: string): OfferedTask {
  return { externalId, task: { title: externalId, prompt: 'Do it.', key } };
}
