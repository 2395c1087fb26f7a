import assert from 'node:assert/strict';
import { readSightings } from '../../../src/jail/canaries/program';
import { type CanaryEvidence, type CanaryMeasures, judgeCanaries } from '../../../src/jail/canaries/verdict';

const token = 'f00d';
const stat = (startTicks: number): string => `77 (node (x) y) S ${Array(18).fill('0').join(' ')} ${startTicks} 0 0`;

const measures: CanaryMeasures = {
  token,
  hasHome: true,
  hasNetwork: true,
  hostStartTicks: 4711,
  allowedVariables: new Set(['PATH', 'HOME']),
};

const sightings = (seen: Record<string, string>): ReadonlyMap<string, string> => new Map(Object.entries(seen));

const contained: CanaryEvidence = {
  seen: sightings({
    secret: 'absent',
    home: 'absent',
    write: 'refused',
    loopback: 'refused',
    network: 'refused',
    process: 'absent',
    environment: 'PATH HOME PATH ',
  }),
  loopbackReached: false,
  networkReached: false,
  written: false,
};

const free: CanaryEvidence = {
  seen: sightings({
    secret: token,
    home: 'present',
    write: 'written',
    loopback: 'connected',
    network: 'connected',
    process: stat(4711),
    environment: 'PATH AIRLOCK_CANARY ',
  }),
  loopbackReached: true,
  networkReached: true,
  written: true,
};

const attempts = [
  'read a file of the host',
  'see the home folder',
  'write outside the jail',
  "reach the host's loopback",
  'reach the network',
  'see a process of the host',
  "read the host's environment",
];

/** The attempts that were not contained, or whose control failed. */
function failures(
  inside: CanaryEvidence,
  outside = free,
  how = measures,
): { escaped: string[]; blind: string[]; proven: boolean } {
  const proof = judgeCanaries(inside, outside, how, 1);
  const named = (held: boolean): string[] =>
    proof.canaries.filter((canary) => (held ? !canary.controlSucceeded : !canary.held)).map(({ attempt }) => attempt);
  return { escaped: named(false), blind: named(true), proven: proof.proven };
}

describe('judgeCanaries', () => {
  it('proves a jail in which nothing got through, when everything got through outside', () => {
    assert.deepEqual(failures(contained), { escaped: [], blind: [], proven: true });
  });

  it('sees every single escape', () => {
    assert.deepEqual(failures(free), { escaped: attempts, blind: [], proven: false });
  });

  it('proves nothing when the canary did not sing outside', () => {
    assert.deepEqual(failures(contained, contained), { escaped: [], blind: attempts, proven: false });
  });

  it('proves nothing when the program did not get to its end', () => {
    assert.deepEqual(failures({ ...contained, seen: readSightings(Buffer.from('secret\tabsent\n')) }), {
      escaped: attempts,
      blind: [],
      proven: false,
    });
  });

  it('believes its own listeners and files rather than the program', () => {
    const lying: CanaryEvidence = { ...contained, written: true, loopbackReached: true, networkReached: true };
    assert.deepEqual(failures(lying).escaped, [
      'write outside the jail',
      "reach the host's loopback",
      'reach the network',
    ]);
  });

  it('tells the process of the host from one of the same number in the jail', () => {
    const seen = new Map([...contained.seen, ['process', stat(9000)] as const]);
    assert.deepEqual(failures({ ...contained, seen }).escaped, []);
  });

  it('leaves out what this machine does not have', () => {
    const proof = judgeCanaries(contained, free, { ...measures, hasHome: false, hasNetwork: false }, 1);
    assert.deepEqual(
      proof.canaries.map(({ attempt }) => attempt),
      attempts.filter((attempt) => attempt !== 'see the home folder' && attempt !== 'reach the network'),
    );
  });

  it('shows nothing of what was read', () => {
    const shown = JSON.stringify(judgeCanaries(free, free, measures, 1));
    assert.equal(shown.includes(token), false);
  });
});
