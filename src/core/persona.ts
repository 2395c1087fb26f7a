import { z } from 'zod';
import { approvalModeSchema } from './approval';
import { diagnosticSchema } from './diagnostic';
import { effortSchema } from './engine';
import { jailLimitsSchema, networkPolicySchema } from './jailPolicy';
import { foundMcpServerSchema, mcpServerNameSchema } from './mcp';
import { taskLimitsSchema } from './task';

export const toolNames = [
  'bash',
  'bash_output',
  'bash_input',
  'bash_stop',
  'read',
  'write',
  'edit',
  'glob',
  'grep',
  'report_progress',
  'ask_user',
  'finish',
  'send_message',
  'read_messages',
  'create_subtasks',
] as const;
export const toolNameSchema = z.enum(toolNames);
export type ToolName = z.infer<typeof toolNameSchema>;

/** Those of a persona that names none: all but the one that lets it give work, and money, to others. */
export const usualTools: readonly ToolName[] = toolNames.filter((name) => name !== 'create_subtasks');

/** A named role: prompt, engine, model, the tools it may use, network policy, limits. */
export const personaSchema = z.object({
  name: z.string().min(1).max(100),
  description: z.string().default(''),
  /** What the agent is told about its role, after the product's own instructions. */
  prompt: z.string().default(''),
  /** A tool that is not in the list is denied, whatever the model says. */
  tools: z.array(toolNameSchema).default(() => [...usualTools]),
  /** Servers of tools that it brings, by name. */
  mcpServers: z.record(mcpServerNameSchema, foundMcpServerSchema).default({}),
  /** Their tools that it may use: `mcp__server` for all of one, `mcp__server__tool`. */
  mcpTools: z.array(z.string().max(200)).default([]),
  /** Of those, patterns for what it may not use. */
  deniedMcpTools: z.array(z.string().max(200)).default([]),
  /** `null`: the model of the settings. */
  model: z.string().nullable().default(null),
  /** The kind of the engine that thinks for it; `null`: that of the settings. */
  engine: z.string().min(1).max(100).nullable().default(null),
  /** `null`: as the settings say. */
  effort: effortSchema.nullable().default(null),
  network: networkPolicySchema.default({ kind: 'none' }),
  /** What it knows about: words of a task, and files (as patterns) that a task names. For tasks that name no persona. */
  expertise: z
    .object({
      keywords: z.array(z.string().min(1).max(100)).max(100).default([]),
      paths: z.array(z.string().min(1).max(200)).max(100).default([]),
    })
    .prefault({}),
  /** `read`: the run's copy of the repository is mounted read-only in its jail, and its result is what it says. */
  workspace: z.enum(['read', 'write']).default('write'),
  /** What it may do without asking, if that is less than the settings allow. Absent: what they allow. */
  approvals: approvalModeSchema.optional(),
  limits: taskLimitsSchema.default({}),
  jailLimits: jailLimitsSchema.prefault({}),
});
export type Persona = z.infer<typeof personaSchema>;

/** Tools that write into the workspace: a persona that may only read it has none of them. */
export const writingTools: readonly ToolName[] = ['write', 'edit'];

/** What a task may use that is only to be planned: with it nothing is changed. */
export const planTools: readonly ToolName[] = ['read', 'glob', 'grep', 'report_progress'];

/** The name of the persona of tasks that name none. */
export const defaultPersonaName = 'implementer';

/** Where a persona comes from. */
const personaOriginSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('builtIn') }),
  /** A file of the user's own. */
  z.object({ kind: z.literal('user'), path: z.string() }),
  /** A file that is committed in the repository: it can only be tighter than what the user allows. */
  z.object({ kind: z.literal('repository'), path: z.string() }),
]);
export type PersonaOrigin = z.infer<typeof personaOriginSchema>;

const foundPersonaSchema = z.object({ persona: personaSchema, origin: personaOriginSchema });
export type FoundPersona = z.infer<typeof foundPersonaSchema>;

/** The personas that tasks for a repository may name, and what is wrong with files that were to be some. */
export const personaListSchema = z.object({
  personas: z.array(foundPersonaSchema),
  diagnostics: z.array(diagnosticSchema),
});
export type PersonaList = z.infer<typeof personaListSchema>;

export interface Personas {
  /**
   * Those for a repository, as the commit has them that is checked out there; `null`: without one. Names are unique.
   * What is wrong with a file is a diagnostic and harms no other.
   */
  of(repo: string | null): Promise<PersonaList>;
}

/** @param name `null` for the default one. @returns `undefined` when there is none of that name. */
export function personaNamed({ personas }: PersonaList, name: string | null): Persona | undefined {
  return personas.find(({ persona }) => persona.name === (name ?? defaultPersonaName))?.persona;
}
