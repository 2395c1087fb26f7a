import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { sha256 } from '../base/digest';
import { passed } from '../core/evidence';
import type { AirlockEvent } from '../core/events';
import type { LiveState } from '../core/liveState';

/** Seconds: from a task that is only looked at to one that takes the whole of its time. */
const runBuckets = [10, 30, 60, 120, 300, 600, 1200, 2700, 5400];

/**
 * What a worker does, in the words of Prometheus: what is now from the live state, what has happened from the events since this
 * process began. No label holds anything but names that Airlock or the user chose: never a title, a path or a prompt.
 */
export class Metrics {
  private readonly registry = new Registry();
  private readonly outcomes = this.counter('airlock_tasks_ended_total', 'Tasks that ended, by outcome.', ['outcome']);
  private readonly tokens = this.counter('airlock_tokens_total', 'Tokens, by model and class.', ['model', 'class']);
  private readonly cost = this.counter('airlock_cost_usd_total', 'US dollars of requests whose price is known.', [
    'model',
  ]);
  private readonly unpriced = this.counter('airlock_unpriced_requests_total', 'Requests whose price is not known.', [
    'model',
  ]);
  private readonly retries = this.counter('airlock_request_retries_total', 'Requests that were tried again.', []);
  private readonly tools = this.counter(
    'airlock_tool_calls_total',
    'Tool calls that ended, by whether they did well.',
    ['ok'],
  );
  private readonly checks = this.counter(
    'airlock_checks_total',
    'Checks that ran, by the tree and whether they passed.',
    ['on', 'passed'],
  );
  private readonly runs = new Histogram({
    name: 'airlock_run_duration_seconds',
    help: 'From the start of a run to its end, waiting and interruptions included.',
    labelNames: ['outcome'],
    buckets: runBuckets,
    registers: [this.registry],
  });

  constructor(private readonly state: () => LiveState) {
    collectDefaultMetrics({ register: this.registry });
    this.gauge('airlock_tasks', 'Tasks there are, by status.', 'status', ({ tasks }) =>
      counted([...tasks.values()].map(({ status }) => status)),
    );
    this.gauge('airlock_reports', 'Reports that sources must still be told, by status.', 'status', ({ reports }) =>
      counted([...reports.values()].map(({ status }) => status)),
    );
    this.gauge('airlock_source_up', 'Whether a source answers.', 'source', ({ sources }) =>
      [...sources].map(([id, { healthy }]) => [sourceLabel(id), healthy ? 1 : 0]),
    );
    this.gauge('airlock_queue_held', 'Why no new run starts.', 'cause', ({ holds }) => counted([...holds.keys()]));
    this.gauge('airlock_sessions', 'Living sessions, by who has the keyboard.', 'keyboard', ({ sessions }) =>
      counted([...sessions.values()].map(({ takenOver }) => (takenOver ? 'user' : 'agent'))),
    );
  }

  /** Takes in what was appended to the journal. */
  follow(events: readonly AirlockEvent[]): void {
    for (const event of events) this.take(event);
  }

  /** All of it, in Prometheus' text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  private take(event: AirlockEvent): void {
    switch (event.kind) {
      case 'task.ended':
        this.outcomes.inc({ outcome: event.outcome });
        return;
      case 'run.ended': {
        const run = this.state().runs.get(event.runId);
        if (run) this.runs.observe({ outcome: event.outcome }, (event.atMs - run.startedAtMs) / 1000);
        return;
      }
      case 'usage.recorded': {
        const { model, usage, costUsd } = event;
        for (const [name, count] of Object.entries(usage))
          this.tokens.inc({ model, class: name.replace(/Tokens$/, '') }, count);
        if (costUsd === null) this.unpriced.inc({ model });
        else this.cost.inc({ model }, costUsd);
        return;
      }
      case 'request.retried':
        this.retries.inc();
        return;
      case 'tool.finished':
        this.tools.inc({ ok: String(event.ok) });
        return;
      case 'check.finished':
        this.checks.inc({ on: event.result.on, passed: String(passed(event.result)) });
        return;
      default:
        return;
    }
  }

  private counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  private gauge(
    name: string,
    help: string,
    label: string,
    values: (state: LiveState) => Iterable<readonly [string, number]>,
  ): void {
    const { state } = this;
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [key, value] of values(state())) this.set({ [label]: key }, value);
      },
    });
  }
}

/** `zmemory:<name>` as it is; of the others, whose ids have paths in them, the kind and eight characters of a digest. */
function sourceLabel(id: string): string {
  const [kind = ''] = id.split(':', 1);
  const isName = kind === id || kind === 'zmemory';
  return isName && !id.includes('/') ? id : `${kind === id ? 'source' : kind}:${sha256(id).slice(0, 8)}`;
}

function counted(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
