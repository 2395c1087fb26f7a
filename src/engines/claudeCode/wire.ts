import { z } from 'zod';

const toolUse = { tool_use_id: z.string().min(1).max(200) };

/** Something that Claude Code asks of us and waits for. */
const askedSchema = z.discriminatedUnion('subtype', [
  z.object({ subtype: z.literal('can_use_tool'), tool_name: z.string(), input: z.unknown(), ...toolUse }),
  z.object({
    subtype: z.literal('hook_callback'),
    callback_id: z.enum(['begin', 'end']),
    input: z.object({
      hook_event_name: z.string(),
      tool_name: z.string(),
      tool_input: z.unknown(),
      tool_response: z.unknown().optional(),
      error: z.unknown().optional(),
      ...toolUse,
    }),
  }),
  z.object({ subtype: z.literal('mcp_message'), server_name: z.string(), message: z.unknown() }),
]);
export type Asked = z.infer<typeof askedSchema>;

const controlSchema = z.object({ type: z.literal('control_request'), request_id: z.string(), request: z.unknown() });
const resultSchema = z.object({
  type: z.literal('result'),
  subtype: z.string(),
  is_error: z.boolean().catch(false),
  result: z.string().catch(''),
  errors: z.array(z.string()).catch([]),
});
const answeredSchema = z.object({
  type: z.literal('control_response'),
  response: z.object({ subtype: z.string(), request_id: z.string() }),
});
const initSchema = z.object({ type: z.literal('system'), subtype: z.literal('init') });
const anySchema = z.object({ type: z.string() });

const initializeId = 'initialize';

/** What Claude Code says, as far as it matters here. All of it is a jail's word. */
export type ClaudeMessage =
  /** `asked` is `undefined` for what we do not do. */
  | { readonly kind: 'asks'; readonly id: string; readonly asked: Asked | undefined }
  /** It took what it was told first, or did not. */
  | { readonly kind: 'answered'; readonly ok: boolean }
  | { readonly kind: 'result'; readonly ok: boolean; readonly subtype: string; readonly text: string }
  /** A turn of its begins. */
  | { readonly kind: 'begins' }
  | { readonly kind: 'other' };

/** @returns `undefined` for a line that is none of Claude Code's. */
export function readMessage(line: string): ClaudeMessage | undefined {
  const value = jsonOf(line);
  const control = controlSchema.safeParse(value).data;
  if (control) return { kind: 'asks', id: control.request_id, asked: askedSchema.safeParse(control.request).data };
  const answered = answeredSchema.safeParse(value).data?.response;
  if (answered?.request_id === initializeId) return { kind: 'answered', ok: answered.subtype === 'success' };
  const result = resultSchema.safeParse(value).data;
  if (result) {
    const { subtype, is_error: isError, errors } = result;
    // "success" says only that it came to an end by itself.
    return { kind: 'result', ok: subtype === 'success' && !isError, subtype, text: result.result || errors.join('\n') };
  }
  if (initSchema.safeParse(value).success) return { kind: 'begins' };
  return anySchema.safeParse(value).success ? { kind: 'other' } : undefined;
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

export function userLine(text: string): string {
  const message = { role: 'user', content: [{ type: 'text', text }] };
  return lineOf({ type: 'user', message, parent_tool_use_id: null, session_id: '' });
}

/** The first thing that is said: every use of a tool, and its end, is to be told before anything follows from it. */
export function initializeLine(): string {
  const every = (callback: Extract<Asked, { subtype: 'hook_callback' }>['callback_id']): unknown[] => [
    { matcher: null, hookCallbackIds: [callback] },
  ];
  const hooks = { PreToolUse: every('begin'), PostToolUse: every('end'), PostToolUseFailure: every('end') };
  return lineOf({ type: 'control_request', request_id: initializeId, request: { subtype: 'initialize', hooks } });
}

/** A server of ours has other tools than it had. `count` tells the lines apart. */
export function toolsChangedLine(server: string, count: number): string {
  const message = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };
  const request = { subtype: 'mcp_message', server_name: server, message };
  return lineOf({ type: 'control_request', request_id: `tools-${count}`, request });
}

export function controlAnswer(id: string, response: unknown): string {
  return lineOf({ type: 'control_response', response: { subtype: 'success', request_id: id, response } });
}

export function controlRefusal(id: string, error: string): string {
  return lineOf({ type: 'control_response', response: { subtype: 'error', request_id: id, error } });
}

function lineOf(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
