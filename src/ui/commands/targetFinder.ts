import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { z } from 'zod';
import { UserError } from '../../base/errors';
import { type SessionId, taskIdSchema, type TaskId } from '../../core/ids';
import type { SessionList } from '../sessionList/sessionList';
import { isSessionNode, type SessionNode } from '../sessionList/sessionNode';
import { mergeScheme, reportScheme, resultScheme } from '../ids';
import { activeMerge } from '../landing/mergeEditor';
import { oneLine } from '../markdownText';
import type { SourceLine } from '../status/sourceState';
import type { Ability } from '../tasks/abilities';
import { isTaskNode, type TaskNode } from '../tasks/taskNode';
import { groupLabel, type TaskGroup, taskGroups } from '../tasks/taskGroup';
import type { TaskList } from '../tasks/taskList';
import { clickedRows } from './clickedRows';
import type { CommandTarget } from './commandActions';
import type { TargetFinder } from './commandRegistry';

const addressSchema = z.object({ scheme: z.string(), authority: z.string(), query: z.string() });
const threadSchema = z.object({ uri: z.unknown(), thread: z.object({ uri: z.unknown() }).optional() });

const none: CommandTarget = { taskIds: [], group: null, sessionId: null, sourceId: null };

export interface TargetParts {
  readonly tasks: TaskList;
  readonly sessions: SessionList;
  readonly sources: () => readonly SourceLine[];
  /** The rows of the task tree that are selected. */
  readonly selection: () => readonly TaskNode[];
}

/** Finds what a command is about: the row that was clicked, the rows that are selected, or what the user picks. */
export function targetFinder(parts: TargetParts): TargetFinder {
  return async (needs, args) => {
    switch (needs.kind) {
      case 'nothing':
      case 'definition':
        return none;
      case 'group': {
        const [group] = args;
        return isGroup(group) ? { ...none, group } : undefined;
      }
      case 'task':
        return found(await findTasks(parts, needs.ability, args, []));
      case 'tasks':
        return found(await findTasks(parts, needs.ability, args, clickedRows(args) ?? parts.selection()));
      case 'session': {
        const sessionId = isSession(args[0]) ? args[0].sessionId : await pickEndedSession(parts.sessions);
        return sessionId === undefined ? undefined : { ...none, sessionId };
      }
      case 'source': {
        const sources = parts.sources().filter(({ paused }) => paused === needs.paused);
        const sourceId = sources.find(({ id }) => id === args[0])?.id ?? (await pickSource(sources));
        return sourceId === undefined ? undefined : { ...none, sourceId };
      }
    }
  };
}

function found(taskIds: readonly TaskId[] | undefined): CommandTarget | undefined {
  return taskIds && { ...none, taskIds };
}

async function findTasks(
  { tasks, sessions }: TargetParts,
  ability: Ability,
  args: readonly unknown[],
  selection: readonly TaskNode[],
): Promise<readonly TaskId[] | undefined> {
  const named = isSession(args[0]) ? sessions.taskOf(args[0].sessionId) : namedTask(args[0]);
  const active = ability === 'resolveConflict' && args.length === 0 ? shownTask(activeMerge()) : undefined;
  const selected = selection.flatMap((node) => (node.kind === 'task' ? [node.taskId] : []));
  const one = named ?? active;
  const asked = selected.length > 0 ? selected : one === undefined ? [] : [one];
  if (asked.length === 0) return pickTask(tasks, ability);
  const able = asked.filter((taskId) => tasks.abilitiesOf(taskId).has(ability));
  if (able.length > 0) return able;
  throw new UserError('wrong-state', l10n.t('The task has moved on, so this cannot be done to it any more.'));
}

/** A row of the tree, or a task's id, as another extension or a link of ours would give it. */
function namedTask(argument: unknown): TaskId | undefined {
  if (isTaskNode(argument)) return argument.kind === 'task' ? argument.taskId : undefined;
  const shown = shownTask(argument);
  if (shown !== undefined) return shown;
  const parsed = taskIdSchema.safeParse(argument);
  return parsed.success ? parsed.data : undefined;
}

/** What VS Code hands over of an editor with details or a result in it, and of a thread of comments on one. */
function shownTask(argument: unknown): TaskId | undefined {
  const thread = threadSchema.safeParse(argument).data;
  const uri = addressSchema.safeParse(thread?.thread?.uri ?? thread?.uri ?? argument).data;
  if (uri?.scheme === resultScheme || uri?.scheme === mergeScheme) return taskIdSchema.safeParse(uri.authority).data;
  if (uri?.scheme === reportScheme) return taskIdSchema.safeParse(new URLSearchParams(uri.query).get('task')).data;
  return undefined;
}

async function pickTask(tasks: TaskList, ability: Ability): Promise<readonly TaskId[] | undefined> {
  const items = taskGroups.flatMap((group): (vscode.QuickPickItem & { readonly taskId?: TaskId })[] => {
    const able = tasks.idsOf(group).filter((taskId) => tasks.abilitiesOf(taskId).has(ability));
    if (able.length === 0) return [];
    const rows = able.flatMap((taskId) => {
      const row = tasks.rowOf(taskId);
      if (!row) return [];
      return [{ label: row.label, description: row.description, iconPath: new vscode.ThemeIcon(row.icon.id), taskId }];
    });
    return [{ label: groupLabel(group), kind: vscode.QuickPickItemKind.Separator }, ...rows];
  });
  if (items.length === 0) {
    throw new UserError('no-such-task', l10n.t('There is no task that this can be done to now.'));
  }
  const picked = await vscode.window.showQuickPick(items, {
    placeHolder: l10n.t('Which task?'),
    matchOnDescription: true,
  });
  return picked?.taskId === undefined ? undefined : [picked.taskId];
}

async function pickEndedSession(sessions: SessionList): Promise<SessionId | undefined> {
  const items = sessions.idsOf('ended').flatMap((sessionId) => {
    const row = sessions.rowOf(sessionId);
    return row ? [{ label: row.label, description: row.description, sessionId }] : [];
  });
  if (items.length === 0) throw new UserError('no-session', l10n.t('No session has ended yet.'));
  const picked = await vscode.window.showQuickPick(items, {
    placeHolder: l10n.t('Which session?'),
    matchOnDescription: true,
  });
  return picked?.sessionId;
}

async function pickSource(sources: readonly SourceLine[]): Promise<string | undefined> {
  if (sources.length === 0)
    throw new UserError('no-such-source', l10n.t('There is no source that this can be done to.'));
  const items = sources.map(({ id, words }) => ({ label: id, description: oneLine(words, 200) }));
  const picked = await vscode.window.showQuickPick(items, { placeHolder: l10n.t('Which source?') });
  return picked?.label;
}

function isSession(value: unknown): value is Extract<SessionNode, { kind: 'session' }> {
  return isSessionNode(value) && value.kind === 'session';
}

function isGroup(value: unknown): value is TaskGroup {
  return taskGroups.some((group) => group === value);
}
