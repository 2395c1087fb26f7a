import { z } from 'zod';
import { makeVisible } from '../base/visible';
import { defineTool, succeeded } from './defineTool';

export const reportProgressTool = defineTool({
  name: 'report_progress',
  description:
    'Tells the user in a few words how far you are. Use it at the larger steps of a task, not at each command.',
  schema: z.object({
    message: z.string().min(1).max(500),
    percent: z.number().min(0).max(100).optional().describe('How much of the whole task is done.'),
  }),
  readOnly: true,
  summarize: ({ message, percent }) => (percent === undefined ? message : `${Math.round(percent)} %: ${message}`),
  async run({ message, percent }, context) {
    context.progress(makeVisible(message.replace(/\s+/g, ' ').trim()), percent ?? null);
    return succeeded('The user has been told.');
  },
});
