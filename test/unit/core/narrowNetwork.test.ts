import assert from 'node:assert/strict';
import type { NetworkPolicy } from '../../../src/core/jailPolicy';
import { narrowNetwork } from '../../../src/core/narrowNetwork';

describe('the network of a task', () => {
  const none: NetworkPolicy = { kind: 'none' };
  const list = (...domains: string[]): NetworkPolicy => ({ kind: 'allowlist', domains });
  const rows: [string, NetworkPolicy, NetworkPolicy | undefined, NetworkPolicy][] = [
    ['is the persona’s when it asks for none of its own', list('a.org'), undefined, list('a.org')],
    ['is none where the persona has none', none, list('a.org'), none],
    ['can be none', list('a.org'), none, none],
    ['can be a part of the persona’s', list('a.org', 'b.org'), list('b.org'), list('b.org')],
    ['is never more', list('a.org'), list('a.org', 'b.org'), list('a.org')],
    ['is none when nothing of it is left', list('a.org'), list('b.org'), none],
    [
      'can be one name of a wildcard',
      list('*.a.org'),
      list('x.a.org', '*.x.a.org', 'a.org'),
      list('x.a.org', '*.x.a.org'),
    ],
    ['is no wildcard of one name', list('a.org'), list('*.a.org'), none],
    ['can be one of the usual ports', list('a.org'), list('a.org:443', 'a.org:22'), list('a.org:443')],
    ['is not every usual port of one', list('a.org:443'), list('a.org'), none],
    ['does not end in the persona’s by chance', list('*.a.org'), list('evila.org'), none],
    ['does not mind case', list('A.org'), list('a.ORG'), list('a.ORG')],
  ];
  for (const [title, persona, task, expected] of rows) {
    it(title, () => assert.deepEqual(narrowNetwork(persona, task), expected));
  }
});
