import { fakeUsage, type FakeScript, type FakeTurn, type MessagesBody, type SeenRequest } from './messagesApi';
import { badRequest } from './messagesApiTurns';

/** Four bytes are a token here. */
export function tokensIn({ system, tools, messages }: MessagesBody): number {
  return Math.ceil(Buffer.byteLength(JSON.stringify([system, tools, messages])) / 4);
}

/**
 * A model with a context window: it counts what it is sent, and refuses what does not fit, as the real API does.
 * @param refusal What it says then.
 */
export function withWindow(
  contextTokens: number,
  script: (request: SeenRequest, answered: number) => FakeTurn,
  refusal = (tokens: number): FakeTurn => badRequest(`prompt is too long: ${tokens} tokens > ${contextTokens} maximum`),
): FakeScript {
  let answered = 0;
  return (request) => {
    const tokens = tokensIn(request.body);
    if (tokens > contextTokens) return refusal(tokens);
    const turn = script(request, answered);
    answered += 1;
    if (turn.kind !== 'reply') return turn;
    return { kind: 'reply', reply: { usage: { ...fakeUsage, input_tokens: tokens }, ...turn.reply } };
  };
}

/** The last message of a request asks for a summary. */
export function asksForSummary({ body }: SeenRequest): boolean {
  return JSON.stringify(body.messages.at(-1)).includes('Write the summary');
}
