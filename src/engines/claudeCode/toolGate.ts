import type { EngineHost } from '../../core/engine';
import { outputOf, personaToolOf, summaryOf } from './claudeTools';
import type { ToolBridge } from './toolBridge';
import type { Asked } from './wire';

/** What is asked of a server of ours is no use that is asked leave for. */
type AskedLeave = Exclude<Asked, { subtype: 'mcp_message' }>;

const interruptedText =
  'This was interrupted when Claude Code was ended. It may or may not have taken effect. Look before you repeat it.';

/**
 * Claude Code does its tools itself, in the jail. It asks before each and tells after each, so that the executor keeps both
 * and a tool is done at most once. What a persona does not allow is denied, and so is whatever cannot be made out.
 */
export class ToolGate {
  /** Uses that may go on, and have not ended. */
  private readonly running = new Set<string>();

  /** Uses that the executor does: it keeps them itself. */
  private readonly bridged = new Set<string>();

  constructor(
    private readonly host: EngineHost,
    private readonly bridge: ToolBridge,
  ) {}

  get isRunning(): boolean {
    return this.running.size > 0 || this.bridge.isBusy;
  }

  /** The answer to what Claude Code asks. @throws what the host throws. */
  async answer(asked: Asked): Promise<unknown> {
    if (asked.subtype === 'mcp_message') {
      return { mcp_response: await this.bridge.answer(asked.server_name, asked.message) };
    }
    return this.leave(asked);
  }

  private async leave(asked: AskedLeave): Promise<unknown> {
    if (asked.subtype === 'can_use_tool') {
      const denial = await this.begin(asked.tool_use_id, asked.tool_name, asked.input);
      return denial === undefined
        ? { behavior: 'allow', updatedInput: asked.input }
        : { behavior: 'deny', message: denial };
    }
    const { input } = asked;
    if (asked.callback_id === 'begin') {
      const denial = await this.begin(input.tool_use_id, input.tool_name, input.tool_input);
      return hookAnswer(
        input.hook_event_name,
        denial === undefined
          ? { permissionDecision: 'allow' }
          : { permissionDecision: 'deny', permissionDecisionReason: denial },
      );
    }
    const failed = input.tool_response === undefined;
    const news = await this.end(input.tool_use_id, !failed, outputOf(failed ? input.error : input.tool_response));
    return news === '' ? {} : hookAnswer(input.hook_event_name, { additionalContext: news });
  }

  /** A use has ended, whoever said so. @returns what the model is to learn. */
  async end(id: string, ok: boolean, text: string): Promise<string> {
    if (this.bridged.has(id)) return '';
    const news = await this.host.endOwnTool(id, { ok, text });
    this.running.delete(id);
    return news;
  }

  /** Whoever ran them is dead. */
  async endAll(): Promise<void> {
    for (const id of [...this.running]) await this.end(id, false, interruptedText);
  }

  /** @returns why it is not to be done. */
  private async begin(id: string, name: string, input: unknown): Promise<string | undefined> {
    if (this.running.has(id) || this.bridged.has(id)) return undefined;
    if (this.bridge.has(name)) {
      this.bridged.add(id);
      this.bridge.announce(id, name, input);
      return undefined;
    }
    const leave = await this.host.beginOwnTool({
      id,
      name,
      tool: personaToolOf(name),
      summary: summaryOf(input),
      input,
    });
    if (leave.kind === 'answered') return leave.result.text;
    this.running.add(id);
    return undefined;
  }
}

function hookAnswer(event: string, fields: Readonly<Record<string, string>>): unknown {
  return { hookSpecificOutput: { hookEventName: event, ...fields } };
}
