import type { EventKind } from '../../src/core/events';

/** When a process is killed. */
export type KillPoint =
  /** So long after it has printed the first event of that kind. */
  | { readonly kind: 'event'; readonly event: EventKind; readonly afterMs: number }
  /** As it has asked the model, or as the model has just answered. */
  | { readonly kind: 'model'; readonly when: 'asked' | 'answered' }
  /** As it has called its backend: before that has done anything, or after, and the answer is lost. */
  | { readonly kind: 'backend'; readonly call: 'accept' | 'status' | 'complete'; readonly when: 'before' | 'after' }
  /** So long after its start, whatever it is doing. */
  | { readonly kind: 'time'; readonly afterMs: number };

const events: readonly EventKind[] = [
  'task.queued',
  'task.accepting',
  'task.accepted',
  'run.started',
  'run.prepared',
  'session.created',
  'session.warming',
  'session.warmed',
  'message.recorded',
  'usage.recorded',
  'tool.called',
  'tool.finished',
  'check.finished',
  'evidence.recorded',
  'session.closed',
  'result.published',
  'task.ended',
  'report.sending',
  'report.acknowledged',
];

const calls: readonly KillPoint[] = [
  { kind: 'model', when: 'asked' },
  { kind: 'model', when: 'answered' },
  { kind: 'backend', call: 'accept', when: 'before' },
  { kind: 'backend', call: 'accept', when: 'after' },
  { kind: 'backend', call: 'status', when: 'before' },
  { kind: 'backend', call: 'complete', when: 'before' },
  { kind: 'backend', call: 'complete', when: 'after' },
];

/** Every kind of point once at its very moment, and from then on each with a random delay, and random times. */
export function* killPoints(random: () => number): Generator<KillPoint, never> {
  for (const event of events) yield { kind: 'event', event, afterMs: 0 };
  yield* calls;
  for (;;) {
    for (const event of events) {
      yield { kind: 'event', event, afterMs: Math.floor(random() * 40) };
      yield { kind: 'time', afterMs: Math.floor(random() * 3000) };
    }
    yield* calls;
  }
}

export function describePoint(point: KillPoint): string {
  switch (point.kind) {
    case 'event':
      return `${point.event} + ${point.afterMs} ms`;
    case 'model':
      return `model ${point.when}`;
    case 'backend':
      return `${point.when} ${point.call}`;
    case 'time':
      return `${point.afterMs} ms after its start`;
  }
}

/** Random numbers that are the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
