import { openExecutor } from '../assemble';
import { UserError } from '../base/errors';
import { defaultPriority, prioritySchema, type Priority } from '../core/task';
import { consoleLogger } from './consoleLogger';
import { repositoryOf } from './places';
import { visitOptions } from './visit';

export interface AddOptions {
  readonly storage: string;
  readonly prompt: string;
  readonly checks: readonly string[];
  readonly priority: string | undefined;
  readonly repo: string | undefined;
}

/** Queues a task of the user's and prints its id. The executor that works the storage, if there is one, begins at once. */
export async function add(title: string, options: AddOptions): Promise<void> {
  const repo = await repositoryOf(options.repo ?? process.cwd());
  if (options.repo !== undefined && repo === undefined) {
    throw new UserError('not-a-repository', `${options.repo} is not in a git repository.`, { repo: options.repo });
  }
  const executor = await openExecutor(visitOptions(options.storage, consoleLogger(false)), 'visit');
  try {
    const taskId = await executor.add({
      title,
      prompt: options.prompt,
      priority: parsePriority(options.priority),
      checks: options.checks.length > 0 ? [...options.checks] : null,
      repo: repo ?? null,
    });
    process.stdout.write(`${taskId}\n`);
  } finally {
    await executor.shutdown();
  }
}

function parsePriority(text: string | undefined): Priority {
  if (text === undefined) return defaultPriority;
  const parsed = prioritySchema.safeParse(Number(/^P?([0-3])$/i.exec(text)?.[1] ?? NaN));
  if (parsed.success) return parsed.data;
  throw new UserError('bad-priority', `“${text}” is no priority: say P0, P1, P2 or P3.`);
}
