import type { ServerResponse } from 'node:http';

/** A part of a reply, as whoever writes a reply gives it. */
export type ReplyBlock =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'thinking'; readonly thinking: string; readonly signature: string }
  | { readonly type: 'redacted_thinking'; readonly data: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly inputJson: string };

/** Usage as it stands on the wire. */
export interface ReplyUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_creation: {
    readonly ephemeral_5m_input_tokens: number;
    readonly ephemeral_1h_input_tokens: number;
  };
}

/** One whole answer of a Messages API. */
export interface Reply {
  readonly id: string;
  readonly model: string;
  readonly content: readonly ReplyBlock[];
  /** `end_turn`, `tool_use`, `max_tokens`, `refusal`, … */
  readonly stopReason: string;
  readonly usage: ReplyUsage;
}

/** One server-sent event. */
export interface WireEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Characters of text or JSON in one delta: small enough that a reader sees an answer grow. */
const deltaLength = 48;

/** A reply as the events of a streamed answer, in the order and the shapes of the Messages API. */
export function eventsOf(reply: Reply): WireEvent[] {
  const { id, model, usage } = reply;
  return [
    wireEvent('message_start', {
      message: {
        id,
        type: 'message',
        role: 'assistant',
        model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { ...usage, output_tokens: Math.min(1, usage.output_tokens) },
      },
    }),
    wireEvent('ping', {}),
    ...reply.content.flatMap(blockEvents),
    wireEvent('message_delta', {
      delta: { stop_reason: reply.stopReason, stop_sequence: null },
      usage: { output_tokens: usage.output_tokens },
    }),
    wireEvent('message_stop', {}),
  ];
}

function blockEvents(block: ReplyBlock, index: number): WireEvent[] {
  return [
    wireEvent('content_block_start', { index, content_block: emptyBlock(block) }),
    ...deltasOf(block).map((delta) => wireEvent('content_block_delta', { index, delta })),
    wireEvent('content_block_stop', { index }),
  ];
}

function emptyBlock(block: ReplyBlock): Record<string, unknown> {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: '' };
    case 'thinking':
      return { type: 'thinking', thinking: '', signature: '' };
    case 'redacted_thinking':
      return { ...block };
    case 'tool_use':
      return { type: 'tool_use', id: block.id, name: block.name, input: {} };
  }
}

function deltasOf(block: ReplyBlock): Record<string, unknown>[] {
  switch (block.type) {
    case 'text':
      return pieces(block.text).map((text) => ({ type: 'text_delta', text }));
    case 'thinking':
      return [
        ...pieces(block.thinking).map((thinking) => ({ type: 'thinking_delta', thinking })),
        { type: 'signature_delta', signature: block.signature },
      ];
    case 'redacted_thinking':
      return [];
    case 'tool_use':
      return ['', ...pieces(block.inputJson)].map((json) => ({ type: 'input_json_delta', partial_json: json }));
  }
}

/** Cuts at whole characters, so that no surrogate pair is torn. */
function pieces(text: string): string[] {
  const characters = [...text];
  const result: string[] = [];
  for (let start = 0; start < characters.length; start += deltaLength) {
    result.push(characters.slice(start, start + deltaLength).join(''));
  }
  return result;
}

function wireEvent(event: string, data: Record<string, unknown>): WireEvent {
  return { event, data: { type: event, ...data } };
}

export function writeEvent(response: ServerResponse, { event, data }: WireEvent): void {
  response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

export function beginEventStream(response: ServerResponse, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    ...headers,
  });
}

/** An error in the shape that the Messages API gives it. */
export function errorBody(type: string, message: string): Readonly<Record<string, unknown>> {
  return { type: 'error', error: { type, message } };
}

export function writeError(
  response: ServerResponse,
  status: number,
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
