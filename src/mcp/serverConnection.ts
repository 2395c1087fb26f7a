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
/** Characters of all its tools together: they stand in every request to the model. */
const maxDefinitions = 256 * 1024;
const maxPages = 10;
/** In one run. */
const maxListings = 100;
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
  private isStale = false;
  private listings = 0;
  private listing: Promise<void> | undefined;
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

  /** One listing at a time, and one more when something changed meanwhile: a server may say so as often as it likes. */
  private list(): Promise<void> {
    this.isStale = true;
    this.listing ??= this.listWhileStale().finally(() => (this.listing = undefined));
    return this.listing;
  }

  private async listWhileStale(): Promise<void> {
    while (this.isStale && !this.isClosing) {
      if ((this.listings += 1) > maxListings) throw new Error(`its tools changed more than ${maxListings} times`);
      this.isStale = false;
      this.tools = this.toolsOf(await this.listed());
      this.options.onChange();
    }
  }

  private async listed(): Promise<ListedTool[]> {
    const found: ListedTool[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < maxPages && found.length < maxTools; page += 1) {
      const request = { method: 'tools/list', params: cursor === undefined ? {} : { cursor } } as const;
      const answer = await this.client.request(request, ListToolsResultSchema, { timeout: startMs });
      found.push(...answer.tools);
      cursor = answer.nextCursor;
      if (cursor === undefined) break;
    }
    return found.slice(0, maxTools);
  }

  private toolsOf(listed: readonly ListedTool[]): Tool[] {
    let bytes = 0;
    return listed.flatMap((tool) => {
      const found = this.toolOf(tool);
      bytes += found ? JSON.stringify(found.definition).length : 0;
      return found && bytes <= maxDefinitions ? [found] : [];
    });
  }

  private gone(): void {
    if (this.isClosing || this.tools.length === 0) return;
    this.tools = [];
    this.options.onNotice(this.shown(`MCP server ${this.options.name}: it ended: ${this.options.lastWords()}`));
    this.options.onChange();
  }

  private toolOf(listed: ListedTool): Tool | undefined {
    const { name: server, allows, secrets } = this.options;
    const name = mcpToolName(server, listed.name);
    if (!toolName.test(listed.name) || !allows(name)) return undefined;
    const schema = JSON.stringify(listed.inputSchema);
    // Nothing can be taken out of a schema without making it another one.
    if (schema.length > maxSchemaBytes || redacted(schema, secrets) !== schema) return undefined;
    const definition: ToolDefinition = {
      name,
      description: redacted(listed.description ?? '', secrets).slice(0, maxDescription),
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
      return toolResultOf(answer, (text) => redacted(text, this.options.secrets));
    } catch (error) {
      if (signal.aborted) throw error;
      return { ok: false, text: this.shown(`The MCP server ${this.options.name} failed: ${messageOf(error)}`) };
    }
  }

  private shown(text: string): string {
    return redacted(makeVisible(text), this.options.secrets);
  }
}
