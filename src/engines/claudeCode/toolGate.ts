import type { EngineHost } from '../../core/engine';
import { outputOf, personaToolOf, summaryOf } from './claudeTools';
import type { Asked } from './wire';

const interruptedText =
  'This was interrupted when Claude Code was ended. It may or may not have taken effect. Look before you repeat it.';

/**
 * Claude Code does its tools itself, in the jail. It asks before each and tells after each, so that the executor keeps both
 * and a tool is done at most once. What a persona does not allow is denied, and so is whatever cannot be made out.
 */
export class ToolGate {
  /** Uses that may go on, and have not ended. */
  private readonly running = new Set<string>();

  constructor(private readonly host: EngineHost) {}

  get isRunning(): boolean {
    return this.running.size > 0;
  }

  /** The answer to what Claude Code asks. @throws what the host throws. */
  async answer(asked: Asked): Promise<unknown> {
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
    if (this.running.has(id)) return undefined;
    const leave = await this.host.beginOwnTool({ id, name, tool: personaToolOf(name), summary: summaryOf(input) });
    if (leave.kind === 'answered') return leave.result.text;
    this.running.add(id);
    return undefined;
  }
}

function hookAnswer(event: string, fields: Readonly<Record<string, string>>): unknown {
  return { hookSpecificOutput: { hookEventName: event, ...fields } };
}
