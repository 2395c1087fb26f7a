import { CancelledError } from '../base/errors';
import type { OwnToolLeave, OwnToolUse, ToolResult } from '../core/engine';
import { toolCallOf, type ToolCallState } from '../core/liveState';
import type { ApprovalGate } from './approvalGate';
import type { CallBreaker } from './callBreaker';
import { stateOf, type HostedRun } from './hostedRun';
import type { ExecutorPorts } from './ports';
import { denial } from './toolDenial';
import { interruptedAnswer, ownCallId, type ToolResults } from './toolResults';

/** Characters of the result of an engine's own tool that the terminal shows. */
const maxShownResult = 4000;

/** Lets the tools of an engine's own program run, each at most once, when the persona allows them. */
export class OwnTools {
  /** Those that are at work. */
  private readonly running = new Map<string, { readonly startedMs: number; readonly over: () => void }>();

  constructor(
    private readonly ports: ExecutorPorts,
    private readonly run: HostedRun,
    private readonly results: ToolResults,
    private readonly breaker: CallBreaker,
    private readonly approvals: ApprovalGate,
  ) {}

  async begin({ id, name, tool, summary, input }: OwnToolUse): Promise<OwnToolLeave> {
    const { runId, persona, session, signal } = this.run;
    if (signal.aborted) throw new CancelledError();
    const callId = ownCallId(id);
    const known = toolCallOf(stateOf(this.ports, runId), callId);
    // Whoever asks again was restarted, perhaps while it ran.
    if (known) return { kind: 'answered', result: await this.resultBefore(callId, known) };
    this.breaker.look(name, summary);
    const allowed = tool !== null && persona.tools.includes(tool);
    const refusal = allowed ? await this.approvals.denialOf({ callId, name, tool, input, summary }) : undefined;
    await this.ports.events.append([
      { kind: 'tool.called', runId, callId, name: name.slice(0, 200), summary: summary.slice(0, 300) },
    ]);
    if (allowed && refusal === undefined) {
      await this.starts(callId);
      session.note(`${name}: ${summary}`);
      return { kind: 'go' };
    }
    const denied = { ok: false, text: refusal ?? denial(persona, name, true) };
    return { kind: 'answered', result: await this.results.keep(callId, denied, 0) };
  }

  async end(id: string, result: ToolResult): Promise<string> {
    const callId = ownCallId(id);
    const known = toolCallOf(stateOf(this.ports, this.run.runId), callId);
    if (!known || known.output) return '';
    const { startedMs, over } = this.running.get(callId) ?? { startedMs: this.ports.clock.monotonicMs(), over() {} };
    this.running.delete(callId);
    over();
    const along = await this.results.finishAlone(callId, result, this.ports.clock.monotonicMs() - startedMs);
    this.run.session.note(result.text.slice(0, maxShownResult));
    return along;
  }

  /** Resolves when it may start; until its end it counts as a tool that is at work. */
  private starts(callId: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const work = (): Promise<void> => {
        resolve();
        const startedMs = this.ports.clock.monotonicMs();
        return new Promise((over) => this.running.set(callId, { startedMs, over }));
      };
      // What a program of the engine's own may change is not known from its name.
      this.run.snapshots.during(true, work).catch(reject);
    });
  }

  private async resultBefore(callId: string, call: ToolCallState): Promise<ToolResult> {
    const stored = await this.results.stored(call);
    if (!stored) return this.results.keep(callId, { ok: false, text: interruptedAnswer }, 0);
    return { ...stored, text: `This was done before a restart and is not done again. It gave:\n${stored.text}` };
  }
}
