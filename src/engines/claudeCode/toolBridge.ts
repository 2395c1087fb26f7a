import { z } from 'zod';
import type { EngineHost, ToolDefinition, ToolImage } from '../../core/engine';
import { isMcpTool, mcpToolName, ownServer } from '../../core/mcp';

const maxIdLength = 200;

/** Claude Code's name of a tool that it does not do itself. One of an MCP server has such a name already. */
export function bridgedName(name: string): string {
  return isMcpTool(name) ? name : mcpToolName(ownServer, name);
}

/** The executor's own server, and those that are named. */
export function serversOf(named: readonly string[]): string[] {
  return [...new Set([ownServer, ...named])];
}

/** What Claude Code asks one of its servers: JSON-RPC 2.0, as the Model Context Protocol has it. */
const messageSchema = z.looseObject({
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string(),
  params: z.unknown().optional(),
});
const initializeSchema = z.looseObject({ protocolVersion: z.string() });
const callSchema = z.looseObject({
  name: z.string(),
  arguments: z.unknown().optional(),
  _meta: z.looseObject({ 'claudecode/toolUseId': z.string().min(1).max(maxIdLength).optional() }).optional(),
});
type BridgedCall = z.infer<typeof callSchema>;

export interface ToolBridgeOptions {
  /** What is offered now, beside what Claude Code does itself. */
  readonly tools: () => readonly ToolDefinition[];
  /** Servers that are named from the start, though their tools may come later. */
  readonly servers: readonly string[];
  readonly callTool: EngineHost['callTool'];
}

/**
 * Tools that are not done in the jail: Claude Code takes them for those of MCP servers in the process that started it, and
 * asks for them in its own lines. So there is neither a server nor a network for them in the jail.
 */
export class ToolBridge {
  /** Uses that it has asked leave for and not made: older ones do not say whose use a call is. */
  private readonly announced: { readonly id: string; readonly name: string; readonly input: string }[] = [];
  private calls = 0;

  constructor(private readonly options: ToolBridgeOptions) {}

  get isBusy(): boolean {
    return this.calls > 0;
  }

  /** What Claude Code is to be told of before its first turn. */
  get servers(): string[] {
    return serversOf(this.options.servers);
  }

  /** @param name As Claude Code calls it. */
  has(name: string): boolean {
    return this.options.tools().some((tool) => bridgedName(tool.name) === name);
  }

  /** It is about to be called. */
  announce(id: string, name: string, input: unknown): void {
    this.announced.push({ id, name, input: JSON.stringify(input ?? {}) });
    if (this.announced.length > maxAnnounced) this.announced.shift();
  }

  /** @returns a JSON-RPC answer. @throws what the host throws, when the run does not go on. */
  async answer(server: string, message: unknown): Promise<unknown> {
    const { data } = messageSchema.safeParse(message);
    if (!data) return failure(0, -32600, 'That is no request.');
    // Claude Code waits for an answer to what needs none, too.
    if (data.id === undefined) return success(0, {});
    switch (data.method) {
      case 'initialize':
        return success(data.id, this.introduction(server, data.params));
      case 'ping':
        return success(data.id, {});
      case 'tools/list':
        return success(data.id, { tools: this.listed(server) });
      case 'tools/call': {
        const call = callSchema.safeParse(data.params).data;
        return call
          ? success(data.id, await this.call(server, call))
          : failure(data.id, -32602, 'That is no call of a tool.');
      }
      default:
        return failure(data.id, -32601, 'Airlock does not do that.');
    }
  }

  private introduction(server: string, params: unknown): unknown {
    const { protocolVersion = '2025-06-18' } = initializeSchema.safeParse(params).data ?? {};
    return {
      protocolVersion,
      capabilities: { tools: { listChanged: true } },
      serverInfo: { name: server, version: '1' },
    };
  }

  private listed(server: string): unknown[] {
    const own = mcpToolName(server, '');
    return this.options.tools().flatMap(({ name, description, inputSchema, readOnly }) => {
      const bridged = bridgedName(name);
      if (!bridged.startsWith(own)) return [];
      return [{ name: bridged.slice(own.length), description, inputSchema, annotations: { readOnlyHint: readOnly } }];
    });
  }

  private async call(server: string, call: BridgedCall): Promise<unknown> {
    const claudeName = mcpToolName(server, call.name);
    const tool = this.options.tools().find(({ name }) => bridgedName(name) === claudeName);
    const id = call._meta?.['claudecode/toolUseId'] ?? this.announcedId(claudeName, call.arguments);
    if (!tool || id === undefined) return content('There is no such tool.', true);
    this.calls += 1;
    try {
      const {
        ok,
        text,
        images = [],
      } = await this.options.callTool({
        id,
        name: tool.name,
        input: call.arguments ?? {},
        isIdLasting: true,
      });
      return content(text, !ok, images);
    } finally {
      this.calls -= 1;
    }
  }

  private announcedId(name: string, input: unknown): string | undefined {
    const text = JSON.stringify(input ?? {});
    const at = this.announced.findIndex((use) => use.name === name && use.input === text);
    return at < 0 ? undefined : this.announced.splice(at, 1)[0]?.id;
  }
}

/** Calls that were announced and never made are forgotten at some time. */
const maxAnnounced = 100;

function content(text: string, isError: boolean, images: readonly ToolImage[] = []): unknown {
  const shown = images.map(({ mediaType, bytes }) => ({
    type: 'image',
    data: Buffer.from(bytes).toString('base64'),
    mimeType: mediaType,
  }));
  return { content: [{ type: 'text', text }, ...shown], isError };
}

function success(id: string | number, result: unknown): unknown {
  return { jsonrpc: '2.0', id, result };
}

function failure(id: string | number, code: number, message: string): unknown {
  return { jsonrpc: '2.0', id, error: { code, message } };
}
