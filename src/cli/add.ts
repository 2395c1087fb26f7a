import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { openExecutor } from '../assemble';
import { messageOf, UserError } from '../base/errors';
import { defaultPriority, prioritySchema, type Priority } from '../core/task';
import { consoleLogger } from './consoleLogger';
import { repositoryOf } from './places';
import { visitOptions } from './visit';

/** Where the prompt's text stands. The file `-` is the standard input. */
export type PromptPlace =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'file'; readonly file: string };

export interface AddOptions {
  readonly storage: string;
  readonly prompt: PromptPlace;
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
  const prompt = await promptText(options.prompt);
  const executor = await openExecutor(await visitOptions(options.storage, consoleLogger(false)), 'visit');
  try {
    const taskId = await executor.add({
      title,
      prompt,
      priority: parsePriority(options.priority),
      checks: options.checks.length > 0 ? [...options.checks] : null,
      repo: repo ?? null,
    });
    process.stdout.write(`${taskId}\n`);
    if (repo === undefined) process.stderr.write(noRepository);
  } finally {
    await executor.shutdown();
  }
}

const noRepository =
  'This folder is in no git repository, so the task is for the one that its worker is started with; where there are ' +
  'several, it waits until somebody says which. Name one with --repo.\n';

/** Read before anything is opened, so that a typing error in a file's name queues nothing. */
async function promptText(place: PromptPlace): Promise<string> {
  if (place.kind === 'text') return place.text;
  const { file } = place;
  try {
    // Bytes that are no UTF-8 would come to the model as something else than what was written.
    const bytes = file === '-' ? Buffer.from(await buffer(process.stdin)) : await readFile(file);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const from = file === '-' ? 'the standard input' : file;
    throw new UserError(
      'prompt-unreadable',
      `The prompt cannot be read from ${from}: ${messageOf(cause)}.`,
      { file },
      { cause },
    );
  }
}

function parsePriority(text: string | undefined): Priority {
  if (text === undefined) return defaultPriority;
  const parsed = prioritySchema.safeParse(Number(/^P?([0-3])$/i.exec(text)?.[1] ?? NaN));
  if (parsed.success) return parsed.data;
  throw new UserError('bad-priority', `“${text}” is no priority: say P0, P1, P2 or P3.`);
}
