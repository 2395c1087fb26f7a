import { z } from 'zod';
import type { Offer, OfferedTask, RejectedTask } from '../../core/source';
import { maxPromptBytes, maxTitleLength } from '../../core/task';
import { readContext, type ResolveRepository } from './context';
import { passesFilter, type TaskFilter } from './taskFilter';
import { pendingTaskSchema, wireIdSchema, type PendingTask } from './wire';

export type { ResolveRepository } from './context';

/** More than this are counted and not told one by one. */
const maxProblems = 20;

/** How a list of pending tasks is read. */
export interface OfferReading {
  /** The executor's name at the server. */
  readonly agent: string;
  readonly resolveRepository: ResolveRepository;
  /** Absent: every task is wanted. */
  readonly filter?: TaskFilter;
}

/**
 * What a server's list of pending tasks offers to the agent of that name. Each entry is looked at by itself: one that cannot
 * be understood becomes a problem, one that is understood and can never be worked on is rejected, and both harm no other.
 */
export function offerOf(entries: readonly unknown[], reading: OfferReading): Offer {
  const tasks = new Map<string, OfferedTask>();
  const rejected = new Map<string, RejectedTask>();
  const problems: string[] = [];
  entries.forEach((entry, index) => {
    const read = readEntry(entry, index, reading);
    if (read.kind === 'task' && !tasks.has(read.task.externalId)) tasks.set(read.task.externalId, read.task);
    if (read.kind === 'rejected') rejected.set(read.rejected.externalId, read.rejected);
    if (read.kind === 'problem') problems.push(read.problem);
  });
  return {
    tasks: [...tasks.values()],
    rejected: [...rejected.values()],
    complete: true,
    problems: shorten(problems),
  };
}

type ReadEntry =
  | { readonly kind: 'task'; readonly task: OfferedTask }
  | { readonly kind: 'rejected'; readonly rejected: RejectedTask }
  | { readonly kind: 'problem'; readonly problem: string }
  /** It is not on offer. */
  | { readonly kind: 'none' };

function readEntry(entry: unknown, index: number, { agent, resolveRepository, filter = {} }: OfferReading): ReadEntry {
  const parsed = pendingTaskSchema.safeParse(entry);
  if (!parsed.success) {
    return problem(`${nameOf(entry, index)} is not understood: ${oneLine(z.prettifyError(parsed.error))}`);
  }
  const wire = parsed.data;
  if (wire.status && wire.status.toLowerCase() !== 'pending') return { kind: 'none' };
  if (wire.agent && wire.agent !== agent) {
    return problem(`${nameOf(entry, index)} is for the agent "${oneLine(wire.agent)}", not for "${oneLine(agent)}".`);
  }
  if (!passesFilter(filter, wire.context ?? {})) return { kind: 'none' };
  const title = titleOf(wire.description);
  if (title === '') return problem(`${nameOf(entry, index)} has an empty description.`);
  return readTask(wire, title, resolveRepository);
}

function readTask(wire: PendingTask, title: string, resolveRepository: ResolveRepository): ReadEntry {
  const bytes = Buffer.byteLength(wire.description);
  if (bytes > maxPromptBytes) {
    return reject(wire, title, `its description has ${bytes} bytes, and at most ${maxPromptBytes} can be worked on`);
  }
  const context = readContext(wire.context ?? {}, resolveRepository);
  if (context.problem !== null) return reject(wire, title, context.problem);
  const { dependsOn, ...fields } = context.fields;
  return {
    kind: 'task',
    task: {
      externalId: wire.id,
      task: { title, prompt: wire.description, ...fields },
      ...(dependsOn.length > 0 ? { dependsOnExternal: dependsOn } : {}),
    },
  };
}

function reject(wire: PendingTask, title: string, reason: string): ReadEntry {
  return {
    kind: 'rejected',
    rejected: { externalId: wire.id, title, reason: `The task cannot be worked on: ${reason}.` },
  };
}

function problem(text: string): ReadEntry {
  return { kind: 'problem', problem: text };
}

/** The first line with something in it, as one short line. */
function titleOf(description: string): string {
  // Only the start is looked at: a description may be enormous.
  const lines = description.slice(0, 100_000).split(/\r\n|\r|\n/);
  const title = lines.map(oneLine).find((line) => line !== '') ?? '';
  if (title.length <= maxTitleLength) return title;
  // Not within a surrogate pair.
  return title.slice(0, maxTitleLength - 1).replace(/[\uD800-\uDBFF]$/, '') + '…';
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
}

function nameOf(entry: unknown, index: number): string {
  const parsed = z.looseObject({ id: wireIdSchema }).safeParse(entry);
  return parsed.success ? `Task ${oneLine(parsed.data.id)}` : `Entry ${index + 1} of the list`;
}

function shorten(problems: readonly string[]): string[] {
  const shown = problems.slice(0, maxProblems).map((text) => text.slice(0, 500));
  return problems.length > maxProblems ? [...shown, `… and ${problems.length - maxProblems} more.`] : shown;
}
