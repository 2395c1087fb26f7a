import { CancelledError, isCancellation, UserError } from '../../base/errors';
import type {
  ContentBlock,
  Conversation,
  ConversationMessage,
  ConversationOptions,
  EngineEnd,
} from '../../core/engine';
import { offeredTools } from '../../core/engine';
import type { ContextRoom, PlannedCut } from './contextRoom';
import type { RequestShape } from './requestShape';
import { answersOf, nextStep } from './nextStep';
import { sendable } from './requestBody';
import { goOnText, sentMessages } from './sentMessages';
import { answerCalls } from './toolTurn';
import { throwIfAborted, type TurnRequester } from './turnRequester';

export interface ConversationParts {
  readonly requester: TurnRequester;
  readonly room: ContextRoom;
  readonly shape: RequestShape;
  readonly maxContinuations: number;
  /** Ends the request that is on its way. */
  readonly ending: AbortController;
}

/**
 * The loop of an agent: ask the model, do what it calls for, tell it the results, until it ends its turn. Each message is
 * kept by the host before anything follows from it, so that the loop can be taken up again after any of them.
 */
export class AnthropicConversation implements Conversation {
  private readonly history: ConversationMessage[];

  constructor(
    private readonly options: ConversationOptions,
    private readonly parts: ConversationParts,
  ) {
    this.history = [...options.history];
  }

  async send(text: string): Promise<EngineEnd> {
    return this.working(async () => {
      const step = nextStep(this.history, this.parts.maxContinuations);
      // Calls that an earlier process left must be answered first: the API takes no other message after them.
      const results = step.kind === 'answerCalls' ? await this.results(step.calls) : [];
      await this.keepUserMessage([...results, { type: 'text', text: sendable(text) }]);
      return this.untilEnd();
    });
  }

  async resume(): Promise<EngineEnd> {
    return this.working(() => this.untilEnd());
  }

  async close(): Promise<void> {
    this.parts.ending.abort();
  }

  private async untilEnd(): Promise<EngineEnd> {
    for (;;) {
      const step = nextStep(this.history, this.parts.maxContinuations);
      switch (step.kind) {
        case 'request': {
          const turns = answersOf(this.history).length;
          if (turns >= this.options.maxTurns) return { kind: 'turnLimit', turns };
          await this.request();
          break;
        }
        case 'answerCalls':
          await this.keepUserMessage(await this.results(step.calls));
          break;
        case 'goOn':
          await this.keepUserMessage([{ type: 'text', text: goOnText }]);
          break;
        case 'end':
          return step.end;
      }
    }
  }

  /** Asks the model for the next message, or makes the room that it needs for that. */
  private async request(): Promise<void> {
    const { room, requester, shape } = this.parts;
    const planned = room.cutBefore(this.history);
    if (planned) return this.keepCut(planned);
    const sent = sentMessages(this.history);
    let answer: ConversationMessage;
    try {
      answer = await requester.answer(sent, { all: this.history, goesOn: this.goesOn });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (error.code === 'context-full') return this.keepCut(room.cutAfter(this.history, error));
      const notice = error.code === 'model-request-refused' ? shape.giveUp(error, sent) : undefined;
      if (notice === undefined) throw error;
      return this.options.host.notify({ kind: 'warning', text: notice });
    }
    room.answered(sent, answer);
    await this.keep(this.history.at(-1)?.cut?.kind === 'ask' ? summaryOf(answer) : answer);
  }

  /** Nothing was cut since the last answer: it is a prompt that goes on from the last one. */
  private get goesOn(): boolean {
    const last = this.history.findLast(({ role, cut }) => role === 'assistant' || cut);
    return !last?.cut || (last.cut.kind === 'ask' && !last.cut.trimmed);
  }

  private async keepCut({ message, notice }: PlannedCut): Promise<void> {
    await this.keep(message);
    const text = `The conversation outgrows the model’s context window. ${notice}`;
    this.options.host.notify({ kind: 'contextCut', text });
  }

  private results(calls: Parameters<typeof answerCalls>[0]): Promise<ContentBlock[]> {
    throwIfAborted(this.parts.ending.signal);
    throwIfAborted(this.options.signal);
    return answerCalls(calls, offeredTools(this.options), this.options.host);
  }

  private keepUserMessage(content: ContentBlock[]): Promise<void> {
    return this.keep({ role: 'user', content, messageId: null, stopReason: null, model: null, usage: null });
  }

  private async keep(message: ConversationMessage): Promise<void> {
    await this.options.host.record(message);
    this.history.push(message);
  }

  /** Whatever an abort made fail on its way, it is a cancellation. */
  private async working(work: () => Promise<EngineEnd>): Promise<EngineEnd> {
    try {
      return await work();
    } catch (error) {
      if (isCancellation(error) && !(error instanceof CancelledError))
        throw new CancelledError(undefined, { cause: error });
      throw error;
    }
  }
}

/** What stands for the conversation from here on: words alone. A model that gave none leaves the task. */
function summaryOf(answer: ConversationMessage): ConversationMessage {
  const content = answer.content.filter(({ type, text }) => type === 'text' && typeof text === 'string' && text.trim());
  const isSummary = content.length > 0 && answer.stopReason !== 'refusal';
  return { ...answer, content, cut: { kind: isSummary ? 'summary' : 'forgotten' } };
}
