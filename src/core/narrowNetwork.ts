import type { NetworkPolicy } from './jailPolicy';

/** HTTP and HTTPS, where a domain names no port. */
const usualPorts: readonly string[] = ['80', '443'];

interface Domain {
  readonly name: string;
  readonly isWildcard: boolean;
  readonly ports: readonly string[];
}

function parse(text: string): Domain {
  const [, star, name = '', port] = /^(\*\.)?([^:]*)(?::(.*))?$/.exec(text.toLowerCase()) ?? [];
  return { name, isWildcard: star !== undefined, ports: port === undefined ? usualPorts : [port] };
}

function covers(outer: Domain, inner: Domain): boolean {
  const below = outer.isWildcard && inner.name.endsWith(`.${outer.name}`);
  const same = outer.name === inner.name && outer.isWildcard === inner.isWildcard;
  return (below || same) && inner.ports.every((port) => outer.ports.includes(port));
}

/** True when whoever may reach `allowed` may reach `wanted` too: domains as `NetworkPolicy` has them. */
export function coversDomain(allowed: string, wanted: string): boolean {
  return covers(parse(allowed), parse(wanted));
}

/**
 * The network that a task asks for within the one that its persona has: it may only be tighter. What the persona does not
 * have is left out, and when nothing is left there is no network.
 * @param wanted absent: the persona's own.
 */
export function narrowNetwork(allowed: NetworkPolicy, wanted: NetworkPolicy | undefined): NetworkPolicy {
  if (wanted === undefined || allowed.kind === 'none') return allowed;
  if (wanted.kind === 'none') return wanted;
  const outer = allowed.domains.map(parse);
  const domains = wanted.domains.filter((text) => outer.some((domain) => covers(domain, parse(text))));
  return domains.length === 0 ? { kind: 'none' } : { kind: 'allowlist', domains };
}
