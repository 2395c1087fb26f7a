import { UserError } from '../base/errors';
import { coversDomain } from '../core/narrowNetwork';

/**
 * A setup that reaches the network runs code of the repository, and of whoever published what it installs, with a way out. So
 * the user must have allowed each domain by name.
 * @throws {UserError} `setup-network`
 */
export function requireConsent(wanted: readonly string[], allowed: readonly string[]): void {
  const missing = wanted.filter((domain) => !allowed.some((each) => coversDomain(each, domain)));
  if (missing.length === 0) return;
  const words = missing.join(', ');
  throw new UserError(
    'setup-network',
    `The setup of this repository must reach ${words}, and you have not allowed that. Add ${missing.length === 1 ? 'it' : 'them'} to the setting airlock.setup.network (on the command line: --setup-network), then retry.`,
    { domains: words },
  );
}
