import { z } from 'zod';
import { defineTool, succeeded } from './defineTool';

export const askUserTool = defineTool({
  name: 'ask_user',
  description:
    'Asks the user a question and gives you the answer. You stop until it comes, which may take hours, and processes that you started in the sandbox are ended meanwhile; files stay. Ask only what nobody but the user can decide and what you cannot find out yourself, all of it in one question, with the choices that you see.',
  schema: z.object({
    question: z.string().trim().min(1).max(2000),
    choices: z
      .array(z.string().trim().min(1).max(300))
      .max(10)
      .default([])
      .describe('Answers that you see; the user may give another.'),
  }),
  readOnly: true,
  repeatable: true,
  summarize: ({ question }) => `asks: ${question}`,
  async run({ question, choices }, context) {
    const listed = choices.map((choice, index) => `\n${index + 1}. ${choice}`).join('');
    const answer = await context.ask(`${question}${listed}`);
    return succeeded(`The user answers:\n${answer}`);
  },
});
