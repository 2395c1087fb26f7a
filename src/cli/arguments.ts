import { InvalidArgumentError, Option } from 'commander';
import { defaultPersonas, defaultStorage } from './places';

const hourMs = 3_600_000;

/** Where the storage is; every command that asks or works has it. */
export const storageOption = (): Option =>
  new Option('--storage <dir>', 'where the journal and the workspaces are').default(
    defaultStorage(),
    '$XDG_STATE_HOME/airlock, or ~/.local/state/airlock',
  );

/** Where the user's own personas are. */
export const personasOption = (): Option =>
  new Option('--personas <dir>', 'your own personas, one Markdown file each').default(
    defaultPersonas(),
    defaultPersonas(),
  );

export const personaNetworkOption = (): Option =>
  new Option('--persona-network <domain>', 'a domain that personas of a repository may reach; may be repeated')
    .argParser(collect)
    .default([]);

export const environmentHelp = `
Environment:
  ANTHROPIC_API_KEY     the key for Claude
  ANTHROPIC_BASE_URL    another server that speaks the Messages API, such as a local model
  ANTHROPIC_AUTH_TOKEN  its token, where it wants a Bearer token
  ANTHROPIC_MODEL       the model
  AIRLOCK_TOOL_CHAINS   folders that jails see besides tool chains on the PATH, between colons
  AIRLOCK_SECRET_NAME   the secret NAME of MCP servers
  ZMEMORY_TOKEN         the token of the --zmemory server
  ZMEMORY_TOKEN_<NAME>  that of --zmemory name=url, in capitals and with _ for -`;

/** For an option that may be given more than once. */
export function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

/** Reads a number between these two, which may be one of them. */
export function numberFrom(min: number, max: number, kind?: 'whole'): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= min && value <= max) || (kind === 'whole' && !Number.isInteger(value)))
      throw new InvalidArgumentError(`It must be a ${kind === 'whole' ? 'whole ' : ''}number from ${min} to ${max}.`);
    return value;
  };
}

export const positiveInteger = numberFrom(1, 100, 'whole');
export const percentage = numberFrom(0, 100);
export const fewOrNone = numberFrom(0, 4, 'whole');
export const approvalMinutes = numberFrom(0, 100_000);
export const portNumber = numberFrom(0, 65_535, 'whole');

export function positiveAmount(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

/** An age such as `12h` or `7d`, in milliseconds. */
export function ageMs(text: string): number {
  const match = /^(\d{1,6})([hd])$/.exec(text);
  if (!match) throw new InvalidArgumentError('It must be hours or days, such as 12h or 7d.');
  return Number(match[1]) * (match[2] === 'h' ? hourMs : 24 * hourMs);
}

/** The number of a snapshot; 0 is the base. */
export function snapshotIndex(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('It must be the number of a snapshot.');
  return value;
}

/** An address of the web, without a user's name or password. */
export function webAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw new InvalidArgumentError('It must be an address that begins with http:// or https://.');
  return text;
}
