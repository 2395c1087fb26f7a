import * as vscode from 'vscode';
import * as l10n from '@vscode/l10n';
import { CancelledError } from '../../base/errors';
import type { TaskId } from '../../core/ids';
import { defaultPersonaName, type FoundPersona } from '../../core/persona';
import { maxChecks, maxTitleLength, type NewTask, type Priority } from '../../core/task';
import { promptWith, type TaskDraft } from '../entryPoints/taskDraft';
import { pickRepository } from './pickRepository';

const totalSteps = 4;

/** A task that another one can wait for. */
export interface OpenTask {
  readonly id: TaskId;
  readonly title: string;
  readonly status: string;
}

/** What a task can be given besides words. */
export interface TaskChoices {
  /** The personas that tasks for a repository may name. */
  personas(repo: string): Promise<readonly FoundPersona[]>;
  openTasks(): readonly OpenTask[];
}

/**
 * Asks for a task, step by step; any step that is left with Escape ends it.
 * @throws {CancelledError} when the user gives up. @throws {UserError} `no-repository`.
 */
export async function askForTask(
  folders: readonly string[],
  choices: TaskChoices,
  draft?: TaskDraft,
): Promise<NewTask> {
  const repo = draft?.repo ?? (await pickRepository(folders, { always: false }));
  const title = await askForText(1, {
    title: l10n.t('What is to be done, in a few words?'),
    placeHolder: l10n.t('Fix the rounding of totals'),
    value: draft?.title ?? '',
    validate: (value) => titleProblem(value),
  });
  const prompt = await askForText(2, {
    title: promptQuestion(draft),
    placeHolder: l10n.t('Totals are off by a cent when …'),
    value: draft?.prompt ?? '',
  });
  const checks = await askForText(3, {
    title: l10n.t('Which command must pass? Leave it empty for the checks of the repository.'),
    placeHolder: l10n.t('npm test; more than one: separate them by ;;'),
    validate: (value) => checksProblem(value),
  });
  const urgency = await askForUrgency(repo, choices);
  const words = prompt === '' ? title : prompt;
  const whole = draft ? promptWith(words, draft.about) : words;
  return { repo, title, prompt: whole, checks: checksOf(checks), ...urgency };
}

function promptQuestion(draft: TaskDraft | undefined): string {
  if (!draft) return l10n.t('What should the agent know? Leave it empty if the title says it all.');
  const { path, firstLine, lastLine } = draft.about;
  if (firstLine === lastLine)
    return l10n.t('What should the agent know? It is shown line {0} of {1} too.', firstLine, path);
  return l10n.t('What should the agent know? It is shown lines {0}–{1} of {2} too.', firstLine, lastLine, path);
}

interface Question {
  readonly title: string;
  readonly placeHolder: string;
  /** What the answer begins with. */
  readonly value?: string;
  readonly validate?: (value: string) => string | undefined;
}

async function askForText(step: number, question: Question): Promise<string> {
  const answer = await vscode.window.showInputBox({
    title: l10n.t('Add Task ({0}/{1})', step, totalSteps),
    prompt: question.title,
    placeHolder: question.placeHolder,
    value: question.value ?? '',
    ignoreFocusOut: true,
    validateInput: (value) => question.validate?.(value.trim()),
  });
  if (answer === undefined) throw new CancelledError();
  return answer.trim();
}

function titleProblem(title: string): string | undefined {
  if (title === '') return l10n.t('A task needs a title.');
  return title.length > maxTitleLength ? l10n.t('At most {0} characters.', maxTitleLength) : undefined;
}

function checksProblem(checks: string): string | undefined {
  return (checksOf(checks)?.length ?? 0) > maxChecks ? l10n.t('At most {0} checks.', maxChecks) : undefined;
}

/** `;;` is no shell command's separator outside `case`, so that a check may hold a `;`. */
function checksOf(text: string): string[] | null {
  const checks = text
    .split(';;')
    .map((check) => check.trim())
    .filter((check) => check !== '');
  return checks.length === 0 ? null : checks;
}

interface Choice extends vscode.QuickPickItem {
  readonly priority?: Priority;
  readonly more?: 'persona' | 'dependencies';
}

interface Urgency {
  readonly priority: Priority;
  readonly persona: string | null;
  readonly dependsOn: TaskId[];
}

/** The last step: a priority ends it; persona and dependencies are asked for by whoever wants to say them. */
async function askForUrgency(repo: string, choices: TaskChoices): Promise<Urgency> {
  let persona: string | null = null;
  let after: readonly OpenTask[] = [];
  for (;;) {
    const picked: Choice | undefined = await vscode.window.showQuickPick(urgencyItems(persona, after, choices), {
      title: l10n.t('Add Task ({0}/{1})', totalSteps, totalSteps),
      placeHolder: l10n.t('How urgent is it?'),
      ignoreFocusOut: true,
    });
    if (!picked) throw new CancelledError();
    if (picked.priority !== undefined)
      return { priority: picked.priority, persona, dependsOn: after.map(({ id }) => id) };
    if (picked.more === 'persona') persona = await askForPersona(await choices.personas(repo), persona);
    if (picked.more === 'dependencies') after = await askForDependencies(choices.openTasks(), after);
  }
}

function urgencyItems(persona: string | null, after: readonly OpenTask[], choices: TaskChoices): Choice[] {
  const titles = after.map(({ title }) => title).join(', ');
  const dependencies: Choice = {
    label: l10n.t('$(list-ordered) After other tasks…'),
    description: titles === '' ? l10n.t('none') : titles,
    more: 'dependencies',
  };
  return [
    { label: 'P2', description: l10n.t('normal'), priority: 2 },
    { label: 'P0', description: l10n.t('before all others'), priority: 0 },
    { label: 'P1', description: l10n.t('soon'), priority: 1 },
    { label: 'P3', description: l10n.t('when there is nothing else'), priority: 3 },
    { label: '', kind: vscode.QuickPickItemKind.Separator },
    { label: l10n.t('$(person) Persona…'), description: persona ?? defaultPersonaName, more: 'persona' },
    ...(choices.openTasks().length > 0 ? [dependencies] : []),
  ];
}

/** What was chosen before, when the user gives up. */
async function askForPersona(personas: readonly FoundPersona[], before: string | null): Promise<string | null> {
  const items = personas.map(({ persona }) => ({ label: persona.name, detail: persona.description }));
  const picked = await vscode.window.showQuickPick(items, {
    title: l10n.t('Persona'),
    placeHolder: l10n.t('Who works on it?'),
    matchOnDetail: true,
    ignoreFocusOut: true,
  });
  return picked ? picked.label : before;
}

async function askForDependencies(
  open: readonly OpenTask[],
  before: readonly OpenTask[],
): Promise<readonly OpenTask[]> {
  const items = open.map((task) => ({
    label: task.title,
    description: task.status,
    picked: before.some(({ id }) => id === task.id),
    task,
  }));
  const picked = await vscode.window.showQuickPick(items, {
    title: l10n.t('After'),
    placeHolder: l10n.t('Which tasks must be verified first?'),
    canPickMany: true,
    matchOnDescription: true,
    ignoreFocusOut: true,
  });
  return picked ? picked.map(({ task }) => task) : before;
}
