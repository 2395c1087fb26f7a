import type { ContentBlock, EngineHost, ToolDefinition, ToolImage, ToolResult } from '../../core/engine';
import type { PendingCall } from './nextStep';
import { sendable } from './requestBody';

/**
 * Does the calls of one answer and gives their results as blocks of the user's next message, in the order of the calls.
 * Neighbours that change nothing are done at the same time; everything else waits for its turn.
 * @throws what `host.callTool` throws, once nothing of this answer is running any more.
 */
export async function answerCalls(
  calls: readonly PendingCall[],
  tools: readonly ToolDefinition[],
  host: EngineHost,
): Promise<ContentBlock[]> {
  const readOnly = new Set(tools.filter((tool) => tool.readOnly).map((tool) => tool.name));
  const blocks: ContentBlock[] = [];
  for (const group of grouped(calls, readOnly)) {
    const outcomes = await Promise.allSettled(group.map((call) => answerCall(call, host)));
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') throw outcome.reason;
      blocks.push(outcome.value);
    }
  }
  return blocks;
}

/** Calls that may be done at the same time, in order. */
function grouped(calls: readonly PendingCall[], readOnly: ReadonlySet<string>): PendingCall[][] {
  const groups: { readonly parallel: boolean; readonly calls: PendingCall[] }[] = [];
  for (const call of calls) {
    const parallel = call.kind === 'broken' || readOnly.has(call.call.name);
    const last = groups.at(-1);
    if (parallel && last?.parallel) last.calls.push(call);
    else groups.push({ parallel, calls: [call] });
  }
  return groups.map((group) => group.calls);
}

async function answerCall(pending: PendingCall, host: EngineHost): Promise<ContentBlock> {
  if (pending.kind === 'call') return resultBlock(pending.call.id, await host.callTool(pending.call));
  host.notify({ kind: 'warning', text: `A call of ${pending.name} was not done: ${pending.problem}` });
  return resultBlock(pending.id, { ok: false, text: pending.problem });
}

function imageBlock({ mediaType, bytes }: ToolImage): ContentBlock {
  return {
    type: 'image',
    source: { type: 'base64', media_type: mediaType, data: Buffer.from(bytes).toString('base64') },
  };
}

function resultBlock(id: string, { ok, text, images = [] }: ToolResult): ContentBlock {
  return {
    type: 'tool_result',
    tool_use_id: id,
    // The API refuses a text of nothing.
    content: [{ type: 'text', text: text.trim() === '' ? '(no output)' : sendable(text) }, ...images.map(imageBlock)],
    ...(ok ? {} : { is_error: true }),
  };
}
