import { z } from 'zod';
import { isMcpTool } from '../core/mcp';
import { personaSchema, toolNames, usualTools, type ToolName } from '../core/persona';
import { listSchema, personaNameSchema, readHeader, wrongFile, type ReadPersona } from './personaFile';

/** Names that Claude Code has for its tools, and ours that do the same. What is not here has no counterpart. */
const counterparts: ReadonlyMap<string, readonly ToolName[]> = new Map<string, readonly ToolName[]>([
  ['Bash', ['bash', 'bash_output', 'bash_input', 'bash_stop']],
  ['BashOutput', ['bash_output']],
  ['KillShell', ['bash_stop']],
  ['KillBash', ['bash_stop']],
  ['Read', ['read']],
  ['Write', ['write']],
  ['Edit', ['edit']],
  ['MultiEdit', ['edit']],
  ['Glob', ['glob']],
  ['LS', ['glob']],
  ['Grep', ['grep']],
]);

/** Tools that only tell the user something: every agent has them. */
const telling: readonly ToolName[] = ['report_progress', 'ask_user', 'finish'];

/** Only what a run of ours can do is looked at: colours, hooks, memory and the like are for Claude Code. */
const headerSchema = z.looseObject({
  name: personaNameSchema.optional(),
  description: z.string().max(20_000).default(''),
  tools: listSchema.nullish(),
  disallowedTools: listSchema.nullish(),
  model: z.string().max(200).nullish(),
  permissionMode: z.string().nullish().catch(null),
});

/** What `sonnet`, `opus` and `haiku` are at the server that is used; empty where they are nothing. */
export type ModelAliases = Readonly<Partial<Record<string, string>>>;

/** Reads `.claude/agents/NAME.md`, a subagent of Claude Code, as a persona. Never throws. */
export function readAgentFile(text: string, stem: string, path: string, aliases: ModelAliases): ReadPersona {
  const read = readHeader(quoted(text), headerSchema, path);
  if ('diagnostics' in read) return read;
  const { header, body } = read;
  const name = personaNameSchema.safeParse(header.name ?? stem);
  if (!name.success)
    return wrongFile(path, 'Its file name is no name of a persona: give it a name: in the front matter.');
  const persona = personaSchema.parse({
    name: name.data,
    description: header.description.replace(/\s+/g, ' ').slice(0, 2000),
    prompt: body,
    tools: toolsOf(header.tools ?? null, header.disallowedTools ?? []),
    mcpTools: (header.tools ?? []).filter(isMcpTool),
    deniedMcpTools: (header.disallowedTools ?? []).filter(isMcpTool),
    model: modelOf(header.model ?? null, aliases),
    // In a plan nothing is changed.
    workspace: header.permissionMode === 'plan' ? 'read' : 'write',
  });
  return { persona, diagnostics: [] };
}

/** A key and a value on one line, which is no quoted text, list or block. */
const plainLine = /^([A-Za-z][\w-]*):[ \t]+(?!["'|>[{&*!%@`#])(\S.*?)[ \t]*$/;

/**
 * Claude Code takes what stands behind a key as it is, and such files are full of descriptions that are no YAML (`Use it
 * when: …`): such a value is put into quotes. Lines stay where they are.
 */
function quoted(text: string): string {
  const lines = text.split(/\r?\n/);
  const end = lines.findIndex((line, index) => index > 0 && line.trimEnd() === '---');
  return lines
    .map((line, index) => {
      const [, key = '', value = ''] = (index < end && plainLine.exec(line)) || [];
      return /:(\s|$)|\s#/.test(value) ? `${key}: ${JSON.stringify(value)}` : line;
    })
    .join('\n');
}

/** `Bash(git *)` allows a part of `Bash` that cannot be told apart here, so that it allows nothing. */
function toolsOf(allowed: readonly string[] | null, denied: readonly string[]): readonly ToolName[] {
  const ours = (names: readonly string[]): readonly ToolName[] => names.flatMap((name) => counterparts.get(name) ?? []);
  const isAll = allowed === null || allowed.includes('*');
  const without = ours(denied.map((name) => name.replace(/\(.*$/, '')));
  const wanted = isAll ? usualTools : [...ours(allowed), ...telling];
  return toolNames.filter((name) => wanted.includes(name) && !without.includes(name));
}

function modelOf(model: string | null, aliases: ModelAliases): string | null {
  if (model === null || model === '' || model === 'inherit') return null;
  if (['sonnet', 'opus', 'haiku'].includes(model)) return aliases[model] ?? null;
  return model;
}
