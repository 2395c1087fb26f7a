import type { Event } from '../base/emitter';
import type { EgressConnection } from './jail';
import type { FoundMcpServer } from './mcp';
import type { Tool } from './tool';

export interface McpOpening {
  /** Whose jails they are; see `JailPolicy.account`. */
  readonly account: string;
  readonly servers: Readonly<Record<string, FoundMcpServer>>;
  /** Whether a tool may be used, by the model's name of it. */
  readonly allows: (name: string) => boolean;
  /** Says in a line how a server fares. */
  readonly onNotice: (text: string) => void;
  readonly onConnection: (connection: EgressConnection) => void;
}

/** The servers of one run. */
export interface OpenMcpServers {
  readonly names: readonly string[];
  /** Those of the servers that are ready now. */
  tools(): readonly Tool[];
  readonly onDidChange: Event<void>;
  /** Nothing of them lives when it resolves. */
  close(): Promise<void>;
}

/** Servers of tools, by the Model Context Protocol. */
export interface McpServers {
  /**
   * Starts them, and waits for none.
   * @throws {UserError} `mcp-unapproved`, `mcp-secret-missing`: none is started.
   */
  open(opening: McpOpening): Promise<OpenMcpServers>;
}
