import { z } from 'zod';
import type { ToolName } from '../../core/persona';

/** Claude Code's own tools, and which tool of a persona's list allows each. One that is not here is never offered. */
const tools: readonly (readonly [claude: string, persona: ToolName])[] = [
  ['Bash', 'bash'],
  ['Read', 'read'],
  ['Write', 'write'],
  ['Edit', 'edit'],
  ['NotebookEdit', 'edit'],
  ['Glob', 'glob'],
  ['Grep', 'grep'],
];

/** Claude Code's tools for a persona's list. */
export function claudeToolsFor(names: readonly string[]): string[] {
  return tools.flatMap(([claude, persona]) => (names.includes(persona) ? [claude] : []));
}

/** Ways out of what a persona may do: other agents, the web, other modes, tasks and settings of its own. */
const neverOffered = [
  ...['Task', 'Agent', 'WebFetch', 'WebSearch', 'Skill', 'SlashCommand', 'EnterWorktree', 'ExitPlanMode'],
  ...['CronCreate', 'RemoteTrigger', 'AskUserQuestion'],
];

/** What Claude Code is told to deny by itself. @param offered Claude Code's own tools that it may use. */
export function deniedTools(offered: readonly string[]): string[] {
  return [...tools.map(([claude]) => claude).filter((claude) => !offered.includes(claude)), ...neverOffered];
}

/** Claude Code has a way of its own to do what this tool does, so that it is not offered another one. */
export function isDoneByClaude(tool: string): boolean {
  return tool.startsWith('bash_') || tools.some(([, persona]) => persona === tool);
}

/** The tool of a persona's list that allows a tool of Claude Code's; `null` for one that nothing allows. */
export function personaToolOf(claude: string): ToolName | null {
  return tools.find(([name]) => name === claude)?.[1] ?? null;
}

const inputSchema = z.looseObject({
  command: z.string().optional(),
  file_path: z.string().optional(),
  notebook_path: z.string().optional(),
  path: z.string().optional(),
  pattern: z.string().optional(),
});

/** One line for people about a use of a tool. */
export function summaryOf(input: unknown): string {
  const { command, file_path, notebook_path, pattern, path } = inputSchema.safeParse(input).data ?? {};
  const words = command ?? file_path ?? notebook_path ?? (pattern && path ? `${pattern} in ${path}` : pattern);
  return (words ?? path ?? JSON.stringify(input ?? null)).replace(/\s+/g, ' ').slice(0, 300);
}

const outputSchema = z.union([
  z.string(),
  z
    .looseObject({ stdout: z.string(), stderr: z.string().catch('') })
    .transform(({ stdout, stderr }) => [stdout, stderr].filter((text) => text !== '').join('\n')),
  z.looseObject({ file: z.looseObject({ content: z.string() }) }).transform(({ file }) => file.content),
  z.unknown().transform((value) => JSON.stringify(value ?? '')),
]);

/** What a tool gave, in words. */
export function outputOf(response: unknown): string {
  return outputSchema.parse(response).slice(0, maxOutputCharacters);
}

const maxOutputCharacters = 200_000;
