import type { AgentDesk } from './agentDesk';
import type { Claims } from './claims';
import type { ToolDefinition, ToolResult } from './engine';
import type { Session } from './session';

/** What a tool works with: the run's session, and the ways to tell about it. */
export interface ToolContext {
  readonly session: Session;
  readonly signal: AbortSignal;
  /** The agent says how far it is; shown in the tree and told to the source. */
  progress(message: string, percent: number | null): void;
  /** Asks the user, and gives the answer once there is one. @throws {UserError} `question-open`: the run is left until then. */
  ask(question: string): Promise<string>;
  /** Other agents. */
  readonly agents: AgentDesk;
  /** What the agent says of its result, in place of what it said before. It is on disk when this resolves. */
  claim(claims: Claims): Promise<void>;
}

/** What an agent may do: a name, a schema, and what it does in the run's session. */
export interface Tool {
  readonly definition: ToolDefinition;
  /** A call that was interrupted is done again, instead of coming back to the model as interrupted. Absent: no. */
  readonly repeatable?: boolean;
  /** What is about to happen, on one line, for the tree and the log. Never throws, whatever the input is. */
  summarize(input: unknown): string;
  /** Validates `input` and does it. What goes wrong is an answer with `ok: false` that says how to do better. */
  run(input: unknown, context: ToolContext): Promise<ToolResult>;
}
