import { UserError } from '../base/errors';
import { type AirlockEvent, currentVersion, eventBodySchema, type EventKind } from '../core/events';
import type { EventData } from './journalLine';

/** Lifts the data of one kind from the version that names the entry to the next one. */
export type Lifts = Readonly<Record<string, Readonly<Record<number, (data: EventData) => Record<string, unknown>>>>>;

/** Which versions of events are understood, and how older ones become today's. */
export interface EventVersions {
  /** Today's version of a kind; `undefined` when there is no such kind. */
  current(kind: string): number | undefined;
  readonly lifts: Lifts;
}

const kinds: ReadonlySet<string> = new Set(eventBodySchema.options.map((option) => option.shape.kind.value));

/** What this version of the product understands. Every kind is still at its first version. */
export const knownVersions: EventVersions = {
  current: (kind) => (isKind(kind) ? currentVersion(kind) : undefined),
  lifts: {},
};

/**
 * An event as it is today, from the data of a line of any version.
 * @throws {UserError} `journal-newer` for a kind or a version that only a newer product knows.
 * @throws {z.ZodError} when the data is not what its version says.
 */
export function liftEvent(data: EventData, versions: EventVersions): AirlockEvent {
  const current = versions.current(data.kind);
  if (current === undefined || data.v > current) throw newerEvent(data);
  let lifted = data;
  for (let v = data.v; v < current; v += 1) {
    const lift = versions.lifts[data.kind]?.[v];
    if (!lift) throw new Error(`No lift of ${data.kind} from version ${v}`);
    lifted = { ...lift(lifted), seq: data.seq, atMs: data.atMs, kind: data.kind, v: v + 1 };
  }
  return Object.assign(eventBodySchema.parse(lifted), { seq: data.seq, atMs: data.atMs, v: current });
}

function newerEvent(data: EventData): UserError {
  return new UserError(
    'journal-newer',
    `The storage was written by a newer version of Airlock: it holds the event ${data.kind} in version ${data.v}, which ` +
      'this version does not know. Update Airlock, or use another storage folder. Nothing was changed.',
    { kind: data.kind, version: data.v, seq: data.seq },
  );
}

function isKind(kind: string): kind is EventKind {
  return kinds.has(kind);
}
