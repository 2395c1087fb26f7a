import { z } from 'zod';
import type { Diagnostic } from './diagnostic';
import { jailLimitsSchema, networkPolicySchema } from './jailPolicy';
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
] as const;
export const toolNameSchema = z.enum(toolNames);
export type ToolName = z.infer<typeof toolNameSchema>;

/** A named role: prompt, engine, model, the tools it may use, network policy, limits. */
export const personaSchema = z.object({
  name: z.string().min(1).max(100),
  description: z.string().default(''),
  /** What the agent is told about its role, after the product's own instructions. */
  prompt: z.string().default(''),
  /** A tool that is not in the list is denied, whatever the model says. */
  tools: z.array(toolNameSchema).default([...toolNames]),
  /** `null`: the model of the settings. */
  model: z.string().nullable().default(null),
  network: networkPolicySchema.default({ kind: 'none' }),
  limits: taskLimitsSchema.default({}),
  jailLimits: jailLimitsSchema.prefault({}),
});
export type Persona = z.infer<typeof personaSchema>;

/** The name of the persona of tasks that name none. */
export const defaultPersonaName = 'implementer';

/** Where a persona comes from. */
export type PersonaOrigin =
  | { readonly kind: 'builtIn' }
  /** A file of the user's own. */
  | { readonly kind: 'user'; readonly path: string }
  /** A file that is committed in the repository: it can only be tighter than what the user allows. */
  | { readonly kind: 'repository'; readonly path: string };

export interface FoundPersona {
  readonly persona: Persona;
  readonly origin: PersonaOrigin;
}

/** The personas that tasks for a repository may name, and what is wrong with files that were to be some. */
export interface PersonaList {
  readonly personas: readonly FoundPersona[];
  readonly diagnostics: readonly Diagnostic[];
}

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
