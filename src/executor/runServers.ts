import type { Event } from '../base/emitter';
import type { ServedTools } from '../core/engine';
import { matchesMcp, namesServer, type FoundMcpServer } from '../core/mcp';
import type { OpenMcpServers } from '../core/mcpServers';
import type { Persona } from '../core/persona';
import type { TaskSpec } from '../core/task';
import type { Tool } from '../core/tool';
import type { ConnectionLog } from './connectionLog';
import type { ExecutorPorts } from './ports';

/** What of MCP servers a task may use with its persona. */
export interface ServerPlan {
  readonly servers: Readonly<Record<string, FoundMcpServer>>;
  readonly allows: (name: string) => boolean;
}

/**
 * The persona says which tools of servers may be used; a task can only leave some of them out, and bring servers of its own, whose
 * tools it may use. Servers of which nothing may be used are none.
 */
export function serverPlan(
  persona: Persona,
  { limits, mcpServers: own = {} }: Pick<TaskSpec, 'limits' | 'mcpServers'>,
): ServerPlan {
  // A server that it brings under the name of one of the persona's is not used, and opens no tool of that one.
  const brought = Object.entries(own).filter(([name]) => !Object.hasOwn(persona.mcpServers, name));
  const mayUse = [...persona.mcpTools, ...brought.map(([name]) => `mcp__${name}`)];
  const allows = (name: string): boolean =>
    matchesMcp(mayUse, name) &&
    !matchesMcp(persona.deniedMcpTools, name) &&
    (limits.tools === undefined || matchesMcp(limits.tools, name)) &&
    !matchesMcp(limits.deniedTools ?? [], name);
  const isNamed = (server: string): boolean =>
    namesServer(mayUse, server) && (limits.tools === undefined || namesServer(limits.tools, server));
  const found = brought.map(([name, server]) => [name, { server, from: 'repository' as const }] as const);
  const all = { ...Object.fromEntries(found), ...persona.mcpServers };
  return { servers: Object.fromEntries(Object.entries(all).filter(([name]) => isNamed(name))), allows };
}

/** The MCP servers of one run, from the opening of its session to its end. */
export class RunServers {
  private constructor(private readonly open: OpenMcpServers | undefined) {}

  /** @throws {UserError} `mcp-unapproved`, `mcp-secret-missing`. */
  static async start(
    { mcp, logger }: ExecutorPorts,
    plan: ServerPlan,
    run: { readonly account: string; readonly note: (text: string) => void; readonly connections: ConnectionLog },
  ): Promise<RunServers> {
    if (Object.keys(plan.servers).length === 0) return new RunServers(undefined);
    const onNotice = (text: string): void => {
      run.note(text);
      logger.info(text);
    };
    const onConnection = run.connections.record.bind(run.connections, 'session');
    return new RunServers(await mcp.open({ ...plan, account: run.account, onNotice, onConnection }));
  }

  tools(): readonly Tool[] {
    return this.open?.tools() ?? [];
  }

  /** For the engine; `undefined` when there are none. */
  get served(): ServedTools | undefined {
    const { open } = this;
    if (!open) return undefined;
    const onDidChange: Event<void> = open.onDidChange;
    return { servers: open.names, definitions: () => open.tools().map(({ definition }) => definition), onDidChange };
  }

  async close(): Promise<void> {
    await this.open?.close();
  }
}
