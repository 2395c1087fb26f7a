import { sha256 } from '../../base/digest';
import type { Diagnostic } from '../../core/diagnostic';
import type { TaskState } from '../../core/liveState';
import type { OfferedTask } from '../../core/source';
import { defaultPriority, isEnded, maxTitleLength, newTaskSchema, type NewTask, taskKeySchema } from '../../core/task';
import type { RowChoice } from './rowChoice';
import { notesOfPeople } from './rowNote';
import type { TaskRow, TaskTable } from './taskTable';

export interface RowOfferOptions {
  /** Absolute path of the table's file. */
  readonly path: string;
  readonly repo: string;
  /** Rows of other owners are theirs. */
  readonly agent: string;
  readonly rows: RowChoice;
  /** What was taken from this table before. */
  readonly known: readonly TaskState[];
}

export interface RowOffer {
  readonly tasks: readonly OfferedTask[];
  readonly diagnostics: readonly Diagnostic[];
}

/** The ID of the row that a task of a table is about. In brackets behind it is which of its wordings, unless it is the first one. */
export function rowIdOf(externalId: string): string {
  return externalId.replace(/ \([0-9a-f]{8}\)$/, '');
}

/** The rows that can be worked on now, as tasks. */
export function rowsOnOffer(table: TaskTable, options: RowOfferOptions): RowOffer {
  const diagnostics: Diagnostic[] = [];
  const depends = new Dependencies(table, options);
  const tasks = [...table.rows.values()].flatMap((row) => {
    if (row.status !== 'Todo' || !isFree(row, options.agent) || !isChosen(row, options)) return [];
    const problem = (severity: Diagnostic['severity'], message: string): void => {
      diagnostics.push({ path: options.path, line: row.line, column: 1, severity, message });
    };
    const dependency = depends.of(row);
    if (dependency.problem !== null) problem('error', dependency.problem);
    if (!dependency.isMet) return [];
    const task = taskOf(row, options);
    const [wrong] = newTaskSchema.safeParse(task).error?.issues ?? [];
    if (wrong) {
      problem('error', `${row.id} cannot be worked on: ${wrong.path.join('.')}: ${wrong.message}.`);
      return [];
    }
    const { externalId, before } = nameFor(row, sha256(task.prompt), options.known);
    if (before && isEnded(before.status) && before.accepted) {
      problem(
        'information',
        `${row.id} was worked on already (${before.status}). Retry its task, or change the row’s words to have another one.`,
      );
    }
    return [{ externalId, task, dependsOnExternal: dependency.externalIds }];
  });
  return { tasks, diagnostics };
}

/** What a person has queued is on offer too, whatever rows are taken by themselves: else it would be taken back. */
function isChosen(row: TaskRow, { rows, known }: RowOfferOptions): boolean {
  return (
    rows.accepts(row) ||
    known.some(({ status, spec }) => !isEnded(status) && rowIdOf(spec.origin.externalId) === row.id)
  );
}

/** Rows without an owner are for anybody. */
export function isFree(row: TaskRow, agent: string): boolean {
  return row.owner === '' || row.owner.toLowerCase() === agent.toLowerCase();
}

/**
 * The task's id at this source. The same words are the same task, however often the row is set to Todo: a branch that is
 * switched back and forth spends nothing. Other words are another task.
 */
function nameFor(
  row: TaskRow,
  promptDigest: string,
  known: readonly TaskState[],
): { readonly externalId: string; readonly before: TaskState | undefined } {
  const ofRow = known.filter(({ spec }) => rowIdOf(spec.origin.externalId) === row.id);
  const before = ofRow.find(({ spec }) => spec.prompt === promptDigest);
  if (before) return { externalId: before.spec.origin.externalId, before };
  return { externalId: ofRow.length === 0 ? row.id : `${row.id} (${promptDigest.slice(0, 8)})`, before: undefined };
}

function taskOf(row: TaskRow, { path, repo }: RowOfferOptions): NewTask {
  const notes = notesOfPeople(row.notes);
  const { title } = row;
  return {
    title:
      title.length <= maxTitleLength ? title : `${title.slice(0, maxTitleLength - 1).replace(/[\uD800-\uDBFF]$/, '')}…`,
    prompt: notes === '' ? title : `${title}\n\n${notes}`,
    priority: row.priority ?? defaultPriority,
    persona: row.persona === '' ? null : row.persona.slice(0, 100),
    checks: row.checks.length === 0 ? null : [...row.checks],
    repo,
    ...(taskKeySchema.safeParse(row.id).success ? { localKey: row.id } : {}),
    context: { id: row.id, table: path.slice(repo.length + 1), ...row.others },
  };
}

interface Dependency {
  readonly isMet: boolean;
  /** What is done in the queue and must be done first. */
  readonly externalIds: readonly string[];
  readonly problem: string | null;
}

const unmet = { isMet: false, externalIds: [] };

/** What rows depend on. A row that depends on one which nobody here will do waits until a person has set that to Done. */
class Dependencies {
  private readonly chain: string[] = [];

  constructor(
    private readonly table: TaskTable,
    private readonly options: RowOfferOptions,
  ) {}

  of(row: TaskRow): Dependency {
    const found = row.depends.map((id) => this.one(row, id));
    const problem = found.find((dependency) => dependency.problem !== null)?.problem ?? null;
    return {
      isMet: found.every(({ isMet }) => isMet),
      externalIds: found.flatMap(({ externalIds }) => externalIds),
      problem,
    };
  }

  private one(row: TaskRow, id: string): Dependency {
    const other = this.table.rows.get(id);
    if (!other) return { ...unmet, problem: `${row.id} depends on ${id}, which is no row of the table.` };
    if (other.status === 'Done') return { isMet: true, externalIds: [], problem: null };
    if (id === row.id || this.chain.includes(id))
      return { ...unmet, problem: `${row.id} depends on ${id}, which depends on ${row.id} in turn.` };
    const { known, agent, rows } = this.options;
    const task = known.findLast(({ spec }) => rowIdOf(spec.origin.externalId) === id);
    if (task) return { isMet: true, externalIds: [task.spec.origin.externalId], problem: null };
    const isOurs = other.status === 'Todo' && isFree(other, agent) && rows.accepts(other);
    this.chain.push(row.id);
    const isMet = isOurs && this.of(other).isMet;
    this.chain.pop();
    return isMet ? { isMet, externalIds: [id], problem: null } : { ...unmet, problem: null };
  }
}
