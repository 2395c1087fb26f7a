import { z } from 'zod';
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

/** The persona of tasks that name none. */
export const implementer: Persona = personaSchema.parse({
  name: 'implementer',
  description: 'Changes code and its tests until the checks pass.',
  prompt: 'You implement the task with the smallest change that does it well, in the style of the code around it.',
});

const personas: readonly Persona[] = [implementer];

/** @returns `undefined` when there is none of that name; `null` names the default one. */
export function personaNamed(name: string | null): Persona | undefined {
  return name === null ? implementer : personas.find((persona) => persona.name === name);
}

/** The names of all that there are, for telling. */
export function personaNames(): string {
  return personas.map(({ name }) => name).join(', ');
}
