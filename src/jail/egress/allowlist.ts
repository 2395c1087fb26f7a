import { domainToASCII } from 'node:url';
import { UserError } from '../../base/errors';

/** Where a jail may connect to: a name, or every name below it, at these ports. */
export interface AllowedDomain {
  readonly domain: string;
  /** Written as `*.domain`: names below it, and not the domain itself. */
  readonly wildcard: boolean;
  readonly ports: readonly number[];
}

/** HTTP and HTTPS, where the policy names no port. */
const usualPorts = [80, 443];

/** Labels of letters, digits and hyphens; the last one holds a letter, for otherwise it may be read as an address. */
const hostName = /^(?=.{1,253}$)(?:(?!-)[a-z0-9_-]{1,63}(?<!-)\.)+(?=[a-z0-9-]*[a-z])(?!0x)(?!-)[a-z0-9-]{1,63}(?<!-)$/;

/**
 * A name as it is compared: lower case, ASCII, without the dot at the end.
 * @returns `undefined` for what is no name of a host: an address in any notation, one label alone, anything else.
 */
export function normalizedHost(host: string): string | undefined {
  // What converts a name ends it at some of these without a word.
  if (/[\s/\\?#@:%[\]]/.test(host)) return undefined;
  const name = domainToASCII(host.replace(/\.$/, '')).toLowerCase();
  return hostName.test(name) ? name : undefined;
}

/**
 * Reads the domains of a network policy: `example.org`, `*.example.org`, each with `:port` or without.
 * @throws {UserError} `network-domain-invalid`.
 */
export function parseAllowlist(domains: readonly string[]): AllowedDomain[] {
  return domains.map((text) => {
    const [, star, host = '', port] = /^(\*\.)?([^:*/@\s]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
    const domain = normalizedHost(host);
    const number = port === undefined ? undefined : Number(port);
    if (domain === undefined || (number !== undefined && (number < 1 || number > 65_535))) {
      throw new UserError(
        'network-domain-invalid',
        `"${text}" is no domain that a jail can be allowed. Write "example.org", "*.example.org" or "example.org:8443"; addresses are never allowed.`,
        { domain: text },
      );
    }
    return { domain, wildcard: star !== undefined, ports: number === undefined ? usualPorts : [number] };
  });
}

/** @param host as `normalizedHost` gives it. */
export function isAllowed(allowlist: readonly AllowedDomain[], host: string, port: number): boolean {
  return allowlist.some(
    ({ domain, wildcard, ports }) => ports.includes(port) && (wildcard ? host.endsWith(`.${domain}`) : host === domain),
  );
}
