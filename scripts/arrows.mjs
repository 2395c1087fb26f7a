// The arrows of the house: which rooms a room may import. One table, from which the lint rules are made.
// A new arrow is an architectural decision: write it into docs/architecture.md too.

/** What joins the rooms may import: assemble.ts and the folder of its parts. */
const assembled = [
  'store',
  'jail',
  'sessions',
  'workspaces',
  'engines',
  'tools',
  'mcp',
  'sources',
  'personas',
  'executor',
  'analytics',
  'gateway',
  'protocol',
  'core',
  'base',
];

/** Rooms in src/ that each room may import, besides itself. */
export const arrows = {
  base: [],
  core: ['base'],
  protocol: ['core'],
  store: ['core', 'base'],
  jail: ['core', 'base'],
  sessions: ['jail', 'core', 'base'],
  workspaces: ['core', 'base'],
  engines: ['core', 'base'],
  tools: ['core', 'base'],
  mcp: ['core', 'base'],
  sources: ['core', 'base'],
  personas: ['core', 'base'],
  executor: ['core', 'base'],
  analytics: ['core', 'base'],
  gateway: ['protocol', 'core', 'base'],
  ui: ['core', 'base', 'protocol'],
  cli: ['assemble', 'core', 'base'],
  assemble: assembled,
};

/** Entrances: single files in src/, and what they may import. */
export const entrances = {
  'extension.ts': ['executorOptions', 'assemble', 'ui', 'core', 'base'],
  'executorOptions.ts': ['assemble', 'ui', 'core', 'base'],
  'assemble.ts': assembled,
};

/** Packages that one place alone may import: the rest of the house meets them through a port. */
export const packageHomes = {
  vscode: ['src/ui/**', 'src/extension.ts', 'test/host/**'],
  '@anthropic-ai/sdk': ['src/engines/anthropic/**', 'test/bench/**'],
  '@modelcontextprotocol/sdk': ['src/mcp/**', 'test/fakes/**'],
  'sql.js': ['src/store/**'],
  'image-size': ['src/core/**'],
  'node-pty': ['src/sessions/**'],
  'prom-client': ['src/analytics/**'],
  'simple-git': ['src/workspaces/**'],
  '@vscode/webview-ui-toolkit': ['webview/**'],
};

const everything = [...Object.keys(arrows), 'extension', 'executorOptions'];

function forbid(files, allowed, ownRoom) {
  // Rooms are folders beside each other; the entrances stand above them.
  const step = files.some((file) => file.includes('/**')) ? '(\\.\\./)+' : '';
  const forbidden = everything.filter((room) => room !== ownRoom && !allowed.includes(room));
  const homeless = Object.entries(packageHomes)
    .filter(([, homes]) => !files.some((file) => homes.some((home) => file.startsWith(home.replace('/**', '')))))
    .map(([name]) => name);
  return {
    files,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...(forbidden.length > 0
              ? [
                  {
                    regex: `^(\\./)*${step}(src/)?(${forbidden.join('|')})(/|$)`,
                    message: `${ownRoom} may import only: ${allowed.join(', ') || 'nothing'} (docs/architecture.md).`,
                  },
                ]
              : []),
            ...(allowed.includes('assemble')
              ? [
                  {
                    regex: `^(\\./)*${step}(src/)?assemble/`,
                    message: 'The parts of assemble.ts are its own (docs/architecture.md).',
                  },
                ]
              : []),
            ...homeless.map((name) => ({
              regex: `^${name.replace('/', '\\/')}(/.*)?$`,
              message: `${name} is imported in ${packageHomes[name].join(', ')} alone (docs/architecture.md).`,
            })),
          ],
        },
      ],
    },
  };
}

/** Overrides for oxlint's configuration that enforce the tables above. */
export function arrowRules() {
  return [
    ...Object.entries(arrows).map(([room, allowed]) => forbid([`src/${room}/**/*.ts`], allowed, room)),
    // The SDK has one home inside the engines room.
    forbid(['src/engines/anthropic/**/*.ts'], arrows.engines, 'engines'),
    ...Object.entries(entrances).map(([file, allowed]) => forbid([`src/${file}`], allowed, file.replace('.ts', ''))),
    forbid(['webview/**/*.ts'], ['protocol', 'webview'], 'webview'),
  ];
}
