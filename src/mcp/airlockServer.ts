import type { Readable, Writable } from 'node:stream';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { z } from 'zod';
import { messageOf } from '../base/errors';
import { AgentQueue } from './agentQueue';
import type { ServedQueue } from './serveMcp';

const taskId = { task: z.string().min(1).max(200) };

/** Serves the queue to an agent until its input ends. */
export async function serveOn(queue: ServedQueue, input: Readable, output: Writable): Promise<void> {
  const server = new McpServer({ name: 'airlock', version: queue.version });
  registerTools(server, new AgentQueue(queue));
  const ended = new Promise<void>((resolve) => {
    server.server.onclose = resolve;
    input.once('end', resolve);
  });
  await server.connect(new StdioServerTransport(input, output));
  await ended;
  await server.close();
}

function registerTools(server: McpServer, queue: AgentQueue): void {
  const newTask = {
    title: z.string().min(1).max(200),
    prompt: z.string().min(1).describe('What is to be done; whoever does it knows nothing else.'),
    checks: z.array(z.string().min(1)).max(50).optional().describe('Commands that must pass on the result.'),
    repo: z.string().optional().describe('One of the repositories that this server was started for.'),
    persona: z.string().max(100).optional(),
    key: z.string().min(1).max(100).optional().describe('The same key again answers the task that is there.'),
  };
  server.registerTool(
    'add_task',
    {
      description:
        'Queues a coding task. Another agent works on it in a sandbox on a copy of the repository; the user decides about its result.',
      inputSchema: newTask,
    },
    (task) => answered(() => queue.add(task)),
  );
  const looking = { annotations: { readOnlyHint: true } };
  server.registerTool('list_tasks', { description: 'The tasks, the newest first.', ...looking }, () =>
    answered(() => queue.list()),
  );
  server.registerTool('get_task', { description: 'Where a task is.', inputSchema: taskId, ...looking }, ({ task }) =>
    answered(() => queue.get(task)),
  );
  server.registerTool(
    'task_result',
    {
      description: 'What came of a task that is over: verdict, checks, changed files.',
      inputSchema: taskId,
      ...looking,
    },
    ({ task }) => answered(() => queue.result(task)),
  );
}

async function answered(work: () => Promise<unknown>) {
  try {
    return { content: [{ type: 'text' as const, text: JSON.stringify(await work(), null, 2) }] };
  } catch (error) {
    return { content: [{ type: 'text' as const, text: messageOf(error) }], isError: true };
  }
}
