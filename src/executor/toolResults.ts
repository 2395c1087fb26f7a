import { Mutex } from '../base/mutex';
import type { ToolImage, ToolResult } from '../core/engine';
import type { KeptImage } from '../core/conversationEvents';
import type { EventBody } from '../core/events';
import type { ToolCallState } from '../core/liveState';
import type { AgentNews } from './agentNews';
import type { HostedRun } from './hostedRun';
import { type Mail, Mailbox } from './mailbox';
import type { ExecutorPorts } from './ports';

/** What an interrupted tool call is answered with, so that the model can look before it repeats it. */
export const interruptedAnswer =
  'This call was interrupted by a restart before its result was kept. It may or may not have taken effect. Look before you repeat it.';

/** The name of a call that is known by the model's id alone: after a crash it may be asked for at any place. */
export function ownCallId(id: string): string {
  return `own/${id}`;
}

/**
 * What the tool calls of a run gave, kept so that a call which was finished is never done again. With it the agent is given, once,
 * what others have written to it and what it is to learn.
 */
export class ToolResults {
  private readonly mailbox: Mailbox;
  /** One after the other, so that no message comes with two results. */
  private readonly finishing = new Mutex();

  constructor(
    private readonly ports: Pick<ExecutorPorts, 'events' | 'blobs'>,
    private readonly run: Pick<HostedRun, 'runId' | 'persona'>,
    private readonly news: AgentNews,
  ) {
    this.mailbox = new Mailbox(ports, run);
  }

  /** Keeps it, with what comes along before its text. It is on disk when this resolves. */
  finish(callId: string, result: ToolResult, durationMs: number): Promise<ToolResult> {
    return this.finishing.run(async () => {
      const { text, bodies } = await this.takeAlong();
      const whole = text === '' ? result : { ...result, text: `${text}\n\n${result.text}` };
      return this.keep(callId, whole, durationMs, bodies);
    });
  }

  /** Keeps it as it is. @returns what comes along; empty for nothing. */
  finishAlone(callId: string, result: ToolResult, durationMs: number): Promise<string> {
    return this.finishing.run(async () => {
      const { text, bodies } = await this.takeAlong();
      await this.keep(callId, result, durationMs, bodies);
      return text;
    });
  }

  private async takeAlong(): Promise<Mail> {
    const { text, bodies } = await this.mailbox.take();
    return { text: [text, this.news.take()].filter((part) => part !== '').join('\n\n'), bodies };
  }

  /** @param more Events that belong into the same group. */
  async keep(
    callId: string,
    result: ToolResult,
    durationMs: number,
    more: readonly EventBody[] = [],
  ): Promise<ToolResult> {
    const { runId } = this.run;
    const output = await this.ports.blobs.put(result.text);
    const images = await Promise.all((result.images ?? []).map((image) => this.keepImage(image)));
    await this.ports.events.append([
      {
        kind: 'tool.finished',
        runId,
        callId,
        ok: result.ok,
        output,
        ...(images.length > 0 ? { images } : {}),
        durationMs: Math.round(durationMs),
      },
      ...more,
    ]);
    return result;
  }

  /** What a call gave; `undefined` while it is not finished. */
  async stored({ output, ok, images }: ToolCallState): Promise<ToolResult | undefined> {
    if (!output) return undefined;
    const bytes = await this.ports.blobs.get(output);
    if (!bytes) return { ok: ok ?? false, text: interruptedAnswer };
    const shown = await Promise.all((images ?? []).map((image) => this.storedImage(image)));
    const found = shown.filter((image) => image !== undefined);
    const text = Buffer.from(bytes).toString('utf8');
    return { ok: ok ?? false, text, ...(found.length > 0 ? { images: found } : {}) };
  }

  private async keepImage({ mediaType, bytes }: ToolImage): Promise<KeptImage> {
    return { mediaType, blob: await this.ports.blobs.put(bytes) };
  }

  private async storedImage({ mediaType, blob }: KeptImage): Promise<ToolImage | undefined> {
    const bytes = await this.ports.blobs.get(blob);
    return bytes ? { mediaType, bytes } : undefined;
  }
}
