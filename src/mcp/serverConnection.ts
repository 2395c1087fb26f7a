import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CallToolResultSchema,
  ListToolsResultSchema,
  type Tool as ListedTool,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { messageOf } from '../base/errors';
import { makeVisible } from '../base/visible';
import type { ToolDefinition, ToolResult } from '../core/engine';
import { mcpToolName } from '../core/mcp';
import type { Tool } from '../core/tool';
import { redacted } from './secretWords';
import { toolResultOf } from './toolText';

/** Installing it may be a part of its start. */
const startMs = 3 * 60_000;
const callMs = 10 * 60_000;
const maxTools = 100;
const maxDescription = 4000;
const maxSchemaBytes = 64 * 1024;
/** Names that every model's server takes. */
const toolName = /^[A-Za-z0-9_-]{1,64}$/;

export interface ServerConnectionOptions {
  readonly name: string;
  readonly transport: Transport;
  readonly secrets: ReadonlyMap<string, string>;
  /** Whether a tool may be used, by the model's name of it. */
  readonly allows: (name: string) => boolean;
  readonly onChange: () => void;
  readonly onNotice: (text: string) => void;
  /** What a program said on its error stream, when it did not start. */
  readonly lastWords: () => string;
}

/**
 * One server: its tools while it is there, and none before and after. All that it says is untrusted: requests are made bare, as
 * the client's own `listTools` makes code of a server's schemas.
 */
export class ServerConnection {
  tools: readonly Tool[] = [];
  private isClosing = false;
  private readonly client: Client;

  constructor(private readonly options: ServerConnectionOptions) {
    this.client = new Client({ name: 'airlock', version: '1' });
    this.client.setNotificationHandler(ToolListChangedNotificationSchema, () => this.list());
    this.client.onclose = () => this.gone();
  }

  /** Never rejects: a server that cannot be had is said, and the run goes on without its tools. */
  async start(): Promise<void> {
    const { transport, onNotice } = this.options;
    try {
      await this.client.connect(transport, { timeout: startMs });
      await this.list();
      onNotice(`MCP server ${this.options.name}: ready, with ${this.tools.length} tools.`);
    } catch (error) {
      if (this.isClosing) return;
      const words = [messageOf(error), this.options.lastWords()].filter((part) => part !== '').join(': ');
      onNotice(this.shown(`MCP server ${this.options.name}: it cannot be used: ${words}`).slice(0, 1000));
      await this.close();
    }
  }

  async close(): Promise<void> {
    this.isClosing = true;
    this.tools = [];
    await this.client.close().catch(() => {});
    await this.options.transport.close().catch(() => {});
  }

  private async list(): Promise<void> {
    const found: ListedTool[] = [];
    const { client } = this;
    let cursor: string | undefined;
    do {
      const request = { method: 'tools/list', params: cursor === undefined ? {} : { cursor } } as const;
      const page = await client.request(request, ListToolsResultSchema, { timeout: startMs });
      found.push(...page.tools);
      cursor = page.nextCursor;
    } while (cursor !== undefined && found.length < maxTools);
    this.tools = found.slice(0, maxTools).flatMap((tool) => this.toolOf(tool) ?? []);
    this.options.onChange();
  }

  private gone(): void {
    if (this.isClosing || this.tools.length === 0) return;
    this.tools = [];
    this.options.onNotice(this.shown(`MCP server ${this.options.name}: it ended: ${this.options.lastWords()}`));
    this.options.onChange();
  }

  private toolOf(listed: ListedTool): Tool | undefined {
    const { name: server, allows } = this.options;
    const name = mcpToolName(server, listed.name);
    if (!toolName.test(listed.name) || !allows(name)) return undefined;
    if (JSON.stringify(listed.inputSchema).length > maxSchemaBytes) return undefined;
    const definition: ToolDefinition = {
      name,
      description: (listed.description ?? '').slice(0, maxDescription),
      inputSchema: listed.inputSchema,
      readOnly: listed.annotations?.readOnlyHint === true,
    };
    return {
      definition,
      summarize: (input) =>
        makeVisible(`${listed.name} ${JSON.stringify(input ?? {})}`.replace(/\s+/g, ' ').slice(0, 300)),
      run: (input, { signal }) => this.call(listed.name, input, signal),
    };
  }

  private async call(name: string, input: unknown, signal: AbortSignal): Promise<ToolResult> {
    if (typeof input !== 'object' || input === null || Array.isArray(input))
      return { ok: false, text: 'Its input is an object.' };
    try {
      const request = { method: 'tools/call', params: { name, arguments: { ...input } } } as const;
      const answer = await this.client.request(request, CallToolResultSchema, { signal, timeout: callMs });
      const { ok, text } = toolResultOf(answer);
      return { ok, text: redacted(text, this.options.secrets) };
    } catch (error) {
      if (signal.aborted) throw error;
      return { ok: false, text: this.shown(`The MCP server ${this.options.name} failed: ${messageOf(error)}`) };
    }
  }

  private shown(text: string): string {
    return redacted(makeVisible(text), this.options.secrets);
  }
}
