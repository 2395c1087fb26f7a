import { z } from 'zod';
import type { Diagnostic } from '../core/diagnostic';
import type { jailLimitsSchema } from '../core/jailPolicy';
import { isMcpTool, mcpServersSchema } from '../core/mcp';
import { personaSchema, toolNames, usualTools, writingTools, type Persona, type ToolName } from '../core/persona';
import { effortSchema } from '../core/engine';
import { readYaml } from '../core/yamlFile';
import { splitFrontMatter, yamlFirstLine } from './frontMatter';

/** A persona larger than this is none. */
export const maxPersonaBytes = 256 * 1024;

const mebibyte = 1024 ** 2;

export const personaNameSchema = z
  .string()
  .regex(
    /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,99}$/u,
    'up to 100 letters, digits, spaces and . _ -, with a letter or digit first',
  );

export const domainSchema = z
  .string()
  .max(255)
  .regex(
    /^(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d{1,5})?$/,
    'a domain such as example.org, *.example.org or example.org:8443',
  );

/** A list, or words between commas as Claude Code writes them. */
export const listSchema = z.union([
  z.array(z.string().max(200)).max(200),
  z
    .string()
    .transform((text) => text.split(',').map((word) => word.trim()))
    .transform((words) => words.filter((word) => word !== '')),
]);

/** Tools of Airlock's own, and `mcp__server` or `mcp__server__tool`. */
const toolsSchema = listSchema.transform((names, context) => {
  const own: ToolName[] = [];
  for (const [index, name] of names.entries()) {
    const known = toolNames.find((each) => each === name);
    const message = `there is no tool ${JSON.stringify(name)}; there are ${toolNames.join(', ')}`;
    if (known) own.push(known);
    else if (!isMcpTool(name)) context.addIssue({ code: 'custom', path: [index], message });
  }
  return { own, mcp: names.filter(isMcpTool) };
});
const positive = z.number().positive();
const count = positive.int();

/** What stands before the text, as people write it. */
const keysSchema = z.strictObject({
  name: personaNameSchema.optional(),
  description: z.string().max(2000).default(''),
  tools: toolsSchema.optional(),
  mcp_servers: mcpServersSchema.default({}),
  model: z.string().min(1).max(200).optional(),
  workspace: z.enum(['read-write', 'read-only']).default('read-write'),
  approvals: z.enum(['ask', 'edits', 'unattended']).optional(),
  engine: z.enum(['anthropic', 'claude-code', 'scripted']).optional(),
  effort: effortSchema.optional(),
  network: z.array(domainSchema).max(100).default([]),
  expertise: z
    .strictObject({
      keywords: z.array(z.string().min(1).max(100)).max(100).default([]),
      paths: z.array(z.string().min(1).max(200)).max(100).default([]),
    })
    .prefault({}),
  limits: z
    .strictObject({
      timeout_minutes: positive.max(1440).optional(),
      max_turns: count.max(1000).optional(),
      max_cost_usd: positive.optional(),
    })
    .prefault({}),
  jail: z
    .strictObject({
      memory_megabytes: count.optional(),
      disk_megabytes: count.optional(),
      tmp_megabytes: count.optional(),
      file_megabytes: count.optional(),
      processes: count.optional(),
      open_files: count.optional(),
      cpu_minutes: positive.optional(),
    })
    .prefault({}),
});
type Header = z.output<typeof keysSchema>;

const headerSchema = keysSchema.superRefine(({ tools, workspace }, context) => {
  const wrong = workspace === 'read-only' ? (tools?.own ?? []).filter((tool) => writingTools.includes(tool)) : [];
  if (wrong.length === 0) return;
  const message = `with workspace: read-only there is no ${wrong.join(' and no ')}`;
  context.addIssue({ code: 'custom', path: ['tools'], message });
});

/** A file that was to be a persona. */
export interface ReadPersona {
  readonly persona: Persona | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** What is wrong with a whole file. */
export function wrongFile(path: string, message: string): ReadPersona {
  return { persona: undefined, diagnostics: [{ path, line: 1, column: 1, severity: 'error', message }] };
}

/** The YAML before the text and the text, or what is wrong with them. */
export function readHeader<T>(
  text: string,
  schema: z.ZodType<T>,
  path: string,
): { readonly header: T; readonly body: string } | ReadPersona {
  const parts = splitFrontMatter(text);
  if (!parts)
    return wrongFile(path, 'It has no front matter: begin it with a line ---, the YAML, and a line --- again.');
  const { value, diagnostics } = readYaml(parts.yaml.trim() === '' ? '{}' : parts.yaml, schema, {
    path,
    firstLine: yamlFirstLine,
  });
  return value === undefined ? { persona: undefined, diagnostics } : { header: value, body: parts.body };
}

/**
 * Reads `.airlock/personas/NAME.md`. Never throws: what is wrong is said with its line.
 * @param stem The name of the file without its end: the persona's name when the file has none.
 */
export function readPersonaFile(text: string, stem: string, path: string): ReadPersona {
  const read = readHeader(text, headerSchema, path);
  if ('diagnostics' in read) return read;
  const { header, body } = read;
  const name = personaNameSchema.safeParse(header.name ?? stem);
  if (!name.success)
    return wrongFile(path, 'Its file name is no name of a persona: give it a name: in the front matter.');
  return { persona: personaOf(header, name.data, body), diagnostics: [] };
}

function personaOf(header: Header, name: string, prompt: string): Persona {
  const { description, tools, model, engine, effort, approvals, network, limits, mcp_servers: servers } = header;
  const workspace = header.workspace === 'read-only' ? 'read' : 'write';
  const allTools = workspace === 'read' ? usualTools.filter((tool) => !writingTools.includes(tool)) : usualTools;
  // Whoever names no tool of a server means all of those that it brings.
  const mcpTools = tools && tools.mcp.length > 0 ? tools.mcp : Object.keys(servers).map((server) => `mcp__${server}`);
  return personaSchema.parse({
    name,
    description,
    prompt,
    tools: [...new Set(tools?.own ?? allTools)],
    workspace,
    expertise: header.expertise,
    ...(approvals === undefined ? {} : { approvals }),
    mcpServers: Object.fromEntries(
      Object.entries(servers).map(([server, found]) => [server, { server: found, from: 'user' }]),
    ),
    mcpTools,
    model: model ?? null,
    engine: engine ?? null,
    effort: effort ?? null,
    network: network.length === 0 ? { kind: 'none' } : { kind: 'allowlist', domains: network },
    limits: {
      timeoutMs: limits.timeout_minutes === undefined ? undefined : Math.ceil(limits.timeout_minutes * 60_000),
      maxTurns: limits.max_turns,
      maxCostUsd: limits.max_cost_usd,
    },
    jailLimits: jailLimitsOf(header.jail),
  });
}

function jailLimitsOf(jail: Header['jail']): z.input<typeof jailLimitsSchema> {
  const bytes = (megabytes: number | undefined): number | undefined =>
    megabytes === undefined ? undefined : megabytes * mebibyte;
  return {
    memoryBytes: bytes(jail.memory_megabytes),
    diskBytes: bytes(jail.disk_megabytes),
    tmpBytes: bytes(jail.tmp_megabytes),
    fileBytes: bytes(jail.file_megabytes),
    processes: jail.processes,
    openFiles: jail.open_files,
    cpuMs: jail.cpu_minutes === undefined ? undefined : Math.ceil(jail.cpu_minutes * 60_000),
  };
}
