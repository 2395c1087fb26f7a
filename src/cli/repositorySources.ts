import { UserError } from '../base/errors';
import type { SourceChoice } from '../assemble';

/** Where a task table is when nobody says otherwise. */
const defaultTaskFile = 'docs/TASKS.md';

export interface RepositorySourceFlags {
  readonly agent: string;
  /** `true`: the default path. */
  readonly taskFile: readonly string[] | true | undefined;
  readonly rows: string;
  readonly taskDefinitions: boolean;
  readonly allowEnv: readonly string[];
}

/** The sources that lie in the repositories themselves, as the switches ask for them. @throws {UserError} `not-a-repository`. */
export function repositorySources(repositories: readonly string[], flags: RepositorySourceFlags): SourceChoice[] {
  const { agent, taskFile, rows, taskDefinitions, allowEnv: environment } = flags;
  if (taskFile === undefined && !taskDefinitions) return [];
  if (repositories.length === 0)
    throw new UserError('not-a-repository', 'Tasks from files lie in a repository: say which one with --repo.');
  const files = taskFile === true ? [defaultTaskFile] : (taskFile ?? []);
  return repositories.flatMap((repo): SourceChoice[] => [
    ...files.map((file) => ({ kind: 'taskFile' as const, repo, file, agent, rows, mayBeMissing: false })),
    ...(taskDefinitions ? [{ kind: 'taskDefinitions' as const, repo, environment }] : []),
  ]);
}
