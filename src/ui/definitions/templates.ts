import * as l10n from '@vscode/l10n';

/** A task definition to begin with. */
export interface DefinitionTemplate {
  /** Its file's name, without an ending. */
  readonly name: string;
  /** What it is good for. */
  readonly label: string;
  readonly text: string;
}

/** Switched off at first, so that nothing is started, and paid for, before it says what the user means. */
const head = `# It is started by itself once enabled is true and the setting airlock.taskDefinitions.enabled is on.
# "Run Task Definition Now…" starts it at once.
`;

const texts = {
  once: `${head}name: A task
enabled: false
task:
  prompt: |
    Say here what is to be done.
  checks:
    - npm test
`,
  'nightly-dependencies': `${head}name: Bring dependencies up to date
enabled: false
schedule:
  type: cron
  expression: "0 3 * * 1-5"
  timezone: UTC
overlap: skip
task:
  prompt: |
    Look for dependencies with newer patch and minor versions. Bring them up to date one by one, and leave out each with
    which the checks fail. Say in your last message which versions changed.
  checks:
    - npm test
  timeout: 3600
  max_retries: 1
on_failure:
  - notify: "Dependencies: {{ context.error }}"
`,
  'weekly-changelog': `${head}name: Write the changelog
enabled: false
schedule:
  type: cron
  expression: "0 16 * * 5"
  timezone: UTC
task:
  prompt: |
    Read the commits since the last entry of CHANGELOG.md, and add what a user of {{ context.product }} notices, in one line each.
  context:
    product: this product
on_success:
  - notify: "The changelog is on {{ context.branch }}"
`,
  'test-what-changes': `${head}name: Test what changed
enabled: false
trigger:
  type: file_watch
  path: src
  pattern: "**/*.ts"
  event: [created, modified]
  debounce: 30
overlap: replace
task:
  prompt: |
    {{ context.path }} was {{ context.event }}. Write tests for what in it has none. Change nothing but tests.
  checks:
    - npm test
`,
  'hourly-issues': `${head}name: Look for broken links
enabled: false
trigger:
  type: interval
  seconds: 3600
task:
  prompt: |
    Look for links between files of docs/ that lead nowhere, and mend them.
  permission_mode: default
  timeout: 900
`,
} as const;

export function definitionTemplates(): readonly DefinitionTemplate[] {
  const labels: Record<keyof typeof texts, string> = {
    once: l10n.t('Once: a task that is written down'),
    'nightly-dependencies': l10n.t('At night: bring dependencies up to date'),
    'weekly-changelog': l10n.t('Every Friday: write the changelog'),
    'test-what-changes': l10n.t('When files change: test what has none'),
    'hourly-issues': l10n.t('Every hour: look for something'),
  };
  return Object.entries(labels).map(([name, label]) => ({ name, label, text: texts[name as keyof typeof texts] }));
}
