import { UserError } from '../base/errors';
import { conversationMessageSchema, type ConversationMessage } from '../core/engine';
import type { EventBody } from '../core/events';
import type { RunId } from '../core/ids';
import type { TokenUsage } from '../core/usage';
import { stateOf } from './hostedRun';
import type { ExecutorPorts } from './ports';

/** A run's conversation, message by message in the journal and the blobs, with what each message cost. */
export class DurableConversation {
  constructor(
    private readonly ports: ExecutorPorts,
    private readonly runId: RunId,
  ) {}

  /** Keeps a message, and `before` and `after` it what belongs to it, in one group of events. */
  async record(message: ConversationMessage, before: () => EventBody[], after: () => EventBody[]): Promise<void> {
    const { runId } = this;
    const { role, usage, model, firstTokenMs } = message;
    const blob = await this.ports.blobs.put(JSON.stringify(message));
    const index = stateOf(this.ports, runId).messages.length;
    await this.ports.events.append([
      ...before(),
      { kind: 'message.recorded', runId, index, role, blob },
      ...(usage && model !== null ? [this.usageEvent(usage, model, firstTokenMs)] : []),
      ...after(),
    ]);
  }

  /** Paid for, and no message was kept. */
  async recordLostUsage(usage: TokenUsage, model: string): Promise<void> {
    await this.ports.events.append([this.usageEvent(usage, model)]);
  }

  /** The conversation so far. @throws {UserError} `conversation-lost`. */
  async history(): Promise<ConversationMessage[]> {
    const messages: ConversationMessage[] = [];
    for (const digest of stateOf(this.ports, this.runId).messages) {
      const bytes = await this.ports.blobs.get(digest);
      if (!bytes)
        throw new UserError('conversation-lost', 'A part of the conversation was deleted: start the task again.');
      messages.push(conversationMessageSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))));
    }
    return messages;
  }

  private usageEvent(usage: TokenUsage, model: string, firstTokenMs?: number | null): EventBody {
    return {
      kind: 'usage.recorded',
      runId: this.runId,
      model,
      usage,
      costUsd: this.ports.costOf(model, usage),
      ...(firstTokenMs == null ? {} : { firstTokenMs }),
    };
  }
}
