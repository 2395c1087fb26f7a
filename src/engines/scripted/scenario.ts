import { z } from 'zod';

const callSchema = z.object({
  /** The tool's name, such as `bash`. */
  tool: z.string().min(1),
  input: z.record(z.string(), z.unknown()),
});

/** What the script says and does in one turn. A turn without calls ends the agent's turn. */
const turnSchema = z.object({
  say: z.string().min(1),
  calls: z.array(callSchema).default([]),
});
export type ScriptedTurn = z.infer<typeof turnSchema>;

const stepSchema = turnSchema.extend({
  /** Turns that are taken instead when what the tools answered last says so; the first that fits. */
  instead: z.array(turnSchema.extend({ whenResultContains: z.string().min(1) })).default([]),
});

/** A script for one task: plain data, so that it can stand in a JSON file. */
export const scenarioSchema = z.object({
  name: z.string().min(1),
  /** The scenario is played for a conversation whose first user message contains this text. */
  marker: z.string().min(1),
  /** One a turn, in this order. After the last one the script only says that it is at its end. */
  steps: z.array(stepSchema).min(1),
});
export type Scenario = z.input<typeof scenarioSchema>;
export type ParsedScenario = z.infer<typeof scenarioSchema>;
