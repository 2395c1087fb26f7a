/** Spans of runs, in the words of OpenTelemetry's conventions for generative AI, from the events. No prompt, output or title is in them. */
import type { AirlockEvent } from '../core/events';
import type { RunId } from '../core/ids';
import type { LiveState } from '../core/liveState';
import { spanIdOf, traceIdOf } from '../core/runTrace';
import { inputTokensOf, type TokenUsage } from '../core/usage';

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** Absent: it is the root of its trace. */
  readonly parentSpanId?: string;
  readonly name: string;
  /** `client`: a request that left this machine, or may have. */
  readonly kind: 'internal' | 'client';
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** What went wrong, in a word; absent: nothing. */
  readonly error?: string;
}

interface OpenRequest {
  readonly seq: number;
  readonly model: string;
  readonly startMs: number;
}

type EventOf<K extends AirlockEvent['kind']> = Extract<AirlockEvent, { kind: K }>;

/** Makes a span of each request to a model, of each tool call and of each run, when it ends. */
export class RunSpans {
  private readonly requests = new Map<RunId, OpenRequest>();
  /** By run and call: the name of the tool. */
  private readonly tools = new Map<string, string>();

  /** @param providerOf whose models an engine asks, by its kind. */
  constructor(
    private readonly state: () => LiveState,
    private readonly providerOf: (engine: string) => string,
  ) {}

  /** @returns the spans that ended with this event. */
  take(event: AirlockEvent): Span[] {
    switch (event.kind) {
      case 'request.reserved':
        this.requests.set(event.runId, { seq: event.seq, model: event.model, startMs: event.atMs });
        return [];
      case 'usage.recorded':
        return this.endRequest(event, event);
      case 'request.settled':
        return this.endRequest(event, { error: 'no_answer' });
      case 'tool.called':
        this.tools.set(`${event.runId} ${event.callId}`, event.name);
        return [];
      case 'tool.finished':
        return this.endTool(event);
      case 'run.ended':
        return [...this.endRequest(event, { error: 'interrupted' }), ...this.endRun(event)];
      default:
        return [];
    }
  }

  private endRequest(
    { runId, atMs }: { readonly runId: RunId; readonly atMs: number },
    end: { model?: string; usage?: TokenUsage; firstTokenMs?: number; costUsd?: number | null; error?: string },
  ): Span[] {
    const open = this.requests.get(runId);
    if (!open) return [];
    this.requests.delete(runId);
    const { usage, firstTokenMs, costUsd = null, error } = end;
    const engine = this.state().runs.get(runId)?.engine ?? '';
    const attributes = {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': this.providerOf(engine),
      'gen_ai.request.model': open.model,
      ...(end.model === undefined ? {} : { 'gen_ai.response.model': end.model }),
      ...(usage ? usageAttributes(usage) : {}),
      ...(firstTokenMs === undefined ? {} : { 'gen_ai.response.time_to_first_chunk': firstTokenMs / 1000 }),
      ...(costUsd === null ? {} : { 'airlock.cost.usd': costUsd }),
    };
    const span = {
      name: `chat ${open.model}`,
      kind: 'client' as const,
      startMs: open.startMs,
      endMs: atMs,
      attributes,
    };
    return [{ ...this.child(runId, 'request', open.seq), ...span, ...(error === undefined ? {} : { error }) }];
  }

  private endTool({ runId, callId, atMs, durationMs, ok }: EventOf<'tool.finished'>): Span[] {
    const key = `${runId} ${callId}`;
    const name = this.tools.get(key) ?? 'unknown';
    this.tools.delete(key);
    const attributes = {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': name,
      'gen_ai.tool.call.id': callId,
    };
    const span = {
      name: `execute_tool ${name}`,
      kind: 'internal' as const,
      startMs: atMs - durationMs,
      endMs: atMs,
      attributes,
    };
    return [{ ...this.child(runId, 'tool', callId), ...span, ...(ok ? {} : { error: 'tool_failed' }) }];
  }

  private endRun({ runId, atMs, outcome }: EventOf<'run.ended'>): Span[] {
    for (const key of this.tools.keys()) if (key.startsWith(`${runId} `)) this.tools.delete(key);
    const run = this.state().runs.get(runId);
    if (!run) return [];
    return [
      {
        traceId: traceIdOf(runId),
        spanId: spanIdOf(runId, 'run', run.attempt),
        name: `invoke_agent ${run.persona}`,
        kind: 'internal',
        startMs: run.startedAtMs,
        endMs: atMs,
        attributes: {
          'gen_ai.operation.name': 'invoke_agent',
          'gen_ai.provider.name': this.providerOf(run.engine),
          'gen_ai.agent.name': run.persona,
          'gen_ai.request.model': run.model,
          'airlock.engine': run.engine,
          'airlock.task.id': run.taskId,
          'airlock.run.id': runId,
          'airlock.run.attempt': run.attempt,
          'airlock.run.outcome': outcome,
          ...usageAttributes(run.usage),
          ...(run.costUsd === null ? {} : { 'airlock.cost.usd': run.costUsd }),
        },
        ...(outcome === 'failed' || outcome === 'contradicted' ? { error: outcome } : {}),
      },
    ];
  }

  private child(
    runId: RunId,
    ...parts: readonly (string | number)[]
  ): Pick<Span, 'traceId' | 'spanId' | 'parentSpanId'> {
    const attempt = this.state().runs.get(runId)?.attempt ?? 1;
    return {
      traceId: traceIdOf(runId),
      spanId: spanIdOf(runId, ...parts),
      parentSpanId: spanIdOf(runId, 'run', attempt),
    };
  }
}

function usageAttributes(usage: TokenUsage): Record<string, number> {
  return {
    'gen_ai.usage.input_tokens': inputTokensOf(usage),
    'gen_ai.usage.output_tokens': usage.outputTokens,
    'gen_ai.usage.cache_read.input_tokens': usage.cacheReadTokens,
    'gen_ai.usage.cache_creation.input_tokens': usage.cacheWrite5mTokens + usage.cacheWrite1hTokens,
  };
}
