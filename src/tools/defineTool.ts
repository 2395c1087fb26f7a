import { z } from 'zod';
import { UserError } from '../base/errors';
import { makeVisible } from '../base/visible';
import type { ToolResult } from '../core/engine';
import type { Tool, ToolContext } from '../core/tool';

const maxSummaryLength = 160;

/** Errors after which the run does not go on now: they are no answers. */
const runEnding: ReadonlySet<string> = new Set(['session-closed', 'question-open']);

export interface ToolPlan<Schema extends z.ZodType> {
  readonly name: string;
  readonly description: string;
  readonly schema: Schema;
  /** It changes nothing, so several may run at once. */
  readonly readOnly: boolean;
  /** Doing an interrupted call again does no harm. Absent: it may. */
  readonly repeatable?: boolean;
  /** What is about to happen, in a few words. It may have anything in it: it is made safe to show. */
  summarize(input: z.output<Schema>): string;
  run(input: z.output<Schema>, context: ToolContext): Promise<ToolResult>;
}

/**
 * Makes a tool of its plan: the schema is what the model is told, and what its input is checked against. What the user of
 * the tool can mend (a `UserError` of the session) becomes an answer; that the session is gone, or an answer not there, does not.
 */
export function defineTool<Schema extends z.ZodType>(plan: ToolPlan<Schema>): Tool {
  return {
    definition: {
      name: plan.name,
      description: plan.description,
      inputSchema: inputSchemaOf(plan.schema),
      readOnly: plan.readOnly,
    },
    repeatable: plan.repeatable ?? false,
    summarize(input) {
      const parsed = plan.schema.safeParse(input);
      return oneLine(parsed.success ? plan.summarize(parsed.data) : `${plan.name} with a malformed input`);
    },
    async run(input, context) {
      const parsed = plan.schema.safeParse(input);
      if (!parsed.success) return failed(`The input of ${plan.name} is wrong:\n${z.prettifyError(parsed.error)}`);
      try {
        return await plan.run(parsed.data, context);
      } catch (error) {
        if (error instanceof UserError && !runEnding.has(error.code)) return failed(error.message);
        throw error;
      }
    },
  };
}

export function succeeded(text: string): ToolResult {
  return { ok: true, text };
}

export function failed(text: string): ToolResult {
  return { ok: false, text };
}

/** A path as tools take it. */
export const pathSchema = z
  .string()
  .min(1)
  .max(4096)
  .refine((path) => !path.includes('\0'), 'a path has no NUL')
  .describe('Absolute, or relative to the workspace.');

function inputSchemaOf(schema: z.ZodType): Record<string, unknown> {
  // What the model may leave out is optional for it, so the input's side of the schema is what it is told.
  const { $schema: _dialect, ...jsonSchema } = z.toJSONSchema(schema, { io: 'input' });
  return jsonSchema;
}

function oneLine(text: string): string {
  const line = makeVisible(
    text
      .slice(0, 4 * maxSummaryLength)
      .replace(/\s+/g, ' ')
      .trim(),
  );
  const characters = [...line];
  return characters.length > maxSummaryLength ? `${characters.slice(0, maxSummaryLength - 1).join('')}…` : line;
}
