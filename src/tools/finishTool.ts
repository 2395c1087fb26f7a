import { z } from 'zod';
import { claimSchema } from '../core/claims';
import { defineTool, succeeded } from './defineTool';

export const finishTool = defineTool({
  name: 'finish',
  description:
    'Says what you have done, once, right before you end your turn. Each claim is one thing that is true of your result; name the check of the task that shows it where there is one. Airlock runs the checks itself and tells the user which claims they confirm and which they contradict.',
  schema: z.object({
    summary: z.string().trim().min(1).max(10_000),
    claims: z
      .array(
        claimSchema.extend({
          check: claimSchema.shape.check
            .default(null)
            .describe('The command of the check that shows it, word for word.'),
        }),
      )
      .max(20)
      .default([]),
  }),
  readOnly: true,
  summarize: ({ summary }) => `finished: ${summary}`,
  async run(claims, context) {
    await context.claim(claims);
    return succeeded('It is kept. End your turn now.');
  },
});
