import { CancelledError, messageOf, UserError } from '../base/errors';
import type { ToolCall, ToolResult } from '../core/engine';
import { toolCallOf } from '../core/liveState';
import { isMcpTool } from '../core/mcp';
import type { Tool } from '../core/tool';
import type { ApprovalGate } from './approvalGate';
import type { CallBreaker } from './callBreaker';
import { appendLater, stateOf, type HostedRun } from './hostedRun';
import type { ExecutorPorts } from './ports';
import { RunAgentDesk } from './runAgentDesk';
import { denial } from './toolDenial';
import { interruptedAnswer, ownCallId, type ToolResults } from './toolResults';
import { answerTo } from './userQuestions';

function jailGoneAnswer({ message }: UserError): string {
  return `The sandbox ended while this ran: ${message} You are in a new one: the files in /workspace are as they were, processes and everything elsewhere are gone. Do not repeat what used too much.`;
}

/** Does the tool calls of a run, each at most once, whatever happens in between. */
export class ToolCalls {
  /** Calls that were begun in this process; others that are begun and not finished were interrupted. */
  private readonly begun = new Set<string>();
  private readonly desk: RunAgentDesk;

  constructor(
    private readonly ports: ExecutorPorts,
    private readonly run: HostedRun,
    private readonly results: ToolResults,
    private readonly breaker: CallBreaker,
    private readonly approvals: ApprovalGate,
  ) {
    this.desk = new RunAgentDesk(ports, run);
  }

  async call(call: ToolCall): Promise<ToolResult> {
    this.throwIfEnded();
    const { runId, persona } = this.run;
    const state = stateOf(this.ports, runId);
    // Some servers count their ids anew in each message, so that the message is a part of what names a call.
    const callId = call.isIdLasting ? ownCallId(call.id) : `${state.messages.length - 1}/${call.id}`;
    const known = toolCallOf(state, callId);
    const stored = known && (await this.results.stored(known));
    if (stored) return stored;
    const served = this.run.servedTools().find(({ definition }) => definition.name === call.name);
    const tool = served ?? this.ports.tools.find((candidate) => candidate.definition.name === call.name);
    if (known && !this.begun.has(callId) && !tool?.repeatable)
      return this.results.finish(callId, { ok: false, text: interruptedAnswer }, 0);
    this.breaker.look(call.name, call.input);
    this.begun.add(callId);
    const allowed = tool !== undefined && (tool === served || persona.tools.some((name) => name === call.name));
    const summary = tool ? tool.summarize(call.input) : `unknown tool ${call.name}`;
    // Before it counts as called: a run that is left meanwhile asks again, and has not done it.
    const refusal = allowed ? await this.approvals.denialOf({ ...call, callId, tool: call.name, summary }) : undefined;
    if (!known) {
      await this.ports.events.append([
        { kind: 'tool.called', runId, callId, name: call.name.slice(0, 200), summary: summary.slice(0, 300) },
      ]);
    }
    const startedMs = this.ports.clock.monotonicMs();
    const result =
      allowed && refusal === undefined
        ? await this.runTool(tool, call, callId)
        : { ok: false, text: refusal ?? denial(persona, call.name, tool !== undefined) };
    return this.results.finish(callId, result, this.ports.clock.monotonicMs() - startedMs);
  }

  private async runTool(tool: Tool, call: ToolCall, callId: string): Promise<ToolResult> {
    const { session, signal, runId, snapshots, onProgress } = this.run;
    try {
      const run = (): Promise<ToolResult> =>
        tool.run(call.input, {
          session,
          signal,
          progress: (message, percent) => {
            appendLater(this.ports, [{ kind: 'run.progress', runId, message: message.slice(0, 500), percent }]);
            onProgress(percent, message);
          },
          agents: this.desk.for(callId),
          ask: (text) => answerTo(this.ports, runId, { callId, text }),
          claim: async (claims) => {
            const blob = await this.ports.blobs.put(JSON.stringify(claims));
            await this.ports.events.append([{ kind: 'run.claimed', runId, claims: blob }]);
          },
        });
      // What a server does is done outside the workspace.
      return await snapshots.during(!tool.definition.readOnly && !isMcpTool(call.name), run);
    } catch (error) {
      this.throwIfEnded();
      // Asked again when the run goes on, it is answered.
      if (error instanceof UserError && error.code === 'question-open') throw error;
      // The jail is gone, and every other call would fail in the same way. The model learns it in the next jail.
      if (error instanceof UserError && error.code === 'session-closed') {
        await this.results.finish(callId, { ok: false, text: jailGoneAnswer(error) }, 0);
        throw error;
      }
      return { ok: false, text: `The tool failed: ${messageOf(error)}` };
    }
  }

  private throwIfEnded(): void {
    if (this.run.signal.aborted) throw new CancelledError();
  }
}
