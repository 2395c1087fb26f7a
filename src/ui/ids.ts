/** Everything that the manifest names, once. A test holds the manifest against it. */

export const viewContainerId = 'airlock';

export const viewIds = { tasks: 'airlock.tasks', sessions: 'airlock.sessions' } as const;

export const walkthroughId = 'airlock.walkthrough';

/** Files of results and of their bases, from git objects. Never `file:`, so that nothing beside them is run. */
export const resultScheme = 'airlock';

/** Files in conflict as the user is resolving them. */
export const mergeScheme = 'airlock-merge';

/** Reports that are written when they are opened: details of a task, the jail's proof. */
export const reportScheme = 'airlock-report';

/**
 * The language of reports: there for how the manifest has them shown. Never wrapped by the editor: the rest of a
 * quoted line would then stand without its bar, and could pass for a line of ours.
 */
export const reportLanguage = 'airlock-report';

/** Keys for `when` clauses, without the ability keys. */
export const contextKeys = {
  /** `opening`, `open`, `nowhere` or `failed`. */
  executor: 'airlock.executor',
  /** `running` or `paused`. */
  queue: 'airlock.queue',
  /** What can be done to the task whose details are shown, each between spaces. */
  report: 'airlock.report',
  hasTasks: 'airlock.hasTasks',
  /** The task tree shows only what has the words that the user looks for. */
  isFiltered: 'airlock.isFiltered',
  /** There is a source that is not paused. */
  hasRunningSources: 'airlock.hasRunningSources',
  hasPausedSources: 'airlock.hasPausedSources',
  hasEndedSessions: 'airlock.hasEndedSessions',
  /** `unknown`, `ready`, or the code of what is missing. */
  jail: 'airlock.jail',
  /** A key is kept in SecretStorage. */
  hasApiKey: 'airlock.hasApiKey',
  /** The model asks for a key and there is none. */
  needsApiKey: 'airlock.needsApiKey',
  hasZMemoryToken: 'airlock.hasZMemoryToken',
} as const;

/** The key that says whether there is a task that this can be done to. */
export function abilityContextKey(ability: string): string {
  return `airlock.can.${ability}`;
}

/** Where a secret of MCP servers is in SecretStorage. */
export function mcpSecretName(name: string): string {
  return `airlock.mcpSecret.${name}`;
}

/** Names in SecretStorage. */
export const secretNames = { apiKey: 'airlock.apiKey', zmemoryToken: 'airlock.zmemoryToken' } as const;
