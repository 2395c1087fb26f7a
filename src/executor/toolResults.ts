import type { ToolImage, ToolResult } from '../core/engine';
import type { KeptImage } from '../core/conversationEvents';
import type { EventBody } from '../core/events';
import type { RunId } from '../core/ids';
import type { ToolCallState } from '../core/liveState';
import type { ExecutorPorts } from './ports';

/** What an interrupted tool call is answered with, so that the model can look before it repeats it. */
export const interruptedAnswer =
  'This call was interrupted by a restart before its result was kept. It may or may not have taken effect. Look before you repeat it.';

/** The name of a call that is known by the model's id alone: after a crash it may be asked for at any place. */
export function ownCallId(id: string): string {
  return `own/${id}`;
}

/** What the tool calls of a run gave, kept so that a call which was finished is never done again. */
export class ToolResults {
  constructor(
    private readonly ports: ExecutorPorts,
    private readonly runId: RunId,
  ) {}

  /** It is on disk when this resolves. */
  /** @param more Events that belong into the same group. */
  async keep(
    callId: string,
    result: ToolResult,
    durationMs: number,
    more: readonly EventBody[] = [],
  ): Promise<ToolResult> {
    const { runId } = this;
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
