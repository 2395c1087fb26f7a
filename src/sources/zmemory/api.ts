import type { Readable } from 'node:stream';
import type { Event } from '../../base/emitter';
import type { ArtifactBody, CompleteBody, FailBody, StatusBody, WireTaskState } from './wire';

/** What a server has on offer. */
export type PendingAnswer =
  /** Nothing changed since the answer with that tag. */
  | { readonly kind: 'unchanged' }
  | {
      readonly kind: 'tasks';
      /** As they came: each is still to be parsed. */
      readonly entries: readonly unknown[];
      /** Names this answer, so that the next look can ask for news only; `null` when it cannot be named. */
      readonly tag: string | null;
    };

export type ChangeAnswer =
  /** `task`: how the server has it after that, when it says so. */
  | { readonly kind: 'done'; readonly task?: WireTaskState }
  /** It is not there or not in a state for it; asking again will not help. */
  | { readonly kind: 'refused'; readonly reason: string };

export type OpenedEvents =
  /** Server-sent events until it ends. The caller destroys it. */
  | { readonly kind: 'open'; readonly stream: Readable }
  /** The server has none, or not for us. */
  | { readonly kind: 'unoffered' };

/** How often a change was told: the same key is the same change. */
export interface ChangeOptions {
  readonly idempotencyKey?: string;
}

/**
 * ZMemory's calls, whether over HTTP or in this process.
 * Every call throws `SourceUnreachableError` for what may pass and `UserError` for what will not.
 */
export interface ZMemoryApi {
  /** Fired when there may be something new on offer. Absent: nobody tells, so one has to look. */
  readonly onDidChange?: Event<void>;
  /** Opens the server's stream of events. Absent: there is none. */
  openEvents?(): Promise<OpenedEvents>;
  pending(agent: string, knownTag: string | null): Promise<PendingAnswer>;
  accept(id: string, agent: string): Promise<ChangeAnswer>;
  setStatus(id: string, body: StatusBody): Promise<ChangeAnswer>;
  complete(id: string, body: CompleteBody, options?: ChangeOptions): Promise<ChangeAnswer>;
  fail(id: string, body: FailBody, options?: ChangeOptions): Promise<ChangeAnswer>;
  addArtifact(id: string, body: ArtifactBody, options?: ChangeOptions): Promise<ChangeAnswer>;
  /** A task's state at the server; `undefined` when the server does not say. */
  stateOf(id: string): Promise<WireTaskState | undefined>;
  /** Deletes the texts of tasks that were over before that. Absent: it keeps none on this machine. */
  forget?(beforeMs: number): Promise<void>;
}
