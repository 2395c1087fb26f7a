import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConversationSetup } from '../../core/engine';
import type { Mount } from '../../core/jailPolicy';
import { apiSocketName } from './apiSocket';
import { claudeToolsFor, deniedTools } from './claudeTools';

const inJail = '/run/claude-code';
const apiInJail = `${inJail}/api`;
export const configInJail = `${inJail}/config`;

/** Nobody listens there: Claude Code wants a name, and goes through the socket. */
const host = 'airlock.invalid';

/** Longer than any answer takes: how long is waited for one is decided outside. */
const requestTimeoutMs = 24 * 3600_000;

/** The folders of the host that Claude Code uses in a run. */
export function runFolders(folder: string): { readonly api: string; readonly config: string } {
  return { api: join(folder, 'api'), config: join(folder, 'config') };
}

/** Makes them. @returns how the jail sees them. */
export async function furnishFolders(folder: string): Promise<Mount[]> {
  const { api, config } = runFolders(folder);
  await Promise.all([api, config].map((path) => mkdir(path, { recursive: true, mode: 0o700 })));
  return [
    { from: api, at: apiInJail, access: 'read' },
    { from: config, at: configInJail, access: 'write' },
  ];
}

/** How a process joins Claude Code's session of the run. */
export type Joining =
  | { readonly kind: 'new' }
  /** `interrupted`: it takes up by itself what it was at. */
  | { readonly kind: 'resume'; readonly interrupted: boolean }
  /** A new one that begins with all that was said in another. */
  | { readonly kind: 'fork'; readonly from: string };

/** How it is started. */
export interface Launch {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface LaunchParts {
  /** The program's path in the jail. */
  readonly programPath: string;
  readonly setup: ConversationSetup;
  readonly servers: readonly string[];
  readonly sessionId: string;
  readonly joining: Joining;
}

export function launchOf(parts: LaunchParts): Launch {
  return {
    argv: [parts.programPath, ...launchArguments(parts)],
    environment: launchEnvironment(parts.setup, parts.joining),
  };
}

/** Always the same for a run, so that it needs not be kept: a UUID made of the folder's name. */
export function sessionIdOf(folder: string): string {
  const hex = createHash('sha256').update(`claude-code ${folder}`).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Claude Code reads them by itself only together with the settings beside them. */
const notesText =
  'If there is a CLAUDE.md or an AGENTS.md at the top of /workspace, read it before you begin: it says how this repository is worked on.';

/**
 * Settings of the user and of the repository do not count: what an agent may do is decided outside. So no use of a tool is allowed
 * here beforehand (`--allowedTools`, another permission mode): each is asked for. What is denied here as well, and the limit on
 * turns, hold even if asking failed; the limit on cost does not stand here, for Claude Code only guesses what it costs.
 */
function launchArguments({ setup, servers, sessionId, joining }: LaunchParts): string[] {
  const tools = claudeToolsFor(setup.tools.map(({ name }) => name));
  // Named here it waits for their tools, also before it takes up what was interrupted.
  const mcpServers = Object.fromEntries(servers.map((name) => [name, { type: 'sdk', name }]));
  return [
    ...['-p', '--input-format', 'stream-json', '--output-format', 'stream-json', '--verbose'],
    ...['--permission-prompt-tool', 'stdio', '--permission-mode', 'default'],
    ...['--strict-mcp-config', '--mcp-config', JSON.stringify({ mcpServers }), '--setting-sources', ''],
    ...['--tools', tools.join(','), '--disallowedTools', deniedTools(tools).join(',')],
    ...['--max-turns', String(setup.maxTurns)],
    ...['--model', setup.model],
    ...['--append-system-prompt', `${setup.systemPrompt}\n\n${notesText}`],
    ...joiningArguments(joining, sessionId),
  ];
}

function joiningArguments(joining: Joining, sessionId: string): string[] {
  switch (joining.kind) {
    case 'new':
      return ['--session-id', sessionId];
    case 'resume':
      return ['--resume', sessionId];
    case 'fork':
      return ['--resume', joining.from, '--fork-session', '--session-id', sessionId];
  }
}

/** The key is none: the real one is added outside the jail. */
function launchEnvironment(
  { model, maxOutputTokens, effort }: ConversationSetup,
  joining: Joining,
): Record<string, string> {
  const models = [
    ...['ANTHROPIC_MODEL', 'ANTHROPIC_SMALL_FAST_MODEL', 'CLAUDE_CODE_SUBAGENT_MODEL'],
    ...['ANTHROPIC_DEFAULT_OPUS_MODEL', 'ANTHROPIC_DEFAULT_SONNET_MODEL', 'ANTHROPIC_DEFAULT_HAIKU_MODEL'],
  ];
  const off = [
    ...['DISABLE_AUTOUPDATER', 'DISABLE_TELEMETRY', 'DISABLE_ERROR_REPORTING', 'DISABLE_COST_WARNINGS'],
    ...['CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC', 'CLAUDE_CODE_DISABLE_FEEDBACK_SURVEY'],
    // A refusal is an end that is told, not a question for another model.
    'CLAUDE_CODE_DISABLE_REFUSAL_FALLBACK',
    // What runs on after a turn nobody would see the end of, and what it remembers would be another run's.
    ...['CLAUDE_CODE_DISABLE_BACKGROUND_TASKS', 'CLAUDE_CODE_DISABLE_AUTO_MEMORY', 'CLAUDE_CODE_DISABLE_CRON'],
  ];
  return {
    ANTHROPIC_API_KEY: 'none-in-this-sandbox',
    ANTHROPIC_BASE_URL: `http://${host}`,
    ANTHROPIC_UNIX_SOCKET: `${apiInJail}/${apiSocketName}`,
    CLAUDE_CONFIG_DIR: configInJail,
    // Its tools' output goes to the model alone.
    FORCE_COLOR: '0',
    CLICOLOR_FORCE: '0',
    // As an argument it would end a version that does not know it.
    ...(effort ? { CLAUDE_CODE_EFFORT_LEVEL: effort } : {}),
    CLAUDE_CODE_MAX_OUTPUT_TOKENS: String(maxOutputTokens),
    // Tries again are made outside.
    CLAUDE_CODE_MAX_RETRIES: '1',
    API_TIMEOUT_MS: String(requestTimeoutMs),
    // What Airlock's own tools may take, and how long what they give may be, is decided outside; and there are few of them.
    MCP_TOOL_TIMEOUT: String(requestTimeoutMs),
    MAX_MCP_OUTPUT_TOKENS: '1000000',
    ENABLE_TOOL_SEARCH: 'false',
    NO_PROXY: `localhost,127.0.0.1,::1,${host}`,
    no_proxy: `localhost,127.0.0.1,::1,${host}`,
    ...Object.fromEntries(models.map((name) => [name, model])),
    ...Object.fromEntries(off.map((name) => [name, '1'])),
    ...(joining.kind === 'resume' && joining.interrupted ? { CLAUDE_CODE_RESUME_INTERRUPTED_TURN: '1' } : {}),
  };
}
