import type { ToolResult } from '../core/engine';
import type { RunId } from '../core/ids';
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
  async keep(callId: string, result: ToolResult, durationMs: number): Promise<ToolResult> {
    const { runId } = this;
    const output = await this.ports.blobs.put(result.text);
    await this.ports.events.append([
      { kind: 'tool.finished', runId, callId, ok: result.ok, output, durationMs: Math.round(durationMs) },
    ]);
    return result;
  }

  async stored(output: string, ok: boolean): Promise<ToolResult> {
    const bytes = await this.ports.blobs.get(output);
    return { ok, text: bytes ? Buffer.from(bytes).toString('utf8') : interruptedAnswer };
  }
}
