import type { Diagnostic } from '../../core/diagnostic';
import { isMcpTool } from '../../core/mcp';
import { maxTitleLength, type NewTask, type TaskLimits } from '../../core/task';
import { planTools, toolNames } from '../../core/persona';
import type { TaskDefinition } from './definitionSchema';
import type { ReadDefinition } from './definitionFile';
import { fillIn, type TemplateValues } from './template';

/**
 * The task that a definition describes; `undefined` when a value that its prompt names is missing.
 * @param found More context, such as the files whose change has started it.
 */
export function definedTask(
  definition: TaskDefinition,
  repo: string,
  env: TemplateValues['env'],
  found: Readonly<Record<string, unknown>> = {},
): NewTask | undefined {
  const { task, priority, name, description } = definition;
  const context = { ...task.context, ...found };
  const prompt = fillIn(task.prompt, { env, context });
  if (prompt.problems.length > 0) return undefined;
  const tools = toolsOf(definition);
  const deniedMcp = task.disallowed_tools.filter(isMcpTool);
  return {
    title: name.slice(0, maxTitleLength),
    prompt: prompt.text,
    priority: priority === 'high' ? 1 : 2,
    persona: task.persona ?? null,
    checks: task.checks && task.checks.length > 0 ? task.checks : null,
    limits: {
      ...(task.timeout === undefined ? {} : { timeoutMs: Math.ceil(task.timeout * 1000) }),
      ...(tools === null ? {} : { tools }),
      ...approvalsOf(task.permission_mode),
      ...(deniedMcp.length === 0 ? {} : { deniedTools: deniedMcp }),
    },
    ...(task.mcp_config === undefined ? {} : { mcpServers: task.mcp_config.mcpServers }),
    repo,
    context: { ...(description === '' ? {} : { description }), ...context },
  };
}

/** What a task is told of the files that have started it, the latest one first. */
export function contextOfChanges(
  changes: readonly { readonly path: string; readonly event: string }[],
): Record<string, unknown> {
  return { path: changes[0]?.path ?? '', event: changes[0]?.event ?? '', changes };
}

/** What of a definition cannot be done as it is written. */
export function honestyOf(
  path: string,
  { definition, place }: ReadDefinition,
  env: TemplateValues['env'],
): Diagnostic[] {
  if (!definition) return [];
  const { task, trigger } = definition;
  const found = trigger?.type === 'file_watch' ? contextOfChanges([]) : {};
  const at = (keys: readonly PropertyKey[], severity: Diagnostic['severity'], message: string): Diagnostic => ({
    path,
    ...place(keys),
    severity,
    message,
  });
  const filled = fillIn(task.prompt, { env, context: { ...task.context, ...found } });
  const unknown = (key: 'allowed_tools' | 'disallowed_tools'): Diagnostic[] =>
    (task[key] ?? []).flatMap((tool, index) =>
      ownTool(tool) === undefined && !isMcpTool(tool)
        ? [at(['task', key, index], 'warning', `There is no tool “${tool}”. There are: ${toolNames.join(', ')}.`)]
        : [],
    );
  return [
    ...filled.problems.map((problem) => at(['task', 'prompt'], 'error', `${problem}, so the task is not worked on.`)),
    ...unknown('allowed_tools'),
    ...unknown('disallowed_tools'),
  ];
}

/** It can only make less of what the settings and the persona allow. */
function approvalsOf(mode: TaskDefinition['task']['permission_mode']): Pick<TaskLimits, 'approvals'> {
  if (mode === 'ask') return { approvals: 'ask' };
  return mode === 'acceptEdits' ? { approvals: 'edits' } : {};
}

/** `null`: all that the persona has. */
function toolsOf({ task }: TaskDefinition): string[] | null {
  const denied = new Set(task.disallowed_tools.map((tool) => ownTool(tool) ?? ownTool(tool.replace(/\(.*/s, ''))));
  if (task.allowed_tools === undefined && denied.size === 0 && task.permission_mode !== 'plan') return null;
  const allowed = new Set<string>(
    task.allowed_tools === undefined ? toolNames : task.allowed_tools.flatMap((tool) => ownTool(tool) ?? []),
  );
  // Every agent may say how far it is, and what it has done.
  allowed.add('report_progress').add('finish');
  const own = toolNames.filter(
    (tool) => allowed.has(tool) && !denied.has(tool) && (task.permission_mode !== 'plan' || planTools.includes(tool)),
  );
  // What a server does is not known: a plan has none of it, and a task that names no tools has all that its persona has.
  if (task.permission_mode === 'plan') return own;
  if (task.allowed_tools === undefined) return [...own, 'mcp__*'];
  const named = task.allowed_tools.filter(isMcpTool);
  const brought = Object.keys(task.mcp_config?.mcpServers ?? {}).map((server) => `mcp__${server}`);
  return [...own, ...(named.length > 0 ? named : brought)];
}

/** Other products write theirs with capitals. A part of a tool, such as `Bash(git *)`, is none that we have. */
function ownTool(name: string): (typeof toolNames)[number] | undefined {
  const plain = name.toLowerCase();
  return toolNames.find((tool) => tool === plain);
}
