import { CancelledError, isCancellation, UserError } from '../../base/errors';
import type {
  ContentBlock,
  Conversation,
  ConversationMessage,
  ConversationOptions,
  EngineEnd,
} from '../../core/engine';
import { nextStep } from './nextStep';
import { sendable } from './requestBody';
import { answerCalls } from './toolTurn';
import { throwIfAborted, type TurnRequester } from './turnRequester';

const goOnText = 'Your answer was cut at the token limit. Go on exactly where it stopped.';

/**
 * The loop of an agent: ask the model, do what it calls for, tell it the results, until it ends its turn. Each message is
 * kept by the host before anything follows from it, so that the loop can be taken up again after any of them.
 */
export class AnthropicConversation implements Conversation {
  private readonly history: ConversationMessage[];

  constructor(
    private readonly options: ConversationOptions,
    private readonly requester: TurnRequester,
    private readonly maxContinuations: number,
    private readonly ending: AbortController,
  ) {
    this.history = [...options.history];
  }

  async send(text: string): Promise<EngineEnd> {
    return this.working(async () => {
      const step = nextStep(this.history, this.maxContinuations);
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
    this.ending.abort();
  }

  private async untilEnd(): Promise<EngineEnd> {
    for (;;) {
      const step = nextStep(this.history, this.maxContinuations);
      switch (step.kind) {
        case 'request': {
          const turns = this.history.filter((message) => message.role === 'assistant').length;
          if (turns >= this.options.maxTurns) return { kind: 'turnLimit', turns };
          await this.keep(await this.requester.answer(this.history));
          break;
        }
        case 'answerCalls':
          await this.keepUserMessage(await this.results(step.calls));
          break;
        case 'goOn':
          await this.keepUserMessage([{ type: 'text', text: goOnText }]);
          break;
        case 'contextFull':
          throw new UserError('context-full', 'The conversation no longer fits into the model’s context window.', {
            retryable: false,
          });
        case 'end':
          return step.end;
      }
    }
  }

  private results(calls: Parameters<typeof answerCalls>[0]): Promise<ContentBlock[]> {
    throwIfAborted(this.ending.signal);
    throwIfAborted(this.options.signal);
    return answerCalls(calls, this.options.tools, this.options.host);
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
